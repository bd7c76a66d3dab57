/**
 * How a client proves that a name is its user's, and where it keeps what proves it the next time.
 *
 * A token takes the place of a password or a key after the first login: with each login it becomes the next one, and the
 * one before stays good until that is used. So what is kept is a few tokens, newest first: whoever was killed between
 * hearing of a token and keeping it, or shares them with another program, has a good one among them.
 */
import { Context, Effect, Equal, type Redacted, Schema } from "effect"
import type { NotSigned } from "./ClientError.ts"

export type Token = Redacted.Redacted
type Password = Redacted.Redacted

/** The tokens could not be kept. */
export class CannotKeep extends Schema.TaggedError<CannotKeep>()("CannotKeep", { issue: Schema.String }) {
  override readonly message = `The login could not be kept: ${this.issue}.`
}

export interface Key {
  /** Type and base64, as in an authorized_keys file. */
  readonly publicKey: string
  /** An armoured signature (SSHSIG, namespace `parley`) over the text. */
  readonly sign: (text: string) => Effect.Effect<string, NotSigned>
}

/** What proves the name where no token does. */
export type Login =
  | { readonly _tag: "Password"; readonly password: Password }
  /** Makes the account. */
  | { readonly _tag: "Register"; readonly password: Password; readonly invite?: Redacted.Redacted | undefined }
  | { readonly _tag: "Key"; readonly key: Key }

/** Where the tokens of one user on one server are. */
export interface TokenStore {
  /** Newest first; none if none can be read. Others may have kept newer ones meanwhile. */
  readonly read: Effect.Effect<ReadonlyArray<Token>>
  /** Puts a token before all others. Done when it would survive a crash. */
  readonly keep: (token: Token, used: Token | undefined) => Effect.Effect<void, CannotKeep>
  readonly forget: Effect.Effect<void, CannotKeep>
  /**
   * Waits until no other program is between `read` and `keep`, and gives what ends one's own turn: of two that log in with
   * one token at the same time, one could be left with none that is good.
   */
  readonly turn?: Effect.Effect<Effect.Effect<void>>
}

/** Where the tokens of this client are; nowhere, unless that is said. */
export const Tokens = Context.Reference<TokenStore>("parley/client/core/Login/Tokens", {
  defaultValue: () => ({ read: Effect.succeed([]), keep: () => Effect.void, forget: Effect.void })
})

/** So many tokens are kept: the one a login gave, the one it used, and the same of another one at the same time. */
export const maxTokens = 4

/** `tokens` with these two in front. */
export const withToken = (
  tokens: ReadonlyArray<Token>,
  token: Token,
  used: Token | undefined
): ReadonlyArray<Token> => {
  const first = used === undefined ? [token] : [token, used]
  return [...first, ...without(tokens, first)].slice(0, maxTokens)
}

export const without = (tokens: ReadonlyArray<Token>, others: ReadonlyArray<Token>): ReadonlyArray<Token> =>
  tokens.filter((token) => !others.some((other) => Equal.equals(token, other)))

/** What a key signs to log in (protocol, Accounts). `host` as it was dialled. */
export const loginText = (host: string, user: string, nonce: string): string =>
  ["parley-login", host, user, nonce, ""].join("\n")

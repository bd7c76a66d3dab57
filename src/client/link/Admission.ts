/**
 * What a client shows at the door: a token if it has one, or else what its user logs in with, or nothing as a guest.
 *
 * 1. A token that the server gives is kept before anything else is done with what it says (`keep`).
 * 2. What is kept comes first, for another process may have been given a newer one. One that is refused is not the end
 *    while there is another: with those of two processes in one place, at least one is good.
 * 3. A token takes the place of a password or a key for good: who is put out elsewhere does not come back by itself.
 * 4. From the time the kept tokens are read until the next is kept, or for 15 seconds, it is this client's turn (`TokenStore`).
 * 5. One that could not be kept is not used before the one that brought it: that stays good, and it is kept.
 *
 * Bounds: `maxTokens` in memory, and as many kept.
 */
import { Effect, Redacted, Schema, type Scope } from "effect"
import type { DeviceName } from "../../common/wire/AccountRequest.ts"
import type { ClientMessage } from "../../common/wire/ClientMessage.ts"
import { Refused } from "../core/ClientError.ts"
import type { Heard } from "../core/Heard.ts"
import type { CannotKeep, Key, Login, Token, TokenStore } from "../core/Login.ts"
import { loginText, maxTokens, without, withToken } from "../core/Login.ts"

/** Whoever has not been let in by then does not keep others from trying. */
const longestTurn = "15 seconds"

export interface AdmissionOptions {
  /** What proves that the name is the user's where no token does; nothing for a guest. */
  readonly login?: Login | undefined
  /** Tokens outlive the client there. */
  readonly tokens?: TokenStore | undefined
  /** What this device is to be called, also if it has a name already. */
  readonly device?: DeviceName | undefined
  /** The same for a new device that nobody gave a name. */
  readonly deviceByDefault?: DeviceName | undefined
  /** As it was dialled, without a port: what a key signs. */
  readonly host?: string | undefined
}

type Handshake = Extract<ClientMessage, { readonly _tag: "Handshake" }>

export type Proof = { readonly _tag: "Guest" } | { readonly _tag: "Token"; readonly token: Token } | Login

export interface Admission {
  /** What to try, one after the other, see `tryEach`. */
  readonly proofs: Effect.Effect<readonly [Proof, ...Array<Proof>], never, Scope.Scope>
  /** The server gave this token to a connection that had shown `proof`. */
  readonly keep: (token: Token, proof: Proof) => Effect.Effect<void, CannotKeep>
}

export const make = ({ login, tokens }: AdmissionOptions): Admission => {
  let known: ReadonlyArray<Token> = []
  let byHand = login

  let endTurn: Effect.Effect<void> = Effect.void

  /** A turn ends with the scope at the latest. */
  const takeTurn = Effect.gen(function* () {
    if (tokens?.turn === undefined || (yield* tokens.read).length === 0) return
    endTurn = yield* Effect.acquireRelease(tokens.turn, (end) => end)
    yield* Effect.forkScoped(Effect.andThen(Effect.sleep(longestTurn), endTurn))
  })

  const readTokens = Effect.andThen(takeTurn, tokens?.read ?? Effect.succeed([]))

  const proofs = Effect.map(readTokens, (kept): readonly [Proof, ...Array<Proof>] => {
    const all: ReadonlyArray<Proof> = [
      ...[...kept, ...without(known, kept)].map((token) => ({ _tag: "Token" as const, token })),
      ...(byHand === undefined ? [] : [byHand])
    ]
    const [first = { _tag: "Guest" }, ...others] = all
    return [first, ...others]
  })

  const keep = (token: Token, proof: Proof) =>
    Effect.suspend(() => {
      const used = proof._tag === "Token" ? proof.token : undefined
      byHand = undefined
      known = withToken(known, token, used)
      return (tokens?.keep(token, used) ?? Effect.void).pipe(
        Effect.tapError(() =>
          Effect.sync(() => {
            if (used !== undefined) known = [used, ...without(known, [used])].slice(0, maxTokens)
          })
        ),
        Effect.ensuring(endTurn)
      )
    }).pipe(Effect.uninterruptible)

  return { proofs, keep }
}

/** The token that a message gives, and the message without it: nobody else is to see it. */
export const tokenIn = (message: Heard): readonly [token: Token | undefined, rest: Heard] => {
  if (message._tag === "Registered") return [Redacted.make(message.token), { ...message, token: "kept" }]
  if (message._tag !== "Welcome" || message.token === undefined) return [undefined, message]
  const { token, ...rest } = message
  return [Redacted.make(token), rest]
}

const isRefused = Schema.is(Refused)

/** Shows one proof after the other, until one is not refused as not being it. */
export const tryEach = <E extends { readonly _tag: string }>(
  [proof, ...others]: readonly [Proof, ...Array<Proof>],
  enter: (proof: Proof) => Effect.Effect<never, E | Refused>
): Effect.Effect<never, E | Refused> =>
  Effect.catchIf(
    enter(proof),
    (error) => isRefused(error) && error.reason._tag === "InvalidCredentials" && others.length > 0,
    (error) => {
      const [next, ...rest] = others
      return next === undefined ? Effect.fail(error) : tryEach([next, ...rest], enter)
    }
  )

/** A Handshake that shows this proof. */
export const show = (handshake: Handshake, proof: Proof, options: AdmissionOptions): Handshake => {
  const device = options.device ?? (proof._tag === "Token" ? undefined : options.deviceByDefault)
  const named = { ...handshake, ...(device !== undefined && { device }) }
  switch (proof._tag) {
    case "Guest":
      return named
    case "Token":
    case "Password":
      return { ...named, credentials: proof }
    case "Register": {
      const { invite, password } = proof
      return { ...named, register: { password, ...(invite !== undefined && { invite }) } }
    }
    case "Key":
      return { ...named, credentials: { _tag: "Key", publicKey: proof.key.publicKey } }
  }
}

/** The second Handshake of a login by key. */
export const answer = (handshake: Handshake, key: Key, nonce: string, options: AdmissionOptions) => {
  const { host = "localhost" } = options
  return Effect.map(key.sign(loginText(host, handshake.user, nonce)), (signature): Handshake => {
    const { publicKey } = key
    return { ...handshake, credentials: { _tag: "KeyProof", publicKey, host, signature } }
  })
}

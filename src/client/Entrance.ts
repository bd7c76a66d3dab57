/**
 * Getting in: under which name, and with what proof. A person who cannot is told why and asked again, for another name or
 * for the password; a script ends, with a sentence that says what to start it with.
 *
 * What is tried, in this order: the tokens that are kept, whatever else is given (`--key`, `PARLEY_PASSWORD`), and then
 * what is asked; a guest has nothing. Of what is asked nothing is kept but the token it brings.
 */
import { Console, Context, Effect, Layer, Option, Redacted, Runtime, Schema } from "effect"
import { CliError } from "effect/cli"
import type { UserName } from "../common/name/UserName.ts"
import type { DeviceName } from "../common/wire/AccountRequest.ts"
import * as SshKey from "./account/SshKey.ts"
import * as TokenFile from "./account/TokenFile.ts"
import { askName, askUnseen, canAsk } from "./Asking.ts"
import { Refused, type SessionError } from "./core/ClientError.ts"
import type { Login } from "./core/Login.ts"
import { issueOf } from "./line/AccountErrand.ts"
import { Client, type ClientOptions } from "./link/Client.ts"
import type { Address } from "./link/Dial.ts"
import { safeLine } from "./text/SafeText.ts"

/** How long a script waits for a broken connection; a person may wait, or quit. */
const scriptPatience = "30 seconds"

/** How often a password may be wrong. */
const maxAttempts = 3

/** Ends the program, with a sentence for the person who started it. */
export class CannotChat extends Schema.TaggedError<CannotChat>()("CannotChat", { message: Schema.String }) {
  override readonly [CliError.userMessage] = this.message
  override readonly [Runtime.errorExitCode] = 1
}

export interface Entrance {
  readonly address: Address
  /** The folder of tokens, unless they are in a file of their own. */
  readonly folder: string
  readonly tokenFile: string | undefined
  readonly key: string | undefined
  readonly password: Redacted.Redacted | undefined
  readonly invite: Redacted.Redacted | undefined
  readonly device: DeviceName | undefined
  readonly deviceByDefault: DeviceName | undefined
}

/** Who wants in. */
export interface Visitor {
  readonly user: UserName | undefined
  /** `register`: makes the account. `login`: not as a guest. */
  readonly as: "whatever" | "login" | "register"
}

/** Gives the client, once it is in, and the user's place for tokens. */
export const enter = Effect.fnUntraced(function* (entrance: Entrance, visitor: Visitor) {
  const isPerson = yield* canAsk
  const { address } = entrance
  let user = visitor.user ?? (yield* knownUser(entrance)) ?? (yield* nameOf(isPerson))
  let login: Login | undefined = visitor.as === "register" ? yield* newAccount(entrance) : undefined
  let isAsked = false
  let wrong = 0

  for (;;) {
    const path = entrance.tokenFile ?? TokenFile.pathIn(entrance.folder, address, user)
    const tokens = yield* TokenFile.open(path, entrance.tokenFile === undefined ? entrance.folder : undefined).pipe(
      Effect.mapError(({ message }) => new CannotChat({ message }))
    )
    const hasToken = login === undefined && (yield* tokens.read).length > 0
    if (login === undefined && !hasToken) {
      login = yield* given(entrance)
      if (login === undefined && visitor.as === "login") {
        login = yield* askPassword(entrance, user)
        isAsked = true
      }
    }
    const options: ClientOptions & Address = {
      ...address,
      user,
      login,
      tokens,
      device: entrance.device,
      deviceByDefault: entrance.deviceByDefault,
      giveUpAfter: isPerson ? undefined : scriptPatience
    }
    const entered = yield* Effect.result(Layer.build(Client.layerDialled(options)))
    if (entered._tag === "Success") return { client: Context.get(entered.success, Client), tokens, user }

    const { failure } = entered
    const cannot = explain(entrance, user, failure, login)
    if (!isRefused(failure.reason)) return yield* cannot
    const { message, reason } = failure.reason
    if (reason._tag === "InvalidCredentials" && hasToken) {
      yield* Effect.ignore(tokens.forget)
      login = yield* given(entrance)
      if (login !== undefined) continue
      if (!isPerson) return yield* cannot
      yield* say("This device is not logged in any more.")
      login = yield* askPassword(entrance, user)
      isAsked = true
      continue
    }
    if (!isPerson) return yield* cannot
    yield* say(safeLine(message))
    switch (reason._tag) {
      case "UserNameTaken":
      case "NameTooSimilar":
      case "AccountExists":
        user = yield* askName
        continue
      case "PasswordRequired": {
        yield* warn(entrance)
        const password = yield* askUnseen(`Password of ${user}, or nothing for another name`)
        if (Option.isNone(password)) return yield* cannot
        login = Redacted.value(password.value) === "" ? undefined : { _tag: "Password", password: password.value }
        isAsked = true
        if (login === undefined) user = yield* askName
        continue
      }
      case "InvalidInvite": {
        const invite = yield* askUnseen("Invite")
        if (login?._tag !== "Register" || Option.isNone(invite)) return yield* cannot
        login = { ...login, invite: invite.value }
        continue
      }
      case "InvalidCredentials":
        wrong += 1
        if (!isAsked || wrong >= maxAttempts) return yield* cannot
        login = yield* askPassword(entrance, user)
        continue
      default:
        return yield* cannot
    }
  }
})

const isRefused = Schema.is(Refused)

const say = (sentence: string) => Console.error(sentence)

/** Whoever is the only one with a token for this server. */
const knownUser = Effect.fnUntraced(function* ({ address, folder, tokenFile }: Entrance) {
  const [first, ...others] = tokenFile === undefined ? yield* TokenFile.usersIn(folder, address) : []
  return others.length === 0 ? first : undefined
})

const nameOf = Effect.fnUntraced(function* (isPerson: boolean) {
  if (isPerson) return yield* askName
  return yield* new CannotChat({ message: "No name was given. Start with --user <name>, or set USER_NAME." })
})

/** What somebody logs in with who was not asked. */
const given = Effect.fnUntraced(function* ({ key, password }: Entrance) {
  if (key === undefined) return password === undefined ? undefined : ({ _tag: "Password", password } as const)
  const opened = yield* SshKey.open(key, askUnseen).pipe(Effect.mapError(({ message }) => new CannotChat({ message })))
  return { _tag: "Key", key: opened } as const
})

const askPassword = Effect.fnUntraced(function* (entrance: Entrance, user: UserName) {
  yield* warn(entrance)
  const password = yield* askUnseen(`Password of ${user}`)
  if (Option.isSome(password)) return { _tag: "Password", password: password.value } as const
  return yield* new CannotChat({ message: `Nobody has logged in as ${user}.` })
})

const newAccount = Effect.fnUntraced(function* (entrance: Entrance) {
  const { invite, password } = entrance
  if (password !== undefined) return { _tag: "Register", password, invite } as const
  yield* warn(entrance)
  for (;;) {
    const first = yield* askUnseen("New password, of 10 characters at least")
    if (Option.isNone(first)) {
      return yield* new CannotChat({
        message: "An account takes a password. Start on a terminal, or set PARLEY_PASSWORD."
      })
    }
    const issue = issueOf(first.value)
    if (issue !== undefined) {
      yield* say(`This cannot be it: ${issue}.`)
      continue
    }
    const again = yield* askUnseen("The same again")
    if (Option.isSome(again) && Redacted.value(again.value) === Redacted.value(first.value)) {
      return { _tag: "Register", password: first.value, invite } as const
    }
    yield* say("The two were not the same.")
  }
})

/** Before a password is typed that others could read. */
const warn = ({ address: { host, tls } }: Entrance) =>
  tls !== undefined || isLoopback(host)
    ? Effect.void
    : say("This connection is not encrypted: whoever is on the way can read the password. --tls encrypts it.")

const isLoopback = (host: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host)

export const explain = (
  { address: { host, port } }: Entrance,
  user: string,
  { reason }: SessionError,
  login?: Login | undefined
): CannotChat => {
  const remedy = isRefused(reason) ? remedyOf(reason, login) : ""
  return new CannotChat({ message: `Cannot chat as ${user} on ${host}:${port}. ${safeLine(reason.message)}${remedy}` })
}

const remedyOf = ({ reason }: Refused, login: Login | undefined): string => {
  switch (reason._tag) {
    case "UserNameTaken":
    case "NameTooSimilar":
      return " Start again with --user <another name>."
    case "PasswordRequired":
      return " Set PARLEY_PASSWORD, or start with --key, with --token-file, or with --user <another name>; --register makes an account."
    case "InvalidCredentials":
      return login === undefined ? " This device may have been removed: log in again." : ""
    case "InvalidInvite":
      return " Set PARLEY_INVITE."
    case "NotAllowed":
      return reason.action === "Handshake" ? " Start again with --tls." : ""
    default:
      return ""
  }
}

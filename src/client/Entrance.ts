/**
 * Getting in: under which name, and with what proof. A person who cannot is told why and asked again, for another name or
 * for the password; a script ends, with a sentence that says what to start it with.
 *
 * What is tried, in this order: the tokens that are kept, whatever else is given (`--key`, `PARLEY_PASSWORD`), and then
 * what is asked; a guest has nothing. Of what is asked nothing is kept but the token it brings.
 *
 * Who is here already and wants to be somebody else stays who they are, whatever comes of it.
 */
import { Context, Effect, Exit, FileSystem, Layer, Option, Redacted, Runtime, Schema, Scope } from "effect"
import type { UserName } from "../common/name/UserName.ts"
import type { DeviceName } from "../common/wire/AccountRequest.ts"
import * as SshKey from "./account/SshKey.ts"
import * as TokenFile from "./account/TokenFile.ts"
import type { Asking } from "./Asking.ts"
import { Refused, type SessionError } from "./core/ClientError.ts"
import { NotDone } from "./core/Encryption.ts"
import { codeOfEnd, exitCode } from "./core/ExitCode.ts"
import type { Login, TokenStore } from "./core/Login.ts"
import { issueOf } from "./line/AccountErrand.ts"
import { Client } from "./link/Client.ts"
import type { ClientOptions } from "./link/ClientOptions.ts"
import type { Address } from "./link/Dial.ts"
import * as Keeping from "./sealed/Keeping.ts"
import type { KeySource } from "./sealed/Safe.ts"
import * as SealedClient from "./sealed/SealedClient.ts"
import { statePaths } from "./sealed/StatePath.ts"
import { safeLine } from "./text/SafeText.ts"

/** How long a script waits for a broken connection; a person may wait, or quit. */
const scriptPatience = "30 seconds"

/** Ends the program, with a sentence for the person who started it. */
export class CannotChat extends Schema.TaggedError<CannotChat>()("CannotChat", {
  message: Schema.String,
  exitCode: Schema.Int
}) {
  override readonly [Runtime.errorExitCode] = this.exitCode
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
  /** Where the keys of encrypted conversations are kept; and what opens them, unless it is the key file beside them. */
  readonly dataHome: string
  readonly passphrase: Redacted.Redacted | undefined
  /** When they are needed, and not on arrival. */
  readonly opensKeysLate?: true
  /** What the client is to do otherwise than a chat's. */
  readonly link?: Pick<ClientOptions, "from" | "joinsAll" | "giveUpAfter">
}

/** Who wants in. */
export interface Visitor {
  readonly user: UserName | undefined
  /** `register`: makes the account. `login`: not as a guest. */
  readonly as: "whatever" | "login" | "register"
  /** Who they are, and stay if this comes to nothing. */
  readonly stays?: UserName | undefined
  /** Their login was ended elsewhere: nothing that is given takes its place by itself. */
  readonly isPutOut?: boolean
}

/** Gives the client, once it is in, and the user's place for tokens. */
export const enter = Effect.fnUntraced(function* (entrance: Entrance, visitor: Visitor, asking: Asking) {
  const { askName, canAsk: isPerson, say } = asking
  const { stays } = visitor
  let user = yield* whoever(entrance, visitor.user, asking)
  const registration = visitor.as === "register" ? yield* newAccount(entrance, asking) : undefined
  let login: Login | undefined = registration
  // What was given at the start is for whoever started.
  let isAsked = visitor.isPutOut === true || stays !== undefined
  const tokenFile = stays === undefined ? entrance.tokenFile : undefined

  const ask = Effect.gen(function* () {
    isAsked = true
    const answer = yield* askPassword(entrance, asking, user, stays)
    if (answer !== undefined) return answer
    if (stays !== undefined) return yield* nobody(user)
    user = yield* askName
    return registration
  })

  for (;;) {
    const path = tokenFile ?? TokenFile.pathIn(entrance.folder, entrance.address, user)
    const tokens = yield* TokenFile.open(path, tokenFile === undefined ? entrance.folder : undefined).pipe(
      Effect.mapError(({ message }) => noLogin(message))
    )
    const hasToken = login === undefined && (yield* tokens.read).length > 0
    if (login === undefined && !hasToken) {
      if (!isAsked) login = yield* given(entrance, asking)
      const isToLogIn = visitor.as === "login" && user === visitor.user
      if (login === undefined && isToLogIn) login = yield* ask
    }
    const entered = yield* Effect.result(connect({ entrance, user, login, tokens, isPerson }))
    if (entered._tag === "Success") {
      const { close, client: plain, scope } = entered.success
      const keeping = yield* keepingOf({ ...entrance, tokenFile }, user, asking)
      const client = yield* Scope.provide(SealedClient.over(plain, keeping), scope)
      return { client, close, tokens, user }
    }

    const { failure } = entered
    const cannot = explain(entrance, user, failure, login)
    if (!isRefused(failure.reason)) return yield* cannot
    const { message, reason } = failure.reason
    if (reason._tag === "InvalidCredentials" && hasToken) {
      yield* Effect.ignore(tokens.forget)
      login = isAsked ? undefined : yield* given(entrance, asking)
      if (login !== undefined) continue
      if (!isPerson) return yield* cannot
      yield* say("This device is not logged in any more.")
      login = yield* ask
      continue
    }
    if (!isPerson) return yield* cannot
    switch (reason._tag) {
      case "UserNameTaken":
      case "NameTooSimilar":
        if (stays !== undefined) return yield* cannot
        yield* say(safeLine(message))
        user = yield* askName
        continue
      case "PasswordRequired":
        yield* say(twoWays(user))
        login = yield* ask
        continue
      case "AccountExists":
      case "InvalidCredentials":
      case "TooManyAttempts":
        yield* say(safeLine(message))
        login = yield* ask
        continue
      case "InvalidMessage": {
        if (login?._tag !== "Register" || entrance.password !== undefined) return yield* cannot
        yield* say(safeLine(message))
        login = yield* newAccount(entrance, asking)
        continue
      }
      case "InvalidInvite": {
        yield* say(safeLine(message))
        const invite = yield* asking.askUnseen("Invite")
        if (login?._tag !== "Register" || Option.isNone(invite)) return yield* cannot
        login = { ...login, invite: invite.value }
        continue
      }
      default:
        return yield* cannot
    }
  }
})

interface Connecting {
  readonly entrance: Entrance
  readonly user: UserName
  readonly login: Login | undefined
  readonly tokens: TokenStore
  readonly isPerson: boolean
}

/** The client lives until it is closed, or the scope is. */
const connect = Effect.fnUntraced(function* ({ entrance, isPerson, login, tokens, user }: Connecting) {
  const { address, device, deviceByDefault } = entrance
  const giveUpAfter = isPerson ? undefined : scriptPatience
  const given = { ...address, user, login, tokens, device, deviceByDefault }
  const options: ClientOptions & Address = { ...given, giveUpAfter, ...entrance.link }
  const scope = yield* Scope.fork(yield* Effect.scope)
  const close = Scope.close(scope, Exit.void)
  const built = yield* Layer.buildWithScope(Client.layerDialled(options), scope).pipe(Effect.onError(() => close))
  return { client: Context.get(built, Client), close, scope }
})

/** A passphrase that was given once is asked for from then on. */
const keepingOf = Effect.fnUntraced(function* (
  { address: { host, port }, dataHome, opensKeysLate, passphrase, tokenFile }: Entrance,
  user: UserName,
  { askUnseen }: Asking
) {
  const files = yield* FileSystem.FileSystem
  const paths = statePaths(dataHome, `${host}:${port}`, user, tokenFile)
  const exists = (path: string) => Effect.orElseSucceed(files.exists(path), () => false)
  const isLocked = (yield* exists(paths.state)) && !(yield* exists(paths.key))
  const typed =
    passphrase === undefined && isLocked
      ? Option.getOrUndefined(yield* askUnseen(`Passphrase of the keys of ${user}, or nothing to go on without`))
      : passphrase
  const source: Effect.Effect<KeySource, NotDone> =
    typed !== undefined && Redacted.value(typed) !== ""
      ? Effect.succeed({ _tag: "Passphrase", passphrase: typed })
      : isLocked
        ? Effect.fail(
            new NotDone({
              message: `The keys in ${paths.state} open with a passphrase. Set PARLEY_PASSPHRASE, or start on a terminal.`
            })
          )
        : Effect.succeed({ _tag: "File", path: paths.key })
  return yield* Keeping.inFiles(paths, source, opensKeysLate !== true)
})

const isRefused = Schema.is(Refused)

/** Whoever is the only one with a token for this server. */
const knownUser = Effect.fnUntraced(function* ({ address, folder, tokenFile }: Entrance) {
  const [first, ...others] = tokenFile === undefined ? yield* TokenFile.usersIn(folder, address) : []
  return others.length === 0 ? first : undefined
})

/** The name that was given, or that is known here, or that a person gives. */
export const whoever = Effect.fnUntraced(function* (
  entrance: Entrance,
  user: UserName | undefined,
  { askName, canAsk }: Asking
) {
  const known = user ?? (yield* knownUser(entrance))
  if (known !== undefined) return known
  if (canAsk) return yield* askName
  const message = "No name was given. Start with --user <name>, or set USER_NAME."
  return yield* new CannotChat({ message, exitCode: exitCode.usage })
})

const noLogin = (message: string) => new CannotChat({ message, exitCode: exitCode.login })

/** What somebody logs in with who was not asked. */
const given = Effect.fnUntraced(function* ({ key, password }: Entrance, { askUnseen }: Asking) {
  if (key === undefined) return password === undefined ? undefined : ({ _tag: "Password", password } as const)
  const opened = yield* SshKey.open(key, askUnseen).pipe(Effect.mapError(({ message }) => noLogin(message)))
  return { _tag: "Key", key: opened } as const
})

const nobody = (user: string) => noLogin(`Nobody has logged in as ${user}.`)

/** The server does not tell strangers whether a name is an account's. */
const twoWays = (user: string): string =>
  `The name ${user} is an account's, or no guests are let in: type its password, ` +
  "or :register to make it your account, as --register does."

/** Undefined where nothing is typed. */
const askPassword = Effect.fnUntraced(function* (
  entrance: Entrance,
  asking: Asking,
  user: UserName,
  stays: UserName | undefined
): Effect.fn.Return<Login | undefined, CannotChat> {
  yield* warn(entrance, asking)
  const otherwise = stays === undefined ? "for another name" : `to stay ${stays}`
  const password = yield* asking.askUnseen(`Password of ${user}, or nothing ${otherwise}`)
  if (Option.isNone(password)) return yield* nobody(user)
  const typed = Redacted.value(password.value)
  // No password is as short.
  if (typed === ":register" && stays === undefined) return yield* newAccount(entrance, asking)
  return typed === "" ? undefined : { _tag: "Password", password: password.value }
})

const newAccount = Effect.fnUntraced(function* (
  entrance: Entrance,
  asking: Asking
): Effect.fn.Return<Login, CannotChat> {
  const { invite, password } = entrance
  const { askUnseen, say } = asking
  if (password !== undefined) return { _tag: "Register", password, invite }
  yield* warn(entrance, asking)
  for (;;) {
    const first = yield* askUnseen("New password, of 10 characters at least")
    if (Option.isNone(first)) {
      return yield* noLogin("An account takes a password. Start on a terminal, or set PARLEY_PASSWORD.")
    }
    const issue = issueOf(first.value)
    if (issue !== undefined) {
      yield* say(`This cannot be it: ${issue}.`)
      continue
    }
    const again = yield* askUnseen("The same again")
    if (Option.isSome(again) && Redacted.value(again.value) === Redacted.value(first.value)) {
      return { _tag: "Register", password: first.value, invite }
    }
    yield* say("The two were not the same.")
  }
})

/** Before a password is typed that others could read. */
const warn = ({ address: { host, tls } }: Entrance, { say }: Asking) =>
  tls !== undefined || isLoopback(host)
    ? Effect.void
    : say("This connection is not encrypted: whoever is on the way can read the password. --tls encrypts it.")

const isLoopback = (host: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host)

/** Who comes back after a sitting that has ended for this; nobody, if asking again would not help. */
export const comingBack = (user: UserName, { reason }: SessionError): Visitor | undefined => {
  switch (isRefused(reason) ? reason.reason._tag : undefined) {
    case "InvalidCredentials":
      return { user, as: "login", isPutOut: true }
    // Meanwhile the name may have become somebody else's.
    case "UserNameTaken":
    case "PasswordRequired":
    case "NameTooSimilar":
      return { user, as: "whatever" }
    default:
      return undefined
  }
}

/** What happened to whom the login was ended elsewhere. */
const whyOut = ({ farewell }: SessionError): string =>
  safeLine(farewell ?? "This device was removed from its account, or the password was changed.")

/** What a person is told then. */
export const putOut = (user: string, error: SessionError): string =>
  `${whyOut(error)} Type the password of ${user} to go on here.`

export const explain = (
  { address: { host, port } }: Entrance,
  user: string,
  error: SessionError,
  login?: Login | undefined
): CannotChat => {
  const { reason } = error
  const isOut = isRefused(reason) && reason.reason._tag === "InvalidCredentials" && login === undefined
  const why = isOut
    ? `${whyOut(error)} Set PARLEY_PASSWORD, or start with --key or on a terminal.`
    : safeLine(reason.message)
  const remedy = isRefused(reason) ? remedyOf(reason) : ""
  const message = `Cannot chat as ${user} on ${host}:${port}. ${why}${remedy}`
  return new CannotChat({ message, exitCode: codeOfEnd(reason) })
}

const remedyOf = ({ reason }: Refused): string => {
  switch (reason._tag) {
    case "UserNameTaken":
      return (
        " Start again with --user <another name>; an account, which pnpm client --user <name> --register makes of a free " +
        "name, may be here several times."
      )
    case "NameTooSimilar":
      return " Start again with --user <another name>."
    case "PasswordRequired":
      return " Set PARLEY_PASSWORD, or start with --key, with --token-file, or with --user <another name>; --register makes an account."
    case "InvalidInvite":
      return " Set PARLEY_INVITE."
    case "NotAllowed":
      return reason.action === "Handshake" ? " Start again with --tls." : ""
    default:
      return ""
  }
}

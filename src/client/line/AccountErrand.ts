/**
 * What a person does about their own account: asks what has to be typed unseen, at once, and carries it out when it is its
 * turn. A password is nowhere but in the answer and in the one request it is for.
 */
import { homedir } from "node:os"
import { Context, Effect, Option, Redacted, Ref } from "effect"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { publicKeyOf } from "../account/SshKey.ts"
import * as Action from "../command/Action.ts"
import { type AccountAct, type EncryptionAct, NotUnderstood } from "../command/Action.ts"
import { ReplyLost, type RequestError } from "../core/ClientError.ts"
import { Tokens } from "../core/Login.ts"
import { RecentMessages } from "../core/Recent.ts"
import { Client } from "../link/Client.ts"
import { error, remark } from "../screen/Render.ts"
import { renderUnread } from "../screen/RenderAccount.ts"
import { present, Screen } from "../screen/Screen.ts"
import * as Current from "./Current.ts"
import { CurrentTalk } from "./Current.ts"
import { carryOutEncryption, prepareEncryption } from "./EncryptionErrand.ts"
import { isYes } from "./Sure.ts"

/** The list shown last: what a number means that a command names. */
export class ListsShown extends Context.Service<ListsShown, Ref.Ref<Lists>>()(
  "parley/client/line/AccountErrand/ListsShown"
) {}

export interface Lists {
  readonly keys: ReadonlyArray<string>
}

export const noLists: Lists = { keys: [] }

/** After a reply was shown. */
export const withList = (lists: Lists, reply: ServerMessage): Lists =>
  reply._tag === "Keys" ? { keys: reply.keys.map(({ fingerprint }) => fingerprint) } : lists

/** In characters, as the server has it. */
const leastPassword = 10
const mostPassword = 256

/** What is wrong with a new password, whatever the server thinks of it. */
export const issueOf = (password: Redacted.Redacted): string | undefined => {
  const { length } = [...Redacted.value(password)]
  if (length < leastPassword) return `a password has ${leastPassword} characters at least`
  return length > mostPassword ? `a password has ${mostPassword} characters at most` : undefined
}

/** What takes more than one request, or none. */
export type AccountErrand =
  | { readonly _tag: "Register"; readonly password: Redacted.Redacted }
  | { readonly _tag: "ChangePassword"; readonly current: Redacted.Redacted; readonly next: Redacted.Redacted }
  | { readonly _tag: "Unregister"; readonly password: Redacted.Redacted }
  | { readonly _tag: "Logout" }
  | { readonly _tag: "Unread" }
  | { readonly _tag: "Encryption"; readonly act: EncryptionAct }

/** Behind it, there is nobody left to ask for more. */
export const isLast = (errand: { readonly _tag: string }): boolean =>
  errand._tag === "Logout" || errand._tag === "Unregister"

/** Logging in is another sitting's: see `Relogin`. */
export type AccountActHere = Exclude<AccountAct, { readonly _tag: "Login" }>

/** Gives what is to be done when it is its turn. */
export const prepare = Effect.fnUntraced(function* (act: AccountActHere) {
  switch (act._tag) {
    case "Register":
      return { _tag: "Register" as const, password: yield* askNew("register") }
    case "Unregister":
      return { _tag: "Unregister" as const, password: yield* confirmEnd }
    case "ChangePassword": {
      const current = yield* ask("passwd", "Password up to now")
      return { _tag: "ChangePassword" as const, current, next: yield* askNew("passwd") }
    }
    case "RemoveDevice": {
      const found = yield* deviceOfOwn(act.which)
      return found.here === true
        ? { _tag: "Logout" as const }
        : Action.ask({ _tag: "RemoveDevice", device: found.device })
    }
    case "RemoveKey":
      return Action.ask({ _tag: "RemoveKey", fingerprint: yield* keyNamed(act.which) })
    case "AddKey":
      return yield* addKey(act.path)
    case "Encryption":
      yield* prepareEncryption(act.act)
      // A device that there is not would be waited for by all who let others in.
      if (act.act._tag === "SignIn") {
        const { device } = act.act
        yield* Effect.mapError(deviceOfOwn(device), (failure) =>
          failure._tag === "NotUnderstood" ? new NotUnderstood({ message: noneToLink(device) }) : failure
        )
      }
      return act
    default:
      return act
  }
})

/** The one of that name that is logged in to the account. */
const deviceOfOwn = Effect.fnUntraced(function* (which: string | undefined) {
  const { quietly } = yield* Client
  const { devices } = yield* quietly({ _tag: "ListDevices" })
  return devices.find(({ device }) => device === which) ?? (yield* noDevice(which))
})

const noneToLink = (typed: string): string =>
  `:link: ${typed} is no device of yours, which :devices lists, nor the code of one, which has 26 letters and digits.`

const noDevice = (which: string | undefined) =>
  new NotUnderstood({
    message:
      which === undefined
        ? ":devices: say which by its number, as :devices shows it: :devices remove 2."
        : `:devices: there is no device ${which}. :devices shows those there are.`
  })

export const carryOutOwn = Effect.fnUntraced(function* (errand: AccountErrand) {
  switch (errand._tag) {
    case "Register":
      return yield* untilTaken("register", errand.password, register)
    case "ChangePassword": {
      const { request } = yield* Client
      const { current } = errand
      return yield* untilTaken("passwd", errand.next, (next) => request({ _tag: "ChangePassword", current, next }))
    }
    case "Encryption":
      return yield* carryOutEncryption(errand.act)
    case "Unregister":
      return yield* unregister(errand.password)
    case "Logout":
      return yield* logOut
    case "Unread": {
      const current = yield* Ref.get(yield* CurrentTalk)
      return yield* present((style) => renderUnread(Current.waiting(current), style))
    }
  }
})

const ask = Effect.fnUntraced(function* (command: string, question: string) {
  const { askUnseen, isInteractive } = yield* Screen
  const answer = yield* askUnseen(question)
  if (Option.isSome(answer)) return answer.value
  const why = isInteractive ? "nothing was changed" : "a password is asked for, and there is nobody to ask"
  return yield* new NotUnderstood({ message: `:${command}: ${why}.` })
})

/** What cannot be taken back is asked for twice. */
const confirmEnd = Effect.gen(function* () {
  const { isAccount, user } = yield* Ref.get(yield* RecentMessages)
  if (!isAccount) {
    return yield* new NotUnderstood({ message: ":unregister: this is no account, and nothing is kept. :quit leaves." })
  }
  yield* present((style) => remark(style, `the name ${user} will be gone until an admin frees it`))
  const sure = yield* ask("unregister", `Type yes to delete the account ${user}`)
  if (!isYes(sure)) {
    return yield* new NotUnderstood({ message: ":unregister: nothing was changed." })
  }
  return yield* ask("unregister", `Password of ${user}`)
})

/** How long the server may take, which lets guesses of a password wait. */
const deletionPatience = "30 seconds"

/** Whoever does not hear that it is done keeps the login of this device, to look. */
const unregister = Effect.fnUntraced(function* (password: Redacted.Redacted) {
  const client = yield* Client
  const reply = yield* client.leaveBy({ _tag: "DeleteAccount", password }, deletionPatience)
  if (Option.isNone(reply)) {
    const { message } = new ReplyLost({ request: "DeleteAccount" })
    return yield* Effect.ignore(present((style) => error(style, message)))
  }
  yield* client.encryption.forget
  return yield* forgetLogin("your account is deleted, and this device is forgotten")
})

/** Asks until there is one that could do: back at the prompt, what is typed as a password would go to everybody. */
const askNew = Effect.fnUntraced(function* (command: string, why?: string) {
  let issue = why
  for (;;) {
    const password = yield* ask(command, issue === undefined ? "New password" : `New password (${issue})`)
    issue = issueOf(password)
    if (issue !== undefined) continue
    const again = yield* ask(command, "The same again")
    if (Redacted.value(again) === Redacted.value(password)) return password
    issue = "the two were not the same"
  }
})

/** Asks for another one as long as the server does not take it. */
const untilTaken = Effect.fnUntraced(function* <A, R>(
  command: string,
  first: Redacted.Redacted,
  send: (password: Redacted.Redacted) => Effect.Effect<A, RequestError | NotUnderstood, R>
) {
  let password = first
  for (;;) {
    const taken = yield* send(password).pipe(
      Effect.asSome,
      Effect.catchReason("RequestRejected", "InvalidMessage", () => Effect.succeedNone)
    )
    if (Option.isSome(taken)) return taken.value
    password = yield* askNew(command, "the server takes none of the commonest")
  }
})

const register = Effect.fnUntraced(function* (password: Redacted.Redacted) {
  const { request } = yield* Client
  yield* request({ _tag: "Register", password }).pipe(
    Effect.catchReason("RequestRejected", "InvalidInvite", () =>
      Effect.flatMap(ask("register", "Invite, without which this server makes no account"), (invite) =>
        request({ _tag: "Register", password, invite })
      )
    )
  )
})

/** The device goes first: with its login forgotten but still good, nobody could take it back. */
const logOut = Effect.gen(function* () {
  const client = yield* Client
  const { devices } = yield* client
    .quietly({ _tag: "ListDevices" })
    .pipe(Effect.catchReason("RequestRejected", "AccountRequired", () => Effect.succeed({ devices: [] })))
  const here = devices.find(({ here }) => here)
  if (here === undefined) {
    return yield* new NotUnderstood({ message: ":logout: this is no account, and nothing is kept. :quit leaves." })
  }
  // The server ends the connections of a device that is removed, this one among them.
  yield* client.leaveBy({ _tag: "RemoveDevice", device: here.device })
  yield* forgetLogin("logged out; this device is forgotten")
})

const forgetLogin = Effect.fnUntraced(function* (done: string) {
  yield* Effect.matchEffect((yield* Tokens).forget, {
    onSuccess: () => present((style) => remark(style, done)),
    onFailure: ({ message }) => present((style) => error(style, message))
  }).pipe(Effect.ignore)
})

const addKey = Effect.fnUntraced(function* (path: string | undefined) {
  if (path === undefined) {
    return yield* new NotUnderstood({ message: ":key: say which file, for example :key add ~/.ssh/id_ed25519.pub." })
  }
  const { comment, publicKey } = yield* publicKeyOf(path.replace(/^~(?=\/)/, homedir())).pipe(
    Effect.mapError(({ issue }) => new NotUnderstood({ message: `:key: ${issue}.` }))
  )
  const name = comment === undefined ? undefined : [...comment].slice(0, maxKeyName).join("")
  return Action.ask({ _tag: "AddKey", publicKey, ...(name !== undefined && { name }) })
})

const maxKeyName = 64

/** The one meant by a number in the list shown last, or by its own name. */
const keyNamed = Effect.fnUntraced(function* (which: string | undefined) {
  const { keys } = yield* Ref.get(yield* ListsShown)
  if (which === undefined) {
    return yield* new NotUnderstood({ message: ":key: say which by its number, as :key shows it: :key remove 2." })
  }
  const found = /^\d{1,3}$/.test(which) ? keys[Number(which) - 1] : which
  if (found !== undefined) return found
  return yield* new NotUnderstood({ message: `:key: no number ${which} was shown. :key shows the numbers.` })
})

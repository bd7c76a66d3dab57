/**
 * What whoever runs the server does with accounts: the same with a running server, through its AdminSocket, and on a
 * database that nobody uses. A running server logs each act (see AccountLog); on a database it is the command that tells.
 *
 * In come names, as they are typed, and out comes what was done, or why not: a sentence with what to type instead. What ends
 * connections is told to `ended`, behind the commit; where no server runs, nobody is connected. Codes are made here, told
 * once, and kept as their hashes.
 */
import { Clock, Context, Duration, Effect, Layer, Option, PubSub, Result, Runtime, Schema, Semaphore } from "effect"
import { Timestamp } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import { UserName } from "../../common/name/UserName.ts"
import { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { StorageUnavailable } from "../history/History.ts"
import { Announcements } from "../presence/Announcements.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import type { Report } from "../reports/Report.ts"
import { Reports } from "../reports/Reports.ts"
import type { AccountId } from "../session/AccountId.ts"
import { Account, Device, Key } from "./Account.ts"
import { type Act, noteAccount, noteInvite, noteLockdown } from "./AccountLog.ts"
import { AccountNames, type NamedAccount } from "./AccountNames.ts"
import { AccountProcessor } from "./AccountProcessor.ts"
import { Accounts, maxInvites, type WithPassword } from "./Accounts.ts"
import type { Ending } from "./AccountsCommand.ts"
import { Lockdown } from "./Lockdown.ts"
import { hashOf, Secrets } from "./Secrets.ts"

/** Why it was not done: one sentence for the operator, and what to do instead. */
export class NotDone extends Schema.TaggedError<NotDone>()("NotDone", { message: Schema.String }) {
  override readonly [Runtime.errorReported] = false
}

/** How long a code stands in for a password. */
const codeLasts = Duration.days(7)

/** One page of a list. */
export const usersOfPage = 500
/** The same of reports, of 10 KB at most. */
const reportsOfPage = 50

/** All there is to show of an account. */
export const UserDetails = Schema.Struct({
  account: Account,
  hasPassword: Schema.Boolean,
  hasCode: Schema.Boolean,
  devices: Schema.Array(Device),
  keys: Schema.Array(Key)
})
export type UserDetails = typeof UserDetails.Type

/** A code, told once. */
export const Code = Schema.Struct({ user: UserName, code: Schema.RedactedFromValue(Schema.String), expires: Timestamp })
export type Code = typeof Code.Type

export const InviteCode = Schema.Struct({
  code: Schema.RedactedFromValue(Schema.String),
  expires: Schema.UndefinedOr(Timestamp)
})
export type InviteCode = typeof InviteCode.Type

type Done<A> = Effect.Effect<A, NotDone>

export class UserManagement extends Context.Service<
  UserManagement,
  {
    /** Makes an account, whose owner sets a password with the code. */
    add(user: UserName, isAdmin: boolean): Done<Code>
    /** Those behind `after`, by name. */
    list(after: UserName | undefined): Done<ReadonlyArray<Account>>
    show(user: UserName): Done<UserDetails>
    /** Ends its connections; they hear `Banned`. */
    disable(user: UserName, reason: string | undefined): Done<Account>
    enable(user: UserName): Done<Account>
    /** Ends password, devices and keys. */
    reset(user: UserName): Done<Code>
    delete(user: UserName): Done<Account>
    /** Makes the name of a deleted account anybody's. */
    free(user: UserName): Done<Account>
    setAdmin(user: UserName, isAdmin: boolean): Done<Account>
    invite(uses: number, lasts: Duration.Duration | undefined): Done<InviteCode>
    /** What was reported: the newest, or the newest before one; newest first. */
    reports(before: number | undefined): Done<ReadonlyArray<Report>>
    handleReport(id: number): Done<void>
    deleteReport(id: number): Done<void>
    /** Switches it, if it is said how, and gives how it stands (see Lockdown). */
    lockdown(isOn: boolean | undefined): Done<boolean>
  }
>()("parley/server/accounts/UserManagement") {
  /** With a running server, whose AccountProcessor ends connections. */
  static readonly layer = Layer.effect(
    UserManagement,
    Effect.gen(function* () {
      const announcements = yield* Announcements
      const processor = yield* AccountProcessor
      return yield* make({
        ended: (account, devices, ending) => Mailbox.tellUnsafe(processor, { _tag: "End", account, devices, ending }),
        deleted: (account, user) => void PubSub.publishUnsafe(announcements, { _tag: "AccountDeleted", account, user }),
        note: (act, user) => noteAccount(act, user, "admin"),
        noteInvite
      })
    })
  ).pipe(Layer.provide(Lockdown.layer))

  /** On a database that no server uses. Names are to be filled in before. */
  static readonly layerAlone = Layer.effect(
    UserManagement,
    Effect.suspend(() =>
      make({ ended: () => {}, deleted: () => {}, note: () => Effect.void, noteInvite: () => Effect.void })
    )
  ).pipe(Layer.provide(Lockdown.layer))
}

const wasDeleted = (user: UserName) =>
  `The account ${user} was deleted. "pnpm admin users free" makes its name anybody's.`

const takenBy = (like: NamedAccount, user: UserName) => {
  if (nameKey(like.user) !== nameKey(user)) {
    return `The name ${user} looks like ${like.user}, which belongs to an account. Choose another one.`
  }
  if (like.state === "Deleted") return wasDeleted(like.user)
  return `There is an account called ${like.user} already. "pnpm admin users reset" gives its owner a new code.`
}

interface Others {
  readonly ended: (account: AccountId, devices: ReadonlyArray<DeviceId> | undefined, ending: Ending) => void
  readonly deleted: (account: AccountId, user: UserName) => void
  /** What was done is told, behind the commit. */
  readonly note: (act: Act, user: UserName) => Effect.Effect<void>
  readonly noteInvite: typeof noteInvite
}

const make = Effect.fnUntraced(function* ({ deleted, ended, note, noteInvite }: Others) {
  const accounts = yield* Accounts
  const reports = yield* Reports
  const clock = yield* Clock.Clock
  const lockdown = yield* Lockdown
  const names = yield* AccountNames
  const secrets = yield* Secrets
  const now = () => clock.currentTimeMillisUnsafe()
  /** What one has seen of an account, no other changes before it has changed it. */
  const oneAtATime = yield* Semaphore.make(1)

  const doing = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>) =>
    Effect.catchIf(
      oneAtATime.withPermit(effect),
      (error): error is Exclude<E, NotDone> => error._tag !== "NotDone",
      () => new NotDone({ message: "The database does not take it just now. Look at the server's log, and try again." })
    )

  const known = Effect.fnUntraced(function* (user: UserName) {
    const found = yield* accounts.find(user)
    if (Option.isNone(found)) {
      return yield* new NotDone({ message: `There is no account called ${user}. "pnpm admin users list" shows all.` })
    }
    return found.value
  })

  /** Of an account that was not deleted. */
  const living = Effect.fnUntraced(function* (user: UserName) {
    const found = yield* known(user)
    if (found.account.state === "Deleted") {
      return yield* new NotDone({ message: wasDeleted(found.account.user) })
    }
    return found
  })

  const makeCode = Effect.gen(function* () {
    const code = yield* secrets.code
    const expires = now() + Duration.toMillis(codeLasts)
    return { code, reset: { code: hashOf(code), expires } }
  })

  const noteName = ({ id, isAdmin, state, user }: Account) => names.set({ id, state, user, isAdmin })
  /** As it is after a change. Its owner may have deleted it meanwhile. */
  const again = Effect.fnUntraced(function* ({ account: { id, user } }: WithPassword, isToBeDeleted = false) {
    const found = Option.getOrUndefined(yield* accounts.get(id))?.account
    if (found !== undefined) noteName(found)
    if (found === undefined || (found.state === "Deleted" && !isToBeDeleted)) {
      return yield* new NotDone({ message: `The account ${user} was deleted meanwhile.` })
    }
    return found
  })

  const orNone = (id: number, done: Effect.Effect<boolean, StorageUnavailable>) =>
    doing(
      Effect.flatMap(done, (isThere) =>
        isThere ? Effect.void : new NotDone({ message: `There is no report ${id}. "pnpm admin reports" shows all.` })
      )
    )

  return UserManagement.of({
    reports: (before) => doing(reports.list(before, reportsOfPage)),
    handleReport: (id) => orNone(id, reports.setHandled(id)),
    deleteReport: (id) => orNone(id, reports.remove(id)),
    add: (user, isAdmin) =>
      doing(
        Effect.gen(function* () {
          const like = names.similar(user)
          if (like !== undefined) {
            return yield* new NotDone({ message: takenBy(like, user) })
          }
          const { code, reset } = yield* makeCode
          const created = yield* accounts.create({
            user,
            password: undefined,
            reset,
            isAdmin,
            at: now(),
            invite: undefined,
            device: undefined
          })
          if (Result.isFailure(created)) {
            return yield* new NotDone({ message: `There is an account called ${user} already.` })
          }
          noteName(created.success.account)
          yield* note(isAdmin ? "made, as an admin's" : "made", user)
          return { user, code, expires: reset.expires }
        })
      ),
    list: (after) => doing(accounts.list(after, usersOfPage)),
    show: (user) =>
      doing(
        Effect.gen(function* () {
          const { account, password, reset } = yield* known(user)
          const devices = yield* accounts.devices(account.id)
          const keys = yield* accounts.keys(account.id)
          const hasCode = reset !== undefined && now() < reset.expires
          return { account, hasPassword: password !== undefined, hasCode, devices, keys }
        })
      ),
    disable: (user, reason) =>
      doing(
        Effect.gen(function* () {
          const found = yield* living(user)
          yield* accounts.setState(found.account.id, "Disabled", reason)
          const account = yield* again(found)
          const banned = { _tag: "Banned" as const, ...(reason !== undefined && { reason }) }
          ended(account.id, undefined, { _tag: "Refused", reason: banned })
          yield* note("disabled", account.user)
          return account
        })
      ),
    enable: (user) =>
      doing(
        Effect.gen(function* () {
          const found = yield* living(user)
          yield* accounts.setState(found.account.id, "Active", undefined)
          const account = yield* again(found)
          yield* note("enabled", account.user)
          return account
        })
      ),
    reset: (user) =>
      doing(
        Effect.gen(function* () {
          const { account } = yield* living(user)
          const { code, reset } = yield* makeCode
          const devices = yield* accounts.reset(account.id, reset)
          ended(account.id, devices, {
            _tag: "Goodbye",
            reason: "The password of this account was reset. Log in again."
          })
          yield* note("reset", account.user)
          return { user: account.user, code, expires: reset.expires }
        })
      ),
    delete: (user) =>
      doing(
        Effect.gen(function* () {
          const found = yield* living(user)
          const { id } = found.account
          yield* accounts.setState(id, "Deleted", undefined)
          const account = yield* again(found, true)
          deleted(id, account.user)
          ended(id, undefined, { _tag: "Goodbye", reason: "This account was deleted." })
          yield* note("deleted", account.user)
          return account
        })
      ),
    free: (user) =>
      doing(
        Effect.gen(function* () {
          const { account } = yield* known(user)
          const isFree = yield* accounts.free(account.id)
          if (!isFree) {
            const message = `The account ${account.user} is not deleted. "pnpm admin users delete" comes first.`
            return yield* new NotDone({ message })
          }
          names.remove(account.user)
          yield* note("freed", account.user)
          return account
        })
      ),
    setAdmin: (user, isAdmin) =>
      doing(
        Effect.gen(function* () {
          const found = yield* living(user)
          yield* accounts.setAdmin(found.account.id, isAdmin)
          const account = yield* again(found)
          yield* note(isAdmin ? "promoted to admin" : "demoted from admin", account.user)
          return account
        })
      ),
    invite: (uses, lasts) =>
      doing(
        Effect.gen(function* () {
          const code = yield* secrets.code
          const expires = lasts === undefined ? undefined : now() + Duration.toMillis(lasts)
          const added = yield* accounts.addInvite({ code: hashOf(code), uses, expires }, now())
          if (Result.isFailure(added)) {
            const message = `There are ${maxInvites} invites that nobody has used. Let some run out (--expires) first.`
            return yield* new NotDone({ message })
          }
          yield* noteInvite(uses, expires)
          return { code, expires }
        })
      ),
    lockdown: (isOn) =>
      doing(
        Effect.andThen(
          isOn === undefined ? Effect.void : Effect.andThen(lockdown.set(isOn), noteLockdown(isOn)),
          Effect.sync(lockdown.isOn)
        )
      )
  })
})

/**
 * Accounts in a database, over any `SqlClient`: beside the log, on its connections. What is asked is read by the connection
 * that reads, so that it waits for no commit; what is changed is committed before it is answered (see Changes).
 *
 * Measured on 2 cores: a token that is used takes 3 ms, two hundred at once 0.2 s.
 */
import { Effect, Layer, Option, Queue, Result } from "effect"
import type { Account, Device } from "../accounts/Account.ts"
import { Accounts, type Created, type NewAccount, type WithPassword } from "../accounts/Accounts.ts"
import { StorageUnavailable } from "../history/History.ts"
import * as Outage from "../notices/Outage.ts"
import type { AccountId } from "../session/AccountId.ts"
import * as UnsyncedTransaction from "../sql/UnsyncedTransaction.ts"
import * as AccountTables from "./AccountTables.ts"
import * as BlockTables from "./BlockTables.ts"
import { Changes } from "./Changes.ts"
import * as DeviceListTables from "./DeviceListTables.ts"
import * as DeviceTables from "./DeviceTables.ts"
import type { Problem } from "./GroupCommit.ts"
import * as MembershipTables from "./MembershipTables.ts"
import { gatherTime, Sightings } from "./Sightings.ts"
import { Connections } from "./SqlHistory.ts"

/** The tables must be up to date (see Migrations). */
export const layer = Layer.effect(
  Accounts,
  Effect.gen(function* () {
    const { reader, writer } = yield* Connections
    const changes = yield* Changes
    const read = { accounts: AccountTables.make(reader), devices: DeviceTables.make(reader) }
    const { accounts, devices } = { accounts: AccountTables.make(writer), devices: DeviceTables.make(writer) }
    const memberships = MembershipTables.make(writer)
    const blocks = BlockTables.make(writer)
    const deviceLists = DeviceListTables.make(writer)
    const readBlocks = BlockTables.make(reader)
    const reading = Outage.make("Accounts cannot be read", "Accounts are read again")
    const asking = <A>(question: Effect.Effect<A, Problem>) =>
      Effect.mapError(reading.watch(question), (cause) => new StorageUnavailable({ cause }))

    const sightings = new Sightings()
    const storeSightings = sightings.store((seenAccounts, seenDevices) =>
      UnsyncedTransaction.run(writer, Effect.andThen(accounts.seen(seenAccounts), devices.seen(seenDevices)))
    )
    const seen = yield* Queue.sliding<void>(1)
    yield* Queue.take(seen).pipe(
      Effect.andThen(Effect.sleep(gatherTime)),
      Effect.andThen(storeSightings),
      Effect.ignoreCause,
      Effect.forever,
      Effect.forkScoped
    )
    yield* Effect.addFinalizer(() => (sightings.isEmpty ? Effect.void : Effect.ignoreCause(storeSightings)))
    const noteUnsafe = (account: AccountId, device: Device["id"] | undefined, at: number) => {
      sightings.note(account, device, at)
      Queue.offerUnsafe(seen, undefined)
    }

    const first = ([found]: ReadonlyArray<WithPassword>) =>
      Option.map(Option.fromUndefinedOr(found), (one) => ({ ...one, account: sightings.account(one.account) }))

    const stateOf = (account: AccountId) => Effect.map(accounts.get(account), ([found]) => found?.account.state)
    const none: ReadonlyArray<Device["id"]> = []

    const create = Effect.fnUntraced(function* (account: NewAccount) {
      if (yield* accounts.isTaken(account.user)) return Result.fail("AccountExists" as const)
      // The last that can be refused: what stands before it would stay.
      if (account.invite !== undefined && !(yield* accounts.useInvite(account.invite, account.at))) {
        return Result.fail("InvalidInvite" as const)
      }
      const [made] = yield* accounts.insert(account)
      if (made === undefined) return yield* Effect.die(new Error("An account was inserted, but has no number"))
      const { at, device, isAdmin, user } = account
      const { id } = made
      const added = device === undefined ? undefined : yield* devices.add(id, device, at)
      const active: Account = { id, user, since: at, lastSeen: at, isAdmin, state: "Active", reason: undefined }
      return Result.succeed<Created>({ account: active, device: added })
    })

    return Accounts.of({
      list: (after, limit) =>
        Effect.map(asking(read.accounts.list(after, limit)), (found) =>
          found.map(({ account }) => sightings.account(account))
        ),
      find: (user) => Effect.map(asking(read.accounts.find(user)), first),
      get: (account) => Effect.map(asking(read.accounts.get(account)), first),
      create: (account) => changes.make(create(account)),
      setPassword: (account, password, except) =>
        changes.make(
          Effect.gen(function* () {
            if (!isThere(yield* stateOf(account))) return Option.none()
            if (except !== undefined && !(yield* devices.ids(account)).includes(except)) return Option.none()
            yield* accounts.setPassword(account, password, undefined)
            return Option.some(yield* devices.removeAll(account, except))
          })
        ),
      rehash: (account, before, after) => changes.make(Effect.asVoid(accounts.rehash(account, before, after))),
      reset: (account, code) =>
        changes.make(
          Effect.gen(function* () {
            if (!isThere(yield* stateOf(account))) return none
            yield* accounts.setPassword(account, undefined, code)
            yield* devices.removeKeys(account)
            return yield* devices.removeAll(account)
          })
        ),
      addDevice: (account, device, at) =>
        changes.make(
          Effect.gen(function* () {
            if ((yield* stateOf(account)) !== "Active") return Result.fail("NotActive" as const)
            const added = yield* devices.add(account, device, at)
            return added === undefined ? Result.fail("TooManyDevices" as const) : Result.succeed(added)
          })
        ),
      useToken: Effect.fnUntraced(function* (user, token, next, at, name) {
        // Tokens are not throttled: one that is nobody's holds up no commit.
        const [known] = yield* asking(read.devices.find(user, token))
        if (known === undefined) return Option.none()
        const found = yield* changes.make(
          Effect.gen(function* () {
            const [used] = yield* devices.useToken(user, token, next, at, name)
            const owned = used ?? (yield* devices.find(user, token))[0]
            if (owned === undefined) return undefined
            const [one] = yield* accounts.get(owned.account)
            return one === undefined ? undefined : { isUsed: used !== undefined, ...owned, account: one.account }
          })
        )
        if (found === undefined) return Option.none()
        const { account, device, isUsed } = found
        if (isUsed) noteUnsafe(account.id, undefined, at)
        return Option.some({ account: sightings.account(account), device: sightings.device(device) })
      }),
      devices: (account) =>
        Effect.map(asking(read.devices.list(account)), (found) => found.map((device) => sightings.device(device))),
      removeDevice: (account, device) => changes.make(devices.remove(account, device)),
      seen: (account, device, at) =>
        Effect.suspend(() => {
          const room = sightings.isFull ? asking(storeSightings) : Effect.void
          return Effect.map(room, () => noteUnsafe(account, device, at))
        }),
      addKey: (account, key) =>
        changes.make(
          Effect.gen(function* () {
            if (!isThere(yield* stateOf(account))) return Result.void
            return (yield* devices.addKey(account, key)) ? Result.void : Result.fail("TooManyKeys" as const)
          })
        ),
      keys: (account) => asking(read.devices.keys(account)),
      removeKey: (account, fingerprint) => changes.make(devices.removeKey(account, fingerprint)),
      setState: (account, state, reason) =>
        changes.make(
          Effect.gen(function* () {
            if (!isThere(yield* stateOf(account))) return none
            yield* accounts.setState(account, state, reason)
            if (state !== "Deleted") return yield* devices.ids(account)
            yield* accounts.forgetPassword(account)
            yield* memberships.forgetAccount(account)
            yield* blocks.forgetAccount(account)
            yield* deviceLists.forgetAccount(account)
            yield* devices.removeKeys(account)
            return yield* devices.removeAll(account)
          })
        ),
      block: (account, blocked) =>
        Effect.map(changes.make(blocks.add(account, blocked)), (isAdded) =>
          isAdded ? Result.void : Result.fail("TooManyBlocked" as const)
        ),
      unblock: (account, partners) => changes.make(Effect.asVoid(blocks.remove(account, partners))),
      blocked: (account) => asking(readBlocks.of(account)),
      blockers: (after, limit) => asking(readBlocks.behind(after, limit)),
      setAdmin: (account, isAdmin) => changes.make(Effect.asVoid(accounts.setAdmin(account, isAdmin))),
      free: (account) => changes.make(accounts.free(account)),
      addInvite: (invite, now) =>
        Effect.map(changes.make(accounts.addInvite(invite, now)), (isAdded) =>
          isAdded ? Result.void : Result.fail("TooManyInvites" as const)
        ),
      isLockedDown: Effect.map(asking(reader`PRAGMA user_version`.values), ([row]) => row?.[0] === lockedDown),
      lockDown: (isOn) =>
        changes.make(Effect.asVoid(writer`PRAGMA user_version = ${writer.literal(`${isOn ? lockedDown : 0}`)}`))
    })
  })
)

/** The number in a database's header that is its user's own (sqlite.org/fileformat.html, 1.3.12), 0 in a new one. A backup has it not. */
const lockedDown = 1

/** What is deleted gets nothing any more. */
const isThere = (state: Account["state"] | undefined): boolean => state === "Active" || state === "Disabled"

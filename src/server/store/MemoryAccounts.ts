/**
 * Accounts that live as long as the server does, and what they are members of (see HeldMemberships).
 *
 * Bounds (invariant 3): `maxAccounts` accounts, with the devices and keys that one may have and whom it may block, and `maxInvites` invites. An account takes about 1 KiB.
 */
import { Effect, Layer, Option, Result } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { maxBlocked, maxDevices, maxKeys } from "../../common/wire/AccountMessage.ts"
import { DeviceId } from "../../common/wire/AccountRequest.ts"
import type {
  Account,
  Blocked,
  Device,
  Key,
  NewDevice,
  NewInvite,
  PasswordHash,
  ResetCode,
  SecretHash
} from "../accounts/Account.ts"
import { Accounts, type Created, maxInvites, type NewAccount } from "../accounts/Accounts.ts"
import { StorageUnavailable } from "../history/History.ts"
import type { Partner } from "../history/Partner.ts"
import { AccountId } from "../session/AccountId.ts"
import { HeldMemberships } from "./HeldMemberships.ts"
import { byCodePoints } from "./NameOrder.ts"

const defaultMaxAccounts = 100_000

interface HeldDevice {
  device: Device
  newest: SecretHash
  before: SecretHash | undefined
}

interface HeldAccount {
  account: Account
  password: PasswordHash | undefined
  reset: ResetCode | undefined
  devices: Array<HeldDevice>
  keys: Array<Key>
  readonly blocked: Map<Partner, Blocked>
}

export const layerWith = (maxAccounts: number) => Layer.provideMerge(accountsWith(maxAccounts), HeldMemberships.layer)

const accountsWith = (maxAccounts: number) =>
  Layer.effect(
    Accounts,
    Effect.map(HeldMemberships, (memberships) => {
      const byId = new Map<AccountId, HeldAccount>()
      const byName = new Map<NameKey, HeldAccount>()
      const invites = new Map<SecretHash, Omit<NewInvite, "code">>()
      let lastAccount = 0
      let lastDevice = 0

      /** One that is not deleted. */
      const living = (account: AccountId) => {
        const held = byId.get(account)
        return held?.account.state === "Deleted" ? undefined : held
      }
      const withPassword = (held: HeldAccount | undefined) =>
        Option.map(Option.fromUndefinedOr(held), ({ account, password, reset }) => ({ account, password, reset }))

      const addTo = (held: HeldAccount, { name, token }: NewDevice, at: number): DeviceId => {
        const id = DeviceId.make(`${++lastDevice}`)
        held.devices.push({ device: { id, name, since: at, lastSeen: at }, newest: token, before: undefined })
        return id
      }
      const removeDevices = (held: HeldAccount | undefined, except?: DeviceId): ReadonlyArray<DeviceId> => {
        const gone = held?.devices.filter(({ device }) => device.id !== except) ?? []
        if (held !== undefined) held.devices = held.devices.filter(({ device }) => device.id === except)
        return gone.map(({ device }) => device.id)
      }
      const isGood = (invite: Omit<NewInvite, "code"> | undefined, at: number): invite is Omit<NewInvite, "code"> =>
        invite !== undefined && invite.uses > 0 && (invite.expires === undefined || invite.expires > at)

      const create = ({ at, device, invite, isAdmin, password, reset, user }: NewAccount) => {
        if (byName.has(nameKey(user))) return Result.fail("AccountExists" as const)
        const used = invite === undefined ? undefined : invites.get(invite)
        if (invite !== undefined) {
          if (!isGood(used, at)) return Result.fail("InvalidInvite" as const)
          invites.set(invite, { ...used, uses: used.uses - 1 })
        }
        const id = AccountId.make(++lastAccount)
        const account: Account = { id, user, since: at, lastSeen: at, isAdmin, state: "Active", reason: undefined }
        const held: HeldAccount = { account, password, reset, devices: [], keys: [], blocked: new Map() }
        byId.set(id, held)
        byName.set(nameKey(user), held)
        return Result.succeed<Created>({ account, device: device === undefined ? undefined : addTo(held, device, at) })
      }

      /** In the order of their names; made again when there is another. */
      let inOrder: ReadonlyArray<readonly [NameKey, HeldAccount]> | undefined

      let isLockedDown = false

      return Accounts.of({
        list: (after, limit) =>
          Effect.sync(() => {
            inOrder ??= [...byName].toSorted(([one], [other]) => byCodePoints(one, other))
            const key = after === undefined ? undefined : nameKey(after)
            const start = key === undefined ? 0 : inOrder.findIndex(([name]) => byCodePoints(name, key) > 0)
            return start < 0 ? [] : inOrder.slice(start, start + limit).map(([, { account }]) => account)
          }),
        find: (user: UserName) => Effect.sync(() => withPassword(byName.get(nameKey(user)))),
        get: (account) => Effect.sync(() => withPassword(byId.get(account))),
        create: (account) =>
          Effect.suspend(() => {
            if (byId.size >= maxAccounts) {
              return Effect.fail(
                new StorageUnavailable({ cause: new Error(`There are ${maxAccounts} accounts already`) })
              )
            }
            inOrder = undefined
            return Effect.succeed(create(account))
          }),
        setPassword: (account, password, except) =>
          Effect.sync(() => {
            const held = living(account)
            if (held === undefined) return Option.none()
            if (except !== undefined && held.devices.every(({ device }) => device.id !== except)) return Option.none()
            Object.assign(held, { password, reset: undefined })
            return Option.some(removeDevices(held, except))
          }),
        rehash: (account, before, after) =>
          Effect.sync(() => {
            const held = byId.get(account)
            if (held?.password === before) held.password = after
          }),
        reset: (account, reset) =>
          Effect.sync(() => {
            const held = living(account)
            if (held !== undefined) Object.assign(held, { password: undefined, reset, keys: [] })
            return removeDevices(held)
          }),
        addDevice: (account, device, at) =>
          Effect.sync(() => {
            const held = byId.get(account)
            if (held?.account.state !== "Active") return Result.fail("NotActive" as const)
            if (held.devices.length >= maxDevices) return Result.fail("TooManyDevices" as const)
            return Result.succeed(addTo(held, device, at))
          }),
        useToken: (user, token, next, at, name) =>
          Effect.sync(() => {
            const held = byName.get(nameKey(user))
            const known = held?.devices.find(({ before, newest }) => newest === token || before === token)
            if (held === undefined || known === undefined) return Option.none()
            if (held.account.state === "Active") {
              const { device } = known
              Object.assign(known, { newest: next, before: token })
              known.device = { ...device, name: name ?? device.name, lastSeen: Math.max(device.lastSeen, at) }
              held.account = { ...held.account, lastSeen: Math.max(held.account.lastSeen, at) }
            }
            return Option.some({ account: held.account, device: known.device })
          }),
        devices: (account) =>
          Effect.sync(() => inOrderOfTime((byId.get(account)?.devices ?? []).map(({ device }) => device))),
        removeDevice: (account, device) =>
          Effect.sync(() => {
            const held = byId.get(account)
            const count = held?.devices.length
            if (held !== undefined) held.devices = held.devices.filter((one) => one.device.id !== device)
            return held?.devices.length !== count
          }),
        seen: (account, device, at) =>
          Effect.sync(() => {
            const held = byId.get(account)
            if (held === undefined) return
            held.account = { ...held.account, lastSeen: Math.max(held.account.lastSeen, at) }
            const known = held.devices.find((one) => one.device.id === device)
            if (known !== undefined) known.device = { ...known.device, lastSeen: Math.max(known.device.lastSeen, at) }
          }),
        addKey: (account, key) =>
          Effect.sync(() => {
            const held = living(account)
            if (held === undefined) return Result.void
            const known = held.keys.findIndex(({ fingerprint }) => fingerprint === key.fingerprint)
            if (known >= 0) {
              held.keys = held.keys.map((one, index) =>
                index === known ? { ...one, name: key.name ?? one.name } : one
              )
              return Result.void
            }
            if (held.keys.length >= maxKeys) return Result.fail("TooManyKeys" as const)
            held.keys.push(key)
            return Result.void
          }),
        keys: (account) => Effect.sync(() => inOrderOfTime(byId.get(account)?.keys ?? [])),
        removeKey: (account, fingerprint) =>
          Effect.sync(() => {
            const held = byId.get(account)
            const count = held?.keys.length
            if (held !== undefined) held.keys = held.keys.filter((key) => key.fingerprint !== fingerprint)
            return held?.keys.length !== count
          }),
        setState: (account, state, reason) =>
          Effect.sync(() => {
            const held = living(account)
            if (held === undefined) return []
            held.account = { ...held.account, state, reason }
            if (state !== "Deleted") return held.devices.map(({ device }) => device.id)
            Object.assign(held, { password: undefined, reset: undefined, keys: [] })
            memberships.forgetAccount(account)
            held.blocked.clear()
            return removeDevices(held)
          }),
        block: (account, blocked) =>
          Effect.sync(() => {
            const held = living(account)
            if (held === undefined || held.blocked.has(blocked.partner)) return Result.void
            if (held.blocked.size >= maxBlocked) return Result.fail("TooManyBlocked" as const)
            held.blocked.set(blocked.partner, blocked)
            return Result.void
          }),
        unblock: (account, partners) =>
          Effect.sync(() => {
            for (const partner of partners) byId.get(account)?.blocked.delete(partner)
          }),
        blocked: (account) => Effect.sync(() => blockedBy(byId.get(account))),
        blockers: (after, limit) =>
          Effect.sync(() =>
            [...byId]
              .filter(([account, { blocked }]) => blocked.size > 0 && (after === undefined || account > after))
              .toSorted(([one], [other]) => one - other)
              .slice(0, limit)
              .map(([account, held]) => ({ account, blocked: blockedBy(held) }))
          ),
        setAdmin: (account, isAdmin) =>
          Effect.sync(() => {
            const held = byId.get(account)
            if (held !== undefined) held.account = { ...held.account, isAdmin }
          }),
        free: (account) =>
          Effect.sync(() => {
            const held = byId.get(account)
            if (held?.account.state !== "Deleted") return false
            inOrder = undefined
            byId.delete(account)
            return byName.delete(nameKey(held.account.user))
          }),
        addInvite: ({ code, expires, uses }, now) =>
          Effect.sync(() => {
            if (invites.size >= maxInvites) {
              for (const [known, invite] of invites) if (!isGood(invite, now)) invites.delete(known)
            }
            if (invites.size >= maxInvites) return Result.fail("TooManyInvites" as const)
            invites.set(code, { uses, expires })
            return Result.void
          }),
        isLockedDown: Effect.sync(() => isLockedDown),
        lockDown: (isOn) =>
          Effect.sync(() => {
            isLockedDown = isOn
          })
      })
    })
  )

/** With room for 100,000 accounts. */
export const layer = layerWith(defaultMaxAccounts)

const inOrderOfTime = <A extends { readonly since: number }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.toSorted((one, other) => one.since - other.since)

const blockedBy = (held: HeldAccount | undefined): ReadonlyArray<Blocked> =>
  [...(held?.blocked.values() ?? [])].toSorted((one, other) => byCodePoints(one.partner, other.partner))

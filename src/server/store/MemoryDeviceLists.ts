/** Lists of devices and their key packages that live as long as the server does. */
import { Effect, Layer, Result } from "effect"
import { maxDevices } from "../../common/wire/AccountMessage.ts"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import { type DeviceEntry, maxDeviceEntries, maxKeyPackages } from "../../common/wire/SealingRequest.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { DeviceLists, emptyList, listed, type NotPublished } from "../accounts/DeviceLists.ts"
import type { OwnedDevice } from "../governance/Sealing.ts"
import type { AccountId } from "../session/AccountId.ts"

interface Packages {
  once: ReadonlyArray<string>
  last: string | undefined
  claimed: ReadonlyArray<string>
}

export const layer = Layer.effect(
  DeviceLists,
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const lists = new Map<AccountId, ReadonlyArray<DeviceEntry>>()
    const packages = new Map<AccountId, Map<DeviceId, Packages>>()

    /** Of an account that is gone nothing is left. */
    const isThere = Effect.fnUntraced(function* (account: AccountId) {
      const found = yield* accounts.get(account)
      const isGone = found._tag === "None" || found.value.account.state === "Deleted"
      if (isGone) {
        lists.delete(account)
        packages.delete(account)
      }
      return !isGone
    })

    const packagesOf = Effect.fnUntraced(function* ({ account, device }: OwnedDevice) {
      const own = packages.get(account) ?? new Map<DeviceId, Packages>()
      const devices = new Set((yield* accounts.devices(account)).map(({ id }) => id))
      for (const id of own.keys()) if (!devices.has(id)) own.delete(id)
      if (!devices.has(device)) return undefined
      const kept = own.get(device) ?? { once: [], last: undefined, claimed: [] }
      packages.set(account, own.set(device, kept))
      return kept
    })

    return DeviceLists.of({
      publish: Effect.fnUntraced(function* (account, entry) {
        if (!(yield* isThere(account))) return Result.void
        const entries = lists.get(account) ?? []
        const list = entries.reduce(listed, emptyList)
        const fail = (why: NotPublished) => Result.fail(why)
        if (entry.n !== list.n + 1) return fail({ _tag: "Stale", n: list.n })
        const isNew = entry.prev === ""
        if (!isNew && entries.length >= maxDeviceEntries) return fail({ _tag: "TooManyEntries" })
        if (listed(list, entry).devices.size > maxDevices) return fail({ _tag: "TooManyDevices" })
        // None of what the devices of the list before have left is handed out.
        for (const kept of isNew ? (packages.get(account)?.values() ?? []) : []) {
          kept.claimed = [...kept.claimed, ...kept.once].slice(-maxKeyPackages)
          kept.once = []
          kept.last = undefined
        }
        lists.set(account, isNew ? [entry] : [...entries, entry])
        return Result.void
      }),
      entries: Effect.fnUntraced(function* (account, after, limit) {
        if (!(yield* isThere(account))) return []
        return (lists.get(account) ?? []).filter(({ n }) => n > after).slice(0, limit)
      }),
      all: Effect.sync(
        () => new Map(Array.from(lists, ([account, entries]) => [account, entries.reduce(listed, emptyList)] as const))
      ),
      addPackages: Effect.fnUntraced(function* (device, given, lastResort) {
        const kept = yield* packagesOf(device)
        if (kept === undefined) return 0
        const known = new Set([...kept.once, ...kept.claimed, ...(kept.last === undefined ? [] : [kept.last])])
        const fresh = [...new Set(given)].filter((one) => !known.has(one))
        kept.once = [...kept.once, ...fresh].slice(0, Math.max(maxKeyPackages, kept.once.length))
        if (lastResort !== undefined) {
          kept.once = kept.once.filter((one) => one !== lastResort)
          kept.last = lastResort
        }
        kept.claimed = kept.claimed.slice(-maxKeyPackages)
        return kept.once.length
      }),
      claim: Effect.fnUntraced(function* (claims) {
        const found: Array<string | undefined> = []
        for (const claim of claims) {
          const kept = yield* packagesOf(claim)
          const [first] = kept === undefined || claim.isLastResort ? [] : kept.once
          if (kept !== undefined && first !== undefined) {
            kept.once = kept.once.slice(1)
            kept.claimed = [...kept.claimed, first]
          }
          found.push(first ?? kept?.last)
        }
        return found
      })
    })
  })
)

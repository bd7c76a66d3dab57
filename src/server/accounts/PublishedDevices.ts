/**
 * Which devices are in the lists of all accounts: in memory, told by whoever stores it, for those who must not wait.
 *
 * Bound: of each account `maxDevices` devices, some 100 bytes each; of one without a list nothing.
 */
import { Context, Effect, Layer, Schedule } from "effect"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { AccountId } from "../session/AccountId.ts"
import { type DeviceList, type DeviceLists, emptyList } from "./DeviceLists.ts"

export class PublishedDevices extends Context.Service<
  PublishedDevices,
  {
    readonly of: (account: AccountId) => DeviceList
    /** The entry by which this device is in the list; nothing if it is not. */
    readonly entryOf: (account: AccountId | undefined, device: DeviceId | undefined) => number | undefined
    readonly set: (account: AccountId, list: DeviceList) => void
    /** The account is gone. */
    readonly remove: (account: AccountId) => void
  }
>()("parley/server/accounts/PublishedDevices") {
  static readonly layer = Layer.sync(PublishedDevices, () => {
    const lists = new Map<AccountId, DeviceList>()
    return PublishedDevices.of({
      of: (account) => lists.get(account) ?? emptyList,
      entryOf: (account, device) =>
        account === undefined || device === undefined ? undefined : lists.get(account)?.devices.get(device),
      set: (account, list) => void lists.set(account, list),
      remove: (account) => void lists.delete(account)
    })
  })
}

/** Before anybody is let in. */
export const fillDevices = (stored: Pick<DeviceLists["Service"], "all">, devices: PublishedDevices["Service"]) =>
  stored.all.pipe(
    Effect.retry(Schedule.spaced("1 second")),
    Effect.orDie,
    Effect.map((all) => all.forEach((list, account) => devices.set(account, list)))
  )

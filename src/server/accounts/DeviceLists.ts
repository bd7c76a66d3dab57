/**
 * The devices by which accounts take part in encrypted conversations: of each account its list, entry by entry as they were published,
 * and of each device the key packages that others let it in by. The one contract between those who ask and whatever keeps this.
 *
 * What an entry says is the clients' to sign and to check. Here it is known which devices are in the list: an `add` puts one in, a
 * `remove` takes it out, and an entry without `prev` begins a new list, in which nothing of the one before is left. Key packages are
 * those of a device that the account has (see Accounts), and go with it; lists and packages go with their account. Everything that changes something
 * answers only once it would survive a crash.
 *
 * Bounds: `maxDeviceEntries` of a list, `maxDevices` devices in it; of each device `maxKeyPackages` that wait, one last resort, and as
 * many that were handed out, so that none is taken for new when it comes again.
 */
import { Context, type Effect, type Result } from "effect"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { DeviceEntry } from "../../common/wire/SealingRequest.ts"
import type { OwnedDevice } from "../governance/Sealing.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { AccountId } from "../session/AccountId.ts"

type Kept<A> = Effect.Effect<A, StorageUnavailable>

/** The devices in a list, each with the entry by which it is, and how many entries it has had. */
export interface DeviceList {
  readonly n: number
  readonly devices: ReadonlyMap<DeviceId, number>
}

export const emptyList: DeviceList = { n: 0, devices: new Map() }

/** After one entry more. */
export const listed = (
  { devices }: DeviceList,
  { device, n, op, prev }: Pick<DeviceEntry, "device" | "n" | "op" | "prev">
): DeviceList => {
  const after = new Map(prev === "" ? [] : devices)
  after.delete(device)
  if (op === "add") after.set(device, n)
  return { n, devices: after }
}

/** Why an entry was not taken: another is the newest, or there are too many entries or devices. */
export type NotPublished =
  | { readonly _tag: "Stale"; readonly n: number }
  | { readonly _tag: "TooManyEntries" }
  | { readonly _tag: "TooManyDevices" }

/** Which package is wanted: one that nobody else gets, or only the last resort. */
export interface Claim extends OwnedDevice {
  readonly isLastResort: boolean
}

export class DeviceLists extends Context.Service<
  DeviceLists,
  {
    /** The entry must be the next one. One that begins a new list is the only one there is then. */
    publish(account: AccountId, entry: DeviceEntry): Kept<Result.Result<void, NotPublished>>
    /** Those behind `after`, `limit` at most. */
    entries(account: AccountId, after: number, limit: number): Kept<ReadonlyArray<DeviceEntry>>
    /** The lists of all accounts that have one. */
    readonly all: Kept<ReadonlyMap<AccountId, DeviceList>>
    /** Adds as many as there is room for, each once for good; the last resort takes the place of the one before. Answers how many wait. */
    addPackages(device: OwnedDevice, packages: ReadonlyArray<string>, lastResort: string | undefined): Kept<number>
    /** In their order; nothing of a device that has none. What is handed out is so for good, whoever gets the answer. */
    claim(claims: ReadonlyArray<Claim>): Kept<ReadonlyArray<string | undefined>>
  }
>()("parley/server/accounts/DeviceLists") {}

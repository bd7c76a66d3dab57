/**
 * When accounts and devices were here last, as far as it is not stored yet: it is known at once, and written down a moment
 * later, many at once, by a transaction that waits for no sync. A crash may take it.
 *
 * Bound (invariant 3): `maxSightings` accounts, and as many devices; whoever brings one more waits until they are stored.
 */
import { Effect } from "effect"
import type { Timestamp } from "../../common/log/Cursor.ts"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { Account, Device } from "../accounts/Account.ts"
import type { AccountId } from "../session/AccountId.ts"

/** As many as are connected at most, by the default of MAX_CONNECTIONS. */
export const maxSightings = 10_000

/** How long they may gather. */
export const gatherTime = "3 seconds"

export class Sightings {
  readonly #accounts = new Map<AccountId, Timestamp>()
  readonly #devices = new Map<DeviceId, Timestamp>()

  /** Nothing is noted for which there is no room. */
  note(account: AccountId, device: DeviceId | undefined, at: Timestamp): void {
    noteIn(this.#accounts, account, at)
    if (device !== undefined) noteIn(this.#devices, device, at)
  }

  get isEmpty(): boolean {
    return this.#accounts.size === 0
  }

  get isFull(): boolean {
    return Math.max(this.#accounts.size, this.#devices.size) >= maxSightings
  }

  readonly account = (account: Account): Account => later(account, this.#accounts.get(account.id))
  readonly device = (device: Device): Device => later(device, this.#devices.get(device.id))

  /** Hands out what is not stored; what is later still by the time it is stored stays. */
  store<E>(
    write: (
      accounts: ReadonlyArray<readonly [AccountId, Timestamp]>,
      devices: ReadonlyArray<readonly [DeviceId, Timestamp]>
    ) => Effect.Effect<unknown, E>
  ): Effect.Effect<void, E> {
    return Effect.suspend(() => {
      const accounts = [...this.#accounts]
      const devices = [...this.#devices]
      return Effect.map(write(accounts, devices), () => {
        for (const [id, at] of accounts) if (this.#accounts.get(id) === at) this.#accounts.delete(id)
        for (const [id, at] of devices) if (this.#devices.get(id) === at) this.#devices.delete(id)
      })
    })
  }
}

const noteIn = <Id>(times: Map<Id, Timestamp>, id: Id, at: Timestamp): void => {
  const before = times.get(id)
  if (before !== undefined || times.size < maxSightings) times.set(id, Math.max(at, before ?? 0))
}

const later = <Seen extends { readonly lastSeen: Timestamp }>(seen: Seen, at: Timestamp | undefined): Seen =>
  at === undefined || at <= seen.lastSeen ? seen : { ...seen, lastSeen: at }

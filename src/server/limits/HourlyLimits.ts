/**
 * What is limited in number per hour: new accounts of an address, new rooms and invitations of an account, or of a guest's address.
 *
 * An hour begins with the first of what is counted, so that whoever is told to wait knows until when. This machine's own addresses
 * and what comes through no network are without limit, unless the setting says a number. Durations are monotonic.
 *
 * Bound (invariant 3): `maxKeys` of each kind; the hour that began first is forgotten first. To be rid of one's own that way takes
 * as many others in that hour, and whoever has those needs none of it.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { ServerConfig } from "../config/ServerConfig.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import type { AccountId } from "../session/AccountId.ts"
import { isLoopback, networkOf } from "../session/Peer.ts"

export type Limited = "Account" | "Room" | "Invitation"

/** Who is counted: an account, or whoever comes from an address. */
export interface Counted {
  readonly account?: AccountId | undefined
  readonly address: string | undefined
}

const hourMillis = 3_600_000

/** Of 150 bytes each. */
export const maxKeys = 50_000

const defaults = { Account: 10, Room: 50, Invitation: 100 } satisfies Record<Limited, number>

interface Hour {
  readonly since: number
  count: number
}

export class HourlyLimits extends Context.Service<
  HourlyLimits,
  {
    /** Counts one more; or gives after how many milliseconds there may be another. */
    readonly take: (what: Limited, by: Counted) => number | undefined
    /** It came to nothing after all. */
    readonly giveBack: (what: Limited, by: Counted) => void
    /** How many hours are counted. */
    readonly size: () => number
  }
>()("parley/server/limits/HourlyLimits") {
  static readonly layer = Layer.effect(
    HourlyLimits,
    Effect.gen(function* () {
      const { accountsPerHour, invitationsPerHour, roomsPerHour } = yield* ServerConfig
      const clock = yield* Clock.Clock
      const set = { Account: accountsPerHour, Room: roomsPerHour, Invitation: invitationsPerHour }
      /** Of each kind the hours that began first stand first. */
      const hours = {
        Account: new Map<string, Hour>(),
        Room: new Map<string, Hour>(),
        Invitation: new Map<string, Hour>()
      }

      const keyOf = ({ account, address }: Counted) =>
        account === undefined ? networkOf(address) : `account ${account}`
      const isUnlimited = (what: Limited, { account, address }: Counted) =>
        account === undefined && set[what] === undefined && (address === undefined || isLoopback(address))

      const forget = (known: Map<string, Hour>, now: number) => {
        for (const [key, { since }] of known) {
          if (known.size < maxKeys && now - since < hourMillis) return
          known.delete(key)
        }
      }

      return HourlyLimits.of({
        take: (what, by) => {
          if (isUnlimited(what, by)) return undefined
          const limit = set[what] ?? defaults[what]
          if (limit === 0) return hourMillis
          const now = monotonicMillis(clock)
          const known = hours[what]
          const key = keyOf(by)
          const hour = known.get(key)
          if (hour === undefined || now - hour.since >= hourMillis) {
            known.delete(key)
            forget(known, now)
            known.set(key, { since: now, count: 1 })
            return undefined
          }
          if (hour.count >= limit) return hour.since + hourMillis - now
          hour.count++
          return undefined
        },
        giveBack: (what, by) => {
          const hour = hours[what].get(keyOf(by))
          if (hour !== undefined && hour.count > 0) hour.count--
        },
        size: () => Object.values(hours).reduce((sum, known) => sum + known.size, 0)
      })
    })
  )
}

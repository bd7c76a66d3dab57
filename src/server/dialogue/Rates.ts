/**
 * How fast connections may speak: each at MESSAGE_RATE, which those of an account share. Guests who come from one address share
 * `guestsOfAddress` times as much besides, so that a hundred connections of one are no hundred times as loud; this machine's own
 * addresses are without that limit.
 *
 * Bounds (invariant 3): those of SharedBuckets, with `maxResting` accounts and addresses.
 */
import { makeSharedBuckets, type SharedBucket, type SharedBuckets } from "../limits/SharedBuckets.ts"
import * as TokenBucket from "../limits/TokenBucket.ts"
import type { AccountId } from "../session/AccountId.ts"
import { isLoopback, networkOf } from "../session/Peer.ts"

/** Accounts nobody is connected as, or addresses nobody comes from, and whose tokens have not all come back; of 150 bytes each. */
const maxResting = 50_000

/** A class or an office behind one address has its say; 200 messages a second, unless MESSAGE_RATE is set. */
const guestsOfAddress = 4

/** What one connection's messages take from; times are monotonic milliseconds. */
export interface Rate {
  /** Whether one more message is within it. */
  readonly take: (now: number) => boolean
  /** In how many milliseconds so many more will be. */
  readonly waitFor: (count: number, now: number) => number
  /** Takes what will be there only later. Whoever shares it comes behind. */
  readonly borrow: (now: number) => void
  /** From now on it shares with the other connections of its account. */
  readonly asAccount: (account: AccountId, now: number) => void
  /** From now on it shares with the other guests from there. */
  readonly asGuest: (address: string | undefined, now: number) => void
  readonly end: (now: number) => void
}

interface Source {
  readonly tokens: Pick<SharedBucket, "bucket">
  readonly allowance: TokenBucket.Allowance
  readonly letGo: (now: number) => void
}

export const makeRates = (own: TokenBucket.Allowance): ((now: number) => Rate) => {
  const ofAddress = { rate: own.rate * guestsOfAddress, burst: own.burst * guestsOfAddress }
  const accounts = makeSharedBuckets(own, maxResting)
  const addresses = makeSharedBuckets(ofAddress, maxResting)

  const sharing = (buckets: SharedBuckets, allowance: TokenBucket.Allowance, key: string, now: number): Source => {
    const shared = buckets.hold(key, now)
    return { tokens: shared, allowance, letGo: (then) => buckets.letGo(shared, then) }
  }

  return (begun) => {
    const alone: Source = {
      tokens: { bucket: TokenBucket.full(own, begun) },
      allowance: own,
      letGo: () => {}
    }
    let sources: ReadonlyArray<Source> = [alone]
    const become = (next: ReadonlyArray<Source>, now: number) => {
      for (const source of sources) if (!next.includes(source)) source.letGo(now)
      sources = next
    }
    return {
      take: (now) => {
        const taken = sources.map(({ allowance, tokens }) => TokenBucket.take(tokens.bucket, allowance, now))
        if (taken.some((one) => typeof one === "number")) return false
        for (const [index, { tokens }] of sources.entries()) {
          const bucket = taken[index]
          if (typeof bucket === "object") tokens.bucket = bucket
        }
        return true
      },
      waitFor: (count, now) =>
        Math.max(...sources.map(({ allowance, tokens }) => TokenBucket.waitFor(count, tokens.bucket, allowance, now))),
      borrow: (now) => {
        for (const { allowance, tokens } of sources) tokens.bucket = TokenBucket.borrow(tokens.bucket, allowance, now)
      },
      asAccount: (account, now) => become([sharing(accounts, own, `${account}`, now)], now),
      asGuest: (address, now) => {
        if (address === undefined || isLoopback(address)) return
        become([alone, sharing(addresses, ofAddress, networkOf(address), now)], now)
      },
      end: (now) => become([], now)
    }
  }
}

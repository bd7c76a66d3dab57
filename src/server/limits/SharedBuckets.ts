/**
 * Token buckets that several share: the connections of an account, or those that come from one network.
 *
 * A bucket is kept while somebody holds it, and afterwards until it is full again: to go and come back gains nothing. Bound
 * (invariant 3): one for each holder, and `maxResting` of those that nobody holds, the one that has rested longest going first.
 * To be rid of one's own that way takes as many others, and whoever has those needs none of it.
 */
import * as TokenBucket from "./TokenBucket.ts"

/** How many of those that rest are looked at for each that comes, to be dropped if they are full again. */
const looksForEach = 2

export interface SharedBucket {
  readonly key: string
  bucket: TokenBucket.TokenBucket
  holders: number
}

export interface SharedBuckets {
  /** Until it is let go. */
  readonly hold: (key: string, now: number) => SharedBucket
  readonly letGo: (shared: SharedBucket, now: number) => void
  readonly size: () => number
}

export const makeSharedBuckets = (allowance: TokenBucket.Allowance, maxResting: number): SharedBuckets => {
  const held = new Map<string, SharedBucket>()
  /** That which was let go first stands first. */
  const resting = new Map<string, SharedBucket>()

  const makeRoom = (now: number) => {
    let looks = 0
    for (const [key, { bucket }] of resting) {
      const isOver = resting.size > maxResting || TokenBucket.isFull(bucket, allowance, now)
      if (!isOver || looks++ >= looksForEach) return
      resting.delete(key)
    }
  }

  return {
    hold: (key, now) => {
      const known = held.get(key) ?? resting.get(key)
      const shared = known ?? { key, bucket: TokenBucket.full(allowance, now), holders: 0 }
      resting.delete(key)
      if (known === undefined) makeRoom(now)
      held.set(key, shared)
      shared.holders++
      return shared
    },
    letGo: (shared, now) => {
      if (--shared.holders > 0) return
      held.delete(shared.key)
      if (TokenBucket.isFull(shared.bucket, allowance, now)) return
      resting.set(shared.key, shared)
      makeRoom(now)
    },
    size: () => held.size + resting.size
  }
}

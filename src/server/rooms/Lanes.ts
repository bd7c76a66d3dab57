/**
 * What is to be done one after the other for each of many, and for different ones at the same time. As many wait as asked, and
 * nothing is kept of whom nothing waits for.
 */
import { Effect, Semaphore } from "effect"

export interface Lanes<Key> {
  /** Whether nothing is under way. */
  readonly isFree: (key: Key) => boolean
  readonly take: <A, E>(key: Key, act: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

interface Lane {
  readonly semaphore: Semaphore.Semaphore
  waiting: number
}

export const make = <Key>(): Lanes<Key> => {
  const lanes = new Map<Key, Lane>()
  return {
    isFree: (key) => !lanes.has(key),
    take: (key, act) =>
      Effect.suspend(() => {
        const lane = lanes.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), waiting: 0 }
        lanes.set(key, lane)
        lane.waiting++
        return Effect.ensuring(
          lane.semaphore.withPermits(1)(act),
          Effect.sync(() => {
            if (--lane.waiting === 0) lanes.delete(key)
          })
        )
      })
  }
}

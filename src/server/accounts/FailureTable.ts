/**
 * The failures of many, as many as there is room for.
 *
 * Bound (invariant 3): `maxKeys`, of about 200 bytes. What is forgotten makes room first, and then whoever has the fewest
 * failures left. So nobody gets rid of their own by making others: to have `n` failures forgotten takes `maxKeys` others with
 * as many each, which are `n * maxKeys` tries, and whoever has those needs none of this.
 */
import { countLeft, type Failures, maxCount, noFailures, type Rule } from "./Failures.ts"

/** How many keys are looked at for each that comes, to be dropped if nothing is left of them. */
const looksForEach = 2

export interface FailureTable {
  readonly of: (key: string) => Failures
  readonly set: (key: string, failures: Failures, now: number) => void
  readonly size: () => number
}

export const makeFailureTable = (rule: Rule, maxKeys: number): FailureTable => {
  /** For each count the keys that have it, and when the last failure of each was: the longest ago first. */
  const byCount = Array.from({ length: maxCount(rule) + 1 }, () => new Map<string, number>())
  const size = () => byCount.reduce((sum, keys) => sum + keys.size, 0)

  /** Of those that were longest ago, one of each count, the one with the least left. */
  const slightest = (now: number) => {
    let found: { readonly keys: Map<string, number>; readonly key: string; readonly left: number } | undefined
    for (const [count, keys] of byCount.entries()) {
      for (const [key, at] of keys) {
        const left = countLeft(rule, { count, at }, now)
        if (found === undefined || left < found.left) found = { keys, key, left }
        break
      }
    }
    return found
  }

  const makeRoom = (now: number) => {
    for (let look = 0; look < looksForEach; look++) {
      const least = slightest(now)
      if (least === undefined || (least.left > 0 && size() < maxKeys)) return
      least.keys.delete(least.key)
    }
  }

  return {
    of: (key) => {
      for (const [count, keys] of byCount.entries()) {
        const at = keys.get(key)
        if (at !== undefined) return { count, at }
      }
      return noFailures
    },
    set: (key, { at, count }, now) => {
      for (const keys of byCount) keys.delete(key)
      if (count === 0) return
      makeRoom(now)
      byCount[count]?.set(key, at)
    },
    size
  }
}

/**
 * Who was said to be typing a moment ago, so that it is said once in `typingMillis` and no more: pure.
 *
 * Bounds: one time for each, which is forgotten with the next that comes when it is over; `maxTypists` at most, beyond which the
 * oldest is forgotten early and may be said again.
 */

/** For so long nobody hears again that the same user types in the same conversation. */
export const typingMillis = 3000

/** 100 bytes each. */
const maxTypists = 10_000

export const makeTypingTimes = (max = maxTypists) => {
  /** The oldest first. */
  const saidAt = new Map<string, number>()
  return {
    /** Whether it is to be said now, of somebody in some conversation; `now` in monotonic milliseconds. */
    take: (typist: string, now: number): boolean => {
      for (const [oldest, at] of saidAt) {
        if (now - at < typingMillis) break
        saidAt.delete(oldest)
      }
      if (saidAt.has(typist)) return false
      for (const oldest of saidAt.keys()) {
        if (saidAt.size < max) break
        saidAt.delete(oldest)
      }
      saidAt.set(typist, now)
      return true
    },
    count: (): number => saidAt.size
  }
}

/**
 * How often somebody may do something in an hour: pure.
 *
 * Bounds: the times of what each did in the last hour; `maxKeys` of them at most, beyond which whoever has been quiet longest may begin
 * anew.
 */
const hourMillis = 3_600_000

/** 500 bytes each at most. */
const maxKeys = 10_000

export const makePerHour = (maxHeld = maxKeys) => {
  /** Whoever has been quiet longest first; of each the oldest time first. */
  const times = new Map<string, ReadonlyArray<number>>()
  return {
    /** 0 if one more is within `max` an hour; otherwise in how many milliseconds it would be. `now` in monotonic milliseconds. */
    take: (who: string, max: number, now: number): number => {
      for (const [quietest, those] of times) {
        if (now - (those.at(-1) ?? 0) < hourMillis) break
        times.delete(quietest)
      }
      const recent = (times.get(who) ?? []).filter((at) => now - at < hourMillis)
      const [oldest = now] = recent
      if (recent.length >= max) return Math.ceil(oldest + hourMillis - now)
      times.delete(who)
      for (const quietest of times.keys()) {
        if (times.size < maxHeld) break
        times.delete(quietest)
      }
      times.set(who, [...recent, now])
      return 0
    },
    count: (): number => times.size
  }
}

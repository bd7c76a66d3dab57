/** The clock as it is, but for the time of day, which a test sets ahead without any time passing: no timer runs. */
import { Clock, Effect } from "effect"

export const withWallClockAhead = (millis: () => number) =>
  Effect.updateService(Clock.Clock, (clock): Clock.Clock => {
    const nanos = () => clock.currentTimeNanosUnsafe() + BigInt(millis()) * 1_000_000n
    const now = () => clock.currentTimeMillisUnsafe() + millis()
    return {
      currentTimeMillisUnsafe: now,
      currentTimeMillis: Effect.sync(now),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    }
  })

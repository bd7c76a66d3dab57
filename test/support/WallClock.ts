/** The clock as it is, but for the time of day, which a test sets, ahead or as it likes, without any time passing: no timer runs. */
import { Clock, Effect } from "effect"

const withTimeOfDay = (nanosOf: (clock: Clock.Clock) => bigint, nowOf: (clock: Clock.Clock) => number) =>
  Effect.updateService(Clock.Clock, (clock): Clock.Clock => {
    const nanos = () => nanosOf(clock)
    const now = () => nowOf(clock)
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

/** It goes on, so much ahead. */
export const withWallClockAhead = (millis: () => number) =>
  withTimeOfDay(
    (clock) => clock.currentTimeNanosUnsafe() + BigInt(millis()) * 1_000_000n,
    (clock) => clock.currentTimeMillisUnsafe() + millis()
  )

/** It stands still, at a time that the test says. */
export const withWallClockAt = (millis: () => number) => withTimeOfDay(() => BigInt(millis()) * 1_000_000n, millis)

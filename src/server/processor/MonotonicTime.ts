/**
 * Time that only passes: what durations are measured with. It has no date, and does not go back or jump when somebody
 * sets the clock of the machine.
 */
import type { Clock } from "effect"

/** Whole milliseconds since some moment that stays the same while the process runs. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe() / nanosPerMilli)

const nanosPerMilli = 1_000_000n

/** Time for measuring durations: it never jumps, and its values mean nothing by themselves. */
import type { Clock } from "effect"

/** Milliseconds since some moment, whole and never going back. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)

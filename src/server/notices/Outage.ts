/**
 * Tells the log when something stops working and when it works again, and nothing in between: a full disk is not made
 * emptier by a line for every message that was refused.
 */
import { Cause, Effect } from "effect"

export interface Outage {
  /** Wraps what may fail; a failure goes on to whoever asked. */
  readonly watch: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** `broken` and `mended` are the lines of the log. */
export const make = (broken: string, mended: string): Outage => {
  let isBroken = false
  const noteFailure = (cause: Cause.Cause<unknown>) =>
    Effect.suspend(() => {
      if (isBroken || Cause.hasInterruptsOnly(cause)) return Effect.void
      isBroken = true
      return Effect.logError(broken, cause)
    })
  const noteSuccess = Effect.suspend(() => {
    if (!isBroken) return Effect.void
    isBroken = false
    return Effect.logInfo(mended)
  })
  return { watch: (effect) => effect.pipe(Effect.tapCause(noteFailure), Effect.tap(noteSuccess)) }
}

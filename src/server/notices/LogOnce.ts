/**
 * Errors that each concern one thing among many: of each the log is told once, however often it is met.
 *
 * Bound (invariant 3): of `maxThings` things; then the log is told that there are more, and nothing further.
 */
import { Effect } from "effect"

const maxThings = 1000

export class LogOnce {
  readonly #told = new Set<string>()
  readonly #beyond: string

  /** `beyond` is said when there are too many to tell of each. */
  constructor(beyond: string) {
    this.#beyond = beyond
  }

  readonly error = (thing: string, ...message: ReadonlyArray<unknown>): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (this.#told.has(thing) || this.#told.size > maxThings) return Effect.void
      this.#told.add(thing)
      return this.#told.size > maxThings ? Effect.logError(this.#beyond) : Effect.logError(...message)
    })
}

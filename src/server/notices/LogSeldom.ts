/**
 * Lines about one thing among many, which others may bring about as often as they like: of each the log is told once in an
 * hour, however often it is met.
 *
 * Bound (invariant 3): of `maxThings` things in an hour; then the log is told that there are more, and nothing further until
 * the hour is over.
 */
import { Clock, Effect } from "effect"

const maxThings = 50
const hourNanos = 3_600_000_000_000n

export class LogSeldom {
  readonly #told = new Set<string>()
  readonly #beyond: string
  /** In monotonic time. */
  #since: bigint | undefined

  /** `beyond` is said when there are too many to tell of each. */
  constructor(beyond: string) {
    this.#beyond = beyond
  }

  /** `about` is who or what it is about: data beside the line, so that no name makes a line of its own. */
  readonly warning = (
    thing: string,
    message: string,
    about: Readonly<Record<string, string | undefined>>
  ): Effect.Effect<void> =>
    Clock.clockWith((clock) => {
      const now = clock.monotonicTimeNanosUnsafe()
      if (this.#since === undefined || now - this.#since >= hourNanos) {
        this.#told.clear()
        this.#since = now
      }
      if (this.#told.has(thing) || this.#told.size > maxThings) return Effect.void
      this.#told.add(thing)
      return this.#told.size > maxThings
        ? Effect.logWarning(this.#beyond)
        : Effect.annotateLogs(Effect.logWarning(message), about)
    })
}

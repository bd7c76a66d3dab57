/** What a fiber is to do later: sets it down from anywhere, and carries it out in the scope of whoever made this. */
import { Effect, Queue } from "effect"

/** In milliseconds. */
type After = (pause: number, what: () => void) => void

/** `signal` is called behind each. A conversation has a handful of them at a time. */
export const make = Effect.fnUntraced(function* (signal: () => void) {
  const scope = yield* Effect.scope
  const timers = yield* Queue.unbounded<{ readonly pause: number; readonly what: () => void }>()
  yield* Queue.take(timers).pipe(
    Effect.flatMap(({ pause, what }) =>
      Effect.sleep(pause).pipe(
        Effect.andThen(
          Effect.sync(() => {
            what()
            signal()
          })
        ),
        Effect.forkIn(scope)
      )
    ),
    Effect.forever,
    Effect.forkScoped
  )
  const after: After = (pause, what) => {
    Queue.offerUnsafe(timers, { pause, what })
  }
  return after
})

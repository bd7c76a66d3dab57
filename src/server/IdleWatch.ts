/**
 * Ends connections that have sent nothing for `IDLE_TIMEOUT`: one fiber that looks at all of them, so that a connection
 * needs no timer of its own. Looks once a second, or often enough for a shorter timeout.
 */
import { Clock, Duration, Effect, Layer } from "effect"
import { monotonicMillis } from "./MonotonicTime.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { Sessions } from "./Sessions.ts"

const longestInterval = 1000

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { idleTimeout } = yield* ServerConfig
    const sessions = yield* Sessions
    const clock = yield* Clock.Clock
    const idleMillis = Duration.toMillis(idleTimeout)
    const reason = `Nothing was heard for ${Duration.format(idleTimeout)}.`

    const endIdle = Effect.sync(() => {
      const deadline = monotonicMillis(clock) - idleMillis
      for (const session of sessions.all()) {
        if (session.lastHeardAt <= deadline) session.endUnsafe({ _tag: "Goodbye", reason })
      }
    })
    yield* Effect.sleep(Math.min(longestInterval, idleMillis / 4)).pipe(
      Effect.andThen(endIdle),
      Effect.forever,
      Effect.forkScoped
    )
  })
)

/**
 * Ends connections that have sent nothing for `IDLE_TIMEOUT`: one fiber that looks at all of them, so that a connection
 * needs no timer of its own. Looks once a second, or often enough for a shorter timeout.
 *
 * A process that was stopped, or whose machine slept, has heard nobody meanwhile, which is nobody's fault: of such a
 * pause no more than two looks' time counts as silence, whoever has gone on pinging is heard before the next look.
 */
import { Clock, Duration, Effect, Layer } from "effect"
import { ServerConfig } from "../config/ServerConfig.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { Sessions } from "../session/Sessions.ts"

const longestInterval = 1000

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { idleTimeout } = yield* ServerConfig
    const sessions = yield* Sessions
    const clock = yield* Clock.Clock
    const idleMillis = Duration.toMillis(idleTimeout)
    const interval = Math.min(longestInterval, idleMillis / 4)
    const reason = `Nothing was heard for ${Duration.format(idleTimeout)}.`
    let lookedAt = monotonicMillis(clock)

    const endIdle = Effect.sync(() => {
      const now = monotonicMillis(clock)
      const paused = Math.max(0, now - lookedAt - 2 * interval)
      lookedAt = now
      for (const session of sessions.all()) {
        if (paused > 0) session.lastHeardAt = Math.min(now, session.lastHeardAt + paused)
        if (session.lastHeardAt <= now - idleMillis) session.endUnsafe({ _tag: "Goodbye", reason })
      }
    })
    yield* Effect.sleep(interval).pipe(Effect.andThen(endIdle), Effect.forever, Effect.forkScoped)
  })
)

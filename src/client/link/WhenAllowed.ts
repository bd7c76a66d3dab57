/** What is refused as too fast is asked again when the server allows it; what is refused for longer than one would wait, is refused. */
import { Context, Effect, Schema } from "effect"
import { type RequestError, RequestRejected } from "../core/ClientError.ts"

/** A server that says "at once" each time would be asked without a pause; in milliseconds. */
const leastPause = 100

/** Of what may be done so often in an hour, some is refused for most of it. */
const mostPause = 30_000

/** How long whoever asks by typed or piped lines waits, in milliseconds; longer than a person, if that is said. */
export const LongestPause = Context.Reference<number>("parley/client/link/WhenAllowed/LongestPause", {
  defaultValue: () => mostPause
})

export const whenAllowed = <A, E = never>(
  asking: Effect.Effect<A, E | RequestError>,
  most = mostPause
): Effect.Effect<A, E | RequestError> =>
  Effect.catch(asking, (error) => {
    const pause = isRejected(error) && error.reason._tag === "RateLimited" ? error.reason.retryAfter : Infinity
    return pause > most || pause === Infinity
      ? Effect.fail(error)
      : Effect.andThen(Effect.sleep(Math.max(pause, leastPause)), whenAllowed(asking, most))
  })

const isRejected = Schema.is(RequestRejected)

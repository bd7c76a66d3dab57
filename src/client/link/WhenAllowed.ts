/** What is refused as too fast is asked again when the server allows it; what is refused for longer than a person waits, is refused. */
import { Effect } from "effect"
import type { RequestError } from "../core/ClientError.ts"

/** A server that says "at once" each time would be asked without a pause; in milliseconds. */
const leastPause = 100

/** Of what may be done so often in an hour, some is refused for most of it. */
const mostPause = 30_000

export const whenAllowed = <A>(asking: Effect.Effect<A, RequestError>): Effect.Effect<A, RequestError> =>
  asking.pipe(
    Effect.catchReason("RequestRejected", "RateLimited", ({ retryAfter }, refused) =>
      retryAfter > mostPause
        ? Effect.fail(refused)
        : Effect.andThen(Effect.sleep(Math.max(retryAfter, leastPause)), whenAllowed(asking))
    )
  )

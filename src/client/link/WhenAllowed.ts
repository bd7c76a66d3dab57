/** What is refused as too fast is asked again when the server allows it. */
import { Effect } from "effect"
import type { RequestError } from "../core/ClientError.ts"

/** A server that says "at once" each time would be asked without a pause; in milliseconds. */
const leastPause = 100

export const whenAllowed = <A>(asking: Effect.Effect<A, RequestError>): Effect.Effect<A, RequestError> =>
  asking.pipe(
    Effect.catchReason("RequestRejected", "RateLimited", ({ retryAfter }) =>
      Effect.andThen(Effect.sleep(Math.max(retryAfter, leastPause)), whenAllowed(asking))
    )
  )

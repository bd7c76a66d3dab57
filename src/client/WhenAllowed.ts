/** What is refused as too fast is asked again when the server allows it. */
import { Effect } from "effect"
import type { RequestError } from "./ClientError.ts"

export const whenAllowed = <A>(asking: Effect.Effect<A, RequestError>): Effect.Effect<A, RequestError> =>
  asking.pipe(
    Effect.catchReason("RequestRejected", "RateLimited", ({ retryAfter }) =>
      Effect.andThen(Effect.sleep(retryAfter), whenAllowed(asking))
    )
  )

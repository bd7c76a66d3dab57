/** What a refusal of what was sent means for whether it is sent again. */
import { Effect } from "effect"
import type { RequestError, RequestRejected } from "../core/ClientError.ts"

/** What was asked for is refused; undefined if it was not. */
export const refusalOf = <A>(asking: Effect.Effect<A, RequestError>) =>
  asking.pipe(
    Effect.as<RequestRejected | undefined>(undefined),
    Effect.catchTag("RequestRejected", (refusal) => Effect.succeed(refusal))
  )

/** Why it says nothing about the request that it is refused. */
export const isPassing = ({ reason }: RequestRejected): boolean =>
  reason._tag === "RateLimited" || reason._tag === "StorageUnavailable" || reason._tag === "NotInRoom"

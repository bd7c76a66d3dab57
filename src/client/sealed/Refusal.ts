/** What a refusal of what was sent means for whether it is sent again. */
import { Effect } from "effect"
import type { RequestError, RequestRejected } from "../core/ClientError.ts"

/** `passing`: it was refused for a reason that says nothing about it, or not answered at all, and may have been carried out. */
type Refusal = RequestRejected | "passing"

/** What was asked for is refused; undefined if it was not. */
export const refusalOf = <A>(asking: Effect.Effect<A, RequestError>) =>
  asking.pipe(
    Effect.as<Refusal | undefined>(undefined),
    Effect.catchTags({
      RequestRejected: (refusal) => Effect.succeed<Refusal>(isPassing(refusal) ? "passing" : refusal),
      ReplyLost: () => Effect.succeed<Refusal>("passing")
    })
  )

/** Why it says nothing about the request that it is refused. */
export const isPassing = ({ reason }: RequestRejected): boolean =>
  reason._tag === "RateLimited" || reason._tag === "StorageUnavailable" || reason._tag === "NotInRoom"

/** How the server is asked: quietly, for as long as it takes, and again when it was too fast. See Client.ts. */
import type { Effect } from "effect"
import type { RequestError } from "../core/ClientError.ts"
import type { Reply, Request } from "../core/Request.ts"

export type Ask = <R extends Request>(request: R) => Effect.Effect<Reply<R>, RequestError>

/**
 * How the server is asked: quietly, and again when it was too fast. See Client.ts.
 *
 * What a conversation asks is given up after a while, as if the reply were lost: a server that does not answer one thing holds up
 * what else there is to do for so long, and not until there is another connection. An answer that comes later is nobody's.
 */
import { Effect } from "effect"
import { ReplyLost, type RequestError } from "../core/ClientError.ts"
import type { Reply, Request } from "../core/Request.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"

export type Ask = <R extends Request>(request: R) => Effect.Effect<Reply<R>, RequestError>

/** For as long as it takes. */
export const patiently =
  (quietly: Ask): Ask =>
  (request) =>
    whenAllowed(quietly(request))

/** For at most so long, in milliseconds. */
export const within =
  (ask: Ask, lateness: number): Ask =>
  (request) =>
    Effect.timeoutOrElse(ask(request), {
      duration: lateness,
      orElse: () => Effect.fail(new ReplyLost({ request: request._tag, isLate: true }))
    })

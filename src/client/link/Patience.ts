/** How long and how often a client tries to come back, and which refusals may pass while it does. */
import { Schedule } from "effect"
import { Rejection } from "../../common/wire/Rejection.ts"
import type { SessionError } from "../core/ClientError.ts"

/** How long a server may take to say Goodbye. */
export const farewell = "2 seconds"

/** How long a connection has to stand until what ends it is no failure to connect. */
export const settling = "10 seconds"

/** How long a room is left alone that the server cannot let one back into just now. */
export const rejoinPause = "3 seconds"

/** Between attempts: 250 ms, doubled each time up to 10 s, each 20% more or less so that clients do not come at once. */
export const backoff = Schedule.min([Schedule.exponential("250 millis"), Schedule.spaced("10 seconds")]).pipe(
  Schedule.jittered
)

/** What may be different a little later, for a client that was in before. */
export const isPassing = (error: SessionError["reason"]): boolean =>
  error._tag === "Unreachable" ||
  error._tag === "TlsFailed" ||
  (error._tag === "Refused" && isPassingRefusal(error.reason))

/** What may look different a little later: a name that the server has not yet seen leave, a restart, a rush. */
const isPassingRefusal = Rejection.isAnyOf([
  "UserNameTaken",
  "HandshakeTimeout",
  "TooManyAttempts",
  "RateLimited",
  "TooManyConnections",
  "SlowConsumer",
  "ServerStopping",
  "StorageUnavailable"
])

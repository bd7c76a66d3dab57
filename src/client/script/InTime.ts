/** How long a script waits for an answer: a server that is there, and never gives one, ends it as one that is not there would. */
import { Context, Duration, Effect } from "effect"
import { noConnection } from "./ScriptError.ts"

/** Longer than a server takes for anything; beside what one waits to be allowed to ask. */
export const Patience = Context.Reference<Duration.Duration>("parley/client/script/InTime/Patience", {
  defaultValue: () => Duration.minutes(1)
})

/** Of what changes nothing by being asked for once more. */
export const inTime = <A, E, R>(asking: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Patience, (duration) =>
    Effect.timeoutOrElse(asking, { duration, orElse: () => Effect.fail(noAnswer(duration)) })
  )

const noAnswer = (duration: Duration.Duration) =>
  noConnection(
    `The server is there, but has not answered within ${Math.round(Duration.toSeconds(duration))} s. Try again later.`
  )

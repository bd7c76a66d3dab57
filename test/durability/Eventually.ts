/** Waiting for what comes by itself: a condition is looked at again and again, up to a deadline, and never just slept for. */
import { Data, type Duration, Effect, Schedule } from "effect"

/** A condition did not come true in time. */
export class NeverSo extends Data.TaggedError("NeverSo")<{ readonly message: string }> {}

/** Longer than anything takes on a busy machine, since it only passes when a test fails. */
const deadline: Duration.Input = "90 seconds"

/** Repeats a question until its answer is so. `what` completes the sentence "It was never so that …". */
export const ask = <A, E, R>(
  what: string,
  question: Effect.Effect<A, E, R>,
  isSo: (answer: A) => boolean,
  /** What there is instead, for whoever has to find out why. */
  instead: () => string = () => ""
) =>
  question.pipe(
    Effect.repeat({ until: isSo, schedule: Schedule.spaced("5 millis") }),
    Effect.timeoutOrElse({
      duration: deadline,
      orElse: () => Effect.fail(new NeverSo({ message: `It was never so that ${what} ${instead()}`.trim() }))
    })
  )

export const isSo = (what: string, condition: () => boolean, instead?: () => string) =>
  Effect.asVoid(ask(what, Effect.sync(condition), (answer) => answer, instead))

/**
 * The fiber of a manager that stores: hands what waits to the deciding half, run by run, for as long as anything waits. A run that
 * fails or dies is answered, and the next one is stored (invariant 6).
 */
import { Array as Arr, Effect, Queue } from "effect"
import type { StorageUnavailable } from "../history/History.ts"
import type { SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { Runs, Waiting } from "./Runs.ts"
import { gather } from "./Telling.ts"

interface Services {
  /** Something waits to be stored or told, or a failed commit to be looked at. */
  readonly called: Queue.Dequeue<void>
  readonly runs: Pick<Runs<never>, "answered" | "nextRun">
  readonly sessions: Pick<Sessions["Service"], "refuse">
  readonly store: (run: Arr.NonEmptyReadonlyArray<Waiting>) => Effect.Effect<void, StorageUnavailable>
  /** Tells what others had stored, and looks at what may have been. */
  readonly lookAround: Effect.Effect<void>
  readonly actOnPostponed: (waited: ReadonlyArray<SessionId>) => Effect.Effect<void>
}

export const makeStoring = ({ actOnPostponed, called, lookAround, runs, sessions, store }: Services) => {
  const carryOut = (run: Arr.NonEmptyReadonlyArray<Waiting>) => {
    const refuseAll = () => {
      for (const { from } of run) sessions.refuse(from, { _tag: "StorageUnavailable" })
    }
    return store(run).pipe(
      // Whoever keeps the log says what is wrong with it, once and not for every request.
      Effect.catch(() => Effect.sync(refuseAll)),
      Effect.catchDefect((defect) => {
        refuseAll()
        return Effect.logError("A conversation could not carry out a request", defect)
      }),
      Effect.andThen(Effect.suspend(() => actOnPostponed(runs.answered(run))))
    )
  }

  return Effect.gen(function* () {
    yield* Queue.take(called)
    yield* lookAround
    for (let run = runs.nextRun(); Arr.isReadonlyArrayNonEmpty(run); run = runs.nextRun()) {
      yield* carryOut(run)
      yield* lookAround
      yield* gather
    }
  }).pipe(Effect.forever({ disableYield: true }))
}

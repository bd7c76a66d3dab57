/**
 * The second fiber of a conversation's manager: it hands what is to be done to the deciding half, run by run, and has members told
 * of what is stored, then the senders. A run that fails or dies is answered, and the next one is stored (invariant 6).
 */
import { Array as Arr, Effect, Queue } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { Act } from "./Act.ts"
import type { Deciding, DeliveringHalf } from "./Deciding.ts"
import * as Room from "./Room.ts"
import type { Runs, Waiting } from "./Runs.ts"
import { gather } from "./Telling.ts"

interface Services {
  readonly actOf: (waiting: Waiting) => Act
  /** Something waits to be stored or told, or a failed commit to be looked at. */
  readonly called: Queue.Dequeue<void>
  readonly deciding: Pick<Deciding, "carryOut">
  readonly self: DeliveringHalf
  /** Tells what others had stored. */
  readonly hear: Effect.Effect<void>
  readonly runs: Pick<Runs<never>, "answered" | "nextRun">
  readonly sessions: Sessions["Service"]
  readonly actOnPostponed: (sessions: ReadonlyArray<SessionId>) => Effect.Effect<void>
  /** Something may have been stored that members were not told of. */
  readonly doubt: () => void
  /** Looks, if there is a doubt. */
  readonly settle: Effect.Effect<void>
  /** Members are told of these entries, and of all up to these places; then others are answered. */
  readonly tell: (
    entries: ReadonlyArray<Entry>,
    places: ReadonlyArray<Seq>,
    answers: ReturnType<typeof Room.answered>
  ) => Effect.Effect<void, StorageUnavailable>
}

/** For as long as it runs. */
export const makeStoring = (services: Services) => {
  const { actOf, actOnPostponed, called, deciding, doubt, hear, runs, self, sessions, settle, tell } = services

  const store = Effect.fnUntraced(function* (run: Arr.NonEmptyReadonlyArray<Waiting>) {
    const { answers, entries } = yield* deciding.carryOut(Arr.map(run, actOf), self)
    const places = answers.flatMap((answer) => (answer._tag === "Stored" ? [answer.seq] : []))
    yield* tell(entries, places, Room.answered(run, answers))
  })

  const carryOut = (run: Arr.NonEmptyReadonlyArray<Waiting>) => {
    const refuseAll = () => {
      for (const { from } of run) sessions.refuse(from, { _tag: "StorageUnavailable" })
    }
    return store(run).pipe(
      Effect.tapError(() => Effect.sync(doubt)),
      // Whoever keeps the log says what is wrong with it, once and not for every request.
      Effect.catch(() => Effect.sync(refuseAll)),
      Effect.catchDefect((defect) => {
        refuseAll()
        return Effect.logError("A conversation could not carry out a request", defect)
      }),
      Effect.andThen(Effect.suspend(() => actOnPostponed(runs.answered(run))))
    )
  }

  const round = Effect.gen(function* () {
    yield* Queue.take(called)
    yield* hear
    yield* settle
    for (let run = runs.nextRun(); Arr.isReadonlyArrayNonEmpty(run); run = runs.nextRun()) {
      yield* carryOut(run)
      yield* hear
      yield* settle
      yield* gather
    }
  })
  return Effect.forever(round, { disableYield: true })
}

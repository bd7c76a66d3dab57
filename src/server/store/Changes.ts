/**
 * One fiber takes every change that waits, of accounts, memberships and read marks, carries them out in one transaction, and
 * then answers them: two hundred people who log in at once do not wait for two hundred commits. Like GroupCommit it has no
 * timer, and takes turns with it on the connection that writes.
 *
 * Changes are carried out in the order in which they came. One that fails must not sink others: the transaction is rolled back, and each is tried again in
 * a transaction of its own, unless it is the disk that failed. So a change may run twice; it does nothing but statements.
 *
 * Bounds (invariant 3): a transaction takes `maxChanges`; what waits is bounded by the requests under way.
 */
import { Array as Arr, Cause, Context, Deferred, Effect, Exit, Layer, Queue } from "effect"
import { StorageUnavailable } from "../history/History.ts"
import * as Outage from "../notices/Outage.ts"
import { SearchIndex } from "../search/SearchIndex.ts"
import { isAboutRows, type Problem } from "./GroupCommit.ts"
import { Connections } from "./SqlHistory.ts"

/** A change is about three statements of 0.1 ms: messages wait no longer than for a large commit of their own. */
export const maxChanges = 16

interface Waiting {
  /** Carries it out; gives what answers it. */
  readonly attempt: Effect.Effect<() => void, Problem>
  readonly refuseUnsafe: (cause: unknown) => void
}

export class Changes extends Context.Service<
  Changes,
  {
    /** Answers once it is committed. The statements are those of the connection that writes. */
    readonly make: <A>(change: Effect.Effect<A, Problem>) => Effect.Effect<A, StorageUnavailable>
  }
>()("parley/server/store/Changes") {
  static readonly layer = Layer.effect(
    Changes,
    Effect.gen(function* () {
      const { writer } = yield* Connections
      const { makingRoom } = yield* SearchIndex
      const storing = Outage.make("Accounts cannot be stored", "Accounts are stored again")
      const waiting = yield* Queue.unbounded<Waiting>()

      const commit = (changes: ReadonlyArray<Waiting>) =>
        writer.withTransaction(Effect.forEach(changes, ({ attempt }) => attempt))
      /** As for messages, the index's space is worth less than what is to be kept. */
      const commitOrMakeRoom = (changes: ReadonlyArray<Waiting>) => makingRoom(commit(changes))

      const carryOut = (changes: ReadonlyArray<Waiting>): Effect.Effect<void> =>
        commitOrMakeRoom(changes).pipe(
          Effect.catchCauseIf(
            (cause) => changes.length > 1 && isAboutOne(cause),
            () => Effect.undefined
          ),
          storing.watch,
          Effect.matchCauseEffect({
            onSuccess: (answers) =>
              answers === undefined
                ? Effect.forEach(changes, (one) => carryOut([one]), { discard: true })
                : Effect.sync(() => answers.forEach((answerUnsafe) => answerUnsafe())),
            onFailure: (cause) =>
              Effect.sync(() => changes.forEach(({ refuseUnsafe }) => refuseUnsafe(Cause.squash(cause))))
          })
        )

      yield* Queue.takeAll(waiting).pipe(
        Effect.flatMap((all) => Effect.forEach(Arr.chunksOf(all, maxChanges), carryOut, { discard: true })),
        Effect.forever({ disableYield: true }),
        Effect.forkScoped
      )

      return Changes.of({
        make: <A>(change: Effect.Effect<A, Problem>) =>
          Effect.suspend(() => {
            const done = Deferred.makeUnsafe<A, StorageUnavailable>()
            const isTaken = Queue.offerUnsafe(waiting, {
              attempt: Effect.map(change, (result) => () => void Deferred.doneUnsafe(done, Exit.succeed(result))),
              refuseUnsafe: (cause) => void Deferred.doneUnsafe(done, Exit.fail(new StorageUnavailable({ cause })))
            })
            return isTaken ? Deferred.await(done) : Effect.interrupt
          })
      })
    })
  )
}

/** Whether others may well be carried out: anything but a disk that fails. */
const isAboutOne = (cause: Cause.Cause<Problem>): boolean => {
  const problem = Cause.findErrorOption(cause)
  return problem._tag === "None" ? !Cause.hasInterruptsOnly(cause) : isAboutRows(problem.value)
}

/**
 * One fiber takes every append that waits, of all conversations, stores them with one commit, and then answers them.
 *
 * There is no timer: what comes meanwhile is stored as soon as the last commit is done, so a quiet server answers at once
 * and a busy one in batches. A commit that the database refuses because of what is in it is tried again in two halves,
 * and so on, so that only the append that cannot be stored is refused; one that fails because of the disk refuses all.
 *
 * Bounds (invariant 3): a commit takes `maxCommitEntries`, and `maxCommitCharacters`, unless one append has more; a bad append among n costs the
 * others 2 log n commits; what waits is bounded by the requests under way.
 */
import { Deferred, Effect, Queue, Result, type Schema } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { Conversation } from "../../common/log/Conversation.ts"
import type { Body } from "../../common/log/Entry.ts"
import { type AnsweredKey, type NewEntry, StorageUnavailable, type Stored } from "../history/History.ts"
import { LogOnce } from "../notices/LogOnce.ts"
import * as Outage from "../notices/Outage.ts"
import { code, resultCode } from "../sql/SqliteProblem.ts"
import { halvesOf } from "./LogTables.ts"

export type Problem = SqlError | Schema.SchemaError

/** What is stored together: all of it or nothing. */
export interface Append {
  readonly entries: ReadonlyArray<NewEntry>
  readonly answered: ReadonlyArray<AnsweredKey>
  /** Those of both, by key. */
  readonly conversations: ReadonlyMap<string, Conversation>
}

/** 1,000 rows of 64 bytes keep the disk busy for 3 ms, and everyone behind them waiting for as long. */
export const maxCommitEntries = 2000
/** UTF-16 units of what they hold: what is made into JSON on the event loop at once, 2 ms of it. */
export const maxCommitCharacters = 262_144

interface Waiting extends Append {
  readonly stored: Deferred.Deferred<ReadonlyArray<Stored>, StorageUnavailable>
}

/** Other rows may well be stored. */
const aboutRows: ReadonlySet<number> = new Set([code.corrupt, code.tooBig, code.constraint, code.mismatch])

/** Whether it was what should have been stored that was refused, or what it meets in the database. */
export const isAboutRows = (problem: Problem): boolean =>
  !isSqlError(problem) || aboutRows.has(resultCode(problem.reason.cause))

/** `settle` is run when it is decided what becomes of an append, before it is answered. */
export const make = Effect.fnUntraced(function* (
  commit: (appends: ReadonlyArray<Append>) => Effect.Effect<ReadonlyArray<Stored>, Problem>,
  settle: (append: Append) => void
) {
  const storing = Outage.make("Messages cannot be stored", "Messages are stored again")
  const refused = new LogOnce("The database refuses messages of more conversations. Check it with: pnpm admin verify")
  const waiting = yield* Queue.unbounded<Waiting>()

  const answer = (appends: ReadonlyArray<Waiting>, stored: ReadonlyArray<Stored>) =>
    Effect.sync(() => {
      let start = 0
      for (const { entries, stored: answered } of appends) {
        Deferred.doneUnsafe(answered, Effect.succeed(stored.slice(start, start + entries.length)))
        start += entries.length
      }
    })

  const refuse = (appends: ReadonlyArray<Waiting>, cause: unknown) =>
    Effect.sync(() => {
      const refusal = new StorageUnavailable({ cause })
      for (const { stored } of appends) Deferred.doneUnsafe(stored, Effect.fail(refusal))
    })

  /**
   * Waiters run as soon as they are answered, and deliver; forked, so that the next commit is under way meanwhile. In two
   * pairs of runs 41,800 and 40,600 messages/s were stored this way, 35,200 and 40,100 the other.
   */
  const conclude = (appends: ReadonlyArray<Waiting>, answered: Effect.Effect<void>) => {
    for (const append of appends) settle(append)
    return Effect.asVoid(Effect.forkChild(answered))
  }

  const storeAll = (appends: ReadonlyArray<Waiting>): Effect.Effect<void> =>
    commit(appends).pipe(
      Effect.map(Result.succeed),
      Effect.catchIf(isAboutRows, (problem) => Effect.succeed(Result.fail(problem))),
      storing.watch,
      Effect.matchCauseEffect({
        onSuccess: (outcome) =>
          Result.isSuccess(outcome)
            ? conclude(appends, answer(appends, outcome.success))
            : storeApart(appends, outcome.failure),
        onFailure: (cause) => conclude(appends, refuse(appends, cause))
      })
    )

  /** What can be stored of a commit that was refused because of something in it. */
  const storeApart = (appends: ReadonlyArray<Waiting>, problem: Problem): Effect.Effect<void> => {
    if (appends.length > 1) return Effect.forEach(halvesOf(appends), storeAll, { discard: true })
    const [conversation = ""] = appends.flatMap(({ conversations }) => [...conversations.keys()])
    return Effect.andThen(
      refused.error(conversation, `The database refuses messages of ${conversation}`, problem),
      conclude(appends, refuse(appends, problem))
    )
  }

  yield* Queue.takeAll(waiting).pipe(
    Effect.flatMap((appends) => Effect.forEach(inCommits(appends), storeAll, { discard: true })),
    Effect.forever({ disableYield: true }),
    Effect.forkScoped
  )

  return (append: Append) =>
    Effect.suspend(() => {
      const stored = Deferred.makeUnsafe<ReadonlyArray<Stored>, StorageUnavailable>()
      const isTaken = Queue.offerUnsafe(waiting, { ...append, stored })
      return isTaken ? Deferred.await(stored) : Effect.interrupt
    })
})

/** About as many as are stored: what is no text is short. */
const charactersOf = (body: Body): number =>
  "content" in body ? body.content.length : "data" in body ? body.data.length : 64

/** One with a twin is stored twice. */
const rowsOf = ({ twin }: NewEntry): number => (twin === undefined ? 1 : 2)

/** Whole appends, together as many entries as one commit takes. */
const inCommits = (appends: ReadonlyArray<Waiting>): ReadonlyArray<ReadonlyArray<Waiting>> => {
  const commits: Array<Array<Waiting>> = []
  let size = Infinity
  let characters = 0
  for (const append of appends) {
    const rows = append.entries.reduce((sum, entry) => sum + rowsOf(entry), append.answered.length)
    const held = append.entries.reduce((sum, entry) => sum + rowsOf(entry) * charactersOf(entry.body), 0)
    if (size + rows > maxCommitEntries || characters + held > maxCommitCharacters) {
      commits.push([])
      size = 0
      characters = 0
    }
    commits.at(-1)?.push(append)
    size += rows
    characters += held
  }
  return commits
}

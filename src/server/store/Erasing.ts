/**
 * What follows from deletions a moment later, until no file of the database holds what was deleted (PROTOCOL.md, "Deleting
 * erases"). The commit that deletes a message leaves a row in `erasures`, which goes last: whatever is interrupted, by kill -9
 * too, is done again at the next start.
 *
 * A pass does it for all that are deleted by then: the entries of deleted rooms become tombstones (see ErasedRooms), edits of
 * deleted messages lose their texts, their reactions go, the index lets go of
 * their words and is rewritten without them, and at last the log (-wal) is taken in and emptied. Pages that get free keep
 * nothing, since every connection that writes has secure_delete.
 *
 * Bounds: a pass begins within a second, or `passInterval` after the one before. A step takes some 2 ms of the connection
 * that writes; a room of 100,000 messages takes half a minute of them. The rewriting takes 4 µs for each message in the index, whichever were deleted: 40 s for 10,000,000. While a
 * reader (`pnpm admin`) holds one state of the database, or the disk is full, it is tried again and again.
 */
import { Clock, Data, Duration, Effect, Layer, Option, Queue, Schedule, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as SqlSchema from "effect/sql/SqlSchema"
import { LogOnce } from "../notices/LogOnce.ts"
import * as Outage from "../notices/Outage.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { SearchIndex } from "../search/SearchIndex.ts"
import { isDamaged } from "../sql/SqliteProblem.ts"
import * as UnsyncedTransaction from "../sql/UnsyncedTransaction.ts"
import { emptyLog, type LogOptions } from "./Checkpoints.ts"
import { checksum } from "./Checksum.ts"
import * as ErasedRooms from "./ErasedRooms.ts"

/** How long deletions may gather, so that who deletes several at once costs one pass. */
const gatherTime = "200 millis"
const passInterval = Duration.seconds(20)

/** After the log was held up; after anything else. */
const logPatience = "500 millis"
const patience = "5 seconds"

/** How often the log may be held up before the operator hears of it: 30 s. */
const quietTries = 60

/** Deletions looked at together: 1 ms. The numbers of those of a pass are in memory: 1 MB. */
const stepErasures = 200
const maxOfPass = 100_000

/** An edit of 8,192 characters frees nine pages: 80 µs. */
const stepEdits = 20
/** Two indexes: 10 µs each. */
const stepReactors = 200

/** Entries of a deleted room: some 30 µs each, and a long one 80 µs more. How many fit into a step is found out. */
const firstStepEntries = 20
const maxStepEntries = 200
const stepMillis = 2

/** What is stored meanwhile waits for one step at most, and has half of the time: some 250 messages a second are erased. */
const turn = Duration.millis(4)
const pause = "5 millis"

export interface ErasingOptions extends LogOptions {
  /** Something was deleted. */
  readonly deleted: Queue.Dequeue<void>
}

/** The log of the database cannot be emptied, since somebody still reads what is in it. */
class LogHeldUp extends Data.TaggedError("LogHeldUp")<{ readonly message: string }> {}

const Erasure = Schema.Struct({
  /** Of the message. */
  id: Schema.Int,
  conversation: Schema.Int,
  target: Schema.Int,
  /** Whether it may have been edited or reacted to. */
  hasMore: Schema.Int
})
type Erasure = typeof Erasure.Type

const Edit = Schema.Struct({
  seq: Schema.Int,
  at: Schema.Int,
  sender: Schema.String,
  kind: Schema.String,
  target: Schema.NullOr(Schema.Int),
  author: Schema.NullOr(Schema.String),
  receiver: Schema.NullOr(Schema.String),
  partner: Schema.NullOr(Schema.String),
  twin: Schema.NullOr(Schema.Int)
})
const decodeEdit = Schema.decodeUnknownOption(Edit)

export const layer = (options: ErasingOptions): Layer.Layer<never, never, SearchIndex> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const outage = Outage.make("What was deleted cannot be erased", "What was deleted is erased again")
      const pass = passOf(options, yield* SearchIndex)
      const passes = Effect.gen(function* () {
        const begun = monotonicMillis(clock)
        const count = yield* Effect.retry(outage.watch(pass), Schedule.spaced(patience))
        if (count === 0) return false
        yield* Effect.sleep(
          Duration.millis(Math.max(Duration.toMillis(passInterval) + begun - monotonicMillis(clock), 0))
        )
        return true
      })
      const removeEmpty = UnsyncedTransaction.run(options.writer, ErasedRooms.make(options.writer).removeEmpty)
      yield* Effect.forkScoped(Effect.ignore(outage.watch(removeEmpty)))
      // The first also for what was deleted before this start.
      yield* Effect.repeat(passes, { while: (isAgain) => isAgain }).pipe(
        Effect.andThen(Queue.take(options.deleted)),
        Effect.andThen(Effect.sleep(gatherTime)),
        Effect.forever,
        Effect.forkScoped
      )
    })
  )

/** Erases all that is deleted by now; tells how many messages and rooms. */
const passOf = (options: ErasingOptions, index: SearchIndex["Service"]) => {
  const { writer } = options
  const erasuresAfter = makeErasuresAfter(writer)
  const rooms = ErasedRooms.make(writer)
  const damaged = new LogOnce("More deleted messages cannot be erased. Check the database with: pnpm admin verify")
  const heldUp = Outage.make("The database's log cannot be emptied", "The database's log is emptied again")

  /** Of small steps, several are made before others have as long. */
  let worked = Duration.zero
  const rest = (took: Duration.Duration) =>
    Effect.suspend(() => {
      worked = Duration.sum(worked, took)
      if (Duration.isLessThan(worked, turn)) return Effect.void
      const rested = worked
      worked = Duration.zero
      return Effect.sleep(rested)
    })
  /** Repeats a step that tells whether there may be more, each in a transaction of its own. */
  const inSteps = <E>(step: Effect.Effect<boolean, E>) =>
    Effect.timed(UnsyncedTransaction.run(writer, step)).pipe(
      Effect.tap(([took]) => rest(took)),
      Effect.repeat({ while: ([, hasMore]) => hasMore })
    )

  /** Of what is left beside a message. */
  const clear = Effect.fnUntraced(function* ({ conversation, id, target }: Erasure) {
    let through = 0
    const forgetEdits = Effect.gen(function* () {
      const rows = yield* writer`
        SELECT id, seq, at, sender, kind, target, author, receiver, partner, twin FROM messages
        WHERE kind = 'Edited' AND conversation = ${conversation} AND target = ${target} AND id > ${through}
        ORDER BY id LIMIT ${stepEdits}`
      const sums = rows.map((row) => [row["id"], checksumOf(conversation, row)])
      yield* writer`
        UPDATE messages SET content = '', checksum = given.value ->> 1 FROM json_each(${JSON.stringify(sums)}) AS given
        WHERE messages.id = given.value ->> 0 AND content <> ''`
      through = Number(rows.at(-1)?.["id"] ?? through)
      return rows.length === stepEdits
    })
    const forgetReactors = Effect.gen(function* () {
      yield* writer`
        DELETE FROM reactors WHERE message = ${id} AND (user, reaction) IN
          (SELECT user, reaction FROM reactors WHERE message = ${id} LIMIT ${stepReactors})`
      const [[count] = []] = yield* writer`SELECT changes()`.values
      return count === stepReactors
    })
    const step = Effect.gen(function* () {
      const hasMoreEdits = yield* forgetEdits
      const hasMoreReactors = yield* forgetReactors
      yield* writer`DELETE FROM standing WHERE id = ${id}`
      return hasMoreEdits || hasMoreReactors
    })
    yield* inSteps(step)
  })

  /** Whether nothing is left but what is in pages that are free. What is damaged stays in `erasures`. */
  const isCleared = (erasure: Erasure) =>
    erasure.hasMore === 0
      ? Effect.succeed(true)
      : clear(erasure).pipe(
          Effect.as(true),
          Effect.catchIf(
            ({ reason }) => isDamaged(reason.cause),
            (error) =>
              Effect.as(
                damaged.error(
                  String(erasure.id),
                  `Message ${erasure.id} was deleted, but a part of the database is damaged where its edits or reactions are. Look at it with: pnpm admin verify`,
                  error
                ),
                false
              )
          )
        )

  /** Makes tombstones of all entries of a room; false if a part of it is damaged, which stays to be erased. */
  const isBuried = Effect.fnUntraced(function* (room: number) {
    yield* inSteps(rooms.forgetKeys(room))
    const bounds = yield* rooms.bounds(room)
    if (bounds === undefined) return true
    let through = bounds.first - 1
    let entries = firstStepEntries
    let isWhole = true
    const passOver = (error: SqlError) =>
      Effect.suspend(() => {
        if (entries > 1) {
          entries = 1
          return Effect.void
        }
        isWhole = false
        through++
        return damaged.error(
          `room ${room}`,
          `A room was deleted, but a part of the database is damaged where its messages are. Look at it with: pnpm admin verify`,
          error
        )
      })
    const step = Effect.suspend(() => {
      const upTo = through + entries
      return Effect.timed(UnsyncedTransaction.run(writer, rooms.bury(room, through, upTo))).pipe(
        Effect.flatMap(([took]) => {
          through = upTo
          const inTime = entries * Math.min(2, stepMillis / Math.max(Duration.toMillis(took), 0.1))
          entries = Math.ceil(Math.min(maxStepEntries, Math.max(1, inTime)))
          return rest(took)
        }),
        Effect.catchTag("SqlError", (error) => (isDamaged(error.reason.cause) ? passOver(error) : Effect.fail(error)))
      )
    })
    yield* Effect.repeat(step, { while: () => through < bounds.newest })
    return isWhole
  })

  /** Of all rooms that are deleted by now; answers their numbers. */
  const buryAll = Effect.gen(function* () {
    const buried: Array<number> = []
    for (const room of yield* rooms.erased) if (yield* isBuried(room)) buried.push(room)
    return buried
  })

  const forgetAll = Effect.gen(function* () {
    const cleared: Array<number> = []
    let through = 0
    const step = Effect.gen(function* () {
      const erasures = yield* erasuresAfter(through)
      for (const erasure of erasures) if (yield* isCleared(erasure)) cleared.push(erasure.id)
      yield* index.forget(erasures.map(({ id }) => id))
      through = erasures.at(-1)?.id ?? through
      yield* Effect.sleep(pause)
      return erasures.length === stepErasures && cleared.length < maxOfPass
    })
    yield* Effect.repeat(step, { while: (hasMore) => hasMore })
    return cleared
  })

  /** What SQLite needs to see the log as its own again. */
  const anyCommit = UnsyncedTransaction.run(
    writer,
    Effect.andThen(
      writer`UPDATE erasures SET target = target WHERE id = (SELECT MIN(id) FROM erasures)`,
      writer`UPDATE conversations SET name = name WHERE id = (SELECT MIN(id) FROM conversations WHERE kind = 'Erased')`
    )
  )
  const emptyOnce = (tries: number) =>
    Effect.flatMap(emptyLog(options, anyCommit), (isEmpty) => {
      if (isEmpty) return Effect.succeed(true)
      const told = new LogHeldUp({ message: "Another program keeps reading one state of it: `pnpm admin`, perhaps" })
      return tries < quietTries ? Effect.succeed(false) : Effect.fail(told)
    })
  const emptyPatiently = Effect.gen(function* () {
    let tries = 0
    const attempt = Effect.suspend(() => heldUp.watch(emptyOnce(++tries))).pipe(
      Effect.catchTag("LogHeldUp", () => Effect.succeed(false)),
      Effect.tap((isEmpty) => (isEmpty ? Effect.void : Effect.sleep(logPatience)))
    )
    yield* Effect.repeat(attempt, { until: (isEmpty) => isEmpty })
  })

  return Effect.gen(function* () {
    const buried = yield* buryAll
    const cleared = yield* forgetAll
    if (cleared.length + buried.length === 0) return 0
    if (cleared.length > 0) yield* index.purge
    yield* emptyPatiently
    yield* UnsyncedTransaction.run(writer, rooms.settle(buried))
    let removed = 0
    yield* inSteps(
      Effect.gen(function* () {
        const some = cleared.slice(removed, removed + stepErasures)
        yield* writer`DELETE FROM erasures WHERE id IN (SELECT value FROM json_each(${JSON.stringify(some)}))`
        removed += some.length
        return removed < cleared.length
      })
    )
    return cleared.length + buried.length
  })
}

const makeErasuresAfter = (sql: SqlClient.SqlClient) =>
  SqlSchema.findAll({
    Request: Schema.Int,
    Result: Erasure,
    execute: (through) => sql`
    SELECT id, conversation, target, EXISTS (
        SELECT 1 FROM messages
        WHERE kind = 'Edited' AND messages.conversation = erasures.conversation AND messages.target = erasures.target
      ) OR EXISTS (SELECT 1 FROM reactors WHERE message = erasures.id)
      OR EXISTS (SELECT 1 FROM standing WHERE standing.id = erasures.id) AS hasMore
    FROM erasures WHERE id > ${through} ORDER BY id LIMIT ${stepErasures}`
  })

/** Of an edit without its text; none if the rest of its row is damaged. */
const checksumOf = (conversation: number, row: unknown): number | null =>
  Option.match(decodeEdit(row), {
    onNone: () => null,
    onSome: ({ at, author, kind, partner, receiver, sender, seq, target, twin }) =>
      checksum(conversation, seq, at, sender, "", kind, target, author, receiver, partner, twin)
  })

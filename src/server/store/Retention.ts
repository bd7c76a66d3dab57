/**
 * Deletes messages that are older than RETENTION, and gives the space back to the file system. What is left of each log
 * has no gaps, and the places of what was deleted are not given again.
 *
 * Nobody is to notice: a step takes some 2 ms of the connection that writes, waits for no sync, and is followed by a
 * longer pause while messages come. Yet it keeps up: each step takes more than has been stored since the last one.
 *
 * On a full disk deleting needs room first: the reserve is given back for it, and made again afterwards.
 */
import { Clock, Duration, Effect, Layer, Queue, Schedule } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { RoomName } from "../../common/name/RoomName.ts"
import * as Outage from "../notices/Outage.ts"
import { SearchIndex } from "../search/SearchIndex.ts"
import { isFull } from "../sql/SqliteProblem.ts"
import * as UnsyncedTransaction from "../sql/UnsyncedTransaction.ts"
import type { FileWatch } from "./FileWatch.ts"
import * as OldestMessages from "./OldestMessages.ts"
import type { Reserve } from "./Reserve.ts"

/** A message costs a page of the index of keys, wherever in it its key is: some 10 µs. */
const minStepMessages = 50
const maxStepMessages = 2000

/** What a step should take, of which a message that comes meanwhile waits for half. */
const stepTime = 2

/** How much more than was stored is deleted. */
const headStart = 1.25

/** A tenth of the time while messages come; otherwise only so much that who comes first does not wait for several. */
const busyPause = "20 millis"
const idlePause = "2 millis"

/** Free pages given back in one step. */
const stepPages = 64

/** A tenth of the time, so that nothing stays much longer than it should; but no more often, and no less, than this. */
const intervalOf = (retention: Duration.Duration) =>
  Duration.clamp(Duration.divideUnsafe(retention, 10), { minimum: Duration.millis(100), maximum: Duration.minutes(10) })

/** How often and for how long it is tried to make the file shorter: 5 s. */
const shortenTries = 50
const shortenPause = "100 millis"

/** After a failure, that of a full disk not counted. */
const patience = Duration.seconds(5)

export interface RetentionOptions {
  readonly writer: SqlClient.SqlClient
  readonly retention: Duration.Duration
  readonly emptied: Queue.Queue<RoomName>
  readonly reserve: Reserve
  readonly watch: Pick<FileWatch, "asOwn">
}

export const layer = ({ emptied, reserve, retention, watch, writer }: RetentionOptions) => {
  const tables = OldestMessages.make(writer)
  const outage = Outage.make("Old messages cannot be deleted", "Old messages are deleted again")
  const interval = intervalOf(retention)
  let limit = minStepMessages
  let storedBefore: number | undefined
  /** Of the pass that is under way; as many as there are conversations. */
  const touched = new Set<number>()

  /** The log can be used again from its beginning once all of it is in the database. */
  const checkpoint = watch.asOwn(Effect.asVoid(writer`PRAGMA wal_checkpoint(PASSIVE)`.unprepared))
  /** The file gets shorter only once all of the log is in it, for which a reader may have to be waited. */
  const shorten = Effect.gen(function* () {
    yield* checkpoint
    const [[, pages, done] = []] = yield* writer`PRAGMA wal_checkpoint(NOOP)`.values
    return pages === done
  }).pipe(Effect.repeat({ until: (isWhole) => isWhole, schedule: Schedule.spaced(shortenPause), times: shortenTries }))

  const step = Effect.gen(function* () {
    const cutoff = (yield* Clock.currentTimeMillis) - Duration.toMillis(retention)
    const asked = limit
    const [took, { count, stored, touched: now }] = yield* Effect.timed(
      UnsyncedTransaction.run(writer, tables.deleteOldest(cutoff, asked))
    )
    for (const conversation of now) touched.add(conversation)
    const come = stored - (storedBefore ?? stored)
    storedBefore = stored
    const inTime = asked * Math.min(2, stepTime / Math.max(Duration.toMillis(took), 0.1))
    limit = Math.ceil(Math.min(maxStepMessages, Math.max(minStepMessages, inTime, come * headStart)))
    yield* Effect.sleep(come > 0 ? busyPause : idlePause)
    return count === asked
  })

  /** What is stored meanwhile uses the pages, too: there is no hurry. */
  const vacuumStep = Effect.gen(function* () {
    const left = yield* UnsyncedTransaction.run(writer, tables.vacuum(stepPages))
    yield* Effect.sleep(busyPause)
    return left > 0
  })

  const offerEmpty = Effect.gen(function* () {
    const rooms = yield* tables.emptyRooms([...touched])
    touched.clear()
    // Each at most once, however long nobody takes them.
    const waiting = yield* Queue.clear(emptied)
    yield* Queue.offerAll(emptied, new Set([...waiting, ...rooms.map(({ name }) => name)]))
  })

  const finish = Effect.gen(function* () {
    if (touched.size === 0) return
    yield* offerEmpty
    const { noteUnsafe } = yield* SearchIndex
    noteUnsafe()
    yield* Effect.repeat(vacuumStep, { while: (hasMore) => hasMore })
    yield* shorten
    yield* reserve.refill
  })

  const passOf = (deleting: typeof step) =>
    Effect.andThen(Effect.repeat(deleting, { while: (hasMore) => hasMore }), finish)
  /** On a full disk the log may not grow by more than a step. */
  const frugally = Effect.andThen(reserve.giveBack, passOf(Effect.andThen(checkpoint, step)))
  const passOnAnyDisk = Effect.catchIf(passOf(step), isFull, () => frugally)

  return outage
    .watch(passOnAnyDisk)
    .pipe(
      Effect.matchCause({ onSuccess: () => interval, onFailure: () => Duration.max(interval, patience) }),
      Effect.flatMap(Effect.sleep),
      Effect.forever,
      Effect.forkScoped,
      Layer.effectDiscard
    )
}

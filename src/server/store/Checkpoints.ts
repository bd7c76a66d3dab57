/**
 * Takes what stands in the database's log (-wal) into the database: in a thread of its own, so that no commit has to wait
 * for it, as it would with SQLite's own checkpoints, however much there is after a reader held it up.
 *
 * While commits come without a pause such a checkpoint never reaches the end, and SQLite would not begin the log anew. So
 * the little that is left then is done between two commits, on the connection that writes. A log that had grown is cut
 * piece by piece, for a commit waits for that, too: 170 ms for 450 MB at once. Measured with 500 MB: the longest commit takes 4 ms
 * meanwhile, and 180 ms with SQLite's own.
 *
 * Once a message was deleted the log is emptied (see Erasing), for it holds pages that have it.
 *
 * Bounds: the log is usually 4 to 16 MiB. It grows while a reader (`pnpm admin`) holds one state of the database, or the disk is too
 * slow: without limit, but not without a word.
 */
import { stat } from "node:fs/promises"
import { ByteSize, Effect } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Outage from "../notices/Outage.ts"
import { type FileWatch, keptBytes } from "./FileWatch.ts"

/** A fortieth of a second at 22,000 messages a second. */
const interval = "100 millis"

/** As SQLite does by itself; 4 KiB each. */
const enoughPages = 1000

/** From this on it is worth a commit's time to begin anew; from this on it is worth more. */
const restartPages = 4000
const muchPages = 12_000
const maxPasses = 4

/** How long a reader may hold up the commits for it; and what a connection that writes waits for otherwise. */
const readerMillis = 20
export const busyMillis = 5000

/** By how much a log that had grown is cut at once: 10 ms, during which nothing is committed. */
const cutBytes = 16 * 2 ** 20
/** Between two cuts. */
const cutPause = "50 millis"

interface Counts {
  /** Whether somebody who reads was in the way. */
  readonly isHeldUp: boolean
  /** In the log, and how many of them are in the database, too. */
  readonly pages: number
  readonly done: number
}

export interface LogOptions {
  readonly database: string
  readonly writer: SqlClient.SqlClient
  /** A connection for nothing else. */
  readonly own: SqlClient.SqlClient
  readonly watch: Pick<FileWatch, "asOwn">
}

export interface CheckpointsOptions extends LogOptions {
  /** From which size on the log is warned of. */
  readonly warnBytes?: number
}

const checkpoint = (sql: SqlClient.SqlClient, mode: "NOOP" | "PASSIVE" | "RESTART" | "TRUNCATE") =>
  Effect.map(sql`PRAGMA wal_checkpoint(${sql.literal(mode)})`.values, ([row = []]): Counts => ({
    isHeldUp: row[0] !== 0,
    pages: Number(row[1]),
    done: Number(row[2])
  }))

const limitLog = (writer: SqlClient.SqlClient, bytes: number) =>
  writer`PRAGMA journal_size_limit = ${writer.literal(`${bytes}`)}`.unprepared

/** Waits for those who read a page or keep the search index at the moment, but not for one that stays. */
const impatiently = <A, E>(writer: SqlClient.SqlClient, effect: Effect.Effect<A, E>) => {
  const setPatience = (millis: number) => writer`PRAGMA busy_timeout = ${writer.literal(`${millis}`)}`.unprepared
  return Effect.ensuring(Effect.andThen(setPatience(readerMillis), effect), Effect.ignore(setPatience(busyMillis)))
}

/** Takes in all but the little that has come meanwhile, if the disk is fast enough for what comes at all. */
const takeInMost = Effect.fnUntraced(function* (own: SqlClient.SqlClient) {
  let counts = yield* checkpoint(own, "PASSIVE")
  for (let more = 0; more < maxPasses && left(counts) >= enoughPages; more++) counts = yield* checkpoint(own, "PASSIVE")
  return counts
})

/**
 * Takes the whole log in and empties its file, a piece at a time, so that nothing is left of what the pages in it were; tells
 * whether it is empty. Not if a reader holds one state of the database, or commits come faster than the disk takes them in.
 * `commit` commits anything: only then SQLite cuts what it keeps of a log.
 */
export const emptyLog = Effect.fnUntraced(function* <E>(
  { database, own, watch, writer }: LogOptions,
  commit: Effect.Effect<unknown, E>
) {
  let isEmpty = false
  const logBytes = sizeOf(`${database}-wal`)
  const restoreLimit = Effect.flatMap(logBytes, (bytes) => limitLog(writer, limitFor(bytes)))
  const cut = Effect.gen(function* () {
    const bytes = yield* logBytes
    if (bytes <= cutBytes) return false
    yield* limitLog(writer, bytes - cutBytes)
    const { isHeldUp } = yield* impatiently(writer, checkpoint(writer, "RESTART"))
    if (isHeldUp) return false
    yield* commit
    yield* Effect.sleep(cutPause)
    return (yield* logBytes) < bytes
  })
  const empty = Effect.gen(function* () {
    if (left(yield* takeInMost(own)) >= enoughPages) return
    yield* Effect.ensuring(Effect.repeat(cut, { while: (hasMore) => hasMore }), Effect.ignore(restoreLimit))
    if (left(yield* takeInMost(own)) >= enoughPages || (yield* logBytes) > 2 * cutBytes) return
    isEmpty = !(yield* impatiently(writer, checkpoint(writer, "TRUNCATE"))).isHeldUp
  })
  yield* watch.asOwn(empty, true)
  return isEmpty
})

export const run = ({ database, own, warnBytes = 256 * 2 ** 20, watch, writer }: CheckpointsOptions) => {
  const outage = Outage.make("The database's log cannot be taken into it", "The database's log is taken into it again")
  let isWarned = false
  let limit = keptBytes

  const setLimit = Effect.fnUntraced(function* (bytes: number) {
    if (bytes === limit) return
    yield* limitLog(writer, bytes)
    limit = bytes
  })

  const warn = (bytes: number) =>
    Effect.suspend(() => {
      const isLarge = bytes > warnBytes
      if (isLarge === isWarned) return Effect.void
      isWarned = isLarge
      return isLarge
        ? Effect.logWarning(
            `${database}-wal has grown to ${ByteSize.format(ByteSize.bytes(bytes), { precision: 0 })}, for another program keeps reading one state of ` +
              "the database, or the disk is too slow. End what reads it: a command of `pnpm admin` that was stopped, perhaps."
          )
        : Effect.logInfo(`${database}-wal is small again`)
    })

  const takeIn = Effect.gen(function* () {
    const first = yield* checkpoint(own, "PASSIVE")
    if (first.pages < restartPages) return
    const counts = left(first) < enoughPages ? first : yield* takeInMost(own)
    const isLittle = left(counts) < enoughPages || (counts.pages >= muchPages && left(counts) < counts.pages / 8)
    if (isLittle) yield* impatiently(writer, checkpoint(writer, "RESTART"))
  })

  const round = Effect.gen(function* () {
    const standing = yield* checkpoint(own, "NOOP")
    const bytes = yield* sizeOf(`${database}-wal`)
    yield* warn(bytes)
    yield* setLimit(limitFor(bytes))
    if (left(standing) < enoughPages && bytes <= limit) return
    yield* watch.asOwn(takeIn)
  })

  return outage
    .watch(round)
    .pipe(Effect.ignoreCause, Effect.andThen(Effect.sleep(interval)), Effect.forever({ disableYield: true }))
}

/** What SQLite is to keep of a log of this size when it begins it anew. */
const limitFor = (bytes: number): number => Math.max(keptBytes, bytes - cutBytes)

const left = ({ done, pages }: Counts): number => pages - done

const sizeOf = (path: string) =>
  Effect.promise(() =>
    stat(path).then(
      ({ size }) => size,
      () => 0
    )
  )

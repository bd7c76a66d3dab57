/**
 * Takes what stands in the database's log (-wal) into the database: in a thread of its own, so that no commit has to wait
 * for it, as it would with SQLite's own checkpoints, however much there is after a reader held it up.
 *
 * While commits come without a pause such a checkpoint never reaches the end, and SQLite would not begin the log anew. So
 * the little that is left then is done between two commits, on the connection that writes. A log that had grown is cut
 * piece by piece, for a commit waits for that, too: 170 ms for 450 MB at once. Measured with 500 MB: the longest commit takes 4 ms
 * meanwhile, and 180 ms with SQLite's own.
 *
 * Bounds: the log is usually 4 to 16 MiB. It grows while a reader (`pnpm admin`) holds one state of the database, or the disk is too
 * slow: without limit, but not without a word.
 */
import { stat } from "node:fs/promises"
import { Effect } from "effect"
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

/** By how much a log that had grown is cut at once. */
const cutBytes = 16 * 2 ** 20

interface Counts {
  /** In the log, and how many of them are in the database, too. */
  readonly pages: number
  readonly done: number
}

export interface CheckpointsOptions {
  readonly database: string
  readonly writer: SqlClient.SqlClient
  /** A connection for nothing else. */
  readonly own: SqlClient.SqlClient
  readonly watch: Pick<FileWatch, "asOwn">
  /** From which size on the log is warned of. */
  readonly warnBytes?: number
}

export const run = ({ database, own, warnBytes = 256 * 2 ** 20, watch, writer }: CheckpointsOptions) => {
  const outage = Outage.make("The database's log cannot be taken into it", "The database's log is taken into it again")
  let isWarned = false
  let limit = keptBytes

  const checkpoint = (sql: SqlClient.SqlClient, mode: "NOOP" | "PASSIVE" | "RESTART") =>
    Effect.map(sql`PRAGMA wal_checkpoint(${sql.literal(mode)})`.values, ([row = []]): Counts => ({
      pages: Number(row[1]),
      done: Number(row[2])
    }))

  const setPatience = (millis: number) => writer`PRAGMA busy_timeout = ${writer.literal(`${millis}`)}`.unprepared

  /** Waits for those who read a page or keep the search index at the moment, but not for one that stays. */
  const beginAnew = Effect.ensuring(
    Effect.andThen(setPatience(readerMillis), checkpoint(writer, "RESTART")),
    Effect.ignore(setPatience(busyMillis))
  )

  const setLimit = Effect.fnUntraced(function* (bytes: number) {
    if (bytes === limit) return
    yield* writer`PRAGMA journal_size_limit = ${writer.literal(`${bytes}`)}`.unprepared
    limit = bytes
  })

  const warn = (bytes: number) =>
    Effect.suspend(() => {
      const isLarge = bytes > warnBytes
      if (isLarge === isWarned) return Effect.void
      isWarned = isLarge
      return isLarge
        ? Effect.logWarning(
            `${database}-wal has grown to ${Math.round(bytes / 2 ** 20)} MiB, for another program keeps reading one state of ` +
              "the database, or the disk is too slow. End what reads it: a command of `pnpm admin` that was stopped, perhaps."
          )
        : Effect.logInfo(`${database}-wal is small again`)
    })

  const takeIn = Effect.gen(function* () {
    // What was added meanwhile is less each time, if the disk is fast enough for what comes at all.
    let counts = yield* checkpoint(own, "PASSIVE")
    if (counts.pages < restartPages) return
    for (let more = 0; more < maxPasses && left(counts) >= enoughPages; more++)
      counts = yield* checkpoint(own, "PASSIVE")
    const isLittle = left(counts) < enoughPages || (counts.pages >= muchPages && left(counts) < counts.pages / 8)
    if (isLittle) yield* beginAnew
  })

  const round = Effect.gen(function* () {
    const standing = yield* checkpoint(own, "NOOP")
    const bytes = yield* sizeOf(`${database}-wal`)
    yield* warn(bytes)
    yield* setLimit(Math.max(keptBytes, bytes - cutBytes))
    if (left(standing) < enoughPages && bytes <= limit) return
    yield* watch.asOwn(takeIn)
  })

  return outage
    .watch(round)
    .pipe(Effect.ignoreCause, Effect.andThen(Effect.sleep(interval)), Effect.forever({ disableYield: true }))
}

const left = ({ done, pages }: Counts): number => pages - done

const sizeOf = (path: string) =>
  Effect.promise(() =>
    stat(path).then(
      ({ size }) => size,
      () => 0
    )
  )

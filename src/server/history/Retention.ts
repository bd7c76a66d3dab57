/**
 * Deletes messages that are older than RETENTION, in steps so small that commits hardly wait for them, and gives the
 * space back to the file system. What is left of each log has no gaps, and the places of what was deleted are not given
 * again.
 */
import { Clock, Duration, Effect, Layer } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { SearchIndex } from "../search/SearchIndex.ts"
import * as LogTables from "./LogTables.ts"

/** One step takes 2 ms and a commit; the pause lets several commits go between two of them. */
const stepMessages = 500
const pause = "20 millis"

/** Free pages given back in one step. */
const stepPages = 256

/** A tenth of the time, so that nothing stays much longer than it should; but no more often, and no less, than this. */
const intervalOf = (retention: Duration.Duration) =>
  Duration.clamp(Duration.divideUnsafe(retention, 10), { minimum: Duration.millis(100), maximum: Duration.minutes(10) })

export const layer = (sql: SqlClient.SqlClient, retention: Duration.Duration) => {
  const tables = LogTables.make(sql)

  const step = Effect.gen(function* () {
    const cutoff = (yield* Clock.currentTimeMillis) - Duration.toMillis(retention)
    const hasMore = yield* sql.withTransaction(tables.deleteOldest(cutoff, stepMessages))
    yield* sql`PRAGMA incremental_vacuum(${sql.literal(`${stepPages}`)})`
    yield* Effect.sleep(pause)
    return hasMore
  })

  /** The file gets shorter at a checkpoint. */
  const finish = Effect.gen(function* () {
    const { noteUnsafe } = yield* SearchIndex
    noteUnsafe()
    yield* sql`PRAGMA wal_checkpoint(PASSIVE)`
  })

  return Effect.repeat(step, { while: (hasMore) => hasMore }).pipe(
    Effect.andThen(finish),
    Effect.catchCause((cause) => Effect.logError("Old messages could not be deleted", cause)),
    Effect.andThen(Effect.sleep(intervalOf(retention))),
    Effect.forever,
    Effect.forkScoped,
    Layer.effectDiscard
  )
}

/**
 * Reports in a database, over any `SqlClient`: beside the log, on its connections. One that is deleted loses its words at once, and
 * its row when the log of the database (-wal) has been emptied, so that after a crash that is done again. What cannot be read is told as
 * damaged, and can be deleted.
 */
import { Effect, Layer, Option, Queue, Schedule, Schema } from "effect"
import { StorageUnavailable } from "../history/History.ts"
import { LogOnce } from "../notices/LogOnce.ts"
import * as Outage from "../notices/Outage.ts"
import { NewReport, type Report } from "../reports/Report.ts"
import { Reports } from "../reports/Reports.ts"
import * as UnsyncedTransaction from "../sql/UnsyncedTransaction.ts"
import { Changes } from "./Changes.ts"
import { emptyLog, type LogOptions } from "./Checkpoints.ts"
import { Connections } from "./SqlHistory.ts"

const Kept = Schema.fromJsonString(NewReport)
const encode = Schema.encodeSync(Kept)
const decode = Schema.decodeUnknownOption(Kept)

/** How long deletions may gather; and when it is tried again while somebody reads the database. */
const gatherTime = "200 millis"
const patience = "5 seconds"

/** The tables must be up to date (see Migrations). */
export const layer = (log: LogOptions, max: number) =>
  Layer.effect(
    Reports,
    Effect.gen(function* () {
      const { reader, writer } = yield* Connections
      const changes = yield* Changes
      const reading = Outage.make("Reports cannot be read", "Reports are read again")
      const erasing = Outage.make("Deleted reports cannot be erased", "Deleted reports are erased again")
      const damaged = new LogOnce("More reports are damaged. Check the database with: pnpm admin verify")
      const deleted = yield* Queue.sliding<void>(1)

      const isThere = Effect.map(
        writer`SELECT EXISTS (SELECT 1 FROM reports WHERE deleted = 1)`.values,
        ([[found] = [0]]) => found === 1
      )
      const anyCommit = UnsyncedTransaction.run(writer, writer`UPDATE reports SET deleted = 1 WHERE deleted = 1`)
      /** Whether nothing is left of them. */
      const erase = Effect.gen(function* () {
        if (!(yield* isThere)) return true
        const [[newest] = []] = yield* writer`SELECT MAX(id) FROM reports WHERE deleted = 1`.values
        if (!(yield* emptyLog(log, anyCommit))) return false
        yield* UnsyncedTransaction.run(
          writer,
          writer`DELETE FROM reports WHERE deleted = 1 AND id <= ${Number(newest)}`
        )
        return !(yield* isThere)
      })
      // The first also for what was deleted before this start.
      yield* erasing
        .watch(erase)
        .pipe(
          Effect.retry(Schedule.spaced(patience)),
          Effect.repeat({ until: (isDone) => isDone, schedule: Schedule.spaced(patience) }),
          Effect.andThen(Queue.take(deleted)),
          Effect.andThen(Effect.sleep(gatherTime)),
          Effect.forever,
          Effect.forkScoped
        )

      const found = ({ handled, id, report }: Readonly<Record<string, unknown>>) =>
        Option.match(decode(report), {
          onNone: () =>
            Effect.as(
              damaged.error(String(id), `Report ${String(id)} is damaged. Delete it with: pnpm admin reports`),
              []
            ),
          onSome: (kept): Effect.Effect<ReadonlyArray<Report>> =>
            Effect.succeed([{ id: Number(id), isHandled: handled === 1, ...kept }])
        })

      return Reports.of({
        add: (report) =>
          changes.make(
            Effect.gen(function* () {
              yield* writer`
                DELETE FROM reports WHERE id IN (
                  SELECT id FROM reports WHERE deleted = 0 ORDER BY handled DESC, id
                  LIMIT MAX(0, (SELECT COUNT(*) FROM reports WHERE deleted = 0) - ${max - 1})
                )`
              yield* writer`INSERT INTO reports (at, report) VALUES (${report.at}, ${encode(report)})`
            })
          ),
        list: (before = Number.MAX_SAFE_INTEGER, limit) =>
          reader`
            SELECT id, handled, report FROM reports WHERE deleted = 0 AND id < ${before} ORDER BY id DESC LIMIT ${limit}`.pipe(
            reading.watch,
            Effect.mapError((cause) => new StorageUnavailable({ cause })),
            Effect.flatMap((rows) => Effect.forEach(rows, found)),
            Effect.map((all) => all.flat())
          ),
        setHandled: (id) =>
          changes.make(
            Effect.map(
              writer`UPDATE reports SET handled = 1 WHERE id = ${id} AND deleted = 0 RETURNING id`.values,
              (rows) => rows.length > 0
            )
          ),
        remove: (id) =>
          Effect.tap(
            changes.make(
              Effect.map(
                writer`UPDATE reports SET deleted = 1, report = '' WHERE id = ${id} AND deleted = 0 RETURNING id`
                  .values,
                (rows) => rows.length > 0
              )
            ),
            (wasThere) => (wasThere ? Queue.offer(deleted, undefined) : Effect.void)
          )
      })
    })
  )

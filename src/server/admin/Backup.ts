/**
 * A copy of a database that a server may be writing to, as it stood at one moment.
 *
 * `VACUUM INTO` copies in one read transaction: the copy holds every message that was answered before it began and no
 * half commit, the server's commits do not wait for it, and it does not begin anew when they come. Meanwhile SQLite
 * cannot reset the server's write-ahead log, which grows by what is written for so long.
 *
 * The copy is another incarnation of the logs: should it be restored, the places given away since will be given again,
 * to other messages. So it gets a new epoch, by which clients see that what they remember means nothing any more.
 */
import { Effect, FileSystem } from "effect"
import { randomEpoch } from "../history/RandomEpoch.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { AdminError, sqlProblem } from "./AdminError.ts"
import { abandonable } from "./Interruption.ts"
import * as LogFile from "./LogFile.ts"
import * as NewFile from "./NewFile.ts"
import { Progress } from "./Progress.ts"
import { inspect } from "./Verify.ts"

/** The copy is brought to the disk as a whole before it gets its name; a journal beside it would be of no use. */
const copySetup = ["PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF"]

/** Takes the copy and checks it; answers what the check found. Fails if the copy itself is no good. */
export const backup = Effect.fn("backup")(function* (target: NewFile.Target) {
  const { database, file } = target
  const fill = (partial: string) =>
    Effect.gen(function* () {
      yield* copy(database, partial).pipe(
        Effect.scoped,
        Effect.catchTag(
          "SqlError",
          (error) => new AdminError({ message: `Cannot copy ${database} to ${file}: ${sqlProblem(error)}` })
        )
      )
      const report = yield* inspect(partial, file)
      if (report.isIntact) return report
      return yield* new AdminError({
        message: `The copy of ${database} came out damaged and was removed: ${report.problems.join("; ")}. Check the disk.`
      })
    })
  // A database that cannot be read is told of before anything is said or done about the file.
  yield* abandonable(Effect.scoped(LogFile.open(database)))
  return yield* NewFile.write(target, fill)
})

const copy = Effect.fnUntraced(function* (database: string, partial: string) {
  const files = yield* FileSystem.FileSystem
  const { during } = yield* Progress
  const sql = yield* LogFile.open(database)
  const total = yield* LogFile.bytesOf(sql)
  const written = Effect.match(files.stat(partial), { onFailure: () => 0, onSuccess: ({ size }) => Number(size) })
  yield* during({ label: "Copying", progress: { total, done: written } })(sql`VACUUM INTO ${partial}`.unprepared)
  const copied = yield* SqliteClient.make({ filename: partial, setup: copySetup })
  yield* copied`UPDATE incarnation SET epoch = ${yield* randomEpoch}`
})

/**
 * `pnpm admin backup`: a copy of a database that a server may be writing to (see LogCopy), checked before it gets its name.
 *
 * The copy is another incarnation of the logs: should it be restored, the places given away since will be given again,
 * to other messages. So it gets a new epoch, by which clients see that what they remember means nothing any more.
 */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import type { MigrationError } from "effect/sql/Migrator"
import type { SqlError } from "effect/sql/SqlError"
import { code, resultCode } from "../sql/SqliteProblem.ts"
import { AdminError, NotSound, sqlProblem } from "./AdminError.ts"
import * as ChatDatabase from "./ChatDatabase.ts"
import { databaseFlag, forceFlag, named } from "./Flags.ts"
import { abandonable } from "./Interruption.ts"
import { copyLog } from "./LogCopy.ts"
import * as NewFile from "./NewFile.ts"
import { Output } from "./Output.ts"
import * as Report from "./Report.ts"
import { inspectUnused } from "./Verify.ts"

/** Takes the copy and checks it; answers what the check found. Fails if the copy itself is no good. */
export const backup = Effect.fn("backup")(function* (target: NewFile.Target) {
  const { database, file } = target
  const fill = (partial: string) =>
    Effect.gen(function* () {
      yield* copyLog(database, partial).pipe(
        Effect.scoped,
        Effect.catchTag(
          ["SqlError", "MigrationError"],
          (error) => new AdminError({ message: `Cannot copy ${database} to ${file}: ${copyProblem(error)}` })
        )
      )
      const report = yield* inspectUnused(partial, file)
      if (report.isIntact) return report
      return yield* new AdminError({
        message: `The copy of ${database} came out damaged and was removed: ${report.problems.join("; ")}. Check the disk.`
      })
    })
  // A database that cannot be read is told of before anything is said or done about the file.
  yield* abandonable(Effect.scoped(ChatDatabase.openHere(database)))
  return yield* NewFile.write(target, fill)
})

const copyProblem = (error: SqlError | MigrationError): string => {
  if (error._tag === "MigrationError") return `${error.message}. Try again.`
  return resultCode(error.reason.cause) === code.constraint
    ? 'it holds two messages at one place, or what else cannot be. "pnpm admin verify" tells what. Restore a backup.'
    : sqlProblem(error)
}

export const backupCommand = Command.make(
  "backup",
  {
    file: Argument.String("file").pipe(Argument.withDescription("Where the copy goes")),
    database: databaseFlag,
    force: forceFlag
  },
  Effect.fnUntraced(function* ({ database: given, file, force }) {
    const output = yield* Output
    const database = yield* named(given)
    const report = yield* backup({ database, file, isForced: force })
    const { bytes, messages, rooms } = report
    const size = Report.sizeOf(bytes)
    const contents = `${Report.plural(messages, "message")}, ${Report.plural(rooms, "room")}, ${size}`
    yield* output.write(`${file} is a copy of ${database}: ${contents}.\n`)
    if (report.isSound) return
    yield* output.write(`The database itself is not sound, and neither is its copy.\n${Report.toText(report)}`)
    return yield* new NotSound()
  })
).pipe(
  Command.withDescription(
    [
      "Copy the database of a server, which may be running, as it stands at one moment.",
      "",
      "The copy is checked before the file gets its name: there is a whole backup or none. Ctrl-Z may pause it for as long",
      "as you like. Only you may read the copy. To go back to it, stop the server, put the file in the place of the",
      "database, remove the files beside that which end in -wal, -shm and -search, and start the server again. The search",
      "index is made anew by itself."
    ].join("\n")
  ),
  Command.withShortDescription("Copy the database of a running server"),
  Command.withExamples([
    {
      command: "pnpm admin backup backups/monday.sqlite",
      description: "Copy data/chat.sqlite, or what DATABASE names"
    },
    { command: "pnpm admin backup latest.sqlite --force", description: "Replace the copy of last time" },
    { command: "pnpm admin backup copy.sqlite --database /srv/chat.sqlite", description: "Copy another database" }
  ])
)

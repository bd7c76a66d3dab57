/**
 * `pnpm admin`: the commands for whoever looks after a server's data.
 *
 * They work from a process of their own, on the database of a server that may be running, and only read it. Results go to
 * standard output; what went wrong, in one line with what to do, and progress go to standard error. Exit code 1 says
 * that the command failed, or that what was checked is not sound.
 */
import { Console, Effect, FileSystem, Layer, Option, Runtime, Schema, Stdio } from "effect"
import { Argument, CliOutput, Command, Flag } from "effect/cli"
import type { PlatformError } from "effect/PlatformError"
import * as DotEnv from "../DotEnv.ts"
import { identity } from "../Identity.ts"
import { InvalidSetting, read, settings } from "../ServerConfig.ts"
import { flagOf, provideFlags } from "../SettingFlags.ts"
import { AdminError, systemProblem } from "./AdminError.ts"
import { backup } from "./Backup.ts"
import { exportLog, type Wanted } from "./Export.ts"
import * as NewFile from "./NewFile.ts"
import { Output } from "./Output.ts"
import { Progress } from "./Progress.ts"
import * as Report from "./Report.ts"
import { inspect } from "./Verify.ts"

/** The command did what it is for and found something that is not as it should be, which it has told. */
class NotSound extends Schema.TaggedError<NotSound>()("NotSound", {}) {
  override readonly [Runtime.errorReported] = false
}

const databaseFlag = flagOf({
  ...settings.database,
  description: "The server's database",
  allowed: "a file; the same setting as the server's"
})

const forceFlag = Flag.Boolean("force").pipe(
  Flag.withDescription("Replace the file if it exists already"),
  Flag.withDefault(false)
)

/** The database that the flag, the environment or `.env` names. */
const named = (database: Option.Option<string>) =>
  Effect.provide(read(settings.database), provideFlags({ [settings.database.name]: database }))

const backupCommand = Command.make(
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
    const { messages, rooms } = report
    const contents = `${Report.plural(messages, "message")}, ${Report.plural(rooms, "room")}, ${Report.sizeOf(report)}`
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
      "The copy is checked before the file gets its name: there is a whole backup or none. To go back to it, stop the",
      "server, put the file in the place of the database, remove the files beside that which end in -wal, -shm and",
      "-search, and start the server again. The search index is made anew by itself."
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

const verifyCommand = Command.make(
  "verify",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("The file to check: a backup, or a database in use; the server's own if left out"),
      Argument.optional
    ),
    database: databaseFlag,
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Write the result as one JSON object, for scripts"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ database, file, json }) {
    const output = yield* Output
    const report = yield* inspect(Option.isSome(file) ? file.value : yield* named(database))
    yield* output.write(json ? Report.toJson(report) : Report.toText(report))
    if (!report.isSound) return yield* new NotSound()
  })
).pipe(
  Command.withDescription(
    [
      "Check a backup, or the database of a server, which may be running; the file is only read.",
      "",
      "Looks whether the file is whole, whether every conversation has its messages without gaps and in order, and",
      "whether names, times and texts are valid. What is wrong is listed, and the exit code is 1."
    ].join("\n")
  ),
  Command.withShortDescription("Check a backup, or the database of a running server"),
  Command.withExamples([
    { command: "pnpm admin verify backups/monday.sqlite", description: "Check a backup" },
    { command: "pnpm admin verify", description: "Check the server's own database" },
    { command: "pnpm -s admin verify --json | jq .messages", description: "Let a script read the result" }
  ])
)

const exportCommand = Command.make(
  "export",
  {
    room: Argument.String("room").pipe(
      Argument.withDescription("The room, by its name, in whatever case"),
      Argument.optional
    ),
    lobby: Flag.Boolean("lobby").pipe(
      Flag.withDescription("Write out the lobby instead of a room"),
      Flag.withDefault(false)
    ),
    format: Flag.Literals("format", ["jsonl"]).pipe(
      Flag.withDescription("How: jsonl is one JSON object per line, as the message reads on the wire (the default)"),
      Flag.withDefault("jsonl")
    ),
    output: Flag.String("output").pipe(
      Flag.withDescription("The file to write; standard output if left out"),
      Flag.optional
    ),
    database: databaseFlag,
    force: forceFlag
  },
  Effect.fnUntraced(function* ({ database: given, force, lobby, output: file, room }) {
    const output = yield* Output
    const database = yield* named(given)
    const wanted = yield* wantedOf(lobby, room)
    if (Option.isNone(file)) {
      const stdio = yield* Stdio.Stdio
      const progress = (yield* stdio.stdoutIsTerminal) ? Progress.silent : yield* Progress
      const exporting = exportLog(database, wanted, output.write)
      return yield* Effect.flatMap(Effect.provideService(exporting, Progress, progress), tellSkipped)
    }
    const exported = yield* NewFile.write({ file: file.value, isForced: force, database }, (partial) =>
      toFile(database, wanted, partial, file.value)
    )
    yield* output.write(`${Report.plural(exported.messages, "message")} written to ${file.value}.\n`)
    yield* tellSkipped(exported)
  })
).pipe(
  Command.withDescription(
    [
      "Write a room, or the lobby, out: one message per line, the oldest first.",
      "",
      "The server may be running; what is said after the start is left out."
    ].join("\n")
  ),
  Command.withShortDescription("Write a room out"),
  Command.withExamples([
    { command: "pnpm -s admin export garden > garden.jsonl", description: "Write the room garden into a file" },
    { command: "pnpm admin export garden --output garden.jsonl", description: "The same, as a whole or not at all" },
    { command: "pnpm -s admin export --lobby | jq -r .content", description: "Read what was said in the lobby" }
  ])
)

const wantedOf = (lobby: boolean, room: Option.Option<string>): Effect.Effect<Wanted, AdminError> => {
  if (lobby && Option.isSome(room)) {
    return new AdminError({
      message: "Cannot export both a room and the lobby at once. Leave out the room or --lobby."
    })
  }
  if (lobby) return Effect.succeed("lobby")
  if (Option.isSome(room)) return Effect.succeed({ room: room.value })
  return new AdminError({ message: "Cannot export without a room. Name one, or give --lobby for the lobby." })
}

const toFile = Effect.fnUntraced(function* (database: string, wanted: Wanted, partial: string, shownAs: string) {
  const files = yield* FileSystem.FileSystem
  const encoder = new TextEncoder()
  const failed = Effect.mapError(
    ({ reason }: PlatformError) => new AdminError({ message: `Cannot write ${shownAs}: ${systemProblem(reason)}` })
  )
  const file = yield* failed(files.open(partial, { flag: "w" }))
  return yield* exportLog(database, wanted, (text) => failed(file.writeAll(encoder.encode(text))))
}, Effect.scoped)

const tellSkipped = ({ skipped }: { readonly skipped: number }) =>
  skipped === 0
    ? Effect.void
    : Console.error(
        `${Report.plural(skipped, "message")} in between were deleted (RETENTION) before they could be read.`
      )

const command = Command.make("parley-admin").pipe(
  Command.withDescription(
    [
      "Look after the data of a parley server, which may be running meanwhile.",
      "",
      "Which database: --database goes before DATABASE in the environment, and that before DATABASE in a file .env."
    ].join("\n")
  ),
  Command.withExamples([
    { command: "pnpm admin backup backups/monday.sqlite", description: "Take a backup" },
    { command: "pnpm admin verify backups/monday.sqlite", description: "Check it" },
    { command: "pnpm -s admin export garden > garden.jsonl", description: "Write a room out" },
    { command: "pnpm admin export --help", description: "Explain one of them" }
  ]),
  Command.withSubcommands([backupCommand, verifyCommand, exportCommand])
)

/** What was typed wrong is told in one line, on standard error: standard output may be somebody's file. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          [
            ...event.errors.map(({ message }) => `${oneLine(message)}.`),
            '"pnpm admin --help" explains the commands.'
          ].join(" ")
        )
      : CliOutput.defaultPresenter.present(event)
})

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ")

/** Carries out what the command line says. */
export const main = Command.run(command, { version: identity.version }).pipe(
  Effect.catchTag("OutputClosed", () => Effect.void),
  Effect.provide(Layer.mergeAll(DotEnv.layer, presenter, Output.layer, Progress.layer)),
  Effect.tapError((error) => (isTold(error) ? Console.error(error.message) : Effect.void))
)

const isTold = Schema.is(Schema.Union([DotEnv.InvalidDotEnv, InvalidSetting, AdminError]))

/** `pnpm admin` as an operator starts it: a process, its output and its exit code; and databases for it to look after. */
import * as process from "node:process"
import { DatabaseSync } from "node:sqlite"
import { Array, Effect, FileSystem, Layer, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { mainTo } from "../../src/server/admin/AdminCli.ts"
import { Output } from "../../src/server/admin/Output.ts"
import { History, type NewEntry } from "../../src/server/history/History.ts"
import { checksum } from "../../src/server/store/Checksum.ts"
import * as Database from "../../src/server/store/Database.ts"
import { compileCache } from "../support/CompileCache.ts"
import * as ProgramHere from "../support/ProgramHere.ts"
import { programs } from "../support/Programs.ts"

export const main = programs.admin

interface Surroundings {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

const spawn = Effect.fnUntraced(function* (command: string, args: ReadonlyArray<string>, surroundings: Surroundings) {
  const child = yield* ChildProcess.make(command, args, {
    extendEnv: false,
    // One that is stopped does not hear of a gentler signal.
    forceKillAfter: "1 second",
    ...surroundings,
    env: { ...compileCache, ...surroundings.env }
  })
  const text = (output: typeof child.stdout) => Stream.mkString(Stream.decodeText(output))
  const outputs = Effect.all({ stdout: text(child.stdout), stderr: text(child.stderr) }, { concurrency: "unbounded" })
  const outcome = Effect.map(Effect.zip(outputs, child.exitCode), ([{ stderr, stdout }, exitCode]) => ({
    stdout,
    stderr,
    exitCode: Number(exitCode)
  }))
  return { pid: Number(child.pid), outcome }
})

const outcomeOf = (command: string, args: ReadonlyArray<string>, surroundings: Surroundings) =>
  Effect.scoped(Effect.flatMap(spawn(command, args, surroundings), ({ outcome }) => outcome))

/** Starts it, to be stopped or killed meanwhile. */
export const start = (args: ReadonlyArray<string>, surroundings: Surroundings = {}) =>
  spawn(process.execPath, [main, ...args], surroundings)

/** Runs it to its end, in an environment that holds nothing but what is given. */
export const run = (args: ReadonlyArray<string>, surroundings: Surroundings = {}) =>
  outcomeOf(process.execPath, [main, ...args], surroundings)

/**
 * Runs it in this process: it does and says what it would in one of its own, in a tenth of the time. What it does with a
 * process (its working directory, its output, its end) is for those above; of each command there is one that has its own.
 */
export const runHere = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  ProgramHere.run(
    (stdout) =>
      mainTo(Layer.succeed(Output, Output.of({ write: (text) => Effect.sync(() => void stdout.write(text)) }))),
    { args, env }
  )

/** Runs a line of shell in which `$ADMIN` stands for it. */
export const runShell = (line: string, cwd: string) =>
  outcomeOf("sh", ["-c", line], { cwd, env: { ADMIN: `${process.execPath} ${main}`, PATH: "/usr/bin:/bin" } })

/**
 * A folder for the scope, and the names of the files in it, except those that SQLite makes when it reads a database in WAL
 * mode that nobody has open, whoever opens it to write takes them away again, and what a server keeps there but its index.
 */
export const folder = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  return {
    path,
    names: Effect.map(files.readDirectory(path), (names) =>
      names.filter((name) => !/\.sqlite-(?:wal|shm|lock|reserve)$/.test(name)).toSorted()
    )
  }
})

/** What somebody said, in the order in which they said it, one millisecond after the other. */
export const said = (conversation: NewEntry["conversation"], from: NewEntry["from"], texts: ReadonlyArray<string>) =>
  texts.map((content, index): NewEntry => ({
    conversation,
    from,
    author: undefined,
    body: { _tag: "Said", content },
    at: 1_790_000_000_000 + index,
    key: undefined
  }))

/** A database with these entries, written by the server's own History, and closed. */
export const makeDatabase = (file: string, ...entries: ReadonlyArray<ReadonlyArray<NewEntry>>) =>
  History.use((history) =>
    Effect.forEach(entries, (some) => (Array.isReadonlyArrayNonEmpty(some) ? history.append(some) : Effect.void))
  ).pipe(Effect.provide(Database.layerFile({ file, retention: "forever" })), Effect.orDie)

/** Reads, or writes, past all of parley's care. */
export const sqlite = (file: string, ...statements: ReadonlyArray<string>) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file)
    const rows = statements.map((statement) => database.prepare(statement).all())
    database.close()
    return rows.at(-1) ?? []
  })

/** Adds messages to the lobby, the only conversation, past all of parley's care: up to this place. */
export const fill = (file: string, upTo: number) =>
  sqlite(
    file,
    `WITH RECURSIVE numbers (n) AS (
       SELECT MAX(seq) + 1 FROM messages UNION ALL SELECT n + 1 FROM numbers WHERE n < ${upTo}
     )
     INSERT INTO messages (conversation, seq, at, sender, content)
     SELECT 1, n, 1790000000000 + n, 'Ada', 'message ' || n FROM numbers`
  )

/** Gives every message its checksum, as a server does, whatever it has been made into. */
export const addChecksums = (file: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file)
    const columns = database.prepare("SELECT name FROM pragma_table_info('messages')").all()
    if (columns.every(({ name }) => name !== "checksum")) {
      database.exec("ALTER TABLE messages ADD COLUMN checksum INTEGER")
    }
    database.function("crc", (conversation, seq, at, sender, content) =>
      checksum(Number(conversation), Number(seq), Number(at), String(sender), String(content))
    )
    database.exec("UPDATE messages SET checksum = crc(conversation, seq, at, sender, content)")
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
  })

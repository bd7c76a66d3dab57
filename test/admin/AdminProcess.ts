/** `pnpm admin` as an operator starts it: a process, its output and its exit code; and databases for it to look after. */
import { resolve } from "node:path"
import * as process from "node:process"
import { DatabaseSync } from "node:sqlite"
import { Array, Effect, FileSystem, Stream } from "effect"
import { ChildProcess } from "effect/process"
import * as Database from "../../src/server/history/Database.ts"
import { History, type NewEntry } from "../../src/server/history/History.ts"
import { compileCache } from "../support/CompileCache.ts"

export const main = resolve(import.meta.dirname, "../../src/bin/admin.ts")

interface Surroundings {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

const outcomeOf = Effect.fnUntraced(function* (
  command: string,
  args: ReadonlyArray<string>,
  surroundings: Surroundings
) {
  const child = yield* ChildProcess.make(command, args, {
    extendEnv: false,
    ...surroundings,
    env: { ...compileCache, ...surroundings.env }
  })
  const text = (output: typeof child.stdout) => Stream.mkString(Stream.decodeText(output))
  const { stderr, stdout } = yield* Effect.all(
    { stdout: text(child.stdout), stderr: text(child.stderr) },
    { concurrency: "unbounded" }
  )
  return { stdout, stderr, exitCode: Number(yield* child.exitCode) }
}, Effect.scoped)

/** Runs it to its end, in an environment that holds nothing but what is given. */
export const run = (args: ReadonlyArray<string>, surroundings: Surroundings = {}) =>
  outcomeOf(process.execPath, [main, ...args], surroundings)

/** Runs a line of shell in which `$ADMIN` stands for it. */
export const runShell = (line: string, cwd: string) =>
  outcomeOf("sh", ["-c", line], { cwd, env: { ADMIN: `${process.execPath} ${main}`, PATH: "/usr/bin:/bin" } })

/**
 * A folder for the scope, and the names of the files in it, except those that SQLite makes when it reads a database in WAL
 * mode that nobody has open: whoever opens it to write takes them away again.
 */
export const folder = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  return {
    path,
    names: Effect.map(files.readDirectory(path), (names) =>
      names.filter((name) => !/\.sqlite-(?:wal|shm)$/.test(name)).toSorted()
    )
  }
})

/** What somebody said, in the order in which they said it, one millisecond after the other. */
export const said = (conversation: NewEntry["conversation"], from: NewEntry["from"], texts: ReadonlyArray<string>) =>
  texts.map((content, index): NewEntry => ({
    conversation,
    from,
    content,
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

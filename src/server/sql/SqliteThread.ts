/**
 * The thread that owns one SQLite connection: takes questions, answers each, in order. Run by `SqliteClient` only, and
 * nearly free of imports so that it starts in 65 ms and stays small.
 *
 * `node:sqlite` is synchronous: on the main thread a slow disk would stop every connection for as long as it takes.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"
import { type FileIdentity, findMoved, sizeOf } from "./FileIdentity.ts"

export interface Setup {
  readonly filename: string
  readonly isReadOnly: boolean
  /** Statements that are run once, when the connection is open. */
  readonly statements: ReadonlyArray<string>
  /** A module whose exported functions can be called in SQL, under their own names. */
  readonly functions: string | undefined
}

export interface Question {
  readonly sql: string
  readonly parameters: ReadonlyArray<unknown>
  readonly rowsAs: "objects" | "arrays"
  /** Whether it will be asked again, so that it need not be compiled then. */
  readonly isKept: boolean
  /** Files that have to be what they were when anything is written; as before if there is nothing. */
  readonly guarded?: ReadonlyArray<FileIdentity>
}

export type Answer<Row = unknown> =
  | { readonly _tag: "Rows"; readonly rows: ReadonlyArray<Row>; readonly isTransaction: boolean }
  | {
      readonly _tag: "Failed"
      readonly message: string
      readonly errno: number | undefined
      readonly isTransaction: boolean
    }

/** Statements kept compiled: many more than this program has. */
const maxKept = 200

const open = (setup: Setup, functions: Readonly<Record<string, unknown>>) => {
  const database = new DatabaseSync(setup.filename, { readOnly: setup.isReadOnly })
  try {
    equip(database, setup, functions)
    return database
  } catch (error) {
    // Before anybody hears of it, so that the last one to close the file is one who may tidy up behind it.
    database.close()
    throw error
  }
}

const equip = (database: DatabaseSync, { statements }: Setup, functions: Readonly<Record<string, unknown>>) => {
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value !== "function") continue
    database.function(name, { deterministic: true, varargs: true }, (...values) =>
      Reflect.apply(value, undefined, values)
    )
  }
  for (const statement of statements) database.exec(statement)
}

/** SQLite has no booleans. */
const bind = (value: unknown): SQLInputValue => {
  if (typeof value === "boolean") return value ? 1 : 0
  if (value === null || typeof value === "number" || typeof value === "bigint" || typeof value === "string")
    return value
  if (value instanceof Uint8Array) return value
  throw new TypeError(`A ${typeof value} cannot be stored`)
}

/** SQLite's own code for it (sqlite.org/rescode.html, SQLITE_READONLY_DBMOVED); it does not look for it itself in WAL mode. */
const movedCode = 1032

const refuseMoved = (guarded: ReadonlyArray<FileIdentity>) => {
  const moved = findMoved(guarded)
  if (moved === undefined) return
  const error = new Error(
    `${moved.path} was deleted, renamed, replaced or written to by another program while it is in use`
  )
  throw Object.assign(error, { errcode: movedCode })
}

const failure = (error: unknown, isTransaction: boolean): Answer => ({
  _tag: "Failed",
  message: error instanceof Error ? error.message : String(error),
  errno: error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : undefined,
  isTransaction
})

const serve = (database: DatabaseSync) => {
  const kept = new Map<string, StatementSync>()

  const prepare = ({ isKept, sql }: Question): StatementSync => {
    const known = kept.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    if (isKept && kept.size < maxKept) kept.set(sql, statement)
    return statement
  }

  let guarded: ReadonlyArray<FileIdentity> = []
  /** How long the log was after the last statement that wrote: only its own connection ever makes it shorter. */
  let logBytes = 0

  const refuseShortened = () => {
    const shortened = guarded.find(({ path }) => path.endsWith("-wal") && sizeOf(path) < logBytes)
    if (shortened === undefined) return
    const error = new Error(
      `${shortened.path} was written to by another program. Start the server again, for what is said may be lost; before that, look at the database with pnpm admin verify`
    )
    throw Object.assign(error, { errcode: movedCode })
  }
  const noteLog = () => {
    for (const { path } of guarded) if (path.endsWith("-wal")) logBytes = sizeOf(path)
  }

  /** Before what begins to write, and before what commits it: 15 us. */
  const guard = ({ sql }: Question) => {
    const isCommit = sql === "COMMIT"
    if (guarded.length === 0 || (database.isTransaction && !isCommit)) return
    try {
      refuseMoved(guarded)
      refuseShortened()
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK")
      throw error
    }
  }

  return (question: Question): Answer => {
    guarded = question.guarded ?? guarded
    try {
      const isRead = /^\s*SELECT\b/i.test(question.sql)
      if (!isRead) guard(question)
      const statement = prepare(question)
      statement.setReturnArrays(question.rowsAs === "arrays")
      // `run` would fail after it has inserted a rowid beyond 2^53; `all` does the same work without reporting one.
      const rows = statement.all(...question.parameters.map(bind))
      if (!isRead && !database.isTransaction) noteLog()
      return { _tag: "Rows", rows, isTransaction: database.isTransaction }
    } catch (error) {
      return failure(error, database.isTransaction)
    }
  }
}

const run = (port: NonNullable<typeof parentPort>, setup: Setup, functions: Readonly<Record<string, unknown>>) => {
  try {
    const database = open(setup, functions)
    const answer = serve(database)
    port.on("message", (question: Question | "close") => {
      if (question !== "close") return port.postMessage(answer(question))
      database.close()
      port.close()
    })
    port.postMessage({ _tag: "Rows", rows: [], isTransaction: false } satisfies Answer)
  } catch (error) {
    port.postMessage(failure(error, false))
    port.close()
  }
}

if (parentPort !== null) {
  const setup: Setup = workerData
  run(parentPort, setup, setup.functions === undefined ? {} : await import(setup.functions))
}

/** A database of parley's, opened to be read only: a running server's or a backup. It is never made. */
import { Buffer } from "node:buffer"
import { resolve } from "node:path"
import { Effect, FileSystem } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { applicationId } from "../store/Database.ts"
import { migrations } from "../store/Migrations.ts"
import { AdminError, sqlProblem } from "./AdminError.ts"
import { ownProcess } from "./OwnProcess.ts"

/** `cache_size`: 64 MiB, since whole files are read. */
const setup = ["PRAGMA busy_timeout = 5000", "PRAGMA cache_size = -65536"]

const known = Math.max(...Object.keys(migrations).map((name) => Number.parseInt(name, 10)))

/** SQLite's 512, less what it adds for the files beside a database. */
const maxPathBytes = 504

/** Fails if there is no file that could be a database. `shownAs` is its name in errors. */
export const find = Effect.fnUntraced(function* (file: string, shownAs = file) {
  const files = yield* FileSystem.FileSystem
  const unusable = (problem: string) => new AdminError({ message: `Cannot read ${shownAs}: ${problem}` })
  if (file === ":memory:") {
    return yield* unusable("that server keeps nothing. Name a database's file with --database or DATABASE.")
  }
  const bytes = Buffer.byteLength(resolve(file))
  if (bytes > maxPathBytes) {
    return yield* unusable(`its path has ${bytes} bytes, and SQLite takes ${maxPathBytes} at most. Use a shorter one.`)
  }
  const { type } = yield* Effect.mapError(files.stat(file), ({ reason }) =>
    unusable(
      reason._tag === "NotFound" || reason._tag === "BadResource"
        ? "there is no such file. Check the name; --database or DATABASE names the server's database."
        : `${reason.message}. Check who may read it.`
    )
  )
  if (type !== "File") return yield* unusable("it is no file. Name the database's file.")
})

/** Whether no server has made one in this file yet: there is no such file, or nothing is in it. */
export const isMissing = Effect.fnUntraced(function* (file: string) {
  if (file === ":memory:") return false
  const files = yield* FileSystem.FileSystem
  return yield* Effect.match(files.stat(file), {
    onSuccess: ({ size, type }) => type === "File" && size === BigInt(0),
    onFailure: ({ reason }) => reason._tag === "NotFound"
  })
})

const opening = (host: Pick<SqliteClient.SqliteOptions, "start">) =>
  Effect.fnUntraced(function* (file: string, shownAs = file) {
    const unusable = (problem: string) => new AdminError({ message: `Cannot read ${shownAs}: ${problem}` })
    yield* find(file, shownAs)
    const opening = SqliteClient.make({ filename: resolve(file), isReadOnly: true, setup, ...host })
    return yield* Effect.mapError(
      Effect.tap(opening, (sql) =>
        Effect.flatMap(originProblem(sql), (problem) => (problem === undefined ? Effect.void : unusable(problem)))
      ),
      (error) => (error._tag === "SqlError" ? unusable(sqlProblem(error)) : error)
    )
  })

/** Opens it for the scope. Fails if it is not there, not parley's, or of another version. */
export const open = opening({ start: ownProcess })

/** The same in a thread of this process, which starts sooner: for a file that nobody writes to, or for a moment. */
export const openHere = opening({})

/** What is wrong with where it comes from. What may be damage is left to `verify` (see SchemaCheck). */
const originProblem = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [[id] = []] = yield* sql`PRAGMA application_id`.values
  const tables = new Set((yield* sql`SELECT name FROM sqlite_schema WHERE type = 'table'`.values).map(([name]) => name))
  if (id !== applicationId && !(tables.has("conversations") && tables.has("messages"))) {
    return "it does not belong to parley. Was another file meant?"
  }
  if (!tables.has("effect_sql_migrations")) return undefined
  const [[newest] = []] = yield* sql`SELECT MAX(migration_id) FROM effect_sql_migrations`.values
  if (typeof newest !== "number") return undefined
  if (newest > known) return "it was made by a newer version of parley. Use that version."
  if (newest < known) {
    return "it was made by an older version of parley. Start a server on it once, which brings it up to date."
  }
  return undefined
})

/** How large it is, with what still stands in the WAL. */
export const bytesOf = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [[bytes] = []] = yield* sql`SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`.values
  return Number(bytes)
})

/** Whether rows have a checksum each (see Checksum). */
export const hasChecksums = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const columns = yield* sql`SELECT 1 FROM pragma_table_info('messages') WHERE name = 'checksum'`.values
  return columns.length > 0
})

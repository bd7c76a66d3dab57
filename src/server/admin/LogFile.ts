/** A database of parley's, opened to be read only: a running server's or a backup. It is never made. */
import { resolve } from "node:path"
import { Effect, FileSystem } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { applicationId } from "../history/Database.ts"
import { migrations } from "../history/Migrations.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { AdminError, sqlProblem } from "./AdminError.ts"

/** `cache_size`: 64 MiB, since whole files are read. */
const setup = ["PRAGMA busy_timeout = 5000", "PRAGMA cache_size = -65536"]

const known = Math.max(...Object.keys(migrations).map((name) => Number.parseInt(name, 10)))

/** Opens it for the scope. Fails if it is not there, not parley's, or of another version. `shownAs` is its name in errors. */
export const open = Effect.fnUntraced(function* (file: string, shownAs = file) {
  const files = yield* FileSystem.FileSystem
  const unusable = (problem: string) => new AdminError({ message: `Cannot read ${shownAs}: ${problem}` })
  if (file === ":memory:") {
    return yield* unusable("that server keeps nothing. Name a database's file with --database or DATABASE.")
  }
  const { type } = yield* Effect.mapError(files.stat(file), ({ reason }) =>
    unusable(
      reason._tag === "NotFound"
        ? "there is no such file. Check the name; --database or DATABASE names the server's database."
        : `${reason.message}. Check who may read it.`
    )
  )
  if (type !== "File") return yield* unusable("it is no file. Name the database's file.")
  const sql = yield* Effect.mapError(
    Effect.tap(SqliteClient.make({ filename: resolve(file), isReadOnly: true, setup }), (sql) =>
      Effect.flatMap(originProblem(sql), (problem) => (problem === undefined ? Effect.void : unusable(problem)))
    ),
    (error) => (error._tag === "SqlError" ? unusable(sqlProblem(error)) : error)
  )
  return sql
})

/** What is wrong with where it comes from. */
const originProblem = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [[id] = []] = yield* sql`PRAGMA application_id`.values
  if (id !== applicationId) return "it does not belong to parley. Was another file meant?"
  const [[newest] = []] = yield* sql`SELECT MAX(migration_id) FROM effect_sql_migrations`.values
  if (Number(newest) > known) return "it was made by a newer version of parley. Use that version."
  if (Number(newest) < known) {
    return "it was made by an older version of parley. Start a server on it once, which brings it up to date."
  }
  return undefined
})

/** How large it is, with what still stands in the WAL. */
export const bytesOf = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [[bytes] = []] = yield* sql`SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`.values
  return Number(bytes)
})

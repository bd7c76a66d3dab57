/**
 * Checks that a database has what the migrations make: tables with their columns, indexes, the record of the migrations,
 * the mark of parley's in the file's header; and one epoch. Without one of them a server does not start, or stores what it should not.
 */
import { Effect, Result, Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Epoch } from "../../common/log/Cursor.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { applicationId } from "../store/Database.ts"
import { migrate, migrations } from "../store/Migrations.ts"
import { copyRemedy, type Findings } from "./Findings.ts"
import { plural, printable } from "./Report.ts"

interface Made {
  readonly kind: string
  readonly definition: string
  readonly columns: ReadonlySet<string>
}

/** What there is, by its name, but for what SQLite makes for itself. */
const readSchema = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const rows = yield* sql`
    SELECT type, name, sql,
      (SELECT json_group_array(name) FROM pragma_table_info(sqlite_schema.name)) AS columns
    FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`.values
  return new Map<string, Made>(
    rows.map(([kind, name, definition, columns]) => [
      String(name),
      { kind: String(kind), definition: spaced(String(definition)), columns: new Set(decodeNames(columns)) }
    ])
  )
})

/** However its lines are broken. */
const spaced = (definition: string): string => definition.replaceAll(/\s+/g, " ")

const decodeNames = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Schema.String)))

/** As a server that makes a new database makes it. */
const expectedSchema = Effect.gen(function* () {
  const sql = yield* SqliteClient.make({ filename: ":memory:" })
  yield* Effect.provideService(Effect.orDie(migrate()), SqlClient.SqlClient, sql)
  return yield* readSchema(sql)
}).pipe(Effect.scoped)

/** Answers which tables are missing, so that nothing more is asked of them. */
export const checkSchema = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const [[id] = []] = yield* sql`PRAGMA application_id`.values
  if (id !== applicationId) {
    findings.add(`the file is marked as ${id} instead of ${applicationId}, so no server takes it. ${copyRemedy}`)
  }
  const expected = yield* expectedSchema
  const found = yield* readSchema(sql)
  const missing = new Set<string>()
  for (const [name, { columns, definition, kind }] of expected) {
    const there = found.get(name)
    if (there === undefined) {
      missing.add(name)
      findings.add(`the ${kind} ${name} is missing. ${isMended(kind, name) ? copyRemedy : "Restore a backup."}`)
      continue
    }
    const absent = [...columns].filter((column) => !there.columns.has(column))
    const more = [...there.columns].filter((column) => !columns.has(column))
    if (absent.length > 0) findings.add(`the table ${name} lacks ${absent.join(", ")}. Restore a backup.`)
    if (more.length > 0) {
      findings.remarks.push(`the table ${name} has more than parley's columns: ${printable(more.join(", "))}`)
    }
    if (absent.length + more.length === 0 && there.definition !== definition) {
      findings.add(`the ${kind} ${name} is not made as parley makes it. ${copyRemedy}`)
    }
  }
  for (const [name, { kind }] of found) {
    if (!expected.has(name)) findings.remarks.push(`the ${kind} ${printable(name)} is none of parley's`)
  }
  return missing
})

/** A copy gets these anew, whatever the original has. */
const isMended = (kind: string, name: string): boolean => kind !== "table" || name === "effect_sql_migrations"

export const checkMigrations = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const rows = yield* sql`SELECT migration_id FROM effect_sql_migrations`.values
  const done = new Set(rows.map(([id]) => id))
  const missing = Object.keys(migrations).filter((name) => !done.has(Number.parseInt(name, 10)))
  if (missing.length === 0) return
  findings.add(
    `${plural(missing.length, "migration")} not recorded (${missing.join(", ")}), so no server takes it. ${copyRemedy}`
  )
})

/** Answers the epoch. */
export const checkEpoch = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const rows = yield* sql`SELECT epoch FROM incarnation`.values
  if (rows.length === 0) findings.add(`the epoch is missing. ${copyRemedy}`)
  if (rows.length > 1) findings.add(`there are ${rows.length} epochs instead of one. ${copyRemedy}`)
  const epoch = Schema.decodeUnknownResult(Epoch)(rows[0]?.[0])
  if (Result.isFailure(epoch) && rows.length > 0) findings.add(`the epoch is not valid. ${copyRemedy}`)
  return Result.getOrNull(epoch)
})

/**
 * Copies a database that a server may be writing to, as it stood at one moment, without keeping a snapshot of it.
 *
 * A snapshot that lasts, as `VACUUM INTO` takes, keeps the WAL from being reset; SQLite's online backup begins anew
 * whenever somebody writes: of 22 MiB under 1,000 writes/s, in steps of 100 pages, it had a third after 15 s. But a message
 * never changes, ids rise, and only the oldest are deleted: so all tables but that of the messages are copied at once,
 * with the newest id of that moment, and then the messages up to it, step by step, each a short read of its own.
 * What RETENTION or somebody deletes meanwhile is taken out of the copy at the end. Of what was deleted before, the edits
 * that a server has not erased yet come without their texts: nothing of it is ever in the copy's file.
 *
 * Of rooms that are deleted, before or meanwhile, it has nothing.
 *
 * The tables are made by the migrations, so the copy has every index, also where the original lacks one.
 */
import { pathToFileURL } from "node:url"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { applicationId } from "../store/Database.ts"
import { areErased } from "../store/ErasedRooms.ts"
import { migrate } from "../store/Migrations.ts"
import { randomEpoch } from "../store/RandomEpoch.ts"
import { ownProcess } from "./OwnProcess.ts"
import { Progress } from "./Progress.ts"

/** 1,000 messages of 60 bytes take 2 ms, the longest possible 100. */
const stepMessages = 1000

/** The copy is brought to the disk as a whole before it gets its name; a journal beside it would be of no use. */
const copySetup = ["PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF"]

/** What a copy gets otherwise than by copying. */
const ownTables = new Set(["messages", "incarnation", "effect_sql_migrations"])

/** Whether a row is the edit of a deleted message. */
const isErased = `kind = 'Edited' AND EXISTS (
  SELECT 1 FROM source.messages AS edited
  WHERE edited.conversation = messages.conversation AND edited.seq = messages.target AND edited.kind = 'Tombstone'
  UNION ALL
  SELECT 1 FROM source.erasures
  WHERE erasures.conversation = messages.conversation AND erasures.target = messages.target
)`
const erasedSum = "checksum(conversation, seq, at, sender, '', kind, target, author, receiver, partner, twin)"
/** As a server leaves them once it has erased them. */
const withoutErased = {
  content: `CASE WHEN ${isErased} THEN '' ELSE content END`,
  checksum: `CASE WHEN checksum IS NOT NULL AND ${isErased} THEN ${erasedSum} ELSE checksum END`
}

const quoted = (name: unknown) => `"${String(name).replaceAll('"', '""')}"`

/** Fills `partial`, an empty file. */
export const copyLog = Effect.fnUntraced(function* (database: string, partial: string) {
  const { during } = yield* Progress
  const { columns, indexes } = yield* Effect.scoped(makeTables(partial))
  const insert = (table: string, values: Readonly<Record<string, string>> = {}) => {
    const names = columns.get(table) ?? []
    const selected = names.map((name) => values[name] ?? quoted(name)).join(", ")
    return `INSERT INTO main.${quoted(table)} (${names.map(quoted).join(", ")}) SELECT ${selected} FROM source.${quoted(table)}`
  }
  const sql = yield* SqliteClient.make({
    filename: partial,
    start: ownProcess,
    functions: new URL("../store/Checksum.ts", import.meta.url),
    setup: [
      ...copySetup,
      "PRAGMA busy_timeout = 5000",
      "PRAGMA main.locking_mode = EXCLUSIVE",
      "PRAGMA foreign_keys = OFF",
      "PRAGMA secure_delete = ON",
      "PRAGMA temp_store = MEMORY",
      "PRAGMA cache_size = -65536",
      ...indexes.map(({ name }) => `DROP INDEX ${quoted(name)}`),
      `ATTACH '${pathToFileURL(database).href.replaceAll("'", "''")}?mode=ro' AS source`,
      // The moment. As part of the opening it does not wait for this process in between.
      "BEGIN",
      "CREATE TEMP TABLE moment AS SELECT MIN(id) AS first, MAX(id) AS last FROM source.messages",
      ...[...columns.keys()].filter((table) => !ownTables.has(table)).map((table) => insert(table)),
      "COMMIT"
    ]
  })
  const [[first, last] = []] = yield* sql`SELECT first, last FROM moment`.values
  if (typeof first === "number" && typeof last === "number") {
    let behind = first - 1
    const step = Effect.gen(function* () {
      const upTo = Math.min(behind + stepMessages, last)
      yield* sql`
        ${sql.literal(insert("messages", withoutErased))} WHERE id > ${behind} AND id <= ${upTo}
        AND conversation NOT IN (SELECT id FROM source.conversations WHERE ${sql.literal(areErased)}) ORDER BY id`
      behind = upTo
      return behind < last
    })
    yield* during({
      label: "Copying",
      progress: { total: last - first + 1, done: Effect.sync(() => behind - first + 1) }
    })(Effect.repeat(step, { while: (hasMore) => hasMore }))
  }
  // Made at once they take a third of the time.
  yield* during({ label: "Making indexes" })(
    Effect.forEach(indexes, ({ definition }) => sql.unsafe(definition), { discard: true })
  )
  yield* finish(sql, insert("incarnation"), Number(last ?? 0))
})

/** Today's tables, empty, and what they have. */
const makeTables = Effect.fnUntraced(function* (partial: string) {
  const sql = yield* SqliteClient.make({
    filename: partial,
    setup: ["PRAGMA auto_vacuum = INCREMENTAL", `PRAGMA application_id = ${applicationId}`, ...copySetup]
  })
  yield* Effect.provideService(migrate(), SqlClient.SqlClient, sql)
  const indexes = yield* sql`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`.values
  const all = yield* sql`
    SELECT tables.name, columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY tables.name, columns.cid`
    .values
  const columns = new Map<string, Array<string>>()
  for (const [table, column] of all) {
    const name = String(table)
    columns.set(name, [...(columns.get(name) ?? []), String(column)])
  }
  return { columns, indexes: indexes.map(([name, definition]) => ({ name, definition: String(definition) })) }
})

/** What was deleted while we copied is a tombstone here as well; and of tombstones nothing else is left. */
const eraseDeleted = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, last: number) {
  yield* sql`
    UPDATE main.messages AS copy
    SET kind = now.kind, content = now.content, target = now.target, author = now.author, checksum = now.checksum
    FROM source.messages AS deed
    JOIN source.messages AS now ON now.conversation = deed.conversation AND now.seq = deed.target
    WHERE deed.id > ${last} AND deed.kind = 'Deleted' AND now.kind = 'Tombstone' AND copy.id = now.id`
  yield* sql`
    UPDATE main.messages AS edit SET content = '', checksum = ${sql.literal(erasedSum)}
    WHERE kind = 'Edited' AND content <> '' AND EXISTS (
      SELECT 1 FROM main.messages AS edited
      WHERE edited.conversation = edit.conversation AND edited.seq = edit.target AND edited.kind = 'Tombstone'
    )`
  yield* sql`DELETE FROM main.standing WHERE id NOT IN (SELECT id FROM main.messages WHERE kind = 'Said')`
  yield* sql`DELETE FROM main.reactors WHERE message NOT IN (SELECT id FROM main.messages WHERE kind = 'Said')`
  yield* sql`DELETE FROM main.erasures`
  yield* sql`DELETE FROM main.answered_keys WHERE message NOT IN (SELECT id FROM main.messages)`
})

/**
 * Rooms that are deleted by now, and what was kept beside their logs. Gives what takes their rows out. Of a room that nobody ever
 * wrote to there is no row in the copy, only what stands beside.
 */
const leaveOutErased = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const erased = sql.literal(`(SELECT id FROM source.conversations WHERE ${areErased})`)
  const keys = sql`(
    SELECT conversation_key FROM main.conversations WHERE id IN ${erased}
    UNION SELECT conversation_key FROM main.governance WHERE conversation_key NOT IN (
      SELECT conversation_key FROM source.governance UNION SELECT conversation_key FROM source.conversations
    )
  )`
  yield* sql`DELETE FROM main.messages WHERE conversation IN ${erased}`
  yield* sql`DELETE FROM main.memberships WHERE 'room:' || room_key IN ${keys}`
  yield* sql`DELETE FROM main.marks WHERE place IN ${keys}`
  yield* sql`DELETE FROM main.bounds WHERE conversation_key IN ${keys}`
  yield* sql`DELETE FROM main.intervals WHERE conversation_key IN ${keys}`
  yield* sql`DELETE FROM main.welcomes WHERE conversation_key IN ${keys}`
  yield* sql`DELETE FROM main.welcomed WHERE welcome NOT IN (SELECT id FROM main.welcomes)`
  yield* sql`DELETE FROM main.governance WHERE conversation_key IN ${keys}`
  return sql`DELETE FROM main.conversations WHERE id IN ${erased}`
})

/** What was deleted while we copied goes from the copy, too; and it gets a name of its own. */
const finish = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, insertIncarnation: string, last: number) {
  yield* sql`
    DELETE FROM main.messages
    WHERE id < COALESCE((SELECT MIN(id) FROM source.messages), ${Number.MAX_SAFE_INTEGER})`
  yield* sql`
    DELETE FROM main.messages
    WHERE conversation IN (SELECT id FROM main.conversations EXCEPT SELECT id FROM source.conversations)`
  yield* sql`DELETE FROM main.conversations WHERE id NOT IN (SELECT id FROM source.conversations)`
  const forgetRooms = yield* leaveOutErased(sql)
  // By the time it is restored they may have been handed out.
  yield* sql`DELETE FROM main.key_packages WHERE kind = 'Once'`
  yield* eraseDeleted(sql, last)
  // More may have been deleted by now than when the oldest message was asked for.
  yield* sql`
    UPDATE main.conversations AS copy
    SET deleted_through = COALESCE(
      MAX(
        copy.deleted_through,
        MIN(now.deleted_through, (SELECT MIN(seq) FROM main.messages WHERE conversation = copy.id) - 1)
      ),
      now.deleted_through
    )
    FROM source.conversations AS now
    WHERE now.id = copy.id AND now.deleted_through > copy.deleted_through`
  // Numbers that were given are not given again.
  yield* sql`DELETE FROM main.sqlite_sequence`
  yield* sql`INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM source.sqlite_sequence`
  const epoch = yield* randomEpoch
  yield* sql`${sql.literal(insertIncarnation)} LIMIT 1`
  yield* sql`UPDATE main.incarnation SET epoch = ${epoch}`
  yield* sql`INSERT INTO main.incarnation (epoch) SELECT ${epoch} WHERE NOT EXISTS (SELECT 1 FROM main.incarnation)`
  // Now that it is known which numbers are not to be given again.
  yield* forgetRooms
  yield* sql`PRAGMA main.incremental_vacuum`
})

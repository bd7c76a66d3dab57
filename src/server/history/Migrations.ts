/**
 * The tables, from an empty file to today's: what the database of an older parley lacks is added when it is opened, in
 * one transaction. What stands here was released once: change it by adding to it.
 */
import { Effect, Predicate } from "effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { isDamaged } from "./CannotOpenDatabase.ts"
import { checksum } from "./Checksum.ts"

const createLog = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // One row: the name of this incarnation of all logs.
  yield* sql`CREATE TABLE incarnation (epoch TEXT NOT NULL)`
  // What has been deleted stands before the oldest message: deleted_through is the newest place of that.
  yield* sql`
    CREATE TABLE conversations (
      id INTEGER PRIMARY KEY,
      conversation_key TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      deleted_through INTEGER NOT NULL DEFAULT 0
    )`
  // id counts in the order of storing and never repeats; idempotency_key is the sender's key and the message's, or NULL.
  yield* sql`
    CREATE TABLE messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      conversation INTEGER NOT NULL REFERENCES conversations (id),
      seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      sender TEXT NOT NULL,
      content TEXT NOT NULL,
      idempotency_key TEXT
    )`
  yield* sql`CREATE UNIQUE INDEX messages_by_place ON messages (conversation, seq)`
  yield* sql`
    CREATE UNIQUE INDEX messages_by_key ON messages (conversation, idempotency_key) WHERE idempotency_key IS NOT NULL`
})

/** The number of a conversation never comes twice, although rooms are removed: epochs are made of it. */
const rememberNumbers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // The greatest number of those that were removed.
  yield* sql`ALTER TABLE incarnation ADD COLUMN removed_through INTEGER NOT NULL DEFAULT 0`
  yield* sql`
    CREATE TRIGGER conversation_removed AFTER DELETE ON conversations BEGIN
      UPDATE incarnation SET removed_through = MAX(removed_through, OLD.id);
    END`
})

/** Rows with ids above the first and up to the second. */
type Span = readonly [above: number, upTo: number]

/** So much is in memory at a time: 16 MiB at most. */
const spanMessages = 500

/**
 * What is there already gets its checksum, too, but for rows that cannot be read: they keep NULL, and hinder nobody.
 * 200,000 messages of 64 bytes take 1.5 s, and as much room in the WAL as in the file until it is checkpointed.
 */
const addChecksums = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE messages ADD COLUMN checksum INTEGER`

  const fill = Effect.fnUntraced(function* ([above, upTo]: Span) {
    const rows = yield* sql`
      SELECT id, conversation, seq, at, sender, content FROM messages WHERE id > ${above} AND id <= ${upTo}`.values
    const checksums = rows.flatMap(([id, conversation, seq, at, sender, content]) =>
      Predicate.isString(sender) && Predicate.isString(content)
        ? [[id, checksum(Number(conversation), Number(seq), Number(at), sender, content)]]
        : []
    )
    yield* sql`
      UPDATE messages SET checksum = filled.value ->> 1 FROM json_each(${JSON.stringify(checksums)}) AS filled
      WHERE messages.id = filled.value ->> 0`
  })
  const fillReadable = ([above, upTo]: Span): Effect.Effect<void, SqlError> =>
    Effect.catchIf(
      fill([above, upTo]),
      ({ reason }) => isDamaged(reason.cause),
      () => {
        if (upTo - above <= 1) return Effect.void
        const middle = (above + upTo) >>> 1
        return Effect.andThen(fillReadable([above, middle]), fillReadable([middle, upTo]))
      }
    )

  const [[first, last] = []] = yield* sql`SELECT MIN(id), MAX(id) FROM messages`.values
  const count = Number(last) - Number(first)
  if (count > 100_000) yield* Effect.logInfo(`Bringing the database up to date: a checksum for ${count} messages`)
  let above = Number(first ?? 0) - 1
  while (above < Number(last ?? 0)) {
    // Rooms that were removed leave gaps.
    yield* fillReadable([above, above + spanMessages])
    above += spanMessages
  }
})

export const migrations: Readonly<Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>> = {
  "1_log": createLog,
  "2_checksums": Effect.andThen(rememberNumbers, addChecksums)
}

/** Brings the tables up to date. */
export const migrate = (all = migrations) => Migrator.make({})({ loader: Migrator.fromRecord(all) })

/**
 * The tables, from an empty file to today's: what the database of an older parley lacks is added when it is opened, in
 * one transaction. What stands here was released once: change it by adding to it.
 */
import { Effect } from "effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"

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

export const migrations: Readonly<Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>> = {
  "1_log": createLog
}

/** Brings the tables up to date. */
export const migrate = (all = migrations) => Migrator.make({})({ loader: Migrator.fromRecord(all) })

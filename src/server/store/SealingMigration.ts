/**
 * The migration that brings encrypted conversations (see Migrations): devices as they were published, the packages by which they are let
 * in, which part of which log each may read, and the welcomes that wait for it.
 */
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"

/** `isReadable`: whether no page of the messages is damaged. */
export const addSealing = (isReadable: Effect.Effect<boolean>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    // entry is what was published, as JSON.
    yield* sql`
      CREATE TABLE device_entries (
        account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        n INTEGER NOT NULL,
        entry TEXT NOT NULL,
        PRIMARY KEY (account, n)
      ) WITHOUT ROWID`
    // kind: 'Once', 'Last', or 'Claimed': that was handed out, and is kept so that it is not taken for a new one.
    yield* sql`
      CREATE TABLE key_packages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        package TEXT NOT NULL,
        UNIQUE (device, package)
      )`
    yield* sql`
      CREATE TABLE intervals (
        conversation_key TEXT NOT NULL REFERENCES governance (conversation_key) ON DELETE CASCADE,
        account INTEGER NOT NULL,
        device TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER,
        PRIMARY KEY (conversation_key, account, device, since)
      ) WITHOUT ROWID`
    yield* sql`
      CREATE TABLE welcomes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_key TEXT NOT NULL REFERENCES governance (conversation_key) ON DELETE CASCADE,
        room TEXT NOT NULL,
        seq INTEGER NOT NULL,
        data TEXT NOT NULL,
        UNIQUE (conversation_key, seq)
      )`
    yield* sql`
      CREATE TABLE welcomed (
        device INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
        welcome INTEGER NOT NULL REFERENCES welcomes (id) ON DELETE CASCADE,
        PRIMARY KEY (device, welcome)
      ) WITHOUT ROWID`
    yield* sql`CREATE INDEX welcomed_by_welcome ON welcomed (welcome)`
    if (!(yield* isReadable)) return
    // What is unread of it is counted in the index alone (the last column: what isn't heard, see StandingKinds).
    yield* sql`
      CREATE INDEX messages_sealed ON messages (conversation, seq, author, sender, instr(content, '"unheard":true'))
      WHERE kind = 'Sealed'`
  })

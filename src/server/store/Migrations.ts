/**
 * The tables, from an empty file to today's: what the database of an older parley lacks is added when it is opened, in
 * one transaction. What stands here was released once: change it by adding to it.
 */
import { Context, Effect, Option, Predicate, Schema } from "effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { nameKey } from "../../common/name/Name.ts"
import { isDamaged } from "../sql/SqliteProblem.ts"
import { checksum } from "./Checksum.ts"
import { addSealing } from "./SealingMigration.ts"

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

/**
 * Whether no page of the messages is damaged. It is looked at only if something is to be made of all of them. Found out before anything is changed: SQLite commits nothing in which it has
 * met such a page, and who has one is better off with a server that starts.
 */
const Readable = Context.Reference<boolean>("parley/server/store/Migrations/Readable", { defaultValue: () => true })

const isReadable = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [[isOld] = []] = yield* sql`
    SELECT COUNT(*) FROM sqlite_schema
    WHERE name = 'messages' AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'welcomes')`.values
  if (isOld === 0) return true
  return yield* sql`SELECT MAX(length(sender) + length(content)) FROM messages NOT INDEXED`.pipe(
    Effect.as(true),
    Effect.catchIf(
      ({ reason }) => isDamaged(reason.cause),
      () => Effect.succeed(false)
    )
  )
})

/** So many are in memory at a time: 16 MiB at most. */
const stepMessages = 500

/**
 * What is there already gets its checksum, too. 200,000 messages of 64 bytes take 2 s, and as much room in the WAL as in
 * the file until it is checkpointed. If a page is damaged, all keep NULL (see `Readable`).
 */
const addChecksums = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE messages ADD COLUMN checksum INTEGER`
  if (!(yield* Readable)) {
    return yield* Effect.logWarning(
      "A part of the database is damaged, so what is in it gets no checksums. Look at it with: pnpm admin verify"
    )
  }
  let above = 0
  const step = Effect.gen(function* () {
    const rows = yield* sql`
      SELECT id, conversation, seq, at, sender, content FROM messages
      WHERE id > ${above} ORDER BY id LIMIT ${stepMessages}`.values
    const checksums = rows.flatMap(([id, conversation, seq, at, sender, content]) =>
      Predicate.isString(sender) && Predicate.isString(content)
        ? [[id, checksum(Number(conversation), Number(seq), Number(at), sender, content)]]
        : []
    )
    yield* sql`
      UPDATE messages SET checksum = given.value ->> 1 FROM json_each(${JSON.stringify(checksums)}) AS given
      WHERE messages.id = given.value ->> 0`
    above = Number(rows.at(-1)?.[0] ?? above)
    return rows.length === stepMessages
  })
  yield* Effect.repeat(step, { while: (hasMore) => hasMore })
})

/**
 * Entries beside messages. `content` holds the text of what was said or how it was edited, and of every other kind what it has
 * beside its target, as JSON; `target` also what a message replies to.
 */
const addKinds = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE messages ADD COLUMN kind TEXT NOT NULL DEFAULT 'Said'`
  yield* sql`ALTER TABLE messages ADD COLUMN target INTEGER`
  // Who may change it, see AuthorId; nobody may what is from before.
  yield* sql`ALTER TABLE messages ADD COLUMN author TEXT`
  // Pages of messages as they stand must not pass over thousands of reactions. Slower is better than not at all.
  if (yield* Readable) {
    yield* sql`CREATE INDEX messages_standing ON messages (conversation, seq) WHERE kind IN ('Said', 'Tombstone')`
    yield* sql`CREATE INDEX messages_edits ON messages (conversation, target) WHERE kind = 'Edited'`
  }
  // How messages stand that somebody edited or reacted to, by their id: the text as last edited, if it was; as JSON, of each
  // reaction how many there are and the first of them.
  yield* sql`
    CREATE TABLE standing (
      id INTEGER PRIMARY KEY,
      content TEXT,
      edited INTEGER,
      reactions TEXT NOT NULL DEFAULT '[]'
    )`
  // Who reacted to which message (its id) in which way, by the entry at seq. user is the name's key, name how it is written.
  yield* sql`
    CREATE TABLE reactors (
      message INTEGER NOT NULL,
      reaction TEXT NOT NULL,
      user TEXT NOT NULL,
      name TEXT NOT NULL,
      author TEXT,
      seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (message, user, reaction)
    ) WITHOUT ROWID`
  yield* sql`CREATE UNIQUE INDEX reactors_by_place ON reactors (message, reaction, seq)`
  // Deleted messages of which something may still be left: edits, reactions, words in the index, pages of a log (-wal).
  // id is the message's, target its place; RETENTION may have taken it meanwhile.
  yield* sql`
    CREATE TABLE erasures (
      id INTEGER PRIMARY KEY,
      conversation INTEGER NOT NULL,
      target INTEGER NOT NULL
    )`
  yield* sql`CREATE UNIQUE INDEX erasures_by_place ON erasures (conversation, target)`
})

/**
 * A key that was answered with an entry which was not made under it: a reaction that was there already. It goes with that
 * entry (message is its id), and holds nothing of what was said: there is nothing to erase in it.
 */
const addAnsweredKeys = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE answered_keys (
      conversation INTEGER NOT NULL,
      idempotency_key TEXT NOT NULL,
      message INTEGER NOT NULL,
      PRIMARY KEY (conversation, idempotency_key)
    ) WITHOUT ROWID`
  yield* sql`CREATE INDEX answered_keys_by_message ON answered_keys (message)`
})

/** Who there is. What is secret is here as a hash alone (see Account). */
const addAccounts = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // AUTOINCREMENT: a number never comes twice, also when the newest account is gone. What it wrote bears it.
  yield* sql`
    CREATE TABLE accounts (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name_key TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      since INTEGER NOT NULL,
      last_seen INTEGER NOT NULL,
      is_admin INTEGER NOT NULL DEFAULT 0,
      state TEXT NOT NULL DEFAULT 'Active',
      reason TEXT,
      password TEXT,
      reset_code TEXT,
      reset_expires INTEGER
    )`
  // newest and before are hashes of its tokens.
  yield* sql`
    CREATE TABLE devices (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      since INTEGER NOT NULL,
      last_seen INTEGER NOT NULL,
      newest TEXT NOT NULL,
      before TEXT
    )`
  yield* sql`CREATE INDEX devices_by_account ON devices (account)`
  yield* sql`CREATE UNIQUE INDEX devices_by_newest ON devices (newest)`
  yield* sql`CREATE UNIQUE INDEX devices_by_before ON devices (before) WHERE before IS NOT NULL`
  yield* sql`
    CREATE TABLE keys (
      id INTEGER PRIMARY KEY,
      account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      fingerprint TEXT NOT NULL,
      public_key TEXT NOT NULL,
      name TEXT,
      since INTEGER NOT NULL
    )`
  yield* sql`CREATE UNIQUE INDEX keys_by_fingerprint ON keys (account, fingerprint)`
  yield* sql`CREATE TABLE invites (code TEXT PRIMARY KEY, uses INTEGER NOT NULL, expires INTEGER) WITHOUT ROWID`
})

/** Which rooms an account is in, and how far it has read. */
const addMemberships = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // room is the name as it is written, room_key the name's key.
  yield* sql`
    CREATE TABLE memberships (
      account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      room_key TEXT NOT NULL,
      room TEXT NOT NULL,
      PRIMARY KEY (account, room_key)
    ) WITHOUT ROWID`
  yield* sql`CREATE INDEX memberships_by_room ON memberships (room_key)`
  // place is the key of a shared conversation, or "with:" and a partner (see Partner). The mark counts for the log of this number alone.
  yield* sql`
    CREATE TABLE marks (
      account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      place TEXT NOT NULL,
      conversation INTEGER,
      seq INTEGER NOT NULL,
      PRIMARY KEY (account, place)
    ) WITHOUT ROWID`
  yield* sql`CREATE INDEX marks_by_place ON marks (place)`
  if (!(yield* Readable)) return
  // What is unread is counted in the index alone, whoever wrote it; messages that may mention somebody are few.
  yield* sql`DROP INDEX IF EXISTS messages_standing`
  yield* sql`
    CREATE INDEX messages_standing ON messages (conversation, seq, kind, author, sender)
    WHERE kind IN ('Said', 'Tombstone')`
  yield* sql`
    CREATE INDEX messages_mentions ON messages (conversation, seq) WHERE kind = 'Said' AND instr(content, '@') > 0`
})

/**
 * Entries of inboxes. A private message between two accounts is two rows, one in each inbox: `twin` is where the other one
 * stands. `receiver` is whom it is for, `partner` who it was exchanged with, seen from this inbox (see Partner).
 */
const addInboxes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const column of ["receiver TEXT", "partner TEXT", "twin INTEGER"]) {
    yield* sql`ALTER TABLE messages ADD COLUMN ${sql.literal(column)}`
  }
  if (!(yield* Readable)) return
  // For pages of what was said with whom, and for what of it is unread, which is counted in the index alone.
  yield* sql`
    CREATE INDEX messages_private_standing ON messages (conversation, partner, seq, kind, author)
    WHERE partner IS NOT NULL AND kind IN ('Said', 'Tombstone')`
})

/**
 * Rooms that are governed, and the lobby: what their entries have made of each (see Governance), as JSON; and an index of these entries, for pages
 * that hold them, or nothing else.
 */
const addGovernance = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE governance (conversation_key TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID`
  if (!(yield* Readable)) return
  yield* sql`
    CREATE INDEX messages_moderation ON messages (conversation, seq)
    WHERE (kind IN ('TopicSet', 'RoleSet', 'AccessSet', 'Invited', 'Kicked', 'Banned', 'Unbanned', 'Muted', 'Unmuted')
      OR kind = 'Deleted' AND instr(content, '"moderated":true') > 0)`
})

/** Whom accounts have blocked: partner is an account or a guest (see Partner), name how they were called then. */
const addBlocks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE blocks (
      account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      partner TEXT NOT NULL,
      name TEXT NOT NULL,
      PRIMARY KEY (account, partner)
    ) WITHOUT ROWID`
})

/**
 * What was reported, as JSON (see Report). One that was deleted has no words any more, and goes when the database's log (-wal) has let
 * go of them, too.
 */
const addReports = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE reports (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      handled INTEGER NOT NULL DEFAULT 0,
      deleted INTEGER NOT NULL DEFAULT 0,
      report TEXT NOT NULL
    )`
})

/** Bans and mutes get rows of their own (see GovernanceTables), one for whom it binds, in the order in which they were made. */
const divideBounds = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE bounds (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      conversation_key TEXT NOT NULL REFERENCES governance (conversation_key) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      subject TEXT NOT NULL,
      state TEXT NOT NULL,
      UNIQUE (conversation_key, kind, subject)
    )`
  for (const { conversation_key: key, state } of yield* sql`SELECT conversation_key, state FROM governance`) {
    const { bans = [], mutes = [], ...rest } = Option.getOrElse(decodeWhole(state), () => undivided)
    for (const [kind, all] of [
      ["bans", bans],
      ["mutes", mutes]
    ] as const) {
      for (const { account, user, ...more } of all) {
        const subject = account === undefined ? `guest:${nameKey(user)}` : `account:${account}`
        const bound = JSON.stringify({ user, account, ...more })
        yield* sql`
          INSERT INTO bounds (conversation_key, kind, subject, state) VALUES (${key}, ${kind}, ${subject}, ${bound})`
      }
    }
    if (bans.length + mutes.length > 0) {
      yield* sql`UPDATE governance SET state = ${JSON.stringify(rest)} WHERE conversation_key = ${key}`
    }
  }
})

/** How a room is governed, as it was stored in one piece, as far as it is divided here. */
const Bounds = Schema.optionalKey(
  Schema.Array(
    Schema.StructWithRest(Schema.Struct({ user: Schema.String, account: Schema.optionalKey(Schema.Int) }), [
      Schema.Record(Schema.String, Schema.Unknown)
    ])
  )
)
const Whole = Schema.StructWithRest(Schema.Struct({ bans: Bounds, mutes: Bounds }), [
  Schema.Record(Schema.String, Schema.Unknown)
])
const decodeWhole = Schema.decodeUnknownOption(Schema.fromJsonString(Whole))
/** What cannot be read stays as it is. */
const undivided: typeof Whole.Type = {}

export const migrations: Readonly<Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>> = {
  "1_log": createLog,
  "2_checksums": Effect.andThen(rememberNumbers, addChecksums),
  "3_kinds": addKinds,
  "4_answered_keys": addAnsweredKeys,
  "5_accounts": addAccounts,
  "6_memberships": addMemberships,
  "7_inbox": addInboxes,
  "8_governance": addGovernance,
  "9_blocks": addBlocks,
  "10_reports": addReports,
  "11_bounds": divideBounds,
  "12_sealing": addSealing(Readable)
}

/** Brings the tables up to date. */
export const migrate = (all = migrations) =>
  Effect.flatMap(isReadable, (readable) =>
    Effect.provideService(Migrator.make({})({ loader: Migrator.fromRecord(all) }), Readable, readable)
  )

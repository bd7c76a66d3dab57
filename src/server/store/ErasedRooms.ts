/**
 * Rooms that were deleted, as tables have them: what takes one away at once, however large it is, and the small steps that erase
 * what was said in it.
 *
 * A room is gone when its row in `conversations` has lost its key and its name (its kind is 'Erased'), in the same commit as its
 * members, their marks, and how it is governed. Its entries then become tombstones without names, from the oldest on: rows
 * stay where they are, since the search index counts by them (see IndexUpkeep). What the index knows by words is noted in
 * `erasures`. When no file holds any of it the row is of the kind 'Gone' (see Erasing).
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { conversationKey } from "../../common/log/Conversation.ts"
import type { RoomConversation } from "../history/History.ts"
import { checksum } from "./Checksum.ts"
import * as GovernanceTables from "./GovernanceTables.ts"
import * as MembershipTables from "./MembershipTables.ts"

/** What stands for who made an entry. No name begins so. */
export const erasedSender = "-"

/** Whether a row of `conversations` is of a room that was deleted. */
export const areErased = "kind IN ('Erased', 'Gone')"

export const erasedKey = (id: number): string => `erased:${id}`

/** Two indexes: 10 µs each. */
const stepReactors = 200
const stepKeys = 200

const Entry = Schema.Struct({
  id: Schema.Int,
  seq: Schema.Int,
  // Damaged or not.
  at: Schema.Unknown,
  isSaid: Schema.BooleanFromBit,
  bytes: Schema.Natural
})
const decodeEntries = Schema.decodeUnknownEffect(Schema.Array(Entry))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Schema.Int })))

export const make = (sql: SqlClient.SqlClient) => {
  const governances = GovernanceTables.make(sql)
  const memberships = MembershipTables.make(sql)

  return {
    /** To be run in a transaction. `number`: that of its log, whether that has a row or not. */
    takeAway: Effect.fnUntraced(function* (conversation: RoomConversation, number: number) {
      yield* sql`
        UPDATE conversations SET conversation_key = 'erased:' || id, kind = 'Erased', name = ''
        WHERE conversation_key = ${conversationKey(conversation)}`
      // What was kept beside an empty log is still to be erased.
      yield* sql`
        INSERT INTO conversations (id, conversation_key, kind, name) VALUES (${number}, ${erasedKey(number)}, 'Erased', '')
        ON CONFLICT (id) DO NOTHING`
      yield* memberships.forget(conversation.room)
      yield* governances.forget(conversation.room)
    }),

    /** Whether the log of this number was taken away. */
    isTakenAway: (number: number) =>
      Effect.map(
        sql`SELECT 1 FROM conversations WHERE id = ${number} AND ${sql.literal(areErased)}`.values,
        ({ length }) => length > 0
      ),

    /** The numbers of those of which something may be left. */
    erased: Effect.gen(function* () {
      const rows = yield* decodeIds(yield* sql`SELECT id FROM conversations WHERE kind = 'Erased' ORDER BY id`)
      return rows.map(({ id }) => id)
    }),

    /** Nothing of these is left in any file. */
    settle: (ids: ReadonlyArray<number>) =>
      sql`UPDATE conversations SET kind = 'Gone' WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,

    /** Those of which RETENTION has taken the last row. */
    removeEmpty: sql`
      DELETE FROM conversations
      WHERE kind = 'Gone' AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = conversations.id)`,

    /** Where the entries of a log stand: the first and the newest place. */
    bounds: Effect.fnUntraced(function* (id: number) {
      const [[first, newest] = []] = yield* sql`
        SELECT (SELECT MIN(seq) FROM messages WHERE conversation = ${id}),
          (SELECT MAX(seq) FROM messages WHERE conversation = ${id})`.values
      return typeof first === "number" && typeof newest === "number" ? { first, newest } : undefined
    }),

    /** Keys that were answered; they hold names. Tells whether there may be more. To be run in a transaction. */
    forgetKeys: Effect.fnUntraced(function* (id: number) {
      yield* sql`
        DELETE FROM answered_keys WHERE conversation = ${id} AND idempotency_key IN (
          SELECT idempotency_key FROM answered_keys WHERE conversation = ${id} LIMIT ${stepKeys})`
      const [[count] = []] = yield* sql`SELECT changes()`.values
      return count === stepKeys
    }),

    /**
     * Makes tombstones of the entries at these places, `after` exclusive; of many reactions to one message some are left to
     * who clears `erasures`. Done again it does nothing. To be run in a transaction.
     */
    bury: Effect.fnUntraced(function* (id: number, after: number, upTo: number) {
      const entries = yield* decodeEntries(
        yield* sql`
        SELECT id, seq, at, kind = 'Said' AS isSaid, CASE kind
          WHEN 'Said' THEN COALESCE(octet_length(content), 0)
          WHEN 'Tombstone' THEN CASE WHEN json_valid(content) THEN MAX(CAST(COALESCE(content ->> 'bytes', 0) AS INTEGER), 0) ELSE 0 END
          ELSE 0 END AS bytes
        FROM messages WHERE conversation = ${id} AND seq > ${after} AND seq <= ${upTo}
          AND (sender <> ${erasedSender} OR kind <> 'Tombstone')`
      )
      if (entries.length === 0) return
      const rows = entries.map(({ at, bytes, id: row, isSaid, seq }) => {
        const content = JSON.stringify({ bytes })
        return [row, content, checksum(id, seq, Number(at), erasedSender, content, "Tombstone"), seq, isSaid ? 1 : 0]
      })
      const given = JSON.stringify(rows)
      yield* sql`
        UPDATE messages SET kind = 'Tombstone', sender = ${erasedSender}, content = given.value ->> 1,
          checksum = given.value ->> 2, target = NULL, author = NULL, receiver = NULL, partner = NULL, twin = NULL,
          idempotency_key = NULL
        FROM json_each(${given}) AS given WHERE messages.id = given.value ->> 0`
      yield* sql`DELETE FROM standing WHERE id IN (SELECT value ->> 0 FROM json_each(${given}))`
      yield* sql`
        DELETE FROM reactors WHERE (message, user, reaction) IN (
          SELECT message, user, reaction FROM reactors
          WHERE message IN (SELECT value ->> 0 FROM json_each(${given})) LIMIT ${stepReactors})`
      yield* sql`
        INSERT INTO erasures (id, conversation, target)
        SELECT value ->> 0, ${id}, value ->> 3 FROM json_each(${given}) WHERE value ->> 4 = 1
        ON CONFLICT DO NOTHING`
    })
  }
}

/** The statements of RETENTION on the log's tables: what is the oldest goes first, so what is left of a log has no gaps. */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import type { Timestamp } from "../../common/log/Cursor.ts"
import { RoomName } from "../../common/name/RoomName.ts"

const decodeOldest = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ count: Schema.Int, upTo: Schema.NullOr(Schema.Int), stored: Schema.Int }))
)
const decodeTouched = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Schema.Int })))

export const make = (sql: SqlClient.SqlClient) => {
  /**
   * Reactions to messages that are no more, which nobody is shown, and keys that were answered with entries that are no more.
   * Of each at most so many: a message may have any number.
   */
  const deleteOrphans = Effect.fnUntraced(function* (limit: number) {
    const isOrphan = sql`message < COALESCE((SELECT MIN(id) FROM messages), ${Number.MAX_SAFE_INTEGER})`
    const reactors = yield* sql`
      DELETE FROM reactors WHERE (message, user, reaction) IN (
        SELECT message, user, reaction FROM reactors WHERE ${isOrphan} LIMIT ${limit}
      ) RETURNING 1`.values
    const keys = yield* sql`
      DELETE FROM answered_keys WHERE (conversation, idempotency_key) IN (
        SELECT conversation, idempotency_key FROM answered_keys WHERE ${isOrphan} LIMIT ${limit}
      ) RETURNING 1`.values
    return Math.max(reactors.length, keys.length)
  })

  return {
    /**
     * Deletes the oldest messages, at most `limit`, up to the first that is not older than `cutoff`: so what is left of
     * each log has no gaps, whatever the clock did. What stood with them goes too, of reactions and of keys at most `limit`;
     * the rest of those in the next steps. What is to be erased stays noted: edits stand behind their message, and may outlive it. To be run in
     * a transaction. Tells how many it was at most of one sort, of which conversations, and how many were ever stored.
     */
    deleteOldest: Effect.fnUntraced(function* (cutoff: Timestamp, limit: number) {
      const [first] = yield* decodeOldest(
        yield* sql`
        WITH oldest AS (SELECT id, at FROM messages ORDER BY id LIMIT ${limit})
        SELECT COUNT(*) AS count, MAX(id) AS upTo,
          COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0) AS stored
        FROM oldest WHERE id < COALESCE((SELECT MIN(id) FROM oldest WHERE at >= ${cutoff}), ${Number.MAX_SAFE_INTEGER})`
      )
      const { count = 0, stored = 0, upTo = null } = first ?? {}
      if (upTo === null) return { count: yield* deleteOrphans(limit), touched: [], stored }
      const touched = yield* decodeTouched(
        yield* sql`
        UPDATE conversations SET deleted_through = deleted.seq
        FROM (SELECT conversation, MAX(seq) AS seq FROM messages WHERE id <= ${upTo} GROUP BY conversation) AS deleted
        WHERE deleted.conversation = conversations.id
        RETURNING conversations.id`
      )
      yield* sql`DELETE FROM messages WHERE id <= ${upTo}`
      yield* sql`DELETE FROM standing WHERE id <= ${upTo}`
      const orphans = yield* deleteOrphans(limit)
      return { count: Math.max(count, orphans), touched: touched.map(({ id }) => id), stored }
    }),

    /** Which of these conversations are rooms without any message. */
    emptyRooms: SqlSchema.findAll({
      Request: Schema.fromJsonString(Schema.Array(Schema.Int)),
      Result: Schema.Struct({ name: RoomName }),
      execute: (conversations) => sql`
        SELECT name FROM conversations WHERE id IN (SELECT value FROM json_each(${conversations})) AND kind = 'Room'
        AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = conversations.id)`
    }),

    /** Gives so many free pages back, and tells how many are left. The file gets shorter at a checkpoint. */
    vacuum: Effect.fnUntraced(function* (pages: number) {
      yield* sql`PRAGMA incremental_vacuum(${sql.literal(`${pages}`)})`
      const [[left] = []] = yield* sql`PRAGMA freelist_count`.values
      return Number(left)
    })
  }
}

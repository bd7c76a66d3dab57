/**
 * Entries as they were made, but for what deletions have taken: a deleted message is a tombstone, and so are its edits, at
 * their own places, from the moment of the deletion on, whatever of their texts is still left.
 */
import { Array as Arr, Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Entry } from "../../common/log/Entry.ts"
import type { Range } from "../history/Query.ts"
import type { Source } from "./LogPages.ts"
import type * as LogTables from "./LogTables.ts"
import { bytesOf } from "./StoredBody.ts"
import { decodeAll } from "./StoredEntry.ts"

const decodeNumbers = Schema.decodeUnknownEffect(Schema.Array(Schema.Array(Schema.Int)))

export const make = (sql: SqlClient.SqlClient, tables: ReturnType<typeof LogTables.make>): Source<Entry> => {
  /** With what an Edited was done to, and whether something of that is still to be erased. */
  const within = (conversation: number, { after = 0, before, limit }: Range, isForwards: boolean) => sql`
    FROM messages AS entry
    LEFT JOIN messages AS edited ON edited.conversation = entry.conversation
      AND edited.seq = CASE entry.kind WHEN 'Edited' THEN entry.target END
    LEFT JOIN erasures ON erasures.conversation = entry.conversation
      AND erasures.target = CASE entry.kind WHEN 'Edited' THEN entry.target END
    WHERE entry.conversation = ${conversation} AND entry.seq > ${after}
      AND entry.seq < ${before ?? Number.MAX_SAFE_INTEGER}
    ORDER BY entry.seq ${sql.literal(isForwards ? "ASC" : "DESC")} LIMIT ${limit + 1}`
  const isErased = sql.literal(
    "(entry.kind = 'Edited' AND (edited.kind IS 'Tombstone' OR erasures.id IS NOT NULL OR entry.content = ''))"
  )

  return {
    // Where RETENTION has taken the tombstone, who deleted it, and when, has gone with it.
    rows: (conversation, range, isForwards) => sql`
      SELECT entry.seq, entry.at, entry.sender AS "from", entry.receiver AS "to", entry.target,
        CASE WHEN ${isErased} THEN 'Tombstone' ELSE entry.kind END AS kind,
        CASE WHEN NOT ${isErased} THEN entry.content
          WHEN edited.kind = 'Tombstone' THEN edited.content
          ELSE json_object('deletedBy', entry.sender, 'deletedAt', entry.at) END AS content
      ${within(conversation, range, isForwards)}`,

    sizes: Effect.fnUntraced(function* (conversation, range, isForwards) {
      return yield* decodeNumbers(
        yield* sql`
        SELECT entry.seq, CASE WHEN entry.kind = 'Tombstone' OR ${isErased} THEN 0
          ELSE COALESCE(octet_length(entry.content), 0) END
        ${within(conversation, range, isForwards)}`.values
      )
    }),

    head: (conversation, seq) =>
      sql`SELECT seq, at, sender AS "from" FROM messages WHERE conversation = ${conversation} AND seq = ${seq}`,

    /** A log has no gaps. */
    places: Effect.fnUntraced(function* ({ name, newest }, { after = 0, before = Infinity, limit }, isForwards) {
      const [standing] = yield* tables.standing([name])
      const low = Math.max(after, standing?.deletedThrough ?? 0) + 1
      const high = Math.min(before - 1, newest)
      return high < low
        ? []
        : Arr.makeBy(Math.min(limit + 1, high - low + 1), (index) => (isForwards ? low + index : high - index))
    }),

    decode: (rows) =>
      decodeAll(rows).map(({ entry, problem }) => ({
        seq: entry.seq,
        given: entry,
        bytes: bytesOf(entry.body),
        problem
      }))
  }
}

/**
 * From what the index found to the messages themselves, as they stand in the log.
 *
 * Each row is decoded by itself, so that one that is damaged sinks no page: it stands there as a placeholder, or, where not
 * even its place can be read, is left out. What was deleted meanwhile is left out as well.
 *
 * Bounds: contents are read in pieces of `pieceBytes`, or one message, so that the event loop is held up by none.
 */
import { Effect, Option, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { unreadable } from "../history/History.ts"
import type { Problem } from "./IndexUpkeep.ts"
import { isDamage } from "./SearchWindows.ts"

const pieceBytes = 65_536

/** Where a message stands, and how many bytes its content has. */
export interface Found {
  readonly id: number
  readonly conversation: number
  readonly seq: Seq
  readonly at: Timestamp
  readonly bytes: number
}

const decodeFound = Schema.decodeUnknownOption(
  Schema.Struct({ id: Schema.Int, conversation: Schema.Int, seq: Seq, at: Timestamp, bytes: Schema.Natural })
)
const decodeText = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.Int, from: UserName, content: Content }))
const decodeSender = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.Int, from: UserName }))
const decodeId = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.Int }))

/** Where these messages stand, in the order given. */
export const placesOf = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  ids: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<Found>, Problem> {
  // A number beyond what JavaScript can count would fail the whole answer.
  const rows = yield* rowsOf(
    ids,
    (some) => sql`
      SELECT id, CAST(conversation AS TEXT) + 0 AS conversation,
        CASE WHEN seq BETWEEN 0 AND 9007199254740991 THEN seq END AS seq,
        CASE WHEN at BETWEEN 0 AND 9007199254740991 THEN at ELSE 0 END AS at,
        COALESCE(octet_length(content), 0) AS bytes
      FROM chat.messages WHERE id IN (SELECT value FROM json_each(${JSON.stringify(some)}))`
  )
  const known = new Map(
    rows.flatMap((row) => Option.toArray(Option.map(decodeFound(row), (found) => [found.id, found] as const)))
  )
  return ids.flatMap((id) => known.get(id) ?? [])
})

/** What these messages say, in the order given. */
export const entriesOf = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  found: ReadonlyArray<Found>
): Effect.fn.Return<ReadonlyArray<Entry>, Problem> {
  const entries: Array<Entry> = []
  for (const piece of pieces(found)) {
    const rows = yield* rowsOf(
      piece.map(({ id }) => id),
      (some) => sql`
        SELECT id, sender AS "from", content FROM chat.messages
        WHERE id IN (SELECT value FROM json_each(${JSON.stringify(some)}))`
    )
    const byId = new Map(
      rows.flatMap((row) => Option.toArray(Option.map(decodeId(row), ({ id }) => [id, row] as const)))
    )
    for (const { at, id, seq } of piece) {
      const row = byId.get(id)
      entries.push(
        Option.match(decodeText(row), {
          onSome: ({ content, from }) => ({ seq, at, from, content }),
          onNone: () => unreadable(seq, at, Option.getOrUndefined(decodeSender(row))?.from)
        })
      )
    }
  }
  return entries
})

/** The rows of these messages; where some cannot be read together, one by one, without those that cannot be read at all. */
const rowsOf = <Row>(
  ids: ReadonlyArray<number>,
  query: (ids: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<Row>, Problem>
): Effect.Effect<ReadonlyArray<Row>, Problem> =>
  Effect.catchIf(query(ids), isDamage, () =>
    ids.length <= 1
      ? Effect.succeed([])
      : Effect.map(
          Effect.forEach(ids, (id) => rowsOf([id], query)),
          (rows) => rows.flat()
        )
  )

/** As many of these as have so many bytes together, one at least, again and again. */
export const pieces = (found: ReadonlyArray<Found>, maxBytes = pieceBytes): ReadonlyArray<ReadonlyArray<Found>> => {
  const all: Array<Array<Found>> = []
  let bytes = Infinity
  for (const one of found) {
    if (bytes + one.bytes > maxBytes) {
      all.push([])
      bytes = 0
    }
    all.at(-1)?.push(one)
    bytes += one.bytes
  }
  return all
}

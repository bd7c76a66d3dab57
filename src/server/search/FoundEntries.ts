/**
 * From what the index found to the messages themselves, as they stand: with their text as last edited, and their reactions.
 *
 * Each row is decoded by itself, so that one that is damaged sinks no page: it stands there as a placeholder, or, where not
 * even its place can be read, is left out. What was deleted meanwhile is left out as well.
 *
 * Bounds: contents are read in pieces of `pieceBytes`, or one message, so that the event loop is held up by none.
 */
import { Effect, Option, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { Reaction } from "../../common/log/Entry.ts"
import type { View } from "../../common/log/Timeline.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { unreadable, unreadableText } from "../history/History.ts"
import { type Problem, textBytes, textOf } from "./IndexUpkeep.ts"
import { isDamage } from "./SearchWindows.ts"

const pieceBytes = 65_536

/** Where a message stands, and how many bytes its content and its reactions have. */
export interface Found {
  readonly id: number
  readonly conversation: number
  readonly seq: Seq
  readonly at: Timestamp
  readonly bytes: number
  /** In an inbox, with whom it was exchanged. */
  readonly partner: string | null
}

const decodeFound = Schema.decodeUnknownOption(
  Schema.Struct({
    id: Schema.Int,
    conversation: Schema.Int,
    seq: Seq,
    at: Timestamp,
    bytes: Schema.Natural,
    partner: Schema.NullOr(Schema.String)
  })
)
const decodeText = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.Int, from: UserName, content: Content }))
const decodeSender = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.Int, from: UserName }))
const decodeId = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.Int }))
const decodeReceiver = Schema.decodeUnknownOption(Schema.Struct({ to: UserName }))
const decodeReply = Schema.decodeUnknownOption(Schema.Struct({ replyTo: Seq }))
const decodeEdited = Schema.decodeUnknownOption(Schema.Struct({ edited: Timestamp }))
/** As `standing` has them: of each how many there are, and who reacted so first, with their places. */
const decodeReactions = Schema.decodeUnknownOption(
  Schema.Struct({
    reactions: Schema.fromJsonString(
      Schema.Array(Schema.Tuple([Reaction, Schema.Natural, Schema.Array(Schema.Tuple([UserName, Seq]))]))
    )
  })
)

/** Where these messages stand, in the order given. */
export const placesOf = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  ids: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<Found>, Problem> {
  // A number beyond what JavaScript can count would fail the whole answer.
  const query = (some: ReadonlyArray<number>, condition: string, partner: string) => sql`
    SELECT id, CAST(conversation AS TEXT) + 0 AS conversation,
      CASE WHEN seq BETWEEN 0 AND 9007199254740991 THEN seq END AS seq,
      CASE WHEN at BETWEEN 0 AND 9007199254740991 THEN at ELSE 0 END AS at,
      ${sql.literal(textBytes)}
        + COALESCE((SELECT octet_length(reactions) FROM chat.standing WHERE standing.id = messages.id), 0) AS bytes,
      ${sql.literal(partner)} AS partner
    FROM chat.messages WHERE ${sql.literal(condition)} AND id IN (SELECT value FROM json_each(${JSON.stringify(some)}))`
  const rows = yield* rowsOf(
    ids,
    (some) => query(some, "kind = 'Said'", "partner"),
    // The kind and the partner stand behind the content: they cannot be read where that is damaged.
    (one) => query(one, "true", "NULL")
  )
  const known = new Map(
    rows.flatMap((row) => Option.toArray(Option.map(decodeFound(row), (found) => [found.id, found] as const)))
  )
  return ids.flatMap((id) => known.get(id) ?? [])
})

/** These messages, in the order given; without those that were deleted meanwhile. */
export const messagesOf = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  found: ReadonlyArray<Found>
): Effect.fn.Return<ReadonlyArray<readonly [Found, View]>, Problem> {
  const messages: Array<readonly [Found, View]> = []
  for (const piece of pieces(found)) {
    const rows = yield* rowsOf(
      piece.map(({ id }) => id),
      (some) => sql`
        SELECT messages.id, kind, sender AS "from", receiver AS "to", ${sql.literal(textOf)} AS content, edited, reactions,
          CASE WHEN target BETWEEN 0 AND 9007199254740991 THEN target END AS "replyTo"
        FROM chat.messages LEFT JOIN chat.standing AS stands ON stands.id = messages.id
        WHERE messages.id IN (SELECT value FROM json_each(${JSON.stringify(some)}))`
    )
    const byId = new Map(
      rows.flatMap((row) => Option.toArray(Option.map(decodeId(row), ({ id }) => [id, row] as const)))
    )
    for (const place of piece) {
      const row = byId.get(place.id)
      if (row?.["kind"] === "Said" || row === undefined) messages.push([place, viewOf(place, row)])
    }
  }
  return messages
})

/** What a row says; a message matters more than what was put beside it. */
const viewOf = ({ at, seq }: Found, row: unknown): View => {
  const reactions = Option.match(decodeReactions(row), {
    onNone: () => [],
    onSome: ({ reactions }) =>
      reactions.map(([reaction, count, first]) => ({ reaction, users: first.map(([user]) => user), count }))
  })
  const head = { seq, at, ...Option.getOrUndefined(decodeReceiver(row)) }
  const beside = { ...Option.getOrUndefined(decodeReply(row)), ...Option.getOrUndefined(decodeEdited(row)), reactions }
  return Option.match(decodeText(row), {
    onSome: ({ content, from }) => ({ _tag: "Message", ...head, from, content, ...beside }),
    onNone: () => {
      const { from } = unreadable(seq, at, Option.getOrUndefined(decodeSender(row))?.from)
      return { _tag: "Message", ...head, from, content: unreadableText, ...beside }
    }
  })
}

/**
 * The rows of these messages; where some cannot be read together, one by one, and those that cannot be read at all as they
 * are read otherwise, if they are.
 */
const rowsOf = <Row>(
  ids: ReadonlyArray<number>,
  query: (ids: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<Row>, Problem>,
  otherwise: typeof query = () => Effect.succeed([])
): Effect.Effect<ReadonlyArray<Row>, Problem> =>
  Effect.catchIf(query(ids), isDamage, () =>
    ids.length <= 1
      ? Effect.catchIf(otherwise(ids), isDamage, () => Effect.succeed([]))
      : Effect.map(
          Effect.forEach(ids, (id) => rowsOf([id], query, otherwise)),
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

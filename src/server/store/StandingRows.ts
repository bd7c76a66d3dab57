/**
 * Messages as they stand: rows of messages and tombstones, each with its row in `standing`. Also for whoever has the rows
 * from elsewhere, as the search does: `viewsOf` says what they give.
 *
 * Read over `messages_standing`, an index of such rows alone, so that a page costs the same however much was edited or
 * reacted to in between; what was exchanged with one partner, over `messages_private_standing`, however much there is with
 * others. A damaged database may lack them (see Migrations), and is read all the same.
 */
import { Effect, Predicate, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { type Seq, Timestamp } from "../../common/log/Cursor.ts"
import type { Body, BodyOf } from "../../common/log/Entry.ts"
import { isGoverning } from "../../common/log/Governing.ts"
import type { View } from "../../common/log/Timeline.ts"
import type { StandingRange } from "../history/Query.ts"
import { fromText, summaryOf } from "./KeptReactions.ts"
import type { Given, ReadLog, Source } from "./LogPages.ts"
import { areActs, areMessages, areModeration, areSealed } from "./StandingKinds.ts"
import { decodeAll, type Decoded } from "./StoredEntry.ts"

const decodeNumbers = Schema.decodeUnknownEffect(Schema.Array(Schema.Array(Schema.Int)))
const isTimestamp = Schema.is(Timestamp)

/**
 * What rows with `seq`, `at`, `from`, `kind`, `target`, the `content` as last edited, `edited` and `reactions` (NULL where
 * there are none) give, in their order: placeholders for those that are damaged.
 */
export const viewsOf = (rows: ReadonlyArray<unknown>): ReadonlyArray<Given<View>> =>
  decodeAll(rows).map((decoded, index) => viewOf(rows[index], decoded))

const viewOf = (row: unknown, { entry, problem }: Decoded): Given<View> => {
  const { body, ...head } = entry
  const { at, from, seq } = head
  if (body._tag === "Sealed") return { seq, bytes: bytesOfSealed(body), problem, given: { ...body, seq, at, from } }
  if (isGoverning(body) || body._tag === "Deleted") {
    return { seq, bytes: bytesOfAct(body), problem, given: { ...body, seq, at, from } }
  }
  if (body._tag !== "Said") {
    const { deletedAt, deletedBy } = body._tag === "Tombstone" ? body : { deletedAt: at, deletedBy: from }
    return { seq, bytes: 0, problem, given: { _tag: "Tombstone", ...head, deletedBy, deletedAt } }
  }
  const isWhole = problem === undefined
  const edited = isWhole && Predicate.hasProperty(row, "edited") && isTimestamp(row.edited) ? row.edited : undefined
  const text = isWhole && Predicate.hasProperty(row, "reactions") ? row.reactions : null
  const { _tag: _, ...said } = body
  return {
    seq,
    problem,
    bytes: Buffer.byteLength(body.content) + (Predicate.isString(text) ? bytesOfReactions(text) : 0),
    given: {
      _tag: "Message",
      ...head,
      ...said,
      ...(edited === undefined ? {} : { edited }),
      reactions: summaryOf(fromText(text))
    }
  }
}

/** Of what was done to a room: as it is stored. */
export const bytesOfAct = (body: Body): number => Buffer.byteLength(JSON.stringify(body))

/** Of what was sealed: as it is stored. */
export const bytesOfSealed = ({ data, device, keyEpoch, unheard }: Omit<BodyOf<"Sealed">, "_tag">): number =>
  Buffer.byteLength(JSON.stringify({ device, keyEpoch, data, unheard }))

/** As they are stored: about as many as they have on the wire. */
export const bytesOfReactions = (text: string): number => (text === "[]" ? 0 : Buffer.byteLength(text))

export const make = (sql: SqlClient.SqlClient) => {
  // Without a hint SQLite takes the index of all partners, and looks through the whole inbox.
  const found = (
    kinds: string,
    conversation: number,
    { after = 0, before, limit, with: partner }: StandingRange,
    isForwards: boolean
  ) => sql`
    SELECT id, seq FROM messages
    WHERE ${sql.literal(kinds)} AND conversation = ${conversation} AND seq > ${after}
      AND seq < ${before ?? Number.MAX_SAFE_INTEGER} ${partner === undefined ? sql`` : sql`AND unlikely(partner = ${partner})`}
    ORDER BY seq ${sql.literal(isForwards ? "ASC" : "DESC")} LIMIT ${limit + 1}`
  /** The ids and places of what is asked for. Messages and acts are found in an index each, and put together. */
  const within = (conversation: number, range: StandingRange, isForwards: boolean) => {
    const { limit, only, with: partner } = range
    if (only === "moderation") return found(areModeration, conversation, range, isForwards)
    const messages = found(areMessages, conversation, range, isForwards)
    if (partner !== undefined) return messages
    const acts = sql`UNION ALL SELECT id, seq FROM (${found(areActs, conversation, range, isForwards)})`
    return sql`
      SELECT id, seq FROM (
        SELECT id, seq FROM (${messages})
        UNION ALL
        SELECT id, seq FROM (${found(areSealed, conversation, range, isForwards)})
        ${only === "messages" ? sql`` : acts}
      ) ORDER BY seq ${sql.literal(isForwards ? "ASC" : "DESC")} LIMIT ${limit + 1}`
  }
  // Found in an index that has all it takes, or SQLite would rather go through all entries by their places.
  const page = (conversation: number, range: StandingRange, isForwards: boolean) => sql`
    FROM (${within(conversation, range, isForwards)}) AS page
    CROSS JOIN messages ON messages.id = page.id LEFT JOIN standing ON standing.id = messages.id
    ORDER BY messages.seq ${sql.literal(isForwards ? "ASC" : "DESC")}`

  return {
    rows: (conversation: number, range: StandingRange, isForwards: boolean) =>
      sql`
        SELECT messages.seq, at, sender AS "from", receiver AS "to", kind, target, COALESCE(standing.content, messages.content) AS content, edited,
          reactions
        ${page(conversation, range, isForwards)}`,

    sizes: Effect.fnUntraced(function* (conversation: number, range: StandingRange, isForwards: boolean) {
      return yield* decodeNumbers(
        yield* sql`
        SELECT messages.seq, CASE kind WHEN 'Said' THEN
            COALESCE(octet_length(COALESCE(standing.content, messages.content)), 0)
            + COALESCE(NULLIF(octet_length(reactions), 2), 0)
          WHEN 'Tombstone' THEN 0 WHEN 'Sealed' THEN COALESCE(octet_length(messages.content), 0) ELSE COALESCE(octet_length(messages.content), 0) + 32 END
        ${page(conversation, range, isForwards)}`.values
      )
    }),

    head: (conversation: number, seq: Seq) =>
      sql`SELECT seq, at, sender AS "from" FROM messages WHERE conversation = ${conversation} AND seq = ${seq}`,

    /** In the index alone: no page of the table is read. */
    places: Effect.fnUntraced(function* ({ id }: ReadLog, range: StandingRange, isForwards: boolean) {
      const rows = yield* decodeNumbers(yield* sql`SELECT seq FROM (${within(id, range, isForwards)})`.values)
      return rows.flatMap(([seq]) => seq ?? [])
    }),

    decode: viewsOf
  } satisfies Source<View, StandingRange>
}

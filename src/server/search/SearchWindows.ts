/**
 * Where the words searched for stand: looks at one window of the log after the other, from the newest message backwards.
 *
 * What is in the index is looked at block by block (see IndexUpkeep), in blocks that the worst text cannot make dear; what
 * is not in it yet, or not any more, is looked at text by text. So a search finds everything whether the index is up to
 * date or not, and it never writes.
 *
 * Bounds, measured: a term that stands 8,192 times in each text costs 9 ns for each time and term of a phrase, 0.7 ns if
 * it is searched for by itself; a window takes 60 ms of that kind at most. Texts are looked at at 60 ns a byte.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import { isDamaged } from "../history/CannotOpenDatabase.ts"
import { blockSizes, numbers, type Problem } from "./IndexUpkeep.ts"
import { type Phrase, sizeOf } from "./SearchWords.ts"

/** What to look for, and in which conversations, by their numbers. */
export interface Wanted {
  readonly conversations: ReadonlyArray<number>
  readonly query: string
  readonly phrases: ReadonlyArray<Phrase>
}

/** Where to go on: before this message; in this block of the index, if any was looked at. */
export interface Place {
  readonly bound: number
  readonly block: number | undefined
}

/** What a window holds, newest first; where to go on, if the log goes on; and how long it took. */
export interface Window {
  readonly ids: ReadonlyArray<number>
  readonly rest: Place | undefined
  readonly millis: number
}

const windowNanos = 60_000_000

/** In nanoseconds for a unit of text, at worst. */
const costOf = (phrases: ReadonlyArray<Phrase>): number =>
  phrases.reduce((sum, phrase) => sum + (sizeOf(phrase) > 1 ? 5 * sizeOf(phrase) : 0.7), 0)

/** More conversations than this are told apart by their messages, 15 ns a unit; as a term, each takes 0.06 ms a window. */
const maxScopes = 256

/** 16 ms at 60 ns a byte. */
const scanUnits = 262_144
const scanMessages = 4096

/** Looks at the next window, for at most `most` messages. */
export const look = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  wanted: Wanted,
  place: Place,
  most: number
): Effect.fn.Return<Window, Problem> {
  const [through] = yield* numbers(sql`SELECT through FROM progress`.values)
  const known = Number(through)
  return yield* known + 1 < place.bound
    ? lookAtTexts(sql, wanted, place.bound, known, most)
    : lookAtBlock(sql, wanted, place, most)
})

const lookAtBlock = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { conversations, phrases }: Wanted,
  { block, bound }: Place,
  most: number
): Effect.fn.Return<Window, Problem> {
  const isScoped = conversations.length <= maxScopes
  const nanos = costOf(phrases) + (isScoped ? 0 : 15)
  const size = blockSizes.findLast(({ units }) => units * nanos <= windowNanos) ?? blockSizes[0]
  const [newest, oldest] = yield* numbers(
    sql`
    SELECT
      COALESCE((SELECT units FROM marks WHERE id >= ${bound} ORDER BY id LIMIT 1), units),
      COALESCE((SELECT units FROM marks WHERE id <= since ORDER BY id DESC LIMIT 1), 0)
    FROM progress`.values
  )
  const current = block ?? Math.floor(Number(newest) / size.units)
  const scopes = isScoped ? conversations : []
  const { ids, millis } = yield* matches(
    sql,
    sql`
    SELECT rowid AS id FROM words
    WHERE words MATCH searchBegun(${expressionOf(`${size.letter}${current}`, scopes, phrases)})
    AND rowid < CAST(${bound} AS INTEGER) ${isScoped ? sql`` : sql`AND ${isIn(sql, conversations, "words.rowid")}`}
    ORDER BY rowid DESC LIMIT CAST(${most} AS INTEGER)`
  )
  const lower = ids.at(-1) ?? bound
  if (ids.length === most) return { ids, millis, rest: { bound: lower, block: current } }
  const isLast = current <= Math.floor(Number(oldest) / size.units)
  return { ids, millis, rest: isLast ? undefined : { bound: lower, block: current - 1 } }
})

const lookAtTexts = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { conversations, query }: Wanted,
  bound: number,
  known: number,
  most: number
): Effect.fn.Return<Window, Problem> {
  /** As many messages as a window may hold. */
  const [oldest] = yield* numbers(
    sql`
    WITH newest AS (
      SELECT id, SUM(octet_length(content) + 64) OVER (ORDER BY id DESC) AS total FROM (
        SELECT id, content FROM chat.messages WHERE id > ${known} AND id < ${bound} ORDER BY id DESC LIMIT ${scanMessages}
      )
    )
    SELECT COALESCE(MIN(id) FILTER (WHERE total <= ${scanUnits}), MAX(id)) FROM newest`.values
  ).pipe(Effect.catchIf(isDamage, () => Effect.succeed([bound - 1])))
  const least = oldest ?? known + 1
  const { ids, millis } = yield* matchesOfTexts(sql, { conversations, query, bound, least, most })
  if (ids.length === most) return { ids, millis, rest: { bound: ids.at(-1) ?? least, block: undefined } }
  return { ids, millis, rest: least <= 1 ? undefined : { bound: least, block: undefined } }
})

interface Texts {
  readonly conversations: ReadonlyArray<number>
  readonly query: string
  readonly least: number
  readonly bound: number
  readonly most: number
}

/** A text that is damaged holds nothing: halves what cannot be looked at until that text stands alone. */
const matchesOfTexts = (sql: SqlClient.SqlClient, texts: Texts): Effect.Effect<Matches, Problem> => {
  const { bound, conversations, least, most, query } = texts
  return matches(
    sql,
    sql`
    SELECT id FROM chat.messages
    WHERE id >= ${least} AND id < searchBegun(${bound}) AND ${isIn(sql, conversations, "id")}
    AND searchHolds(content, ${query})
    ORDER BY id DESC LIMIT ${most}`
  ).pipe(
    Effect.catchIf(
      isDamage,
      Effect.fnUntraced(function* () {
        if (bound - least <= 1) return { ids: [], millis: 0 }
        const middle = least + Math.ceil((bound - least) / 2)
        const newer = yield* matchesOfTexts(sql, { ...texts, least: middle })
        if (newer.ids.length === most) return newer
        const older = yield* matchesOfTexts(sql, { ...texts, bound: middle, most: most - newer.ids.length })
        return { ids: [...newer.ids, ...older.ids], millis: newer.millis + older.millis }
      })
    )
  )
}

type Matches = Omit<Window, "rest">

const decodeMatches = Schema.decodeUnknownEffect(Schema.Array(Schema.Tuple([Schema.String, Schema.Finite])))
const decodeIds = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(Schema.Int)))

/** Runs a query for ids. The number of rows is there for the clock to be read behind the last of them. */
const matches = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, query: Fragment) {
  const rows = yield* sql`SELECT json_group_array(id), searchMillis(COUNT(*)) FROM (${query})`.values
  const [[ids, millis] = ["[]", 0] as const] = yield* decodeMatches(rows)
  return { ids: yield* decodeIds(ids), millis }
})

const isIn = (sql: SqlClient.SqlClient, conversations: ReadonlyArray<number>, id: string) =>
  sql`(SELECT conversation FROM chat.messages AS looked_up WHERE looked_up.id = ${sql.literal(id)})
    IN (SELECT value FROM json_each(${JSON.stringify(conversations)}))`

export const isDamage = (error: Problem): boolean => error._tag === "SqlError" && isDamaged(error.reason.cause)

/**
 * In FTS5's language (sqlite.org/fts5.html, section 3). Terms hold letters, digits and marks only: nothing to escape. The
 * block stands first, so that what is behind its end is not looked at for the others' sake.
 */
const expressionOf = (block: string, conversations: ReadonlyArray<number>, phrases: ReadonlyArray<Phrase>): string => {
  const scope = conversations.map((number) => `c${number}`).join(" OR ")
  const wanted = phrases.map((phrase) =>
    phrase._tag === "Character" ? `characters : "${phrase.character}"` : `content : "${phrase.terms.join(" ")}"`
  )
  return [`scope : ${block}`, ...(scope === "" ? [] : [`scope : (${scope})`]), ...wanted].join(" AND ")
}

/**
 * Where the words searched for stand: looks at one window of the log after the other, from the newest message backwards.
 *
 * What is in the index is looked at block by block (see IndexUpkeep), for messages in which all terms stand, anywhere: FTS5's
 * own phrases would be compared beyond the end of a block, and cost 9 ns for each term and place. Whether terms stand next
 * to each other is seen in the texts, as they stand. What is not in the index yet, or not any more, or edited since then, is
 * looked at text by text as well. So a search finds everything whether the index is up to date or not, and it never writes.
 *
 * Bounds, measured: a unit of text costs the index 0.7 ns at worst, 23 ms a block; a byte of a text that is looked at costs
 * 60 ns, whatever is searched for.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import type { Partner } from "../history/Partner.ts"
import { isDamaged } from "../sql/SqliteProblem.ts"
import { blockSizes, bytesOf, numbers, outdated, partnerTerm, type Problem, textOf } from "./IndexUpkeep.ts"
import type { Phrase } from "./SearchWords.ts"

/** What to look for, and in which conversations, by their numbers. */
export interface Wanted {
  readonly conversations: ReadonlyArray<number>
  readonly query: string
  readonly phrases: ReadonlyArray<Phrase>
  /** Of an inbox only what was exchanged with one. */
  readonly partner?: Partner | undefined
}

/** Where to go on: before this message; in this block of the index, if any was looked at. */
export interface Place {
  readonly bound: number
  readonly block: number | undefined
}

/** Messages in which all terms stand, newest first; where to go on, if the log goes on; and how long it took. */
export interface Window {
  readonly ids: ReadonlyArray<number>
  /** Whether they hold the phrases, too, so that nobody has to look. */
  readonly areChecked: boolean
  readonly rest: Place | undefined
  readonly millis: number
}

/** More conversations than this are told apart by their messages, 1 µs each; as a term, each takes 0.06 ms a window. */
const maxScopes = 256

/** How many messages to look at for phrases before the index is asked for more. */
const maxCandidates = 1024

/** 4 ms at 60 ns a byte. */
export const windowBytes = 65_536
const scanMessages = 1024

/** Looks at the next window, for at most `most` messages. */
export const look = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  wanted: Wanted,
  place: Place,
  most: number
): Effect.fn.Return<Window, Problem> {
  const [through, last, newest, oldest] = yield* numbers(
    sql`
    SELECT through, (SELECT MAX(id) FROM chat.messages),
      COALESCE((SELECT units FROM marks WHERE id >= ${place.bound} ORDER BY id LIMIT 1), units),
      COALESCE((SELECT units FROM marks WHERE id <= since ORDER BY id DESC LIMIT 1), 0)
    FROM progress`.values
  )
  const known = Number(through)
  const bound = Math.min(place.bound, Math.max(last ?? 0, known) + 1)
  return yield* known + 1 < bound
    ? lookAtTexts(sql, wanted, bound, known, most)
    : lookAtBlock(sql, wanted, place, most, { newest: Number(newest), oldest: Number(oldest) })
})

/** `between`: how many units stand before the newest and before the oldest message to look at. */
const lookAtBlock = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { conversations, partner, phrases }: Wanted,
  { block, bound }: Place,
  most: number,
  between: { readonly newest: number; readonly oldest: number }
): Effect.fn.Return<Window, Problem> {
  const isScoped = conversations.length <= maxScopes
  const { letter, units } = isScoped ? blockSizes.large : blockSizes.small
  const areChecked = phrases.every((phrase) => phrase._tag === "Character" || phrase.terms.length === 1)
  const wanted = areChecked ? most : maxCandidates
  const current = block ?? Math.floor(between.newest / units)
  const { ids, millis } = yield* matches(
    sql,
    sql`
    SELECT rowid AS id FROM words
    WHERE words MATCH searchBegun(${expressionOf(`${letter}${current}`, isScoped ? conversations : [], phrases, partner)})
    AND rowid < CAST(${bound} AS INTEGER) ${isScoped ? sql`` : sql`AND ${isIn(sql, conversations, "words.rowid")}`}
    ORDER BY rowid DESC LIMIT CAST(${wanted} AS INTEGER)`
  )
  const isLast = ids.length < wanted && current <= Math.floor(between.oldest / units)
  const lower = ids.at(-1) ?? bound
  const edited = yield* outdated(sql, isLast ? 0 : lower, bound)
  return {
    ids: edited.length === 0 ? ids : [...new Set([...ids, ...edited])].toSorted((a, b) => b - a),
    areChecked: areChecked && edited.length === 0,
    millis,
    rest: isLast ? undefined : { bound: lower, block: ids.length === wanted ? current : current - 1 }
  }
})

/** Which of these messages hold what is searched for. One whose text is damaged is believed to. */
export const check = (
  sql: SqlClient.SqlClient,
  query: string,
  ids: ReadonlyArray<number>
): Effect.Effect<Matches, Problem> =>
  matches(
    sql,
    sql`
    SELECT id FROM chat.messages
    WHERE id IN (SELECT value FROM json_each(searchBegun(${JSON.stringify(ids)})))
    AND kind = 'Said' AND searchHolds(${sql.literal(textOf)}, ${query})
    ORDER BY id DESC`
  ).pipe(
    Effect.catchIf(isDamage, () =>
      ids.length <= 1
        ? Effect.succeed({ ids, millis: 0 })
        : Effect.map(
            Effect.forEach(ids, (id) => check(sql, query, [id])),
            (all) => ({ ids: all.flatMap(({ ids }) => ids), millis: all.reduce((sum, { millis }) => sum + millis, 0) })
          )
    )
  )

const lookAtTexts = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { conversations, partner, query }: Wanted,
  bound: number,
  known: number,
  most: number
): Effect.fn.Return<Window, Problem> {
  /** As many messages as a window may hold. */
  const [oldest] = yield* numbers(
    sql`
    WITH newest AS (
      SELECT id, SUM(bytes) OVER (ORDER BY id DESC) AS total FROM (
        SELECT id, ${sql.literal(bytesOf)} AS bytes FROM chat.messages WHERE id > ${known} AND id < ${bound} ORDER BY id DESC LIMIT ${scanMessages}
      )
    )
    SELECT COALESCE(MIN(id) FILTER (WHERE total <= ${windowBytes}), MAX(id)) FROM newest`.values
  ).pipe(Effect.catchIf(isDamage, () => Effect.succeed([bound - 1])))
  const least = oldest ?? known + 1
  const { ids, millis } = yield* matchesOfTexts(sql, { conversations, partner, query, bound, least, most })
  const lower = ids.length === most ? (ids.at(-1) ?? least) : least
  return { ids, areChecked: true, millis, rest: lower <= 1 ? undefined : { bound: lower, block: undefined } }
})

interface Texts extends Pick<Wanted, "conversations" | "partner" | "query"> {
  readonly least: number
  readonly bound: number
  readonly most: number
}

/** A text that is damaged holds nothing here: halves what cannot be looked at until that text stands alone. */
const matchesOfTexts = (sql: SqlClient.SqlClient, texts: Texts): Effect.Effect<Matches, Problem> => {
  const { bound, conversations, least, most, partner, query } = texts
  return matches(
    sql,
    sql`
    SELECT id FROM chat.messages
    WHERE id >= ${least} AND id < searchBegun(${bound}) AND ${isIn(sql, conversations, "messages.id")}
    ${partner === undefined ? sql`` : sql`AND partner = ${partner}`} AND kind = 'Said' AND searchHolds(${sql.literal(textOf)}, ${query})
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

type Matches = Pick<Window, "ids" | "millis">

const decodeMatches = Schema.decodeUnknownEffect(Schema.Array(Schema.Tuple([Schema.String, Schema.Finite])))
const decodeIds = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(Schema.Int)))

/** Runs a query for ids. The number of rows is there for the clock to be read behind the last of them. */
const matches = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, query: Fragment) {
  const rows = yield* sql`SELECT json_group_array(id), searchMillis(COUNT(*)) FROM (${query})`.values
  const [[ids, millis] = ["[]", 0] as const] = yield* decodeMatches(rows)
  return { ids: yield* decodeIds(ids), millis }
})

/** `id` is named with its table, or it would be the one that is looked up. */
const isIn = (sql: SqlClient.SqlClient, conversations: ReadonlyArray<number>, id: string) =>
  sql`(SELECT conversation FROM chat.messages AS looked_up WHERE looked_up.id = ${sql.literal(id)})
    IN (SELECT value FROM json_each(${JSON.stringify(conversations)}))`

export const isDamage = (error: Problem): boolean => error._tag === "SqlError" && isDamaged(error.reason.cause)

/**
 * In FTS5's language (sqlite.org/fts5.html, section 3). Terms hold letters, digits and marks only: nothing to escape. The
 * block stands first, so that what is behind its end is not looked at for the others' sake.
 */
const expressionOf = (
  block: string,
  conversations: ReadonlyArray<number>,
  phrases: ReadonlyArray<Phrase>,
  partner: Partner | undefined
): string => {
  const scope = conversations.map((number) => `c${number}`).join(" OR ")
  const exchanged = partner === undefined ? [] : [`scope : ${partnerTerm(partner)}`]
  const wanted = phrases.flatMap((phrase) =>
    phrase._tag === "Character"
      ? [`characters : "${phrase.character}"`]
      : phrase.terms.map((term) => `content : "${term}"`)
  )
  return [`scope : ${block}`, ...exchanged, ...(scope === "" ? [] : [`scope : (${scope})`]), ...new Set(wanted)].join(
    " AND "
  )
}

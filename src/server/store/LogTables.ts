/**
 * The logs as tables: every statement on them, over any `SqlClient`, except those of the search.
 *
 * Written for SQLite; for another database `insertRows` and `earlierPlaces` need its way to read rows from JSON.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Conversation } from "../../common/log/Conversation.ts"
import { Epoch, Seq, Timestamp } from "../../common/log/Cursor.ts"
import type { Stored } from "../history/History.ts"
import { isDamaged } from "../sql/SqliteProblem.ts"
import type { Row } from "./Placement.ts"

export type Problem = SqlError | Schema.SchemaError

const KnownConversation = Schema.Struct({
  id: Schema.Int,
  conversationKey: Schema.String,
  kind: Schema.String,
  name: Schema.String,
  newest: Seq,
  deletedThrough: Seq
})
const decodeConversations = Schema.decodeUnknownEffect(Schema.Array(KnownConversation))
const decodePlaces = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ ordinal: Schema.Int, seq: Seq, at: Timestamp }))
)
const decodeNumbers = Schema.decodeUnknownEffect(Schema.Array(Schema.Array(Schema.Int)))
const isTimestamp = Schema.is(Timestamp)
const decodeEpochs = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ epoch: Epoch })))

export const make = (sql: SqlClient.SqlClient) => {
  /** When the newest messages of these conversations were stored; nothing of those whose row is damaged. */
  const newestTimes = (ids: ReadonlyArray<number>): Effect.Effect<ReadonlyMap<number, Timestamp>, SqlError> =>
    sql`
      SELECT value, (SELECT at FROM messages WHERE conversation = value ORDER BY seq DESC LIMIT 1)
      FROM json_each(${JSON.stringify(ids)})`.values.pipe(
      Effect.map((rows) => new Map(rows.flatMap(([id, at]) => (isTimestamp(at) ? [[Number(id), at]] : [])))),
      Effect.catchIf(
        ({ reason }) => isDamaged(reason.cause),
        () =>
          ids.length <= 1
            ? Effect.succeed(new Map<number, Timestamp>())
            : Effect.map(
                Effect.forEach(halvesOf(ids), newestTimes),
                (times) => new Map(times.flatMap((some) => [...some]))
              )
      )
    )

  /** Without their times: SQLite commits nothing in which it has met a damaged page, and these are in an index. */
  const readPlaces = Effect.fnUntraced(function* (keys: ReadonlyArray<string> | undefined) {
    const rows = yield* sql`
      SELECT id, conversation_key AS conversationKey, kind, name, COALESCE(
        (SELECT MAX(seq) FROM messages WHERE conversation = conversations.id), deleted_through
      ) AS newest, deleted_through AS deletedThrough
      FROM conversations
      ${keys === undefined ? sql`WHERE kind NOT IN ('Erased', 'Gone')` : sql`WHERE conversation_key IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`}
      ORDER BY id`
    return yield* decodeConversations(rows)
  })

  const readConversations = Effect.fnUntraced(function* (keys: ReadonlyArray<string> | undefined) {
    const conversations = yield* readPlaces(keys)
    const times = yield* newestTimes(conversations.map(({ id }) => id))
    return conversations.map((conversation) => Object.assign(conversation, { at: times.get(conversation.id) ?? 0 }))
  })

  const placeUnlessAnswered = sql.literal(
    "CASE WHEN EXISTS (SELECT 1 FROM answered_keys WHERE conversation = value ->> 0 AND idempotency_key = value ->> 5) " +
      "THEN NULL ELSE value ->> 1 END"
  )

  const removeEmpty = (ids: ReadonlyArray<number>) => sql`
    DELETE FROM conversations WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))
    AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = conversations.id)`

  return {
    /** The name of this incarnation; it gets this one if it has none yet. */
    epoch: (otherwise: Epoch) =>
      Effect.gen(function* () {
        yield* sql`INSERT INTO incarnation (epoch) SELECT ${otherwise} WHERE NOT EXISTS (SELECT 1 FROM incarnation)`
        const [first] = yield* decodeEpochs(yield* sql`SELECT epoch FROM incarnation`)
        return first?.epoch ?? otherwise
      }),

    /** The greatest number that was ever given to a conversation. */
    lastNumber: Effect.gen(function* () {
      const [[number = 0] = []] = yield* decodeNumbers(
        yield* sql`
        SELECT MAX(COALESCE(MAX(removed_through), 0), COALESCE((SELECT MAX(id) FROM conversations), 0))
        FROM incarnation`.values
      )
      return number
    }),

    /** Every conversation there is, but for what is left of those that were erased. */
    conversations: readConversations(undefined),

    /** Those of these conversations that there are. */
    standing: readConversations,

    /**
     * These conversations as they stand, but for the times of what stands there; those that have no row get one with their
     * number, or else with the next. To be run in a transaction.
     */
    open: Effect.fnUntraced(function* (
      conversations: ReadonlyMap<string, Conversation>,
      numbers: (key: string) => number | undefined = () => undefined
    ) {
      const rows = Array.from(conversations, ([key, conversation]) => [
        numbers(key) ?? null,
        key,
        conversation._tag,
        nameOf(conversation)
      ])
      yield* sql`
        INSERT INTO conversations (id, conversation_key, kind, name)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(${JSON.stringify(rows)}) WHERE true
        ON CONFLICT (conversation_key) DO NOTHING`
      return yield* readPlaces([...conversations.keys()])
    }),

    /** Removes the rows of these conversations, unless they hold messages. */
    removeEmpty,

    /**
     * What these keys were answered with, by conversation and key. Which key a row answers is told by its ordinal: a text may
     * come back from a database as another one.
     */
    earlierPlaces: Effect.fnUntraced(function* (
      keys: ReadonlyArray<readonly [conversation: number, idempotencyKey: string]>
    ) {
      const rows = yield* sql`
        WITH wanted AS MATERIALIZED (SELECT key, value FROM json_each(${JSON.stringify(keys)}))
        SELECT wanted.key AS ordinal, seq, at FROM wanted
        JOIN messages ON messages.conversation = wanted.value ->> 0 AND idempotency_key = wanted.value ->> 1
        UNION ALL
        SELECT wanted.key, seq, at FROM wanted
        CROSS JOIN answered_keys AS known ON known.conversation = wanted.value ->> 0
          AND known.idempotency_key = wanted.value ->> 1
        CROSS JOIN messages ON messages.id = known.message`
      const places = new Map<string, Stored>()
      for (const { at, ordinal, seq } of yield* decodePlaces(rows)) {
        const [conversation, key] = keys[ordinal] ?? []
        places.set(`${conversation} ${key}`, { seq, at, repeated: false })
      }
      return (conversation: number, key: string) => places.get(`${conversation} ${key}`)
    }),

    /** Where the twins of the entries at these places of inboxes stand. What cannot be read has none. */
    twinsOf: Effect.fnUntraced(function* (places: ReadonlyArray<readonly [conversation: number, seq: Seq]>) {
      const twins = new Map<string, Seq>()
      if (places.length > 0) {
        const rows = yield* sql`
          SELECT messages.conversation, messages.seq, twin FROM json_each(${JSON.stringify(places)}) AS wanted
          CROSS JOIN messages ON messages.conversation = wanted.value ->> 0 AND messages.seq = wanted.value ->> 1
          WHERE twin IS NOT NULL`.values
        for (const [conversation, seq, twin] of yield* decodeNumbers(rows)) {
          if (twin !== undefined) twins.set(`${conversation} ${seq}`, twin)
        }
      }
      return (conversation: number, seq: Seq) => twins.get(`${conversation} ${seq}`)
    }),

    /**
     * One statement, whatever their number: all of them or none are stored. As JSON, since binding each value takes longer;
     * read by `jsonb_each`, which need not parse a row again for each of its values (0.8 of the time). `isGuarded`: a
     * key that was answered with another entry violates a constraint, as one of an entry does in any case; that takes 0.5 µs
     * for each row.
     */
    insertRows: (rows: ReadonlyArray<Row>, isGuarded: boolean) => sql`
      INSERT INTO messages (
        conversation, seq, at, sender, content, idempotency_key, checksum, kind, target, author, receiver, partner, twin
      )
      SELECT value ->> 0, ${isGuarded ? placeUnlessAnswered : sql.literal("value ->> 1")}, value ->> 2, value ->> 3,
        value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11,
        value ->> 12
      FROM jsonb_each(${JSON.stringify(rows)})`,

    /** Whether any key was answered with an entry that was not made under it. */
    hasAnswered: Effect.map(sql`SELECT EXISTS (SELECT 1 FROM answered_keys)`.values, ([[found] = [0]]) => found !== 0),

    /** Remembers keys for the entries that stand there, unless they are known already or RETENTION has taken those. */
    insertAnswered: (keys: ReadonlyArray<readonly [conversation: number, idempotencyKey: string, seq: Seq]>) => sql`
      INSERT INTO answered_keys (conversation, idempotency_key, message)
      SELECT value ->> 0, value ->> 1, messages.id FROM json_each(${JSON.stringify(keys)})
      CROSS JOIN messages ON messages.conversation = value ->> 0 AND messages.seq = value ->> 2
      WHERE NOT EXISTS (
        SELECT 1 FROM messages AS own WHERE own.conversation = value ->> 0 AND own.idempotency_key = value ->> 1
      )
      ON CONFLICT DO NOTHING`
  }
}

/** Two parts, one after the other. */
export const halvesOf = <A>(all: ReadonlyArray<A>): readonly [ReadonlyArray<A>, ReadonlyArray<A>] => {
  const middle = all.length >>> 1
  return [all.slice(0, middle), all.slice(middle)]
}

/** What is stored of a conversation, to be opened again: its kind, and its name as it was first written. */
const nameOf = Conversation.match({ Lobby: () => "", Room: ({ room }) => room, Inbox: ({ user }) => user })

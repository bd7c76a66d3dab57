/**
 * The logs as tables: every statement on them, over any `SqlClient`, except those of the search.
 *
 * Written for SQLite; for another database `insertRows` and `earlierPlaces` need its way to read rows from JSON.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Epoch, Seq, Timestamp } from "../../common/Cursor.ts"
import type { Range } from "../messages/Commands.ts"
import { Conversation } from "../messages/Conversation.ts"
import { Entry, type Stored } from "./History.ts"
import type { Known, Row } from "./Placement.ts"

const KnownConversation = Schema.Struct({
  id: Schema.Int,
  conversationKey: Schema.String,
  kind: Schema.String,
  name: Schema.String,
  newest: Seq
})
const decodeConversations = Schema.decodeUnknownEffect(Schema.Array(KnownConversation))
const decodeEntries = Schema.decodeUnknownEffect(Schema.Array(Entry))
const decodePlaces = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ conversation: Schema.Int, key: Schema.String, seq: Seq, at: Timestamp }))
)
const decodeEpochs = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ epoch: Epoch })))

export const make = (sql: SqlClient.SqlClient) => {
  const readConversations = Effect.fnUntraced(function* (keys: ReadonlyArray<string> | undefined) {
    const rows = yield* sql`
      SELECT id, conversation_key AS conversationKey, kind, name, COALESCE(
        (SELECT MAX(seq) FROM messages WHERE conversation = conversations.id), deleted_through
      ) AS newest
      FROM conversations
      ${keys === undefined ? sql`` : sql`WHERE conversation_key IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`}
      ORDER BY id`
    return yield* decodeConversations(rows)
  })

  return {
    /** The name of this incarnation; it gets this one if it has none yet. */
    epoch: (otherwise: Epoch) =>
      Effect.gen(function* () {
        yield* sql`INSERT INTO incarnation (epoch) SELECT ${otherwise} WHERE NOT EXISTS (SELECT 1 FROM incarnation)`
        const [first] = yield* decodeEpochs(yield* sql`SELECT epoch FROM incarnation`)
        return first?.epoch ?? otherwise
      }),

    /** Every conversation there is. */
    conversations: readConversations(undefined),

    /** Those of these conversations that there are. */
    standing: readConversations,

    /** These conversations as they stand; those that were never written to are entered. */
    open: Effect.fnUntraced(function* (conversations: ReadonlyMap<string, Conversation>) {
      const rows = Array.from(conversations, ([key, conversation]) => [key, conversation._tag, nameOf(conversation)])
      yield* sql`
        INSERT INTO conversations (conversation_key, kind, name)
        SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(${JSON.stringify(rows)}) WHERE true
        ON CONFLICT (conversation_key) DO NOTHING`
      const known = yield* readConversations([...conversations.keys()])
      return new Map<string, Known>(known.map(({ conversationKey, id, newest }) => [conversationKey, { id, newest }]))
    }),

    /** What is stored under these keys, by conversation and key. */
    earlierPlaces: Effect.fnUntraced(function* (
      keys: ReadonlyArray<readonly [conversation: number, idempotencyKey: string]>
    ) {
      const rows = yield* sql`
        SELECT messages.conversation, idempotency_key AS key, seq, at
        FROM json_each(${JSON.stringify(keys)}) AS wanted
        JOIN messages ON messages.conversation = wanted.value ->> 0 AND idempotency_key = wanted.value ->> 1`
      const places = new Map<string, Stored>()
      for (const { at, conversation, key, seq } of yield* decodePlaces(rows)) {
        places.set(`${conversation} ${key}`, { seq, at, repeated: false })
      }
      return (conversation: number, key: string) => places.get(`${conversation} ${key}`)
    }),

    /** One statement, whatever their number: all of them or none are stored. As JSON, since binding each value takes longer. */
    insertRows: (rows: ReadonlyArray<Row>) => sql`
      INSERT INTO messages (conversation, seq, at, sender, content, idempotency_key)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
      FROM json_each(${JSON.stringify(rows)})`,

    /** One entry more than the limit, if there are so many; in the direction in which they were asked for. */
    page: Effect.fnUntraced(function* (conversation: number, { after = 0, before, limit }: Range, isForwards: boolean) {
      const rows = yield* sql`
        SELECT seq, at, sender AS "from", content FROM messages
        WHERE conversation = ${conversation} AND seq > ${after} AND seq < ${before ?? Number.MAX_SAFE_INTEGER}
        ORDER BY seq ${sql.literal(isForwards ? "ASC" : "DESC")} LIMIT ${limit + 1}`
      return yield* decodeEntries(rows)
    })
  }
}

/** What is stored of a conversation, to be opened again: its kind, and its name as it was first written. */
const nameOf = Conversation.match({ Lobby: () => "", Room: ({ room }) => room, Inbox: ({ user }) => user })

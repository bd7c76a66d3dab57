/**
 * Memberships and read marks as tables: the statements that change them or list them, over any `SqlClient`. What is unread is
 * counted in UnreadTables.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { conversationKey } from "../../common/log/Conversation.ts"
import { Seq } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import type { ReadPlace } from "../accounts/Memberships.ts"
import { partnerOf } from "../history/Partner.ts"
import { AccountId } from "../session/AccountId.ts"

const decodeRooms = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ room: RoomName })))
const decodeMembers = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ account: AccountId, user: UserName })))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: AccountId })))
const decodeMarks = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ seq: Seq })))

const placeOfRoom = (room: RoomName): string => conversationKey({ _tag: "Room", room })

export const make = (sql: SqlClient.SqlClient) => {
  /** 0 if there is none, or one for a log that is gone. */
  const markOf = Effect.fnUntraced(function* (account: AccountId, place: string) {
    const rows = yield* sql`
      SELECT marks.seq FROM marks
      LEFT JOIN conversations ON conversations.id = marks.conversation
      WHERE account = ${account} AND place = ${place} AND (marks.conversation IS NULL OR conversations.id IS NOT NULL)`
    const [first] = yield* decodeMarks(rows)
    return first?.seq ?? 0
  })

  const partnerNamed = Effect.fnUntraced(function* (user: UserName) {
    const [found] = yield* decodeIds(yield* sql`SELECT id FROM accounts WHERE name_key = ${nameKey(user)}`)
    return partnerOf(found === undefined ? { user } : { user, account: found.id })
  })

  return {
    rooms: Effect.fnUntraced(function* (account: AccountId) {
      const rows = yield* sql`SELECT room FROM memberships WHERE account = ${account} ORDER BY room_key`
      return (yield* decodeRooms(rows)).map(({ room }) => room)
    }),

    inhabited: Effect.gen(function* () {
      const rows = yield* sql`SELECT MIN(room) AS room FROM memberships GROUP BY room_key ORDER BY room_key`
      return (yield* decodeRooms(rows)).map(({ room }) => room)
    }),

    members: Effect.fnUntraced(function* (room: RoomName) {
      return yield* decodeMembers(
        yield* sql`
        SELECT account, accounts.name AS "user" FROM memberships JOIN accounts ON accounts.id = account
        WHERE room_key = ${nameKey(room)} ORDER BY name_key`
      )
    }),

    markOf,

    /** Where the mark stands then; 0, and nothing is done, if the account is no more. To be run in a transaction. */
    join: Effect.fnUntraced(function* (account: AccountId, room: RoomName, newest: Seq) {
      const place = placeOfRoom(room)
      yield* sql`
        INSERT INTO memberships (account, room_key, room)
        SELECT id, ${nameKey(room)}, ${room} FROM accounts WHERE id = ${account} AND state <> 'Deleted'
        ON CONFLICT (account, room_key) DO NOTHING`
      // A mark for a log that is gone is none.
      yield* sql`
        INSERT INTO marks (account, place, conversation, seq)
        SELECT id, ${place}, (SELECT id FROM conversations WHERE conversation_key = ${place}), ${newest}
        FROM accounts WHERE id = ${account} AND state <> 'Deleted'
        ON CONFLICT (account, place) DO UPDATE SET conversation = excluded.conversation, seq = excluded.seq
        WHERE marks.conversation IS NOT NULL AND marks.conversation IS DISTINCT FROM excluded.conversation`
      return yield* markOf(account, place)
    }),

    leave: (account: AccountId, room: RoomName) =>
      sql`DELETE FROM memberships WHERE account = ${account} AND room_key = ${nameKey(room)}`,

    forget: Effect.fnUntraced(function* (room: RoomName) {
      yield* sql`DELETE FROM memberships WHERE room_key = ${nameKey(room)}`
      yield* sql`DELETE FROM marks WHERE place = ${placeOfRoom(room)}`
    }),

    /** Part of the commit that deletes it. */
    forgetAccount: Effect.fnUntraced(function* (account: AccountId) {
      yield* sql`DELETE FROM memberships WHERE account = ${account}`
      yield* sql`DELETE FROM marks WHERE account = ${account}`
    }),

    /** Moves it forward, at most to the newest place of its log; answers where it stands then. To be run in a transaction. */
    mark: Effect.fnUntraced(function* (account: AccountId, place: ReadPlace, seq: Seq) {
      const partner = place._tag === "With" ? yield* partnerNamed(place.user) : undefined
      const [key, log] =
        place._tag === "With"
          ? [`with:${partner}`, `inbox:#${account}`]
          : [conversationKey(place), conversationKey(place)]
      const isThere =
        partner === undefined
          ? sql``
          : sql`AND EXISTS (SELECT 1 FROM messages
              WHERE conversation = log.id AND partner = ${partner} AND kind IN ('Said', 'Tombstone'))`
      yield* sql`
        INSERT INTO marks (account, place, conversation, seq)
        SELECT accounts.id, ${key}, log.id, MIN(${seq},
          COALESCE((SELECT MAX(seq) FROM messages WHERE conversation = log.id), log.deleted_through, 0))
        FROM accounts LEFT JOIN conversations AS log ON conversation_key = ${log}
        WHERE accounts.id = ${account} AND state <> 'Deleted' ${isThere}
        ON CONFLICT (account, place) DO UPDATE SET conversation = excluded.conversation, seq = excluded.seq
        WHERE marks.conversation IS DISTINCT FROM excluded.conversation OR marks.seq < excluded.seq`
      return yield* markOf(account, key)
    })
  }
}

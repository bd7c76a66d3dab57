/**
 * What is unread in the rooms of an account, and what of that mentions it: the statements that count it, over any `SqlClient`.
 *
 * What is unread is counted in `messages_standing` alone, an index of messages with those who wrote them, so that no page of
 * the log is read: 100 rooms of which 1,000 messages are unread take 30 ms of a processor. Of those that hold an `@`, few, the text is looked at. Written for
 * SQLite; another database needs its way to read rows from JSON, to compare without regard to case, and to fold names.
 *
 * Bounds: `pieceRooms` rooms are counted by one statement, so that others who read are not held up; of one room the newest
 * `maxLooked` entries, and of those with an `@` so many as have `maxMentionBytes` of text.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Seq } from "../../common/log/Cursor.ts"
import { mentions } from "../../common/log/Mentions.ts"
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { maxUnread } from "../../common/wire/AccountMessage.ts"
import { maxLooked, type Member } from "../accounts/Memberships.ts"
import { authorOfAccount } from "../session/AccountId.ts"

/** 40,000 rows of an index at most: some 10 ms. */
export const pieceRooms = 20

/** More than a thousand sentences. Looking through all of it for a name takes 15 ms, in steps. */
const maxMentionBytes = 131_072

const CountedRoom = Schema.Struct({
  room: RoomName,
  roomKey: Schema.String,
  log: Schema.NullOr(Schema.Int),
  seq: Seq,
  read: Seq,
  unread: Schema.Natural
})
const decodeRooms = Schema.decodeUnknownEffect(Schema.Array(CountedRoom))
type CountedRoom = typeof CountedRoom.Type
const decodeMentions = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ ordinal: Schema.Int, content: Schema.String }))
)

const lowestOf = (room: Pick<CountedRoom, "read" | "seq">): Seq => Math.max(room.read, room.seq - maxLooked)

export const make = (sql: SqlClient.SqlClient) => {
  /** What somebody else wrote: not this account, nor, before there was one, whoever had its name. */
  const byOthers = ({ account, user }: Member) => {
    const key = nameKey(user)
    return sql`
      messages.author IS DISTINCT FROM ${authorOfAccount(account)} AND (
        (messages.author >= 'account.' AND messages.author < 'account/')
        OR (messages.sender <> ${key} COLLATE NOCASE
          AND (length(messages.sender) = octet_length(messages.sender) OR foldName(messages.sender) <> ${key}))
      )`
  }

  const countUnread = (member: Member) => sql`
    SELECT COUNT(*) FROM (
      SELECT 1 FROM messages
      WHERE kind IN ('Said', 'Tombstone') AND kind = 'Said' AND conversation = mine.log
      AND seq > MAX(mine.read, mine.seq - ${maxLooked}) AND ${byOthers(member)} LIMIT ${maxUnread}
    )`

  const statementOfRooms = (member: Member, after: string, limit: number, isReadable = true) => sql`
    WITH mine AS (
      SELECT room, room_key, conversations.id AS log,
        COALESCE((SELECT MAX(seq) FROM messages WHERE conversation = conversations.id), deleted_through, 0) AS seq,
        CASE WHEN marks.conversation = conversations.id THEN marks.seq ELSE 0 END AS read
      FROM memberships
      LEFT JOIN conversations ON conversation_key = 'room:' || room_key
      LEFT JOIN marks ON marks.account = memberships.account AND place = 'room:' || room_key
      WHERE memberships.account = ${member.account} AND room_key > ${after} ORDER BY room_key LIMIT ${limit}
    )
    SELECT room, room_key AS "roomKey", log, seq, read, ${isReadable ? sql`(${countUnread(member)})` : sql`0`} AS unread
    FROM mine ORDER BY room_key`

  return {
    statementOfRooms,

    /** The next rooms of an account behind one, in the order of their keys. `isReadable`: the log may be looked at. */
    rooms: Effect.fnUntraced(function* (member: Member, after: string, limit: number, isReadable = true) {
      return yield* decodeRooms(yield* statementOfRooms(member, after, limit, isReadable))
    }),

    /** How many of the unread messages of each room mention the account, in their order. */
    mentions: Effect.fnUntraced(function* (member: Member, rooms: ReadonlyArray<CountedRoom>) {
      const key = nameKey(member.user)
      const asked = JSON.stringify(rooms.map((room) => [room.log, lowestOf(room)]))
      // A first sieve: `_` stands for any character here, and whatever is no name in ASCII may be written in another way.
      const mayMention = sql`(content LIKE ${`%@${key}%`} OR octet_length(content) <> length(content))`
      const rows = yield* sql`
        WITH unread AS (
          SELECT wanted.key AS ordinal, seq, COALESCE(standing.content, messages.content) AS content
          FROM json_each(${asked}) AS wanted
          CROSS JOIN messages ON conversation = wanted.value ->> 0 AND seq > wanted.value ->> 1
          AND kind = 'Said' AND instr(messages.content, '@') > 0 AND ${byOthers(member)}
          LEFT JOIN standing ON standing.id = messages.id
          UNION ALL
          SELECT DISTINCT wanted.key, messages.seq, standing.content FROM json_each(${asked}) AS wanted
          CROSS JOIN messages AS edit
          ON edit.conversation = wanted.value ->> 0 AND edit.target > wanted.value ->> 1 AND edit.kind = 'Edited'
          CROSS JOIN messages ON messages.conversation = edit.conversation AND messages.seq = edit.target
          AND messages.kind = 'Said' AND instr(messages.content, '@') = 0 AND ${byOthers(member)}
          CROSS JOIN standing ON standing.id = messages.id
        ), newest AS (
          SELECT ordinal, content,
            SUM(octet_length(content)) OVER (PARTITION BY ordinal ORDER BY seq DESC) - octet_length(content) AS bytes
          FROM unread WHERE instr(content, '@') > 0
        )
        SELECT ordinal, content FROM newest WHERE bytes <= ${maxMentionBytes} AND ${mayMention}`
      const counts = rooms.map(() => 0)
      let looked = 0
      for (const { content, ordinal } of yield* decodeMentions(rows)) {
        const before = counts[ordinal] ?? 0
        if (before < maxUnread && mentions(content, member.user)) counts[ordinal] = before + 1
        looked += content.length
        if (looked < stepCharacters) continue
        looked = 0
        yield* Effect.yieldNow
      }
      return counts
    })
  }
}

/** What is looked through before others have their turn of the event loop: 5 ms at most. */
const stepCharacters = 8192

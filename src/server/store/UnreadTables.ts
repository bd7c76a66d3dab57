/**
 * What is unread in the rooms of an account, and what of that mentions it: the statements that count it, over any `SqlClient`.
 *
 * What is unread is counted in `messages_standing` alone, an index of messages with those who wrote them, so that no page of
 * the log is read: 100 rooms of which 1,000 messages are unread take 30 ms of a processor. Of those that hold an `@`, few, the
 * text is looked at, a room at a time. Written for SQLite; another database needs its way to compare without regard to case, to
 * fold names, and to tell how long a text is without reading it.
 *
 * Bounds: `pieceRooms` rooms are counted by one statement, and the texts of one room read by one, so that others who read are
 * not held up; of one room the newest `maxLooked` entries, and of those with an `@` the newest `maxUnread`, so many as have
 * `maxMentionBytes` of text: 10 to 20 ms of a processor, of which most goes into learning how long a thousand long texts are.
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
import { areHeard, areSealed } from "./StandingKinds.ts"

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
const decodeMentions = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ content: Schema.String })))

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

  /** Not what somebody wrote whom this account has blocked. Mostly nobody is, and nothing is looked at. */
  const byUnblocked = ({ account }: Member) => sql`
    (NOT EXISTS (SELECT 1 FROM blocks WHERE account = ${account}) OR NOT EXISTS (
      SELECT 1 FROM blocks WHERE account = ${account} AND partner IN (foldName(messages.sender),
        CASE WHEN messages.author >= 'account.' AND messages.author < 'account/' THEN '#' || substr(messages.author, 9) END)
    ))`

  const countUnread = (member: Member) => sql`
    SELECT COUNT(*) FROM (
      SELECT 1 FROM messages
      WHERE kind IN ('Said', 'Tombstone') AND kind = 'Said' AND conversation = mine.log
      AND seq > MAX(mine.read, mine.seq - ${maxLooked}) AND ${byOthers(member)} LIMIT ${maxUnread}
    )`

  /** In an encrypted room; in any other it finds nothing. */
  const countSealed = (member: Member) => sql`
    SELECT COUNT(*) FROM (
      SELECT 1 FROM messages WHERE ${sql.literal(areSealed)} AND ${sql.literal(areHeard)} AND conversation = mine.log
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
    SELECT room, room_key AS "roomKey", log, seq, read, ${isReadable ? sql`MIN((${countUnread(member)}) + (${countSealed(member)}), ${maxUnread})` : sql`0`} AS unread
    FROM mine ORDER BY room_key`

  /**
   * The texts of a room to look at. Which these are is chosen by the indexes and by how long they are, which the head of a row
   * tells: no text is read that is not looked at. What holds an `@` now, or did before somebody edited it.
   */
  const statementOfMentions = (member: Member, room: CountedRoom) => {
    const after = lowestOf(room)
    // A last sieve: `_` stands for any character here, and whatever is no name in ASCII may be written in another way.
    const mayMention = sql`(content LIKE ${`%@${nameKey(member.user)}%`} OR octet_length(content) <> length(content))`
    return sql`
      WITH candidates AS (
        SELECT seq AS place FROM messages INDEXED BY messages_mentions
        WHERE conversation = ${room.log} AND seq > ${after} AND kind = 'Said' AND instr(content, '@') > 0
        UNION
        SELECT target FROM messages INDEXED BY messages_edits
        WHERE conversation = ${room.log} AND target > ${after} AND kind = 'Edited'
      ), newest AS (
        SELECT id, place FROM candidates CROSS JOIN messages INDEXED BY messages_standing
        ON kind IN ('Said', 'Tombstone') AND kind = 'Said' AND conversation = ${room.log} AND seq = place
        AND ${byOthers(member)} AND ${byUnblocked(member)}
        ORDER BY place DESC LIMIT ${maxUnread}
      ), sized AS (
        SELECT newest.id, place, COALESCE(octet_length(standing.content), octet_length(messages.content)) AS bytes
        FROM newest CROSS JOIN messages ON messages.id = newest.id LEFT JOIN standing ON standing.id = newest.id
      ), summed AS (
        SELECT id, SUM(bytes) OVER (ORDER BY place DESC) - bytes AS newer FROM sized
      ), chosen AS MATERIALIZED (
        SELECT id FROM summed WHERE newer <= ${maxMentionBytes}
      ), texts AS (
        SELECT COALESCE(standing.content, messages.content) AS content
        FROM chosen CROSS JOIN messages ON messages.id = chosen.id LEFT JOIN standing ON standing.id = chosen.id
      )
      SELECT content FROM texts WHERE ${mayMention}`
  }

  return {
    statementOfRooms,

    /** The next rooms of an account behind one, in the order of their keys. `isReadable`: the log may be looked at. */
    rooms: Effect.fnUntraced(function* (member: Member, after: string, limit: number, isReadable = true) {
      return yield* decodeRooms(yield* statementOfRooms(member, after, limit, isReadable))
    }),

    /** How many of the unread messages of a room mention the account. */
    mentions: Effect.fnUntraced(function* (member: Member, room: CountedRoom) {
      let count = 0
      let looked = 0
      for (const { content } of yield* decodeMentions(yield* statementOfMentions(member, room))) {
        if (count < maxUnread && mentions(content, member.user)) count++
        looked += content.length
        if (looked < stepCharacters) continue
        looked = 0
        yield* Effect.yieldNow
      }
      return count
    })
  }
}

/** What is looked through before others have their turn of the event loop: 5 ms at most. */
const stepCharacters = 8192

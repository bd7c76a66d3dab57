/**
 * The private conversations of an account: with whom, and how much of it is unread. The statements that find them in its inbox,
 * over any `SqlClient`; in `messages_private_standing` alone but for the newest message of each.
 *
 * Told are those that can be asked for by a name: with accounts that there are, and with guests whose name is no account's now.
 *
 * Bounds: of `maxPartners` in the order of their keys, accounts before guests, the newest `maxConversations`; counted in pieces,
 * of each conversation the newest `maxLooked` messages. Going from one partner to the next takes 3 µs.
 */
import { Effect, Option, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Seq } from "../../common/log/Cursor.ts"
import { UserName } from "../../common/name/UserName.ts"
import { maxConversations, maxUnread } from "../../common/wire/AccountMessage.ts"
import { maxLooked } from "../accounts/Memberships.ts"
import { type AccountId, authorOfAccount } from "../session/AccountId.ts"

const maxPartners = 5000

const FoundConversation = Schema.Struct({
  log: Schema.Int,
  partner: Schema.String,
  with: UserName,
  seq: Seq,
  read: Seq
})
const decodeConversation = Schema.decodeUnknownOption(FoundConversation)
type FoundConversation = typeof FoundConversation.Type
const decodeCounts = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ ordinal: Schema.Int, unread: Schema.Natural }))
)

export const make = (sql: SqlClient.SqlClient) => {
  // As the index says it.
  const areMessages = sql.literal("partner IS NOT NULL AND kind IN ('Said', 'Tombstone')")

  return {
    /** Newest first. A row that is damaged is passed over. */
    list: Effect.fnUntraced(function* (account: AccountId) {
      const rows = yield* sql`
        WITH RECURSIVE partners (log, partner) AS (
          SELECT id, (SELECT MIN(partner) FROM messages WHERE conversation = conversations.id AND ${areMessages})
          FROM conversations WHERE conversation_key = ${`inbox:#${account}`}
          UNION ALL
          SELECT log, (
            SELECT MIN(partner) FROM messages WHERE conversation = log AND partner > partners.partner AND ${areMessages}
          ) FROM partners WHERE partner IS NOT NULL LIMIT ${maxPartners}
        ), found AS (
          SELECT log, partner, (
            SELECT MAX(seq) FROM messages
            WHERE conversation = log AND partner = partners.partner AND ${areMessages}
          ) AS seq
          FROM partners WHERE partner IS NOT NULL
        ), named AS (
          SELECT log, partner, seq, name FROM found JOIN accounts ON accounts.id = CAST(substr(partner, 2) AS INTEGER)
          WHERE partner LIKE '#%'
          UNION ALL
          SELECT log, partner, seq, NULL FROM found
          WHERE partner NOT LIKE '#%' AND NOT EXISTS (SELECT 1 FROM accounts WHERE name_key = partner)
        ), newest AS (SELECT * FROM named ORDER BY seq DESC LIMIT ${maxConversations})
        SELECT log, newest.partner, newest.seq,
          COALESCE(name, CASE WHEN foldName(receiver) = newest.partner THEN receiver ELSE sender END) AS "with",
          CASE WHEN marks.conversation = log THEN marks.seq ELSE 0 END AS read
        FROM newest
        CROSS JOIN messages ON messages.conversation = log AND messages.seq = newest.seq
        LEFT JOIN marks ON marks.account = ${account} AND place = 'with:' || newest.partner
        ORDER BY newest.seq DESC`
      return rows.flatMap((row) => Option.toArray(decodeConversation(row)))
    }),

    /** How much is unread in each, in their order. */
    unread: Effect.fnUntraced(function* (account: AccountId, conversations: ReadonlyArray<FoundConversation>) {
      const asked = JSON.stringify(conversations.map(({ log, partner, read }) => [log, partner, read]))
      const rows = yield* sql`
        SELECT wanted.key AS ordinal, (
          SELECT COUNT(*) FROM (
            SELECT 1 FROM (
              SELECT kind, author FROM messages
              WHERE conversation = wanted.value ->> 0 AND partner = wanted.value ->> 1 AND seq > wanted.value ->> 2
              AND ${areMessages} ORDER BY seq DESC LIMIT ${maxLooked}
            ) WHERE kind = 'Said' AND author IS DISTINCT FROM ${authorOfAccount(account)} LIMIT ${maxUnread}
          )
        ) AS unread
        FROM json_each(${asked}) AS wanted`
      const counts = conversations.map(() => 0)
      for (const { ordinal, unread } of yield* decodeCounts(rows)) counts[ordinal] = unread
      return counts
    })
  }
}

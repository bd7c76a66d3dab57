/** Whom accounts have blocked, as a table: every statement on it, over any `SqlClient`. */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { maxBlocked } from "../../common/wire/AccountMessage.ts"
import { Blocked } from "../accounts/Account.ts"
import type { Partner } from "../history/Partner.ts"
import { AccountId } from "../session/AccountId.ts"

const decodeBlocked = Schema.decodeUnknownEffect(Schema.Array(Blocked))
const decodeAll = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ account: AccountId, ...Blocked.fields })))

export const make = (sql: SqlClient.SqlClient) => ({
  /** Whether there was room for one more, or it is there. Nothing is done for an account that is no more. */
  add: Effect.fnUntraced(function* (account: AccountId, { partner, user }: Blocked) {
    const [[isFull] = []] = yield* sql`
      SELECT COUNT(*) >= ${maxBlocked} AND SUM(partner = ${partner}) = 0 FROM blocks WHERE account = ${account}`.values
    if (isFull === 1) return false
    yield* sql`
      INSERT INTO blocks (account, partner, name)
      SELECT id, ${partner}, ${user} FROM accounts WHERE id = ${account} AND state <> 'Deleted'
      ON CONFLICT (account, partner) DO NOTHING`
    return true
  }),

  remove: (account: AccountId, partners: ReadonlyArray<Partner>) => sql`
    DELETE FROM blocks WHERE account = ${account}
    AND partner IN (SELECT value FROM json_each(${JSON.stringify(partners)}))`,

  /** Part of the commit that deletes it. */
  forgetAccount: (account: AccountId) => sql`DELETE FROM blocks WHERE account = ${account}`,

  of: Effect.fnUntraced(function* (account: AccountId) {
    return yield* decodeBlocked(
      yield* sql`SELECT partner, name AS "user" FROM blocks WHERE account = ${account} ORDER BY partner`
    )
  }),

  /** Those of the next accounts, in the order of their numbers. */
  behind: Effect.fnUntraced(function* (after: AccountId | undefined, limit: number) {
    const rows = yield* decodeAll(
      yield* sql`
      SELECT account, partner, name AS "user" FROM blocks
      WHERE account IN (SELECT DISTINCT account FROM blocks WHERE account > ${after ?? -1} ORDER BY account LIMIT ${limit})
      ORDER BY account, partner`
    )
    return Array.from(
      Map.groupBy(rows, ({ account }) => account),
      ([account, those]) => ({
        account,
        blocked: those.map(({ partner, user }): Blocked => ({ partner, user }))
      })
    )
  })
})

/**
 * The accounts as tables: the statements on `accounts` and `invites`, over any `SqlClient`. Those on what belongs to an account
 * are in DeviceTables.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Statement } from "effect/sql/Statement"
import { Timestamp } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import { UserName } from "../../common/name/UserName.ts"
import { AccountState, type NewInvite, PasswordHash, type ResetCode, SecretHash } from "../accounts/Account.ts"
import { maxInvites, type NewAccount, type WithPassword } from "../accounts/Accounts.ts"
import { AccountId } from "../session/AccountId.ts"

const StoredAccount = Schema.Struct({
  id: AccountId,
  user: UserName,
  since: Timestamp,
  lastSeen: Timestamp,
  isAdmin: Schema.BooleanFromBit,
  state: AccountState,
  reason: Schema.NullOr(Schema.String),
  password: Schema.NullOr(PasswordHash),
  resetCode: Schema.NullOr(SecretHash),
  resetExpires: Schema.NullOr(Timestamp)
})
const decodeAccounts = Schema.decodeUnknownEffect(Schema.Array(StoredAccount))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: AccountId })))

const toAccount = (stored: typeof StoredAccount.Type): WithPassword => {
  const { password, reason, resetCode, resetExpires, ...account } = stored
  return {
    account: { ...account, reason: reason ?? undefined },
    password: password ?? undefined,
    reset: resetCode === null || resetExpires === null ? undefined : { code: resetCode, expires: resetExpires }
  }
}

export const make = (sql: SqlClient.SqlClient) => {
  const read = (rows: Statement<unknown>) =>
    Effect.map(Effect.flatMap(rows, decodeAccounts), (stored) => stored.map(toAccount))
  const columns = sql.literal(`
    id, name AS "user", since, last_seen AS "lastSeen", is_admin AS "isAdmin", state, reason, password,
    reset_code AS "resetCode", reset_expires AS "resetExpires"`)

  const insertInvite = Effect.fnUntraced(function* ({ code, expires, uses }: NewInvite) {
    const rows = yield* sql`
      INSERT INTO invites (code, uses, expires) SELECT ${code}, ${uses}, ${expires ?? null}
      WHERE (SELECT COUNT(*) FROM invites) < ${maxInvites}
      ON CONFLICT (code) DO UPDATE SET uses = excluded.uses, expires = excluded.expires
      RETURNING uses`.values
    return rows.length > 0
  })

  return {
    list: (after: UserName | undefined, limit: number) =>
      read(sql`
        SELECT ${columns} FROM accounts WHERE name_key > ${after === undefined ? "" : nameKey(after)}
        ORDER BY name_key LIMIT ${limit}`),

    find: (user: UserName) => read(sql`SELECT ${columns} FROM accounts WHERE name_key = ${nameKey(user)}`),

    get: (account: AccountId) => read(sql`SELECT ${columns} FROM accounts WHERE id = ${account}`),

    isTaken: Effect.fnUntraced(function* (user: UserName) {
      const rows = yield* sql`SELECT 1 FROM accounts WHERE name_key = ${nameKey(user)}`.values
      return rows.length > 0
    }),

    insert: Effect.fnUntraced(function* ({ at, isAdmin, password, reset, user }: NewAccount) {
      const rows = yield* sql`
        INSERT INTO accounts (name_key, name, since, last_seen, is_admin, password, reset_code, reset_expires)
        VALUES (${nameKey(user)}, ${user}, ${at}, ${at}, ${isAdmin ? 1 : 0}, ${password ?? null}, ${reset?.code ?? null},
          ${reset?.expires ?? null})
        RETURNING id`
      return yield* decodeIds(rows)
    }),

    /** Whether it could be used. */
    useInvite: Effect.fnUntraced(function* (code: SecretHash, at: Timestamp) {
      const rows = yield* sql`
        UPDATE invites SET uses = uses - 1 WHERE code = ${code} AND uses > 0 AND (expires IS NULL OR expires > ${at})
        RETURNING uses`.values
      return rows.length > 0
    }),

    /** Whether there was room for one more; what is not good any more makes room. */
    addInvite: Effect.fnUntraced(function* (invite: NewInvite, now: Timestamp) {
      if (yield* insertInvite(invite)) return true
      yield* sql`DELETE FROM invites WHERE uses <= 0 OR expires <= ${now}`
      return yield* insertInvite(invite)
    }),

    setPassword: (account: AccountId, password: PasswordHash | undefined, reset: ResetCode | undefined) => sql`
      UPDATE accounts SET password = ${password ?? null}, reset_code = ${reset?.code ?? null},
        reset_expires = ${reset?.expires ?? null}
      WHERE id = ${account} AND state <> 'Deleted'`,

    rehash: (account: AccountId, before: PasswordHash, after: PasswordHash) =>
      sql`UPDATE accounts SET password = ${after} WHERE id = ${account} AND password = ${before}`,

    setState: (account: AccountId, state: AccountState, reason: string | undefined) =>
      sql`UPDATE accounts SET state = ${state}, reason = ${reason ?? null} WHERE id = ${account}`,

    forgetPassword: (account: AccountId) =>
      sql`UPDATE accounts SET password = NULL, reset_code = NULL, reset_expires = NULL WHERE id = ${account}`,

    setAdmin: (account: AccountId, isAdmin: boolean) =>
      sql`UPDATE accounts SET is_admin = ${isAdmin ? 1 : 0} WHERE id = ${account}`,

    /** Whether it was there, and deleted. All that belongs to it goes with it. */
    free: Effect.fnUntraced(function* (account: AccountId) {
      const rows = yield* sql`DELETE FROM accounts WHERE id = ${account} AND state = 'Deleted' RETURNING id`.values
      return rows.length > 0
    }),

    /** When these were seen, unless it is known that they were later. */
    seen: (times: ReadonlyArray<readonly [AccountId, Timestamp]>) => sql`
      UPDATE accounts SET last_seen = given.value ->> 1 FROM json_each(${JSON.stringify(times)}) AS given
      WHERE accounts.id = given.value ->> 0 AND last_seen < given.value ->> 1`
  }
}

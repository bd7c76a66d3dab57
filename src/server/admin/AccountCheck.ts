/**
 * Checks the accounts of a database, and what belongs to them: names are valid and their keys belong to them, what is kept in
 * place of secrets is what it should be, nothing is left of what was deleted, and no read mark stands beyond its log. That all
 * of it belongs to an account there is, SQLite's own check has told (see `checkFile` in Verify).
 *
 * Nothing that is kept in place of a secret is ever told. Accounts are read page by page.
 */
import { Effect, Result, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Timestamp } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { AccountState, PasswordHash, SecretHash } from "../accounts/Account.ts"
import type { Findings } from "./Findings.ts"
import { Progress } from "./Progress.ts"
import { plural, printable } from "./Report.ts"

const pageAccounts = 2000

const restore = "Restore a backup."

const StoredAccount = Schema.Struct({
  id: Schema.Int,
  name: UserName,
  since: Timestamp,
  lastSeen: Timestamp,
  isAdmin: Schema.BooleanFromBit,
  state: AccountState,
  reason: Schema.NullOr(Schema.String),
  password: Schema.NullOr(PasswordHash),
  resetCode: Schema.NullOr(SecretHash),
  resetExpires: Schema.NullOr(Timestamp)
})
const decodeAccount = Schema.decodeUnknownResult(StoredAccount)
const decodeRoom = Schema.decodeUnknownResult(RoomName)

/** In lower-case hex. */
const isNoHash = (column: string) => `length(${column}) <> 64 OR ${column} GLOB '*[^0-9a-f]*'`

export const checkAccounts = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const { during } = yield* Progress
  let behind = 0
  const page = Effect.gen(function* () {
    const rows = yield* sql`
      SELECT id, name, name_key AS "nameKey", since, last_seen AS "lastSeen", is_admin AS "isAdmin", state, reason, password,
        reset_code AS "resetCode", reset_expires AS "resetExpires"
      FROM accounts WHERE id > ${behind} ORDER BY id LIMIT ${pageAccounts}`
    for (const row of rows) {
      const { id, name, nameKey: key } = row
      const called = `account ${id} (${printable(name)})`
      findings.accounts++
      behind = Number(id)
      if (Result.isFailure(decodeAccount(row))) findings.add(`${called} is not valid. ${restore}`)
      const expected = nameKey(String(name))
      if (key !== expected) {
        findings.add(`${called} has the key "${printable(key)}" instead of "${printable(expected)}". ${restore}`)
      }
    }
    return rows.length === pageAccounts
  })
  yield* during({ label: "Checking accounts" })(Effect.repeat(page, { while: (hasMore) => hasMore }))

  /** Those of which there are any are told. */
  const count = Effect.fnUntraced(function* (what: string, is: string, rows: string) {
    const [[found] = []] = yield* sql`SELECT COUNT(*) FROM ${sql.literal(rows)}`.values
    if (Number(found) > 0) findings.add(`${plural(Number(found), what)} ${is}. ${restore}`)
  })
  yield* count(
    "device",
    "with something else than the hash of a token",
    `devices WHERE ${isNoHash("newest")} OR ${isNoHash("before")}`
  )
  yield* count("invite", "with something else than the hash of a code", `invites WHERE ${isNoHash("code")}`)
  for (const table of ["devices", "keys", "memberships", "marks", "blocks"]) {
    yield* count(
      "deleted account",
      `with ${table} that are left`,
      `accounts WHERE state = 'Deleted' AND id IN (SELECT account FROM ${table})`
    )
  }
  yield* count(
    "deleted account",
    "with a password that is left",
    "accounts WHERE state = 'Deleted' AND (password IS NOT NULL OR reset_code IS NOT NULL)"
  )
})

export const checkMemberships = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const rooms = yield* sql`SELECT DISTINCT room_key, room FROM memberships`.values
  for (const [key, name] of rooms) {
    const room = decodeRoom(name)
    if (Result.isSuccess(room) && nameKey(room.success) === key) continue
    findings.add(`members of room ${printable(name)} stand under the key "${printable(key)}". ${restore}`)
  }
  const [[beyond] = []] = yield* sql`
    WITH logs AS (
      SELECT id, COALESCE((SELECT MAX(seq) FROM messages WHERE conversation = conversations.id), deleted_through) AS newest
      FROM conversations
    )
    SELECT COUNT(*) FROM marks JOIN logs ON logs.id = marks.conversation WHERE marks.seq > newest OR marks.seq < 0`
    .values
  if (Number(beyond) > 0) findings.add(`${plural(Number(beyond), "read mark")} beyond the newest message. ${restore}`)
  const [[unmarked] = []] = yield* sql`
    SELECT COUNT(*) FROM memberships LEFT JOIN marks
    ON marks.account = memberships.account AND place = 'room:' || room_key WHERE marks.account IS NULL`.values
  if (Number(unmarked) > 0) {
    findings.remarks.push(
      `${plural(Number(unmarked), "membership")} without a read mark: all there is counts as unread`
    )
  }
})

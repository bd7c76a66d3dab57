/**
 * Checks what a database has of encrypted conversations: that each list of devices goes on entry by entry, and that what devices may
 * read and their welcomes are of encrypted rooms. What was sealed nobody can check but who has the keys.
 *
 * Read a thousand entries at a time.
 */
import { Effect, Option, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { DeviceEntry } from "../../common/wire/SealingRequest.ts"
import type { Findings } from "./Findings.ts"
import { plural } from "./Report.ts"

const pageEntries = 1000
const decodeEntry = Schema.decodeUnknownOption(Schema.fromJsonString(DeviceEntry))

export const checkSealing = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  let [account, n] = [0, 0]
  const page = Effect.gen(function* () {
    const rows = yield* sql`
      SELECT account, n, entry FROM device_entries WHERE (account, n) > (${account}, ${n})
      ORDER BY account, n LIMIT ${pageEntries}`.values
    for (const [owner, number, text] of rows) {
      const entry = Option.getOrUndefined(decodeEntry(text))
      const called = `entry ${Number(number)} of the devices of account ${Number(owner)}`
      if (entry === undefined || entry.n !== number) findings.add(`${called} cannot be read. Restore a backup.`)
      else if (owner === account ? number !== n + 1 : entry.prev !== "") {
        findings.add(`what stands before ${called} is missing. Restore a backup.`)
      }
      ;[account, n] = [Number(owner), Number(number)]
    }
    return rows.length === pageEntries
  })
  yield* Effect.repeat(page, { while: (hasMore) => hasMore })
  for (const [table, what] of [
    ["intervals", "interval"],
    ["welcomes", "welcome"]
  ] as const) {
    const [[strays] = []] = yield* sql`
      SELECT COUNT(*) FROM ${sql(table)} AS kept LEFT JOIN governance USING (conversation_key)
      WHERE NOT COALESCE(json_valid(state) AND state ->> 'keys' IS NOT NULL, 0)`.values
    if (Number(strays) > 0) {
      findings.add(`${plural(Number(strays), what)} of no encrypted room. Restore a backup.`)
    }
  }
  const [[backwards] = []] = yield* sql`SELECT COUNT(*) FROM intervals WHERE until < since - 1`.values
  if (Number(backwards) > 0) {
    findings.add(`${plural(Number(backwards), "interval")} with an end before the beginning. Restore a backup.`)
  }
})

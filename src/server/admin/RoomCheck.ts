/**
 * Checks how the rooms of a database are governed, that what is kept of it can be read and stands under its key; and that nothing
 * is left of rooms that were deleted but what a server still has to erase.
 */
import { Effect } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { conversationKey } from "../../common/log/Conversation.ts"
import { erasedSender } from "../store/ErasedRooms.ts"
import * as GovernanceTables from "../store/GovernanceTables.ts"
import type { Findings } from "./Findings.ts"
import { plural, printable } from "./Report.ts"

export const checkGovernance = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const rows = yield* sql`SELECT conversation_key, name FROM governance ORDER BY conversation_key`.values
  const known = new Map(
    (yield* GovernanceTables.make(sql).all).map(({ conversation, governance }) => [
      conversationKey(conversation),
      governance
    ])
  )
  for (const [key, name] of rows) {
    const called = key === "lobby" ? "the lobby" : `room ${printable(name)}`
    if (!known.has(String(key))) {
      findings.add(`how ${called} is governed stands under the key "${printable(key)}". Restore a backup.`)
    } else if (known.get(String(key)) === undefined) {
      findings.add(
        `how ${called} is governed cannot be read: a room is private then and has no owner. Restore a backup, or name an owner as an admin.`
      )
    }
  }
})

export const checkErasedRooms = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const [[left] = []] = yield* sql`
    SELECT COUNT(*) FROM conversations CROSS JOIN messages ON messages.conversation = conversations.id
    WHERE conversations.kind = 'Gone' AND (
      messages.kind <> 'Tombstone' OR sender <> ${erasedSender} OR idempotency_key IS NOT NULL
      OR COALESCE(author, receiver, partner) IS NOT NULL
    )`.values
  if (Number(left) > 0) {
    findings.add(
      `${plural(Number(left), "row")} of deleted rooms ${Number(left) === 1 ? "is" : "are"} no empty tombstone, and no server will erase what is in there. Take a copy with "pnpm admin backup", which does not hold it, and restore that.`
    )
  }
  const [[waiting] = []] = yield* sql`SELECT COUNT(*) FROM conversations WHERE kind = 'Erased'`.values
  if (Number(waiting) > 0) {
    findings.remarks.push(`${plural(Number(waiting), "deleted room")} of which a server still has something to erase`)
  }
})

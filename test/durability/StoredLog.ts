/** What the rows of a file hold, read without any of the server's code, also while a server has the file open. */
import { DatabaseSync } from "node:sqlite"
import { Schema } from "effect"
import { Seq, Timestamp } from "../../src/common/log/Cursor.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { lobby } from "./Ledger.ts"

const StoredEntry = Schema.Struct({
  seq: Seq,
  at: Timestamp,
  from: UserName,
  content: Schema.String,
  place: Schema.String,
  key: Schema.NullOr(Schema.String)
})
type StoredEntry = typeof StoredEntry.Type

export type StoredLog = ReadonlyMap<string, ReadonlyArray<StoredEntry>>

const decode = Schema.decodeUnknownSync(Schema.Array(StoredEntry))

export const read = (file: string): StoredLog => {
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = database
    .prepare(
      `SELECT CASE conversations.kind WHEN 'Lobby' THEN '${lobby}' ELSE name END AS place,
         seq, at, sender AS "from", content, idempotency_key AS key
       FROM messages JOIN conversations ON conversations.id = messages.conversation ORDER BY place, seq`
    )
    .all()
  database.close()
  return Map.groupBy(decode(rows), ({ place }) => place)
}

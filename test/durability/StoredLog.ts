/**
 * The messages as they stand in the file, read without any of the server's code, also while a server has the file open.
 *
 * And what is wrong with them, held against a ledger: a promise that is not kept, a gap, something twice.
 */
import { DatabaseSync } from "node:sqlite"
import { Schema } from "effect"
import { Seq, Timestamp } from "../../src/common/log/Cursor.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { type Ledger, lobby, type Promised } from "./Ledger.ts"

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

/** Whatever speaks against these being the logs that were promised and told. */
export const faults = (stored: StoredLog, { heard, promised }: Ledger): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [place, entries] of stored) {
    entries.forEach(({ seq }, index) => {
      if (seq !== index + 1) found.push(`${place}: ${seq} stands where ${index + 1} should`)
    })
    const contents = new Set(entries.map(({ content }) => content))
    if (contents.size !== entries.length) found.push(`${place}: ${entries.length - contents.size} messages are twice`)
  }
  for (const promise of promised) {
    const entry = stored.get(promise.place)?.[promise.seq - 1]
    if (entry === undefined || !isKept(promise, entry)) {
      found.push(`promised ${JSON.stringify(promise)}, stored ${JSON.stringify(entry)}`)
    }
  }
  for (const { entries, first, place, who } of heard) {
    const log = stored.get(place) ?? []
    entries.forEach(({ at, content, from, seq }, index) => {
      const entry = log[first + index]
      if (entry?.seq !== seq || entry.at !== at || entry.from !== from || entry.content !== content) {
        found.push(`${who} heard ${seq} ${content} in ${place}, stored ${JSON.stringify(entry)}`)
      }
    })
  }
  return found
}

/** Whether every client has heard its logs to their ends. */
export const isAllHeard = (stored: StoredLog, { heard }: Ledger): boolean =>
  heard.every(({ entries, first, place }) => first + entries.length === (stored.get(place)?.length ?? 0))

const isKept = (promise: Promised, entry: StoredEntry): boolean =>
  entry.seq === promise.seq &&
  entry.at === promise.at &&
  entry.from === promise.from &&
  entry.content === promise.content &&
  entry.key === `${promise.from} ${promise.key}`

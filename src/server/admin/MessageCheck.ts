/**
 * Checks the messages of a database: in the order of storing, those of each conversation stand at consecutive places, the first
 * behind what RETENTION has deleted; each has a valid sender, content and time, and is what was stored, by its checksum.
 *
 * Read page by page, so that a running server is not held up, and its WAL can be reset in between.
 */
import { Clock, Effect, Result, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Entry } from "../../common/log/Entry.ts"
import { checksum } from "../store/Checksum.ts"
import { entryOf } from "../store/StoredEntry.ts"
import * as ChatDatabase from "./ChatDatabase.ts"
import { type Findings, issueOf } from "./Findings.ts"
import { Progress } from "./Progress.ts"
import { plural, timeOf } from "./Report.ts"

const pageMessages = 2000

/** A day ahead is no clock that is a little off; and there was no parley before 2020. */
const maxAheadMillis = 86_400_000
const earliestMillis = 1_577_836_800_000

const decodeEntries = Schema.decodeUnknownResult(Schema.Array(Entry))
const decodeEntry = Schema.decodeUnknownResult(Entry)

const PlacedMessage = Schema.Struct({
  id: Schema.Int,
  conversation: Schema.Int,
  deletedThrough: Schema.NullOr(Schema.Finite),
  seq: Schema.Finite,
  at: Schema.Finite,
  kind: Schema.String,
  isErased: Schema.Int
})
const decodePlaces = Schema.decodeUnknownResult(Schema.Array(PlacedMessage))

/** In the order of storing, which is that of the places in every conversation: RETENTION deletes by it. */
export const checkMessages = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  names: ReadonlyMap<number, string>,
  findings: Findings
) {
  const { during } = yield* Progress
  const [[first, last] = []] = yield* sql`SELECT MIN(id), MAX(id) FROM messages`.values
  if (typeof first !== "number" || typeof last !== "number") return
  const latest = (yield* Clock.currentTimeMillis) + maxAheadMillis
  /** The newest place seen in each conversation. */
  const places = new Map<number, number>()
  let behind = first - 1
  let untimely = 0
  let firstUntimely = ""
  let unchecked = 0
  const checksums = sql.literal((yield* ChatDatabase.hasChecksums(sql)) ? ", checksum" : "")

  const look = (rows: ReadonlyArray<Row>) => {
    for (const { at, conversation, deletedThrough, seq } of rows) {
      const called = names.get(conversation) ?? `conversation ${conversation}`
      // What was deleted while we read is no gap.
      const expected = Math.max(places.get(conversation) ?? 0, deletedThrough ?? 0) + 1
      if (seq > expected) {
        const missing = seq - expected
        const where = missing === 1 ? `${expected}` : `${expected} to ${seq - 1}`
        findings.add(`${called}: ${plural(missing, "message")} missing: ${where}`)
      }
      if (seq < expected) findings.add(`${called}: message ${seq} is not in its place, which is behind ${expected - 1}`)
      places.set(conversation, Math.max(seq, expected))
      findings.oldest = Math.min(findings.oldest, at)
      findings.newest = Math.max(findings.newest, at)
      if (at > latest || at < earliestMillis) {
        if (untimely++ === 0) firstUntimely = `message ${seq} of ${called}, ${timeOf(at)}`
      }
    }
    findings.messages += rows.filter(({ kind }) => kind === "Said" || kind === "Sealed").length
  }

  /** Whether it is another message than was stored. */
  const changeOf = (row: Readonly<Record<string, unknown>>) => {
    if (row["checksum"] === null) unchecked++
    return isAsStored(row) ? undefined : "is not as it was stored: its checksum is another. Restore a backup."
  }

  const page = Effect.gen(function* () {
    const rows = yield* sql`
      SELECT messages.id, conversation, deleted_through AS deletedThrough, seq, at, sender AS "from", content,
        messages.kind, target, author, receiver AS "to", partner, twin, messages.kind = 'Edited' AND content = ''
          OR COALESCE(conversations.kind IN ('Erased', 'Gone'), 0) AS isErased${checksums}
      FROM messages LEFT JOIN conversations ON conversations.id = conversation
      WHERE messages.id > ${behind} AND messages.id <= ${last} ORDER BY messages.id LIMIT ${pageMessages}`
    const placed = decodePlaces(rows)
    if (Result.isFailure(placed)) {
      findings.add(`the messages behind number ${behind} are not valid: ${issueOf(placed.failure)}`)
      behind += pageMessages
      return behind < last
    }
    look(placed.success)
    const found = rows.map(entryOf)
    const areValid = Result.isSuccess(decodeEntries(found))
    for (const [index, { conversation, isErased, seq }] of placed.success.entries()) {
      const row = rows[index]
      // What was taken out of the edit of a deleted message, or of a deleted room, is no fault.
      const entry = areValid || isErased === 1 ? undefined : decodeEntry(found[index])
      if (row === undefined) continue
      const fault =
        entry !== undefined && Result.isFailure(entry) ? `is not valid: ${issueOf(entry.failure)}` : changeOf(row)
      if (fault === undefined) continue
      findings.add(`${names.get(conversation) ?? `conversation ${conversation}`}: message ${seq} ${fault}`)
    }
    behind = placed.success.at(-1)?.id ?? last
    return behind < last
  })

  yield* during({
    label: "Checking messages",
    progress: { total: last - first, done: Effect.sync(() => behind - first) }
  })(Effect.repeat(page, { while: (hasMore) => hasMore }))
  if (unchecked > 0) findings.remarks.push(`${plural(unchecked, "message")} without a checksum`)
  if (untimely > 0) {
    findings.remarks.push(
      `${plural(untimely, "message")} with a time that can hardly be right; the first is ${firstUntimely}`
    )
  }
})

type Row = typeof PlacedMessage.Type

/** Whether the checksum of a row is that of what it holds; it is, where there is none. */
export const isAsStored = (row: Readonly<Record<string, unknown>>): boolean => {
  const { checksum: stored, conversation, kind, seq } = row
  if (stored === null || stored === undefined) return true
  const text = (name: string) => (typeof row[name] === "string" ? row[name] : null)
  const number = (name: string) => (typeof row[name] === "number" ? row[name] : null)
  const sum = checksum(
    Number(conversation),
    Number(seq),
    Number(row["at"]),
    String(row["from"]),
    String(row["content"]),
    String(kind),
    number("target"),
    text("author"),
    text("to"),
    text("partner"),
    number("twin")
  )
  return stored === sum
}

/**
 * Entries between memory and disk: what can be stored so that it comes back the same, and what is made of a row that
 * does not.
 *
 * A row that is no entry any more (bad text, a bad name, a time out of range, a value of another type) stands as a
 * placeholder at its place, and everything around it is given as it is (invariant 8). A row that is one, but whose
 * checksum does not fit, is given too: `verify` tells of it, and a reader is better off with a letter that is wrong.
 */
import { Effect, Result, Schema } from "effect"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { Entry } from "../../common/log/Entry.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { type NewEntry, StorageUnavailable, unreadable } from "../history/History.ts"

const isContent = Schema.is(Content)
const isUserName = Schema.is(UserName)
const isSeq = Schema.is(Seq)
const isTimestamp = Schema.is(Timestamp)
const decodeEntries = Schema.decodeUnknownResult(Schema.Array(Entry))
const isRecord = Schema.is(Schema.Record(Schema.String, Schema.Unknown))
const decodeOne = Schema.decodeUnknownResult(Entry)

/** Fails if one of these would not be read back, or not found under its key, as it was stored. */
export const checkStorable = (entries: ReadonlyArray<NewEntry>): Effect.Effect<void, StorageUnavailable> => {
  for (const { at, content, from, key } of entries) {
    const wrong = wrongIn({ at, from, content })
    if (key !== undefined && (!key.isWellFormed() || key.includes("\u0000"))) wrong.push("key")
    if (wrong.length === 0) continue
    const cause = new Error(`An entry cannot be stored: its ${wrong.join(" and its ")} cannot be in a database.`)
    return Effect.fail(new StorageUnavailable({ cause }))
  }
  return Effect.void
}

/** Which of these are not what an entry has. */
const wrongIn = ({ at, content, from }: Readonly<Record<"at" | "content" | "from", unknown>>): Array<string> => [
  ...(isContent(content) ? [] : ["content"]),
  ...(isUserName(from) ? [] : ["sender"]),
  ...(isTimestamp(at) ? [] : ["time"])
]

/** What a row gives. `problem`: why a placeholder stands for it. */
export interface Decoded {
  readonly entry: Entry
  readonly problem: string | undefined
}

/** What a row with `seq`, `at`, `from` and `content` gives. `otherwise` has the place and the time if the row has none. */
export const decodeEntry = (row: unknown, otherwise: Pick<Entry, "at" | "seq"> = { seq: 0, at: 0 }): Decoded => {
  const entry = decodeOne(row)
  if (Result.isSuccess(entry)) return { entry: entry.success, problem: undefined }
  const { at, content, from, seq } = isRecord(row) ? row : {}
  const wrong = [...wrongIn({ at, content, from }), ...(isSeq(seq) ? [] : ["place"])]
  return {
    entry: unreadable(
      isSeq(seq) ? seq : otherwise.seq,
      isTimestamp(at) ? at : otherwise.at,
      isUserName(from) ? from : undefined
    ),
    problem: `its ${wrong.join(" and its ")} cannot be read`
  }
}

/** What the rows of one log give, which come in the order of their places. */
export const decodeAll = (rows: ReadonlyArray<unknown>): ReadonlyArray<Decoded> => {
  const entries = decodeEntries(rows)
  if (Result.isSuccess(entries)) return entries.success.map((entry) => ({ entry, problem: undefined }))
  const decoded: Array<Decoded> = []
  for (const row of rows) {
    const { at, seq } = decoded.at(-1)?.entry ?? { seq: 0, at: firstTime(rows) }
    decoded.push(decodeEntry(row, { seq: seq + 1, at }))
  }
  return decoded
}

const firstTime = (rows: ReadonlyArray<unknown>): Timestamp =>
  rows.map((row) => (isRecord(row) ? row["at"] : undefined)).find(isTimestamp) ?? 0

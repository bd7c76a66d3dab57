/**
 * Entries between memory and disk: what can be stored so that it comes back the same, and what is made of a row that
 * does not.
 *
 * A row that is no entry any more (bad text, a bad name, a time out of range, a value of another type) stands as a
 * placeholder at its place, and everything around it is given as it is (invariant 8). A row that is one, but whose
 * checksum does not fit, is given too: `verify` tells of it, and a reader is better off with a letter that is wrong.
 */
import { Effect, Predicate, Result, Schema } from "effect"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { Body, Entry } from "../../common/log/Entry.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { type AnsweredKey, type NewEntry, StorageUnavailable, unreadable } from "../history/History.ts"
import { fromStored } from "./StoredBody.ts"

const isContent = Schema.is(Content)
const isBody = Schema.is(Body)
const isUserName = Schema.is(UserName)
const isSeq = Schema.is(Seq)
const isTimestamp = Schema.is(Timestamp)
const decodeEntries = Schema.decodeUnknownResult(Schema.Array(Entry))
const isRecord = Schema.is(Schema.Record(Schema.String, Schema.Unknown))
const decodeOne = Schema.decodeUnknownResult(Entry)

/** Fails if one of these would not be read back, or not found under its key, as it was stored. */
export const checkStorable = (
  entries: ReadonlyArray<NewEntry>,
  answered: ReadonlyArray<AnsweredKey>
): Effect.Effect<void, StorageUnavailable> => {
  for (const { at, author, body, from, key, to } of entries) {
    const wrong = wrongIn({ at, from, body })
    if (to !== undefined && !isUserName(to)) wrong.push("receiver")
    if (key !== undefined && !isExact(key)) wrong.push("key")
    if (author !== undefined && !isExact(author)) wrong.push("author")
    if (wrong.length > 0) return unstorable("An entry", wrong)
  }
  return answered.every(({ key }) => isExact(key)) ? Effect.void : unstorable("An answer", ["key"])
}

const unstorable = (what: string, wrong: ReadonlyArray<string>) => {
  const cause = new Error(`${what} cannot be stored: its ${wrong.join(" and its ")} cannot be in a database.`)
  return Effect.fail(new StorageUnavailable({ cause }))
}

/** Whether a database gives this text back as it is. */
const isExact = (text: string): boolean => text.isWellFormed() && !text.includes("\u0000")

/** Which of these are not what an entry has. */
const wrongIn = ({ at, body, from }: Readonly<Record<"at" | "body" | "from", unknown>>): Array<string> => [
  ...(isWhole(body) ? [] : ["content"]),
  ...(isUserName(from) ? [] : ["sender"]),
  ...(isTimestamp(at) ? [] : ["time"])
]

/** Most of all bodies are messages, of which the union of all kinds need not be tried. */
const isWhole = (body: unknown): boolean =>
  Predicate.isTagged(body, "Said") && Predicate.hasProperty(body, "content") && !Predicate.hasProperty(body, "replyTo")
    ? isContent(body.content)
    : isBody(body)

/** What a row gives. `problem`: why a placeholder stands for it. */
export interface Decoded {
  readonly entry: Entry
  readonly problem: string | undefined
}

type Row = Readonly<Record<string, unknown>>

/** What should be an entry, of a row with `seq`, `at`, `from`, `kind`, `target` and `content`, and in an inbox `to`. */
export const entryOf = (row: unknown): Row => {
  const { at, content, from, kind, seq, target, to } = isRecord(row) ? row : {}
  const body = fromStored({ kind, target, content })
  return to === null || to === undefined ? { seq, at, from, body } : { seq, at, from, to, body }
}

const decodeAs = (row: Row, otherwise: Pick<Entry, "at" | "seq">): Decoded => {
  const entry = decodeOne(row)
  if (Result.isSuccess(entry)) return { entry: entry.success, problem: undefined }
  const { at, body, from, seq, to } = row
  const isAddressed = to === undefined || isUserName(to)
  const wrong = [...wrongIn({ at, body, from }), ...(isSeq(seq) ? [] : ["place"]), ...(isAddressed ? [] : ["receiver"])]
  const instead = unreadable(
    isSeq(seq) ? seq : otherwise.seq,
    isTimestamp(at) ? at : otherwise.at,
    isUserName(from) ? from : undefined
  )
  return {
    entry: isUserName(to) ? { ...instead, to } : instead,
    problem: `its ${wrong.join(" and its ")} cannot be read`
  }
}

/**
 * What the rows of one log give, which come in the order of their places. Not by `SqlSchema`: it is as fast (2.8 µs for a row,
 * both), but fails as a whole where one row is damaged.
 */
export const decodeAll = (rows: ReadonlyArray<unknown>): ReadonlyArray<Decoded> => {
  const found = rows.map(entryOf)
  const entries = decodeEntries(found)
  if (Result.isSuccess(entries)) return entries.success.map((entry) => ({ entry, problem: undefined }))
  const decoded: Array<Decoded> = []
  for (const row of found) {
    const { at, seq } = decoded.at(-1)?.entry ?? { seq: 0, at: firstTime(found) }
    decoded.push(decodeAs(row, { seq: seq + 1, at }))
  }
  return decoded
}

const firstTime = (rows: ReadonlyArray<Row>): Timestamp => rows.map(({ at }) => at).find(isTimestamp) ?? 0

/**
 * Where the entries of one commit stand: pure.
 *
 * Entries come in the order they were handed over; each gets the next place of its conversation, unless its key was
 * stored before, in this commit or an earlier one, whose place it then shares (invariant 5). Its time is never before
 * that of the entry it stands behind: after a step back of the clock, time stands still.
 *
 * One with a twin becomes two rows, each with the place of the other, and at one time. In the other inbox it is done to the
 * twin of what it is done to here; each row of an inbox says where its own twin stands, so that one look finds it.
 */
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import type { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { type AuthorId, type Body, type Entry, referenceOf } from "../../common/log/Entry.ts"
import { keyOf, type NewEntry, type Stored, type Twin, twinBody } from "../history/History.ts"
import { type Partner, partnerIn, partnerOf } from "../history/Partner.ts"
import { checksum } from "./Checksum.ts"
import { toStored } from "./StoredBody.ts"

/** A conversation: its number in the database, its newest place, and the time of what stands there (0 if nothing does). */
export interface Known {
  readonly id: number
  readonly newest: number
  readonly at: Timestamp
}

/** An entry to be inserted. */
export type Row = readonly [
  conversation: number,
  seq: number,
  at: Timestamp,
  sender: string,
  content: string,
  idempotencyKey: string | null,
  checksum: number,
  kind: Body["_tag"],
  target: Seq | null,
  author: string | null,
  receiver: string | null,
  partner: string | null,
  twin: Seq | null
]

/** An entry that is new in the log of this number, and does something to another one there. */
export interface Deed extends Entry {
  readonly conversation: number
  readonly author: AuthorId | undefined
}

export interface Placement {
  readonly rows: ReadonlyArray<Row>
  /** Those that are no messages, in their order. */
  readonly deeds: ReadonlyArray<Deed>
  /** One per entry, in their order. */
  readonly stored: ReadonlyArray<Stored>
  /** Each conversation that got an entry, as it stands afterwards, by key. */
  readonly newest: ReadonlyMap<string, Known>
}

/** What is stored already, of conversations by their numbers; where nothing is known of keys, the constraint will tell. */
export interface Earlier {
  /** The entry with this key. */
  readonly stored: (conversation: number, key: string) => Stored | undefined
  /** Where the twin of the entry at this place stands. */
  readonly twin: (conversation: number, seq: Seq) => Seq | undefined
}

const nothingEarlier: Earlier = { stored: () => undefined, twin: () => undefined }

export const idempotencyKey = (entry: NewEntry): string | undefined =>
  entry.key === undefined ? undefined : keyOf(entry.from, entry.key, partnerIn(entry))

/** `known` has every conversation of the entries, and of their twins. */
export const place = (
  entries: Iterable<NewEntry>,
  known: (name: string) => Known | undefined,
  earlier: Earlier = nothingEarlier
): Placement => {
  const rows: Array<Row> = []
  const deeds: Array<Deed> = []
  const stored: Array<Stored> = []
  const newest = new Map<string, Known>()
  const placed = new Map<string, Stored>()
  const twins = new Map<string, Seq>()
  const standingOf = (name: string): Known => newest.get(name) ?? known(name) ?? unknownConversation(name)
  const add = (name: string, row: Placed, entry: NewEntry) => {
    const { at, body, id, seq } = row
    rows.push(rowOf(row, entry))
    const { author, from } = entry
    if (body._tag !== "Said" && body._tag !== "Sealed") deeds.push({ conversation: id, seq, at, from, author, body })
    newest.set(name, { id, newest: seq, at })
  }

  // A run of entries has one conversation.
  let current: Conversation | undefined
  let name = ""
  for (const entry of entries) {
    if (entry.conversation !== current) {
      current = entry.conversation
      name = conversationKey(current)
    }
    const before = standingOf(name)
    const { id } = before
    const key = idempotencyKey(entry)
    const first = key === undefined ? undefined : (placed.get(`${id} ${key}`) ?? earlier.stored(id, key))
    if (first !== undefined) {
      const { at, seq } = first
      stored.push({ seq, at, repeated: true })
      continue
    }
    const { body, conversation, twin } = entry
    const seq = before.newest + 1
    const reference = twin === undefined ? undefined : referenceOf(body)
    const target =
      reference === undefined ? undefined : (twins.get(`${id} ${reference}`) ?? earlier.twin(id, reference))
    const there = twin === undefined ? undefined : twinBody(entry, target)
    if (twin === undefined || there === undefined || conversation._tag !== "Inbox") {
      const at = Math.max(entry.at, before.at)
      add(name, { id, seq, at, key, body, partner: partnerIn(entry), twin: undefined }, entry)
      stored.push({ seq, at, repeated: false })
    } else {
      const otherName = conversationKey(twin)
      const other = standingOf(otherName)
      const at = Math.max(entry.at, before.at, other.at)
      const otherSeq = other.newest + 1
      add(name, { id, seq, at, key, body, partner: partnerIn(entry), twin: otherSeq }, entry)
      const copy = { id: other.id, seq: otherSeq, at, body: there, twin: seq }
      add(otherName, { ...copy, key: undefined, partner: partnerOf(conversation) }, entry)
      twins.set(`${id} ${seq}`, otherSeq)
      twins.set(`${other.id} ${otherSeq}`, seq)
      stored.push({ seq, at, repeated: false, twin: twinAt(otherSeq, target) })
    }
    const position = stored.at(-1)
    if (key !== undefined && position !== undefined) placed.set(`${id} ${key}`, position)
  }
  return { rows, deeds, stored, newest }
}

export const twinAt = (seq: Seq, target: Seq | undefined): Twin => (target === undefined ? { seq } : { seq, target })

/** One of the places at which an entry stands. */
interface Placed {
  readonly id: number
  readonly seq: Seq
  readonly at: Timestamp
  readonly key: string | undefined
  readonly body: Body
  readonly partner: Partner | undefined
  readonly twin: Seq | undefined
}

const rowOf = ({ at, body, id, key, partner, seq, twin }: Placed, { author, from, to }: NewEntry): Row => {
  const { content, kind, target } = toStored(body)
  const later = [kind, target, author ?? null, to ?? null, partner ?? null, twin ?? null] as const
  return [id, seq, at, from, content, key ?? null, checksum(id, seq, at, from, content, ...later), ...later]
}

const unknownConversation = (name: string): never => {
  throw new Error(`${name} was not opened before its entries were placed`)
}

/**
 * Where the entries of one commit stand: pure.
 *
 * Entries come in the order they were handed over; each gets the next place of its conversation, unless its key was
 * stored before, in this commit or an earlier one, whose place it then shares (invariant 5). Its time is never before
 * that of the entry it stands behind: after a step back of the clock, time stands still.
 */
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import type { Seq, Timestamp } from "../../common/log/Cursor.ts"
import type { AuthorId, Body, Entry } from "../../common/log/Entry.ts"
import { keyOf, type NewEntry, type Stored } from "../history/History.ts"
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
  author: string | null
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

export const idempotencyKey = ({ from, key }: Pick<NewEntry, "from" | "key">): string | undefined =>
  key === undefined ? undefined : keyOf(from, key)

/**
 * `known` has every conversation of the entries. `earlier` finds what is stored already under a key of a conversation;
 * where nothing is known of that, the database's constraint will tell.
 */
export const place = (
  entries: Iterable<NewEntry>,
  known: (name: string) => Known | undefined,
  earlier: (conversation: number, key: string) => Stored | undefined = () => undefined
): Placement => {
  const rows: Array<Row> = []
  const deeds: Array<Deed> = []
  const stored: Array<Stored> = []
  const newest = new Map<string, Known>()
  const placed = new Map<string, Stored>()
  // A run of entries has one conversation.
  let current: Conversation | undefined
  let name = ""
  for (const entry of entries) {
    if (entry.conversation !== current) {
      current = entry.conversation
      name = conversationKey(current)
    }
    const before = newest.get(name) ?? known(name) ?? unknownConversation(name)
    const { id } = before
    const key = idempotencyKey(entry)
    const first = key === undefined ? undefined : (placed.get(`${id} ${key}`) ?? earlier(id, key))
    if (first !== undefined) {
      stored.push({ ...first, repeated: true })
      continue
    }
    const seq = before.newest + 1
    const at = Math.max(entry.at, before.at)
    const position: Stored = { seq, at, repeated: false }
    stored.push(position)
    rows.push(rowOf(id, seq, at, key, entry))
    const { author, body, from } = entry
    if (body._tag !== "Said") deeds.push({ conversation: id, seq, at, from, author, body })
    newest.set(name, { id, newest: seq, at })
    if (key !== undefined) placed.set(`${id} ${key}`, position)
  }
  return { rows, deeds, stored, newest }
}

const rowOf = (id: number, seq: Seq, at: Timestamp, key: string | undefined, entry: NewEntry): Row => {
  const { content, kind, target } = toStored(entry.body)
  const author = entry.author ?? null
  const sum = checksum(id, seq, at, entry.from, content, kind, target, author)
  return [id, seq, at, entry.from, content, key ?? null, sum, kind, target, author]
}

const unknownConversation = (name: string): never => {
  throw new Error(`${name} was not opened before its entries were placed`)
}

/**
 * Where the entries of one commit stand: pure.
 *
 * Entries come in the order they were handed over; each gets the next place of its conversation, unless its key was
 * stored before, in this commit or an earlier one, whose place it then shares (invariant 5).
 */
import type { Timestamp } from "../../common/Cursor.ts"
import { nameKey } from "../../common/Name.ts"
import { conversationKey } from "../messages/Conversation.ts"
import type { NewEntry, Stored } from "./History.ts"

/** A conversation as the database knows it: its number there and its newest place. */
export interface Known {
  readonly id: number
  readonly newest: number
}

/** An entry to be inserted. */
export type Row = readonly [
  conversation: number,
  seq: number,
  at: Timestamp,
  sender: string,
  content: string,
  idempotencyKey: string | null
]

export interface Placement {
  readonly rows: ReadonlyArray<Row>
  /** One per entry, in their order. */
  readonly stored: ReadonlyArray<Stored>
  /** The newest place of each conversation that got an entry, by key. */
  readonly newest: ReadonlyMap<string, Known>
}

/** Names the message of one sender by the key it was sent with, inside its conversation. */
export const idempotencyKey = ({ from, key }: NewEntry): string | undefined =>
  key === undefined ? undefined : `${nameKey(from)} ${key}`

/**
 * `known` has every conversation of the entries. `earlier` finds what is stored already under a key of a conversation;
 * where nothing is known of that, the database's constraint will tell.
 */
export const place = (
  entries: Iterable<NewEntry>,
  known: ReadonlyMap<string, Known>,
  earlier: (conversation: number, key: string) => Stored | undefined = () => undefined
): Placement => {
  const rows: Array<Row> = []
  const stored: Array<Stored> = []
  const newest = new Map<string, Known>()
  const placed = new Map<string, Stored>()
  for (const entry of entries) {
    const name = conversationKey(entry.conversation)
    const { id, newest: last } = newest.get(name) ?? known.get(name) ?? unknownConversation(name)
    const key = idempotencyKey(entry)
    const first = key === undefined ? undefined : (placed.get(`${id} ${key}`) ?? earlier(id, key))
    if (first !== undefined) {
      stored.push({ ...first, repeated: true })
      continue
    }
    const seq = last + 1
    const position: Stored = { seq, at: entry.at, repeated: false }
    stored.push(position)
    rows.push([id, seq, entry.at, entry.from, entry.content, key ?? null])
    newest.set(name, { id, newest: seq })
    if (key !== undefined) placed.set(`${id} ${key}`, position)
  }
  return { rows, stored, newest }
}

const unknownConversation = (name: string): never => {
  throw new Error(`${name} was not opened before its entries were placed`)
}

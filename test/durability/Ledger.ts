/**
 * What the server answered and told to several clients, over all its crashes: the promises that its database is held to.
 *
 * Anything that goes against the protocol while it happens is noted as a problem; the database is compared with the
 * rest.
 */
import type { Deed, HeardEntry } from "../support/ReferenceEntry.ts"

/** Where a message is sent: a room, or here. */
export const lobby = "the lobby"

/** An entry that was made; or, without a deed, its Tombstone. */
export type Made = Pick<HeardEntry, "at" | "deed" | "from" | "seq">

/** What was answered with Sent. */
interface Promised extends Made {
  readonly place: string
  readonly key: string
  readonly deed: Deed
  /** The server said that it had it from an earlier attempt. */
  readonly repeated: boolean
}

/** What was refused: it must never be there. */
interface Refused {
  readonly place: string
  readonly key: string
  readonly from: string
}

/** One client's view of one log: the place before its first entry, and every entry since. */
export interface Heard {
  readonly who: string
  readonly place: string
  epoch: string | undefined
  first: number
  readonly entries: Array<Made>
}

export interface Ledger {
  readonly promised: Array<Promised>
  readonly refused: Array<Refused>
  readonly heard: Array<Heard>
  readonly problems: Array<string>
}

export const make = (): Ledger => ({ promised: [], refused: [], heard: [], problems: [] })

export const newHeard = (ledger: Ledger, who: string, place: string): Heard => {
  const heard: Heard = { who, place, epoch: undefined, first: 0, entries: [] }
  ledger.heard.push(heard)
  return heard
}

/** The newest place a client has heard of. */
export const cursorOf = ({ entries, first }: Heard): number => entries.at(-1)?.seq ?? first

/** The server tells where a log stands: the first time this is where one begins to listen. */
export const begin = (ledger: Ledger, heard: Heard, epoch: string, newest: number) => {
  if (heard.epoch === undefined) {
    heard.epoch = epoch
    heard.first = newest
  }
  const cursor = cursorOf(heard)
  const where = `${heard.who} in ${heard.place}`
  if (heard.epoch !== epoch) ledger.problems.push(`${where}: the epoch was ${heard.epoch} and is ${epoch}`)
  if (newest < cursor) ledger.problems.push(`${where}: heard ${cursor}, but the newest is ${newest}`)
}

/** An entry comes: it has to be the next one. */
export const hear = (ledger: Ledger, heard: Heard, { at, deed, from, seq }: Made) => {
  const cursor = cursorOf(heard)
  if (seq !== cursor + 1) ledger.problems.push(`${heard.who} in ${heard.place}: ${seq} came after ${cursor}`)
  heard.entries.push({ seq, at, from, deed })
}

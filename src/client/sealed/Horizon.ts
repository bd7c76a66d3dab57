/**
 * How far the log of a conversation goes, by all that was heard of it, and the entries that came live and wait to be read. Pure.
 *
 * 1. `heard` is ahead of the cursor for as long as there may be something to read. It falls back to the cursor only by an empty page
 *    that was asked for when all that was heard had been heard already: what is heard of while a page is on its way is not in it.
 * 2. A page that does not move the cursor is an empty one, whatever is in it.
 * 3. What a refusal says is in the log (`expected`) is looked for again, a little later, 50 times: a page holds what this connection
 *    has been told, and that may be less. Then it is taken for a lie.
 *
 * Bounds: 500 live entries wait; further ones are read by pages.
 */
import type { SealedEntry } from "./Entries.ts"

export interface Horizon {
  readonly heard: number
  readonly expected: number
  /** How many pages in a row were empty. */
  readonly vain: number
  /** How often something was heard. */
  readonly hearings: number
  readonly live: ReadonlyArray<SealedEntry>
}

const maxLive = 500
const looksAgain = 50

export const nothing: Horizon = { heard: 0, expected: 0, vain: 0, hearings: 0, live: [] }

const reaching = (horizon: Horizon, seq: number): Horizon => ({
  ...horizon,
  heard: Math.max(horizon.heard, seq),
  hearings: horizon.hearings + 1
})

/** This connection is in the room, whose log goes so far; what came live before is in its pages. */
export const joined = (horizon: Horizon, seq: number, isSameLog: boolean): Horizon =>
  reaching({ ...(isSameLog ? horizon : { ...nothing, hearings: horizon.hearings }), vain: 0, live: [] }, seq)

export const entered = (horizon: Horizon, entry: SealedEntry, cursor: number): Horizon => {
  const { live } = horizon
  const isNext = entry.seq === (live.at(-1)?.seq ?? cursor) + 1
  const waiting = isNext && live.length < maxLive ? [...live, entry] : live
  return reaching({ ...horizon, live: waiting }, entry.seq)
}

/** There may be something behind the cursor. */
export const mayGoOn = (horizon: Horizon, cursor: number): Horizon => reaching(horizon, cursor + 1)

/** The log has something at this place, the server says. */
export const expecting = (horizon: Horizon, seq: number): Horizon =>
  reaching({ ...horizon, expected: Math.max(horizon.expected, seq) }, seq)

/** Whether what should be there is still looked for. */
export const isAwaiting = ({ expected, vain }: Horizon, cursor: number): boolean =>
  expected > cursor && vain < looksAgain

/** The live entries, if they are what comes next. */
export const livePage = ({ live }: Horizon, cursor: number): ReadonlyArray<SealedEntry> | undefined =>
  live[0]?.seq === cursor + 1 ? live : undefined

interface PageRead {
  /** How many things had been heard when it was asked for. */
  readonly asked: number
  readonly before: number
  readonly cursor: number
  /** Whether the server has more than the page. */
  readonly isMore: boolean
}

/** A page was read, up to the cursor. */
export const read = (horizon: Horizon, { asked, before, cursor, isMore }: PageRead): Horizon => {
  const live = horizon.live.filter(({ seq }) => seq > cursor)
  if (cursor > before) {
    const next = { ...horizon, live, vain: 0 }
    return isMore ? mayGoOn(next, cursor) : next
  }
  const heard = horizon.hearings === asked ? cursor : horizon.heard
  const vain = horizon.vain + 1
  // A lie is forgotten: with whatever came next, it would be looked for again.
  return { ...horizon, live, heard, vain, ...(vain >= looksAgain && { expected: cursor }) }
}

/**
 * What of one conversation is at hand: a piece of its log as it stands, oldest first, without holes. Pure.
 *
 * It holds the newest messages and grows with what comes; or a piece further back, where somebody has gone, and then of what comes
 * only the place is known (`isAtEnd`). Edits, deletions and reactions stand nowhere themselves: they change what they are about. Those
 * about messages that are not at hand wait for them (`late`), since a page that is on its way may have been read before them; carried
 * out on a page that knows them already, they change nothing.
 *
 * Of a log that is no more (its room was made again; a guest's inbox, whose connection ended) what was shown stays to be read, as
 * `past`: nothing can be done to it, and its places mean nothing. Whoever stands there is at a place counted back from its last message,
 * which is -1.
 *
 * Bounds: `maxEntries` at hand, `maxLate` that wait, `maxPast`. To copy a thousand places takes 1 µs for each message that comes.
 */
import type { Seq } from "../../../common/log/Cursor.ts"
import { maxReactors } from "../../../common/log/Timeline.ts"
import { nameKey } from "../../../common/name/Name.ts"
import type { EntryMessage, StandingMessage } from "../../../common/wire/EntryMessage.ts"
import type { HeardEntry, Whereabouts } from "../Heard.ts"

export const maxEntries = 1000
export const maxPast = 200
const maxLate = 200

export interface Window {
  readonly where: Whereabouts
  readonly entries: ReadonlyArray<StandingMessage>
  /** Where the newest message stands that is known to be there. */
  readonly newest: Seq
  /** Whether it is at hand. */
  readonly isAtEnd: boolean
  /** Whether there may be something before the first. */
  readonly hasOlder: boolean
  readonly late: ReadonlyArray<Change>
  readonly past: ReadonlyArray<StandingMessage>
}

/** Of a log that may hold something already, or that holds nothing. */
export const make = (where: Whereabouts, hasOlder = true): Window => ({
  where,
  entries: [],
  newest: 0,
  isAtEnd: true,
  hasOlder,
  late: [],
  past: []
})

/** What was said, as it stands. */
export type Said = Extract<StandingMessage, { readonly content: string }>
export const isSaid = (message: StandingMessage): message is Said => "content" in message

/** What changes another message. */
type Change = Extract<EntryMessage, { readonly _tag: "Deleted" | "Edited" | "Reacted" }>
const isChange = (entry: HeardEntry): entry is Change =>
  entry._tag === "Edited" || entry._tag === "Deleted" || entry._tag === "Reacted"

/** Which end gives way where there is too much: the oldest, while one follows what comes. */
export type Kept = "newest" | "oldest"

/** After the next entry of the log. */
export const follow = (window: Window, entry: HeardEntry, kept: Kept): Window => {
  if (entry._tag === "LaterEntry") return window
  if (isChange(entry)) {
    return find(window, entry.target) === undefined
      ? { ...window, late: [...window.late, entry].slice(-maxLate) }
      : changed(window, entry)
  }
  if (entry.seq <= window.newest) return window
  const next = { ...window, newest: entry.seq }
  return window.isAtEnd ? fitted({ ...next, entries: [...window.entries, entry] }, kept) : next
}

const fitted = (window: Window, kept: Kept): Window => {
  const { entries } = window
  if (entries.length <= maxEntries) return window
  return kept === "newest"
    ? { ...window, entries: entries.slice(-maxEntries), hasOlder: true }
    : { ...window, entries: entries.slice(0, maxEntries), isAtEnd: false }
}

/** -1 if it is not at hand. */
export const indexOf = ({ entries }: Window, seq: Seq): number => {
  let [from, to] = [0, entries.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((entries[middle]?.seq ?? 0) < seq) from = middle + 1
    else to = middle
  }
  return entries[from]?.seq === seq ? from : -1
}

export const find = (window: Window, seq: Seq): StandingMessage | undefined => {
  const index = indexOf(window, seq)
  return index === -1 ? undefined : window.entries[index]
}

const changed = (window: Window, change: Change): Window => {
  const index = indexOf(window, change.target)
  const before = window.entries[index]
  if (before === undefined || !isSaid(before)) return window
  const after = changedBy(before, change, window.where)
  return after === before ? window : { ...window, entries: window.entries.with(index, after) }
}

const changedBy = (before: Said, change: Change, where: Whereabouts): StandingMessage => {
  switch (change._tag) {
    case "Edited": {
      const isKnown = before.edited !== undefined && before.edited > change.at
      return isKnown ? before : { ...before, content: change.content, edited: change.at }
    }
    case "Deleted": {
      const { at, from, seq } = before
      return { _tag: "Tombstone", seq, at, from, ...where, deletedBy: change.from, deletedAt: change.at }
    }
    case "Reacted":
      return reacted(before, change)
  }
}

const reacted = (
  before: Said,
  { from, reaction, removed }: Extract<EntryMessage, { readonly _tag: "Reacted" }>
): StandingMessage => {
  const { reactions: all = [], ...rest } = before
  const known = all.find((one) => one.reaction === reaction)
  const users = known?.users ?? []
  const others = users.filter((user) => nameKey(user) !== nameKey(from))
  const isNamed = others.length < users.length
  if (removed === true) {
    // Of those who are not named any may have taken it back.
    if (known === undefined || (!isNamed && known.count <= users.length)) return before
    const fewer = { reaction, users: others, count: known.count - 1 }
    const reactions = all.flatMap((one) => (one === known ? (fewer.count > 0 ? [fewer] : []) : [one]))
    return reactions.length === 0 ? rest : { ...rest, reactions }
  }
  if (isNamed) return before
  const one = { reaction, users: [...users, from].slice(0, maxReactors), count: (known?.count ?? 0) + 1 }
  return {
    ...rest,
    reactions: known === undefined ? [...all, one] : all.map((other) => (other === known ? one : other))
  }
}

/** A page of the log as it stands. */
export interface Page {
  readonly messages: ReadonlyArray<StandingMessage>
  /** Whether there is more: before them, or behind them where one asked for what comes after a place. */
  readonly more: boolean
}

const caughtUp = (window: Window): Window => {
  const done = window.late.reduce(changed, window)
  return { ...done, late: window.late.filter(({ target }) => indexOf(window, target) === -1) }
}

/** What stands before the first; of a window with nothing in it, the newest there are. */
export const olderPage = (window: Window, { messages, more }: Page): Window => {
  const first = window.entries[0]?.seq ?? Infinity
  const older = messages.filter(({ seq }) => seq < first)
  const newest = Math.max(window.newest, older.at(-1)?.seq ?? 0)
  return fitted(caughtUp({ ...window, newest, entries: [...older, ...window.entries], hasOlder: more }), "oldest")
}

/** What stands behind the last, where that is not the end. What came while it was on its way is asked for again. */
export const newerPage = (window: Window, { messages, more }: Page): Window => {
  if (window.isAtEnd) return window
  const last = window.entries.at(-1)?.seq ?? 0
  const newer = messages.filter(({ seq }) => seq > last)
  const reached = newer.at(-1)?.seq ?? last
  const isAtEnd = !more && (reached >= window.newest || newer.length === 0)
  const newest = isAtEnd ? reached : Math.max(window.newest, reached)
  return fitted(caughtUp({ ...window, newest, entries: [...window.entries, ...newer], isAtEnd }), "newest")
}

/** A piece somewhere in the log, with what was looked for: one page before, and one from there on. */
export const goneTo = (window: Window, before: Page, behind: Page): Window => {
  const entries = [...before.messages, ...behind.messages]
  const reached = entries.at(-1)?.seq ?? 0
  const isAtEnd = !behind.more && reached >= window.newest
  const newest = Math.max(window.newest, reached)
  return caughtUp({ ...window, newest, entries, hasOlder: before.more, isAtEnd })
}

/** Back to the newest, which are to be asked for. */
export const toEnd = (window: Window): Window =>
  window.isAtEnd ? window : { ...window, entries: [], isAtEnd: true, hasOlder: true }

/** Some entries were left out behind what was heard: what comes next stands behind a hole. */
export const broken = (window: Window, kept: Kept): Window =>
  kept === "newest" || window.entries.length === 0
    ? { ...window, entries: [], isAtEnd: true, hasOlder: true }
    : { ...window, isAtEnd: false }

/** The log is another one from here on. */
export const ended = (window: Window): Window => ({
  ...make(window.where, false),
  past: [...window.past, ...window.entries].slice(-maxPast)
})

/** Where something stands, counted back from the last, once the log it is in has ended: none if it is not kept. */
export const placeInPast = (window: Window, place: Seq): Seq | undefined => {
  const index = place < 0 ? place : indexOf(window, place)
  if (place >= 0 && index === -1) return undefined
  const back = index - window.entries.length
  return back < -maxPast ? undefined : back
}

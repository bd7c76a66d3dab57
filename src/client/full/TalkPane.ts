/**
 * The messages of the conversation that is shown, as many as there is room for. Pure.
 *
 * 1. Only what is seen is laid out: from the message at the top downwards, or from the end upwards.
 * 2. The view hangs on a message (`anchor`) and on how many of its rows are above the top (`skip`), so it stays on it whatever
 *    comes and however wide the window is.
 */
import type { Seq } from "../../common/log/Cursor.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import * as Moves from "../core/chat/Moves.ts"
import * as Outgoing from "../core/chat/Outgoing.ts"
import type { Talk } from "../core/chat/Talk.ts"
import * as Window from "../core/chat/Window.ts"
import { rowsWithin } from "../text/Wrap.ts"
import { rowsOf, rowsOfMoves, rowsOfOutgoing, type Setting } from "./MessageRows.ts"
import { faint, type Row, rowOf } from "./Row.ts"
import { encryptedFromNow, says } from "./SealedWords.ts"

/**
 * Where a view begins: a message, and how many of its rows are above. Those of a log that is no more have no place in the one there is:
 * they are counted from the last one back, as -1, -2 and so on.
 */
export interface Place {
  readonly seq: Seq
  readonly skip: number
}

export interface Pane {
  /** As many as there is room for. */
  readonly rows: ReadonlyArray<Row>
  /** Which message of the log each row belongs to. */
  readonly seqs: ReadonlyArray<Seq | undefined>
  /** The first of which a row is seen. */
  readonly top: Place | undefined
  /** The last of the log. */
  readonly bottom: Seq | undefined
  /** How many stand below. */
  readonly newer: number
}

interface Placed {
  readonly row: Row
  /** As in `Place`. */
  readonly place: Seq | undefined
}

/** How many of a log that is no more stand before the first that is at hand: none, if there may be something in between. */
const pastOf = ({ window: { hasOlder, past } }: Talk): number => (hasOlder ? 0 : past.length)

const countOf = (talk: Talk): number => pastOf(talk) + talk.window.entries.length

/** Of all that can be seen, oldest first: -1 if it cannot. */
const indexOf = (talk: Talk, place: Seq): number => {
  const past = pastOf(talk)
  if (place < 0) return Math.max(-1, past + place)
  const index = Window.indexOf(talk.window, place)
  return index === -1 ? -1 : past + index
}

const placeAt = (talk: Talk, index: number): Seq | undefined => {
  const past = pastOf(talk)
  return index < past ? index - past : talk.window.entries[index - past]?.seq
}

/** A message, and what happened behind it. */
const rowsAt = (talk: Talk, index: number, setting: Setting, isFirst = false): ReadonlyArray<Row> => {
  const count = pastOf(talk)
  if (index >= count) return entryRows(talk, index - count, setting, isFirst)
  const { past } = talk.window
  const message = past[index]
  if (message === undefined) return []
  const find = (seq: Seq) => past.findLast((one) => one.seq === seq)
  // Places in the log there is mean others.
  const rows = rowsOf(message, past[index - 1], { ...setting, find, chosen: undefined, newFrom: undefined }, isFirst)
  return index < count - 1 ? rows : [...rows, ...remark("— the server's history begins anew here —", setting)]
}

/** All rows of what stands at a place. */
export const rowsOfPlace = (talk: Talk, place: Seq, setting: Setting): ReadonlyArray<Row> =>
  rowsAt(talk, indexOf(talk, place), setting)

/** A message, and who came and went behind it. */
const entryRows = (talk: Talk, index: number, setting: Setting, isFirst: boolean): ReadonlyArray<Row> => {
  const message = talk.window.entries[index]
  if (message === undefined) return []
  const above = talk.window.entries[index - 1]
  const isApart = above !== undefined && movesBehind(talk, above, setting).length > 0
  const rows = rowsOf(message, above, setting, isFirst || isApart)
  const moves = movesBehind(talk, message, setting)
  return moves.length === 0 ? rows : [...rows, ...moves]
}

const movesBehind = ({ moves }: Talk, { seq }: StandingMessage, setting: Setting): ReadonlyArray<Row> => {
  const piece = moves.length === 0 ? undefined : Moves.behind(moves, seq)
  return piece === undefined ? [] : rowsOfMoves(piece, setting)
}

/** What stands behind the log. */
const outgoingRows = ({ outbox }: Talk, setting: Setting): ReadonlyArray<Placed> =>
  Outgoing.shown(outbox).flatMap((said) => rowsOfOutgoing(said, setting).map((row) => ({ row, place: undefined })))

const remark = (text: string, { width }: Setting): ReadonlyArray<Row> =>
  rowsWithin(text, Math.max(1, width)).map((row) => rowOf(row.trimEnd(), faint))

/** What there is to say where nothing is. */
const emptyRows = (talk: Talk, setting: Setting): ReadonlyArray<Row> => {
  if (!talk.isIn) {
    const { closeKey } = setting
    return remark(`You are not in this room any more. ${closeKey} takes it off the list, :jr joins it again.`, setting)
  }
  const { partner, sealed } = talk
  const stands = sealed === undefined ? undefined : says[sealed.state]
  if (stands !== undefined) return remark(`Nothing can be read here: ${stands}.`, setting)
  if (partner !== undefined && !talk.window.hasOlder) return remark(encryptedFromNow(partner), setting)
  return remark(talk.window.hasOlder ? "…" : "Nothing was said here yet.", setting)
}

/** From the last one upwards, until there is no more room. */
const upwards = (talk: Talk, height: number, below: number, setting: Setting): ReadonlyArray<Placed> => {
  const blocks: Array<ReadonlyArray<Placed>> = []
  let all = below
  for (let index = countOf(talk) - 1; index >= 0 && all < height; index--) {
    const rows = rowsAt(talk, index, setting)
    const place = placeAt(talk, index)
    blocks.push(rows.map((row) => ({ row, place })))
    all += rows.length
  }
  return blocks.toReversed().flat()
}

const placeless = (rows: ReadonlyArray<Row>): ReadonlyArray<Placed> => rows.map((row) => ({ row, place: undefined }))

const fromEnd = (talk: Talk, height: number, setting: Setting): ReadonlyArray<Placed> => {
  const outgoing = outgoingRows(talk, setting)
  const placed = [...upwards(talk, height, outgoing.length, setting), ...outgoing]
  if (placed.length === 0) return placeless(emptyRows(talk, setting))
  const { entries, hasOlder } = talk.window
  return placed.length < height && hasOlder && entries.length > 0
    ? [...placeless(remark("…", setting)), ...placed]
    : placed
}

const fromTop = (
  talk: Talk,
  { seq, skip }: Place,
  height: number,
  setting: Setting
): ReadonlyArray<Placed> | undefined => {
  const start = indexOf(talk, seq)
  if (start === -1) return undefined
  const placed: Array<Placed> = []
  for (let index = start; index < countOf(talk) && placed.length < height + skip; index++) {
    const place = placeAt(talk, index)
    const all = rowsAt(talk, index, setting)
    const kept = index === start ? all.slice(Math.min(skip, all.length - 1)) : all
    placed.push(...kept.map((row) => ({ row, place })))
  }
  if (placed.length < height && talk.window.isAtEnd) placed.push(...outgoingRows(talk, setting))
  return placed
}

/** Where the view hangs, if it does, and as many rows as there are for it. */
export const paneOf = (talk: Talk, at: Place | undefined, height: number, setting: Setting): Pane => {
  const hung = at === undefined ? undefined : fromTop(talk, at, height, setting)
  const isWhole = hung !== undefined && (hung.length >= height || !talk.window.isAtEnd)
  const all = isWhole ? hung.slice(0, height) : fromEnd(talk, height, setting).slice(-height)
  const shown = withHead(talk, all, setting)
  const blank = Array.from({ length: Math.max(0, height - shown.length) }, (): Placed => ({
    row: [],
    place: undefined
  }))
  const placed = isWhole ? [...shown, ...blank] : [...blank, ...shown]
  const first = shown.find(({ place }) => place !== undefined)?.place
  const last = shown.findLast(({ place }) => place !== undefined)?.place
  return {
    rows: placed.map(({ row }) => row),
    seqs: placed.map(({ place }) => (place === undefined || place < 0 ? undefined : place)),
    top:
      first === undefined
        ? undefined
        : { seq: first, skip: above(talk, first, isWhole ? at?.skip : undefined, shown, setting) },
    bottom: last === undefined || last < 0 ? undefined : last,
    newer: last === undefined || !isWhole ? 0 : behind(talk, last)
  }
}

/** Of the message at the top, how many rows are above: as many as were passed over, or what is not seen of what ends at the end. */
const above = (
  talk: Talk,
  place: Seq,
  skip: number | undefined,
  shown: ReadonlyArray<Placed>,
  setting: Setting
): number => {
  const own = rowsAt(talk, indexOf(talk, place), setting).length
  if (skip !== undefined) return Math.min(skip, own - 1)
  return Math.max(0, own - shown.filter((one) => one.place === place).length)
}

const behind = (talk: Talk, place: Seq): number => {
  const { entries, newest } = talk.window
  return countOf(talk) - 1 - indexOf(talk, place) + Math.max(0, newest - (entries.at(-1)?.seq ?? newest))
}

/** What stands at the top says whose it is, though more of theirs stands above. */
const withHead = (talk: Talk, shown: ReadonlyArray<Placed>, setting: Setting): ReadonlyArray<Placed> => {
  const [first] = shown
  if (first?.place === undefined) return shown
  const index = indexOf(talk, first.place)
  const all = rowsAt(talk, index, setting)
  const seen = shown.filter(({ place }) => place === first.place).length
  if (seen < all.length) return shown
  const named = rowsAt(talk, index, setting, true).slice(0, seen)
  return [...named.map((row) => ({ row, place: first.place })), ...shown.slice(seen)]
}

/** So many rows further up; and how many of them are not at hand. */
export const scrolledUp = (
  talk: Talk,
  from: Place,
  rows: number,
  setting: Setting
): { readonly at: Place; readonly missing: number } => {
  let index = indexOf(talk, from.seq)
  let missing = rows - from.skip
  if (missing <= 0) return { at: { seq: from.seq, skip: -missing }, missing: 0 }
  while (index > 0) {
    index -= 1
    const height = rowsAt(talk, index, setting).length
    const seq = placeAt(talk, index) ?? from.seq
    if (height >= missing) return { at: { seq, skip: height - missing }, missing: 0 }
    missing -= height
  }
  return { at: { seq: placeAt(talk, 0) ?? from.seq, skip: 0 }, missing }
}

/** So many rows further down; undefined if that is the end of what is at hand. */
export const scrolledDown = (
  talk: Talk,
  from: Place,
  rows: number,
  height: number,
  setting: Setting
): Place | undefined => {
  let index = indexOf(talk, from.seq)
  let missing = rows + from.skip
  while (index < countOf(talk)) {
    const own = rowsAt(talk, index, setting).length
    const seq = placeAt(talk, index) ?? from.seq
    if (own > missing) {
      const at = { seq, skip: missing }
      const rest = fromTop(talk, at, height, setting) ?? []
      return rest.length >= height ? at : undefined
    }
    missing -= own
    index += 1
  }
  return undefined
}

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
import { rowsOf, rowsOfMoves, rowsOfOutgoing, type Setting } from "./MessageRows.ts"
import { faint, type Row, rowOf } from "./Row.ts"

/** Where a view begins: a message, and how many of its rows are above. */
export interface Place {
  readonly seq: Seq
  readonly skip: number
}

export interface Pane {
  /** As many as there is room for. */
  readonly rows: ReadonlyArray<Row>
  /** Which message each row belongs to. */
  readonly seqs: ReadonlyArray<Seq | undefined>
  /** The first of which a row is seen. */
  readonly top: Place | undefined
  /** The last. */
  readonly bottom: Seq | undefined
  /** How many stand below. */
  readonly newer: number
}

interface Placed {
  readonly row: Row
  readonly seq: Seq | undefined
}

/** A message, and who came and went behind it. */
const entryRows = (talk: Talk, index: number, setting: Setting, isFirst = false): ReadonlyArray<Row> => {
  const message = talk.window.entries[index]
  if (message === undefined) return []
  const above = before(talk, index)
  const isApart = above !== undefined && movesBehind(talk, above, setting).length > 0
  const rows = rowsOf(message, above, setting, isFirst || isApart)
  const moves = movesBehind(talk, message, setting)
  return moves.length === 0 ? rows : [...rows, ...moves]
}

const movesBehind = ({ moves }: Talk, { seq }: StandingMessage, setting: Setting): ReadonlyArray<Row> => {
  const piece = moves.length === 0 ? undefined : Moves.behind(moves, seq)
  return piece === undefined ? [] : rowsOfMoves(piece, setting)
}

const before = ({ window: { entries, past } }: Talk, index: number): StandingMessage | undefined =>
  index > 0 ? entries[index - 1] : past.at(-1)

/** What stands behind the log. */
const outgoingRows = ({ outbox }: Talk, setting: Setting): ReadonlyArray<Row> =>
  Outgoing.shown(outbox).flatMap((said) => rowsOfOutgoing(said, setting))

/** What there is to say where nothing is. */
const emptyRow = (talk: Talk, { closeKey }: Setting): Row => {
  if (!talk.isIn)
    return rowOf(`You are not in this room any more. ${closeKey} takes it off the list, :jr joins it again.`, faint)
  return rowOf(talk.window.hasOlder ? "…" : "Nothing was said here yet.", faint)
}

/** Of each message its rows, from the last one upwards, until there is no more room. */
const upwards = (
  count: number,
  height: number,
  below: number,
  rowsAt: (index: number) => { readonly rows: ReadonlyArray<Row>; readonly seq: Seq | undefined }
): ReadonlyArray<Placed> => {
  const blocks: Array<ReadonlyArray<Placed>> = []
  let all = below
  for (let index = count - 1; index >= 0 && all < height; index--) {
    const { rows, seq } = rowsAt(index)
    blocks.push(rows.map((row) => ({ row, seq })))
    all += rows.length
  }
  return blocks.toReversed().flat()
}

const remark = (text: string): Placed => ({ row: rowOf(text, faint), seq: undefined })

const fromEnd = (talk: Talk, height: number, setting: Setting): ReadonlyArray<Placed> => {
  const { entries, hasOlder, past } = talk.window
  const outgoing = outgoingRows(talk, setting).map((row): Placed => ({ row, seq: undefined }))
  const said = upwards(entries.length, height, outgoing.length, (index) => ({
    rows: entryRows(talk, index, setting),
    seq: entries[index]?.seq
  }))
  const placed = [...said, ...outgoing]
  if (placed.length < height && past.length > 0) {
    const old = upwards(past.length, height, placed.length + 1, (index) => {
      const message = past[index]
      return { rows: message === undefined ? [] : rowsOf(message, past[index - 1], setting), seq: undefined }
    })
    return [...old, remark("— what follows is another log: this one begins anew —"), ...placed]
  }
  if (placed.length === 0) return [{ row: emptyRow(talk, setting), seq: undefined }]
  return placed.length < height && hasOlder && entries.length > 0 ? [remark("…"), ...placed] : placed
}

const fromTop = (
  talk: Talk,
  { seq, skip }: Place,
  height: number,
  setting: Setting
): ReadonlyArray<Placed> | undefined => {
  const { entries, isAtEnd } = talk.window
  const start = Window.indexOf(talk.window, seq)
  if (start === -1) return undefined
  const placed: Array<Placed> = []
  for (let index = start; index < entries.length && placed.length < height + skip; index++) {
    const own = entries[index]?.seq
    const all = entryRows(talk, index, setting)
    const kept = index === start ? all.slice(Math.min(skip, all.length - 1)) : all
    placed.push(...kept.map((row) => ({ row, seq: own })))
  }
  if (placed.length < height && isAtEnd)
    placed.push(...outgoingRows(talk, setting).map((row) => ({ row, seq: undefined })))
  return placed
}

/** Where the view hangs, if it does, and as many rows as there are for it. */
export const paneOf = (talk: Talk, at: Place | undefined, height: number, setting: Setting): Pane => {
  const hung = at === undefined ? undefined : fromTop(talk, at, height, setting)
  const isWhole = hung !== undefined && (hung.length >= height || !talk.window.isAtEnd)
  const all = isWhole ? hung.slice(0, height) : fromEnd(talk, height, setting).slice(-height)
  const shown = withHead(talk, all, setting)
  const blank = Array.from({ length: Math.max(0, height - shown.length) }, (): Placed => ({ row: [], seq: undefined }))
  const placed = isWhole ? [...shown, ...blank] : [...blank, ...shown]
  const first = shown.find(({ seq }) => seq !== undefined)?.seq
  const last = shown.findLast(({ seq }) => seq !== undefined)?.seq
  return {
    rows: placed.map(({ row }) => row),
    seqs: placed.map(({ seq }) => seq),
    top:
      first === undefined
        ? undefined
        : { seq: first, skip: above(talk, first, isWhole ? at?.skip : undefined, shown, setting) },
    bottom: last,
    newer: last === undefined || !isWhole ? 0 : behind(talk, last)
  }
}

/** Of the message at the top, how many rows are above: as many as were passed over, or what is not seen of what ends at the end. */
const above = (
  talk: Talk,
  seq: Seq,
  skip: number | undefined,
  shown: ReadonlyArray<Placed>,
  setting: Setting
): number => {
  const own = entryRows(talk, Window.indexOf(talk.window, seq), setting).length
  if (skip !== undefined) return Math.min(skip, own - 1)
  return Math.max(0, own - shown.filter((one) => one.seq === seq).length)
}

const behind = (talk: Talk, seq: Seq): number => {
  const { entries, newest } = talk.window
  const index = Window.indexOf(talk.window, seq)
  return entries.length - 1 - index + Math.max(0, newest - (entries.at(-1)?.seq ?? newest))
}

/** What stands at the top says whose it is, though more of theirs stands above. */
const withHead = (talk: Talk, shown: ReadonlyArray<Placed>, setting: Setting): ReadonlyArray<Placed> => {
  const [first] = shown
  if (first?.seq === undefined) return shown
  const index = Window.indexOf(talk.window, first.seq)
  const all = entryRows(talk, index, setting)
  const seen = shown.filter(({ seq }) => seq === first.seq).length
  if (seen < all.length) return shown
  const named = entryRows(talk, index, setting, true).slice(0, seen)
  return [...named.map((row) => ({ row, seq: first.seq })), ...shown.slice(seen)]
}

/** So many rows further up; and how many of them are not at hand. */
export const scrolledUp = (
  talk: Talk,
  from: Place,
  rows: number,
  setting: Setting
): { readonly at: Place; readonly missing: number } => {
  let index = Window.indexOf(talk.window, from.seq)
  let missing = rows - from.skip
  if (missing <= 0) return { at: { seq: from.seq, skip: -missing }, missing: 0 }
  while (index > 0) {
    index -= 1
    const height = entryRows(talk, index, setting).length
    const seq = talk.window.entries[index]?.seq ?? from.seq
    if (height >= missing) return { at: { seq, skip: height - missing }, missing: 0 }
    missing -= height
  }
  return { at: { seq: talk.window.entries[0]?.seq ?? from.seq, skip: 0 }, missing }
}

/** So many rows further down; undefined if that is the end of what is at hand. */
export const scrolledDown = (
  talk: Talk,
  from: Place,
  rows: number,
  height: number,
  setting: Setting
): Place | undefined => {
  const { entries } = talk.window
  let index = Window.indexOf(talk.window, from.seq)
  let missing = rows + from.skip
  while (index < entries.length) {
    const own = entryRows(talk, index, setting).length
    const seq = entries[index]?.seq ?? from.seq
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

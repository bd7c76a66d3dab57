/**
 * A row of the screen: pieces of text, each with how it is to look. Pure.
 *
 * 1. Whatever becomes a piece is safe for a terminal and on one line: there is no other way to make one.
 * 2. Widths are cells as `Grapheme` counts them: rather too many than too few.
 */
import { cellsOf } from "../text/Grapheme.ts"
import { isRightToLeft, wall } from "../text/RightToLeft.ts"
import { safeLine } from "../text/SafeText.ts"
import { cutTo } from "../text/Wrap.ts"

/** What a piece is (`code`: for a phone, black on white whatever the theme is), from which a theme makes its colour. */
type Tone = "plain" | "faint" | "accent" | "error" | "mention" | "own" | "bar" | "chosen" | "code"

export interface Look {
  readonly tone: Tone
  /** Whose name it is, for their colour. */
  readonly user?: string
  /** They are only named, and say nothing here. */
  readonly isListed?: boolean
  readonly bold?: boolean
  readonly italic?: boolean
  readonly strike?: boolean
  /** Where it goes, whoever follows it: as `Links` makes it. */
  readonly link?: string
}

export interface Span {
  readonly text: string
  readonly look: Look
}

export type Row = ReadonlyArray<Span>

/** Whether this is a row of a code for phones, as text/QrCode.ts makes it: with its light margin, of which nothing may be lost. */
export const isCode = (line: string): boolean => /^ {4}[█▀▄ ]{17,} {4}$/.test(line)

export const plain: Look = { tone: "plain" }
export const faint: Look = { tone: "faint" }

/** What would become part of the character before it, which is another piece's, is left out at the beginning. */
const joining = /^(?:\p{M}|\p{Grapheme_Extend}|\p{Emoji_Modifier}|\p{Join_Control}|\u0e33|\u0eb3)+/u

export const span = (text: string, look: Look = plain): Span => ({ text: safeLine(text).replace(joining, ""), look })

export const rowOf = (text: string, look: Look = plain): Row => [span(text, look)]

const known = new WeakMap<Span, number>()

/** Counted once: rows are drawn again and again as they were. */
export const cellsOfSpan = (piece: Span): number => {
  const before = known.get(piece)
  if (before !== undefined) return before
  const cells = cellsOf(piece.text)
  known.set(piece, cells)
  return cells
}

export const cellsOfRow = (row: Row): number => row.reduce((sum, piece) => sum + cellsOfSpan(piece), 0)

/** As much of the row as fits, with an ellipsis where some of it does not. */
export const cutRow = (row: Row, width: number): Row => {
  if (width <= 0) return []
  const fitting: Array<Span> = []
  let cells = 0
  for (const [index, piece] of row.entries()) {
    const room = width - cells
    const own = cellsOfSpan(piece)
    const isLast = row.slice(index + 1).every(({ text }) => text === "")
    if (own > room || (own === room && !isLast)) {
      if (room > 0) fitting.push({ ...piece, text: cutTo(`${piece.text}…`, room) })
      return fitting
    }
    fitting.push(piece)
    cells += own
  }
  return fitting
}

/** The same, and blank up to this width. */
export const filled = (row: Row, width: number, look: Look = plain): Row => {
  const cut = cutRow(row, width)
  const missing = width - cellsOfRow(cut)
  return missing > 0 ? [...cut, span(" ".repeat(missing), look)] : cut
}

/** One at the left and one at the right; where there is not enough room, the left one gives way. */
export const apart = (left: Row, right: Row, width: number, look: Look = plain): Row => {
  const end = cutRow(right, width)
  const room = width - cellsOfRow(end)
  return left.some(({ text }) => isRightToLeft(text)) && end.length > 0 && room > 0
    ? [...filled(left, room - 1, look), span(wall, look), ...end]
    : [...filled(left, room, look), ...end]
}

/** The lines that divide a row, where something on it is written from right to left. */
const walls: Readonly<Record<string, string>> = {
  "│": wall,
  "│ ": `${wall} `,
  " │ ": ` ${wall} `,
  "▶ ": `▶${wall}`,
  " ▶ ": ` ▶${wall}`
}

/** As it is to be drawn: what stands beside a line stays there. */
export const divided = (row: Row): Row =>
  row.some(({ text }) => isRightToLeft(text))
    ? row.map((piece) => {
        const instead = walls[piece.text]
        return instead === undefined ? piece : { ...piece, text: instead }
      })
    : row

/** At the right of so many cells, with an ellipsis where it is too long. */
export const atRight = (text: string, width: number): string => {
  if (width <= 0) return ""
  const cut = cutTo(safeLine(text), width)
  return `${" ".repeat(Math.max(0, width - cellsOf(cut)))}${cut}`
}

/** What would be seen of it. */
export const textOf = (row: Row): string => row.map(({ text }) => text).join("")

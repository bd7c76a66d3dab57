/**
 * Breaks text into rows of a terminal, at spaces where there are some.
 *
 * Left to the terminal, a long line goes on at the left margin, where text padded with spaces could look like the
 * beginning of somebody else's line. Widths are those of graphemes (UAX #29) in cells; colours of our own (SGR) have none.
 *
 * A web address is never broken, so that it can be opened and copied. One that is wider than a row is left to the terminal: without
 * a space it looks like nobody's line.
 */
import { cellsOf, type Grapheme, graphemesOf } from "./Grapheme.ts"

// eslint-disable-next-line no-control-regex -- our own colours
const whole = /\u001b\[[\d;]*m|https?:\/\/[\x21-\x7e]+/gi

/** What stays in one piece. */
const piecesOf = function* (text: string): Generator<Grapheme> {
  let from = 0
  for (const match of text.matchAll(whole)) {
    yield* graphemesOf(text.slice(from, match.index))
    const [piece] = match
    yield { text: piece, cells: piece.startsWith("\u001b") ? 0 : piece.length }
    from = match.index + piece.length
  }
  yield* graphemesOf(text.slice(from))
}

/**
 * The first row has `firstWidth` cells, the others `width`, which is no less; spaces at the end of a row are not
 * counted, and it holds at least one piece. Joined, the rows are the text.
 */
export const wrap = (text: string, firstWidth: number, width: number): ReadonlyArray<string> => {
  const rows: Array<string> = []
  let row = ""
  let cells = 0
  /** The row up to behind its last space, where it can be broken. */
  let breakLength = 0
  let breakCells = 0
  for (const grapheme of piecesOf(text)) {
    const limit = () => (rows.length === 0 ? firstWidth : width)
    // Behind its last space the row may hold something still that a long piece does not fit behind.
    while (grapheme.text !== " " && row !== "" && cells + grapheme.cells > limit()) {
      const [end, endCells] = breakLength > 0 ? [breakLength, breakCells] : [row.length, cells]
      rows.push(row.slice(0, end))
      row = row.slice(end)
      cells -= endCells
      breakLength = 0
    }
    row += grapheme.text
    cells += grapheme.cells
    if (grapheme.text === " ") {
      breakLength = row.length
      breakCells = cells
    }
  }
  return [...rows, row]
}

/** An address that is wider than a row is left whole by `wrap`: here it goes on on the next row. Joined, they are the text. */
export const rowsWithin = (text: string, width: number): ReadonlyArray<string> =>
  wrap(text, width, width).flatMap((row) => {
    if (cellsOf(row.trimEnd()) <= width) return [row]
    const rows: Array<string> = []
    let [part, cells] = ["", 0]
    for (const grapheme of graphemesOf(row)) {
      if (part !== "" && grapheme.text !== " " && cells + grapheme.cells > width) {
        rows.push(part)
        ;[part, cells] = ["", 0]
      }
      part += grapheme.text
      cells += grapheme.cells
    }
    rows.push(part)
    return rows
  })

/** As much of the text as fits into so many cells, with an ellipsis where some of it does not. */
export const cutTo = (text: string, width: number): string => {
  if (cellsOf(text) <= width) return text
  let kept = ""
  let cells = 1
  for (const grapheme of graphemesOf(text)) {
    cells += grapheme.cells
    if (cells > width) break
    kept += grapheme.text
  }
  return `${kept.trimEnd()}…`
}

/**
 * Breaks text into rows of a terminal, at spaces where there are some.
 *
 * Left to the terminal, a long line goes on at the left margin, where text padded with spaces could look like the
 * beginning of somebody else's line. Widths are those of graphemes (UAX #29) in cells.
 */
import { CliOutput } from "effect/cli"

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** The first row has `firstWidth` cells, the others `width`; a row holds at least one grapheme. */
export const wrap = (text: string, firstWidth: number, width: number): ReadonlyArray<string> => {
  if (text.length * 2 <= firstWidth || CliOutput.displayWidth(text) <= firstWidth) return [text]
  const rows: Array<string> = []
  let row = ""
  let cells = 0
  /** The part of the row up to its last space, and its width: where to break, if there is one. */
  let breakLength = 0
  let breakCells = 0
  for (const { segment } of graphemes.segment(text)) {
    const segmentCells = CliOutput.displayWidth(segment)
    if (row !== "" && cells + segmentCells > (rows.length === 0 ? firstWidth : width)) {
      const end = segment === " " || breakLength === 0 ? row.length : breakLength
      rows.push(row.slice(0, end))
      cells = end === row.length ? 0 : cells - breakCells
      row = row.slice(end)
      breakLength = 0
    }
    row += segment
    cells += segmentCells
    if (segment === " ") {
      breakLength = row.length
      breakCells = cells
    }
  }
  return [...rows, row]
}

/**
 * Breaks text into rows of a terminal, at spaces where there are some.
 *
 * Left to the terminal, a long line goes on at the left margin, where text padded with spaces could look like the
 * beginning of somebody else's line. Widths are those of graphemes (UAX #29) in cells.
 */
import { CliOutput } from "effect/cli"

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

const printableAscii = /^[\x20-\x7e]*$/

/** Letters and the marks that take a place of their own beside them, which most terminals count one by one (wcwidth). */
const spacing = /[\p{L}\p{N}\p{Mc}]/gu

/** How many cells of a terminal the text takes: rather too many, where terminals differ, than too few. */
export const cellsOf = (text: string): number => {
  if (printableAscii.test(text)) return text.length
  let cells = 0
  for (const { segment } of graphemes.segment(text)) {
    cells += Math.max(CliOutput.displayWidth(segment), segment.match(spacing)?.length ?? 0)
  }
  return cells
}

/**
 * The first row has `firstWidth` cells, the others `width`, which is no less; spaces at the end of a row are not
 * counted, and it holds at least one grapheme. Joined, the rows are the text.
 */
export const wrap = (text: string, firstWidth: number, width: number): ReadonlyArray<string> => {
  if (cellsOf(text) <= firstWidth) return [text]
  const rows: Array<string> = []
  let row = ""
  let cells = 0
  /** The row up to behind its last space, where it can be broken. */
  let breakLength = 0
  let breakCells = 0
  for (const { segment } of graphemes.segment(text)) {
    const segmentCells = cellsOf(segment)
    const limit = rows.length === 0 ? firstWidth : width
    if (segment !== " " && row !== "" && cells + segmentCells > limit) {
      const [end, endCells] = breakLength > 0 ? [breakLength, breakCells] : [row.length, cells]
      rows.push(row.slice(0, end))
      row = row.slice(end)
      cells -= endCells
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

/** As much of the text as fits into so many cells, with an ellipsis where some of it does not. */
export const cutTo = (text: string, width: number): string => {
  if (cellsOf(text) <= width) return text
  let kept = ""
  let cells = 1
  for (const { segment } of graphemes.segment(text)) {
    cells += cellsOf(segment)
    if (cells > width) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}

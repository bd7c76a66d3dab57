/** Where one types: the rows of the text behind the name of the conversation it goes to, and where the cursor stands. Pure. */
import { cellsOf } from "../text/Grapheme.ts"
import { cutTo, wrap } from "../text/Wrap.ts"
import type { Editor } from "./Editor.ts"
import { cutRow, type Look, plain, type Row, span } from "./Row.ts"

export interface Input {
  readonly rows: ReadonlyArray<Row>
  readonly cursor: { readonly x: number; readonly y: number }
}

interface Prompt {
  readonly text: string
  readonly look: Look
}

interface Laid {
  readonly text: string
  /** Where in the text it begins. */
  readonly from: number
}

/** Broken where there is no more room, with one cell left for the cursor. */
const laidOut = (text: string, width: number): ReadonlyArray<Laid> => {
  const laid: Array<Laid> = []
  let from = 0
  for (const line of text.split("\n")) {
    let at = from
    // A tab is one cell here, so that places in the text and on the screen go together.
    for (const row of wrap(line.replaceAll("\t", " "), width - 1, width - 1)) {
      laid.push({ text: row, from: at })
      at += row.length
    }
    from += line.length + 1
  }
  return laid
}

/** What stands before it has this much of a row at most. */
export const promptCells = (width: number): number => Math.max(1, Math.floor(width / 2))

/** Of more rows than `height`, those around the cursor; before the first that is seen stands where it goes. `isUnseen`: what is typed is nowhere on the screen. */
export const inputOf = (
  { at, text }: Pick<Editor, "at" | "text">,
  prompt: Prompt,
  width: number,
  height: number,
  isUnseen = false
): Input => {
  const head = cutTo(prompt.text, isUnseen ? Math.max(1, width - 1) : promptCells(width))
  const indent = Math.min(cellsOf(head), Math.max(0, width - 2))
  const room = Math.max(2, width - indent)
  const laid = isUnseen ? [{ text: "", from: 0 }] : laidOut(text, room)
  const place = isUnseen ? 0 : at
  const y = Math.max(
    0,
    laid.findLastIndex(({ from }) => from <= place)
  )
  const start = Math.max(0, Math.min(y - height + 1, laid.length - height), y >= height ? y - height + 1 : 0)
  const shown = laid.slice(start, start + height)
  const before = text.slice(laid[y]?.from ?? 0, place).replaceAll("\t", " ")
  const rows = shown.map((row, index): Row =>
    cutRow(
      [
        index === 0 ? span(head, prompt.look) : span(" ".repeat(indent)),
        span(
          row.text.replaceAll(/\s+$/g, (blank) => " ".repeat(blank.length)),
          plain
        )
      ],
      width
    )
  )
  return { rows, cursor: { x: Math.min(width - 1, indent + (isUnseen ? 0 : cellsOf(before))), y: y - start } }
}

/**
 * Emphasis as people type it: `**bold**`, `_italic_`, `~~struck~~`, `` `code` ``, `> quoted`, and blocks between lines of three
 * backticks. Pure. What is drawn holds every character that was said, the marks too: nothing can hide in them.
 */
import { wrap } from "../text/Wrap.ts"
import { type Look, type Row, span } from "./Row.ts"

const inline =
  /(`[^`\n]+`)|(\*\*(?=\S)[^*\n]*[^\s*]\*\*)|(~~(?=\S)[^~\n]*[^\s~]~~)|((?<![\w/])_(?=\S)[^_\n]*[^\s_]_(?!\w))|(https?:\/\/[^\s<>"]+)/g

interface Stretch {
  readonly text: string
  readonly look: Look
}

const stretchesOf = (text: string, look: Look): ReadonlyArray<Stretch> => {
  const found: Array<Stretch> = []
  let end = 0
  for (const match of text.matchAll(inline)) {
    const [whole, code, bold, strike, italic, link] = match
    if (match.index > end) found.push({ text: text.slice(end, match.index), look })
    found.push({
      text: whole,
      look: {
        ...look,
        ...(code !== undefined && { tone: "accent" as const }),
        ...(bold !== undefined && { bold: true }),
        ...(strike !== undefined && { strike: true }),
        ...(italic !== undefined && { italic: true }),
        ...(link !== undefined && { tone: "accent" as const })
      }
    })
    end = match.index + whole.length
  }
  if (end < text.length) found.push({ text: text.slice(end), look })
  return found
}

const fence = /^\s*```/

/** The lines of one message as rows of at most so many cells. */
export const styled = (lines: ReadonlyArray<string>, width: number, look: Look): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  let isCode = false
  for (const raw of lines) {
    const text = raw.replaceAll("\t", "    ")
    const isFence = fence.test(text)
    if (isCode || isFence) {
      rows.push(...broken([{ text, look: { ...look, tone: "accent" } }], text, width))
      if (isFence) isCode = !isCode
      continue
    }
    const isQuote = text.startsWith("> ")
    rows.push(...broken(isQuote ? [{ text, look: { ...look, tone: "faint" } }] : stretchesOf(text, look), text, width))
  }
  return rows
}

/** Cuts the rows of the whole text out of its stretches, which are the same text. */
const broken = (stretches: ReadonlyArray<Stretch>, text: string, width: number): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  let at = 0
  for (const row of wrap(text, width, width)) {
    const end = at + row.trimEnd().length
    const pieces: Array<ReturnType<typeof span>> = []
    let from = 0
    for (const { look, text: own } of stretches) {
      const [start, stop] = [Math.max(at, from), Math.min(end, from + own.length)]
      if (start < stop) pieces.push(span(own.slice(start - from, stop - from), look))
      from += own.length
    }
    rows.push(pieces.length === 0 ? [span("", { tone: "plain" })] : pieces)
    at += row.length
  }
  return rows
}

/** The addresses in a text, for whoever wants to follow one. */
export const linksIn = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/https?:\/\/[^\s<>"]+/g), ([link]) => link.replace(/[.,;:!?)\]}]+$/, ""))

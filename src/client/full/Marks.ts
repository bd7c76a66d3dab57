/**
 * Emphasis as people type it: `**bold**`, `_italic_`, `~~struck~~`, `` `code` ``, `> quoted`, and blocks between lines of three
 * backticks, behind a bar. Pure. What is drawn holds every character that was said, the marks too: nothing can hide in them.
 *
 * 1. A mark is one only where it is closed on its line, around something that does not begin or end with a space; else it is text.
 *    Emphasis may stand in emphasis, `maxNested` deep; in code and in an address there is none.
 * 2. An address is a link on each row that a piece of it stands on, to the whole of it. One that is wider than a row has its rows to
 *    itself. It is cut nowhere else.
 * 3. A block that is not closed goes to the end of its message, and no further.
 */
import { linksIn } from "../../common/text/Links.ts"
import { rowsWithin } from "../text/Wrap.ts"
import { cellsOfRow, faint, type Look, type Row, type Span, span } from "./Row.ts"

const maxNested = 4

const code = /`[^`\n]+`/g
const inline =
  /(\*\*(?=[^\s*])(?:[^*\n]|\*(?!\*))*?(?<=[^\s*])\*\*(?!\*))|(~~(?=[^\s~])[^~\n]*?(?<=[^\s~])~~)|((?<![\p{L}\p{N}/_])_(?=[^\s_])[^_\n]*?(?<=[^\s_])_(?![\p{L}\p{N}_]))/gu

interface Stretch {
  readonly text: string
  readonly look: Look
}

/** What is taken as it stands: no mark in it is one. */
interface Atom {
  readonly from: number
  readonly to: number
  readonly look: Partial<Look>
  /** What is said beside it. */
  readonly behind?: string
}

const atomsOf = (text: string): ReadonlyArray<Atom> => {
  const codes = Array.from(text.matchAll(code), ({ 0: whole, index }): Atom => ({
    from: index,
    to: index + whole.length,
    look: { tone: "accent" }
  }))
  const links = linksIn(text).flatMap(({ host, index, shown, target }): ReadonlyArray<Atom> => {
    const isInCode = codes.some(({ from, to }) => from <= index && index < to)
    const look = { tone: "accent", link: target } as const
    // Letters of another alphabet may look like those of a host that one knows.
    const behind = host === undefined ? {} : { behind: ` (${host})` }
    return isInCode ? [] : [{ from: index, to: index + shown.length, look, ...behind }]
  })
  return [...codes, ...links].toSorted((one, other) => one.from - other.from)
}

const stretchesOf = (text: string, look: Look): ReadonlyArray<Stretch> => {
  const atoms = atomsOf(text)
  const found: Array<Stretch> = []
  /** What is between these places, in this look but for the atoms in it. */
  const put = (from: number, to: number, own: Look) => {
    let at = from
    for (const atom of atoms) {
      if (atom.from < at || atom.to > to) continue
      if (atom.from > at) found.push({ text: text.slice(at, atom.from), look: own })
      found.push({ text: text.slice(atom.from, atom.to), look: { ...own, ...atom.look } })
      if (atom.behind !== undefined) found.push({ text: atom.behind, look: { ...own, tone: "mention" } })
      at = atom.to
    }
    if (at < to) found.push({ text: text.slice(at, to), look: own })
  }
  /** Of the same length, and no mark in an atom. */
  const masked = atoms.reduce(
    (before, { from, to }) => `${before.slice(0, from)}${"x".repeat(to - from)}${before.slice(to)}`,
    text
  )
  const emphasise = (from: number, to: number, own: Look, depth: number) => {
    let at = from
    for (const match of depth < maxNested ? masked.slice(from, to).matchAll(inline) : []) {
      const [{ length }, bold, strike] = match
      const start = from + match.index
      const mark = bold === undefined && strike === undefined ? 1 : 2
      const inner: Look = {
        ...own,
        ...(bold !== undefined ? { bold: true } : strike !== undefined ? { strike: true } : { italic: true })
      }
      put(at, start, own)
      put(start, start + mark, inner)
      emphasise(start + mark, start + length - mark, inner, depth + 1)
      put(start + length - mark, start + length, inner)
      at = start + length
    }
    put(at, to, own)
  }
  emphasise(0, text.length, look, 0)
  return found
}

const fence = /^\s*```/

/** What stands before each row of a block, where there is room. */
const bar = "▎ "
const narrowest = 12

/** The lines of one message as rows of at most so many cells. */
export const styled = (lines: ReadonlyArray<string>, width: number, look: Look): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  let isCode = false
  for (const raw of lines) {
    const text = raw.replaceAll("\t", "    ")
    const isFence = fence.test(text)
    if (isCode || isFence) {
      const before: ReadonlyArray<Span> = width < narrowest ? [] : [span(bar, faint)]
      const own: Look = { ...look, tone: isFence ? "faint" : "accent" }
      const block = broken([{ text, look: own }], width - cellsOfRow(before))
      for (const row of block) rows.push(before.concat(row))
      if (isFence) isCode = !isCode
      continue
    }
    rows.push(...broken(stretchesOf(text, /^> ?/.test(text) ? { ...look, tone: "faint" } : look), width))
  }
  return rows
}

/** The rows of what the stretches say one after the other. */
const broken = (stretches: ReadonlyArray<Stretch>, width: number): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  let at = 0
  for (const row of rowsWithin(stretches.map(({ text }) => text).join(""), width)) {
    const end = at + row.trimEnd().length
    const pieces: Array<Span> = []
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

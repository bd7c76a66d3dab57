/**
 * A picture of a terminal, from the text that `tmux capture-pane -e` gives: characters, and how they look (SGR, ECMA-48, 8.3.117).
 *
 * 1. It needs no font that is not there: each run of characters is stretched to the cells it takes, and lines are drawn as lines.
 * 2. It has a background of its own, so that it reads the same on a light and on a dark page.
 */
import { graphemesOf } from "../../src/client/text/Grapheme.ts"

const [cellWidth, cellHeight, margin, bar] = [8.4, 18, 14, 28]
const [ink, paper, frame] = ["#d7dae0", "#1b1f27", "#2a303c"]

/** The sixteen colours, as terminals with a dark background have them. */
const sixteen = [
  ..."#3a404d #f47174 #8fce7e #e0b964 #6fa8f5 #c793ea #5cc9cf #c3c8d1".split(" "),
  ..."#7b8494 #ff8f8f #a6e594 #f2d07c #8fc0ff #dcb1f7 #7ee0e4 #ffffff".split(" ")
]

interface Look {
  readonly colour: string | undefined
  readonly ground: string | undefined
  readonly isBold: boolean
  readonly isDim: boolean
  readonly isItalic: boolean
  readonly isStruck: boolean
  readonly isUnderlined: boolean
  readonly isInverse: boolean
}

const plain: Look = {
  colour: undefined,
  ground: undefined,
  isBold: false,
  isDim: false,
  isItalic: false,
  isStruck: false,
  isUnderlined: false,
  isInverse: false
}

/** Of the 256: the sixteen, a cube of 6 x 6 x 6, and greys. */
const indexed = (index: number): string | undefined => {
  if (index < 16) return sixteen[index]
  if (index >= 232) return hex([0, 1, 2].map(() => 8 + (index - 232) * 10))
  const level = (part: number) => (part === 0 ? 0 : 55 + part * 40)
  return hex([Math.floor((index - 16) / 36), Math.floor((index - 16) / 6) % 6, (index - 16) % 6].map(level))
}

const hex = (parts: ReadonlyArray<number>): string =>
  `#${parts.map((part) => Math.min(255, part).toString(16).padStart(2, "0")).join("")}`

const looked = (before: Look, codes: ReadonlyArray<number>): Look => {
  const [code = 0, kind, ...rest] = codes
  if (code === 38 || code === 48) {
    const colour = kind === 5 ? indexed(rest[0] ?? 0) : hex(rest.slice(0, 3))
    const after = code === 38 ? { ...before, colour } : { ...before, ground: colour }
    const others = rest.slice(kind === 5 ? 1 : 3)
    return others.length === 0 ? after : looked(after, others)
  }
  const after = one(before, code)
  return codes.length > 1 ? looked(after, codes.slice(1)) : after
}

const one = (before: Look, code: number): Look => {
  if (code === 0) return plain
  if (code === 1) return { ...before, isBold: true }
  if (code === 2) return { ...before, isDim: true }
  if (code === 3) return { ...before, isItalic: true }
  if (code === 4) return { ...before, isUnderlined: true }
  if (code === 7) return { ...before, isInverse: true }
  if (code === 9) return { ...before, isStruck: true }
  if (code === 22) return { ...before, isBold: false, isDim: false }
  if (code === 23) return { ...before, isItalic: false }
  if (code === 24) return { ...before, isUnderlined: false }
  if (code === 27) return { ...before, isInverse: false }
  if (code === 29) return { ...before, isStruck: false }
  if (code >= 30 && code <= 37) return { ...before, colour: sixteen[code - 30] }
  if (code === 39) return { ...before, colour: undefined }
  if (code >= 40 && code <= 47) return { ...before, ground: sixteen[code - 40] }
  if (code === 49) return { ...before, ground: undefined }
  if (code >= 90 && code <= 97) return { ...before, colour: sixteen[code - 82] }
  if (code >= 100 && code <= 107) return { ...before, ground: sixteen[code - 92] }
  return before
}

interface Run {
  readonly text: string
  readonly look: Look
  readonly x: number
  readonly cells: number
}

/** What is no SGR is no text either. */
const pieces =
  // eslint-disable-next-line no-control-regex -- sequences of a terminal
  /\u001b\[([\d;]*)m|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[^[\]]|\u001b\[[\d;?]*[@-~]|([^\u001b]+)/g

/** What takes two cells, or is no letter, is a run of its own: fonts differ about it. */
const isApart = (text: string, cells: number): boolean => cells !== 1 || /[^\x20-\x7e\u00a0-\u024f]/.test(text)

const runsOf = (row: string, first: Look): { readonly runs: ReadonlyArray<Run>; readonly look: Look } => {
  const runs: Array<Run> = []
  let look = first
  let x = 0
  let isOpen = false
  for (const [, codes, text] of row.matchAll(pieces)) {
    if (codes !== undefined) {
      look = looked(look, codes.split(";").map(Number))
      isOpen = false
    }
    for (const grapheme of text === undefined ? [] : graphemesOf(text)) {
      const last = runs.at(-1)
      const apart = isApart(grapheme.text, grapheme.cells)
      if (isOpen && !apart && last !== undefined) {
        runs[runs.length - 1] = { ...last, text: last.text + grapheme.text, cells: last.cells + grapheme.cells }
      } else runs.push({ text: grapheme.text, look, x, cells: grapheme.cells })
      isOpen = !apart
      x += grapheme.cells
    }
  }
  return { runs, look }
}

const number = (value: number): string => `${Number(value.toFixed(1))}`

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const drawn = ({ cells, look, text, x }: Run, y: number): string => {
  const [left, top] = [margin + x * cellWidth, bar + y * cellHeight]
  const [fore, back] = look.isInverse ? [look.ground ?? paper, look.colour ?? ink] : [look.colour ?? ink, look.ground]
  const ground =
    back === undefined
      ? ""
      : `<rect x="${number(left)}" y="${top}" width="${number(cells * cellWidth + 0.3)}" height="${cellHeight}" fill="${back}"${look.isInverse && look.isDim ? ' opacity=".6"' : ""}/>`
  if (text.trim() === "") return ground
  const dim = look.isDim && !look.isInverse ? ' opacity=".6"' : ""
  const middle = { x: number(left + cellWidth / 2), y: top + cellHeight / 2 }
  if (text === "│") return `${ground}<path d="M${middle.x} ${top}v${cellHeight}" stroke="${fore}"${dim}/>`
  if (text === "─")
    return `${ground}<path d="M${number(left)} ${middle.y}h${number(cells * cellWidth)}" stroke="${fore}"${dim}/>`
  const style = [
    fore === ink ? "" : ` fill="${fore}"`,
    look.isBold ? ' font-weight="700"' : "",
    look.isItalic ? ' font-style="italic"' : "",
    look.isStruck ? ' text-decoration="line-through"' : look.isUnderlined ? ' text-decoration="underline"' : "",
    dim
  ].join("")
  const lead = text.length - text.trimStart().length
  const inner = text.trim()
  const width = (cells - (text.length - inner.length)) * cellWidth
  const length = ` textLength="${number(width)}" lengthAdjust="spacingAndGlyphs"`
  return `${ground}<text x="${number(left + lead * cellWidth)}" y="${top + 13}"${style}${length}>${escaped(inner)}</text>`
}

/** Lines that go on are one line. */
const joined = (runs: ReadonlyArray<Run>): ReadonlyArray<Run> => {
  const all: Array<Run> = []
  for (const run of runs) {
    const last = all.at(-1)
    const isMore = last !== undefined && run.text === "─" && last.text.startsWith("─") && last.look === run.look
    if (isMore) all[all.length - 1] = { ...last, cells: last.cells + 1 }
    else all.push(run)
  }
  return all
}

export interface Captured {
  /** As it was captured, with its looks. */
  readonly text: string
  readonly columns: number
  readonly title: string
  /** What it shows, for whoever does not see it. */
  readonly alternative: string
}

export const svgOf = ({ alternative, columns, text, title }: Captured): string => {
  const rows = text.replace(/\n+$/, "").split("\n")
  const [width, height] = [Math.ceil(columns * cellWidth + 2 * margin), bar + rows.length * cellHeight + margin]
  let look = plain
  const body = rows.map((row, y) => {
    const { look: next, runs } = runsOf(row, look)
    look = next
    return joined(runs)
      .map((run) => drawn(run, y))
      .join("")
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(alternative)}">`,
    `<rect width="${width}" height="${height}" rx="8" fill="${paper}" stroke="${frame}"/>`,
    ...["#f47174", "#e0b964", "#8fce7e"].map(
      (colour, index) => `<circle cx="${18 + index * 16}" cy="14" r="5" fill="${colour}"/>`
    ),
    `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace" font-size="14" fill="${ink}">`,
    `<text x="${width / 2}" y="19" text-anchor="middle" font-size="12" opacity=".6">${escaped(title)}</text>`,
    ...body.filter((row) => row !== ""),
    "</g></svg>",
    ""
  ].join("\n")
}

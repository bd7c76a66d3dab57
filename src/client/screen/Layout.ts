/**
 * How text stands on a screen: the margin under the times, rows that fit, what is dim.
 *
 * On a terminal, what does not fit on a message's first row goes on behind a mark that nobody can put at the beginning of
 * a row, so that it cannot look like another one's message. In plain layout an event is one line, for scripts to read.
 */
import type { Palette } from "../text/Palette.ts"
import type { Timestamp } from "../text/Timestamp.ts"
import { wrap } from "../text/Wrap.ts"

export interface Style {
  readonly layout: "terminal" | "plain"
  /** A screen that has so many rows for an answer, and paints by itself. */
  readonly ownRows?: number
  readonly palette: Palette
  readonly timestamp: Timestamp
  /** Epoch milliseconds, for telling today's messages from older ones. */
  readonly now: number
  /** The width of the terminal, in cells. */
  readonly columns: number
  /** Whether the lobby is another conversation than the one that is before the person, and so named where it is meant. */
  readonly tagsLobby: boolean
  /** Of many who come or go at once, a few are named. */
  readonly isBrief?: boolean
}

/** `said` is the chat itself; a `notice` is about the connection; an `error` is something that did not work. */
export interface Line {
  readonly kind: "said" | "notice" | "error"
  readonly text: string
  /** It is for the reader above all: a terminal sounds its bell. */
  readonly rings?: true
}

/** As wide as a time and the space behind it. */
export const gutter = " ".repeat(6)

/** How many cells of text a row has at least, however narrow the terminal. */
const narrowest = 10

/** What is left of a row beside so many cells. */
export const widthBeside = ({ columns }: Style, cells: number): number => Math.max(columns - cells, narrowest)

/** What is no message: on a terminal it stands beside the times, in rows in which no word is cut. */
export const aside = (style: Style, text: string, paint = asItIs): ReadonlyArray<Line> => [
  { kind: "said", text: style.layout === "plain" ? paint(text) : `${gutter}${fit(style, text, paint)}` }
]

const asItIs = (text: string): string => text

export const dimmed = (style: Style, text: string): ReadonlyArray<Line> => aside(style, text, style.palette.dim)

/** Rows for the terminal, each painted by itself; one line for scripts. */
export const fit = (style: Style, line: string, paint: (row: string) => string): string => {
  const width = widthBeside(style, gutter.length)
  const rows = wrap(line, width, width).map((row) => paint(row.trimEnd()))
  return rows.join(`\n${gutter}`)
}

/** What is there to say of those that a list left out. */
export const others = (
  { count, more }: { readonly count: number; readonly more?: true },
  listed: ReadonlyArray<unknown>
): string => {
  if (more !== true) return ""
  return count > listed.length ? ` … and ${count - listed.length} more` : " … and more"
}

export const count = (amount: number, thing: string): string => `${amount} ${thing}${amount === 1 ? "" : "s"}`

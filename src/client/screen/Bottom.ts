/**
 * What stands at the bottom of a terminal: the prompt and the line being typed, or a question in their place. Two ways of
 * drawing it are one contract: `LineBelow` keeps it below all that happens, `LineInOrder` only ever writes behind what is there.
 */
import process from "node:process"
import { cellsOf } from "../text/Grapheme.ts"
import type { Line } from "./Layout.ts"
import type { Prompt } from "./Screen.ts"

export interface Bottom {
  /** The key of the prompt that the person sees. */
  readonly shownKey: () => string
  readonly show: (lines: ReadonlyArray<Line>) => void
  readonly setPrompt: (prompt: Prompt) => void
  /** Puts a question in place of the line; without one, the line is back. */
  readonly ask: (question: string | undefined) => void
  /** A key is about to be heard by the editor. */
  readonly beforeKey: () => void
  /** The line was ended by Enter, and is empty now. */
  readonly entered: (line: string) => void
  /** Takes what is typed away. */
  readonly drop: () => void
  /** Writes again what may not be on the screen as it should be. */
  readonly redraw: () => void
  /** The terminal is ours again: writes the line where the cursor is. */
  readonly resume: () => void
  /** Takes itself off the screen, for who comes next. */
  readonly close: () => void
}

export const eraseLine = { ctrl: true, name: "u" }
export const endOfLine = { ctrl: true, name: "e" }

export const textOf = (lines: ReadonlyArray<Line>): string => lines.map(({ text }) => `${text}\n`).join("")

/** Zero where the terminal does not tell. */
export const columns = (): number => process.stdout.columns || 80

/** How many rows a text takes on the screen. */
export const rowsOf = (text: string): number => Math.max(1, Math.ceil(cellsOf(text) / columns()))

export const write = (text: string): void => void process.stdout.write(text)

/** So that the screen never shows a state in between. */
export const inOneWrite = (draw: () => void): void => {
  process.stdout.cork()
  draw()
  process.stdout.uncork()
}

/**
 * What was pasted, as the terminal marks it (bracketed paste, xterm's DECSET 2004): one line is as if it was typed; several are
 * held until the person says that they are to be sent.
 *
 * What comes in one piece with the end of a paste belongs to it: nobody types as fast, but what is pasted may hold an end mark.
 *
 * Bound: `maxPasted` UTF-16 units; a longer one is passed over whole.
 */
import type { Key } from "node:readline"

export const maxPasted = 100_000
export const tooLongPaste = `A paste may have ${maxPasted} characters at most; this one was passed over.`

export const isStart = ({ name }: Key): boolean => name === "paste-start"
export const isEnd = ({ name }: Key): boolean => name === "paste-end"

/** Of what is longer than it may be, enough is kept to know that. */
export const extended = (text: string, character: string | undefined): string =>
  text.length > maxPasted ? text : text + (character ?? "")

// eslint-disable-next-line no-control-regex -- dropping control characters is the point
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Terminals paste CR for the end of a line. The line ends behind it are not part of it. */
export const cleaned = (text: string): string =>
  text.replace(/\r\n?/g, "\n").replace(controls, "").replace(/\n+$/, "").toWellFormed()

export const isOneLine = (text: string): boolean => !text.includes("\n")

/** So many of its lines are shown before it is sent. */
const maxShown = 10

/** How it begins, as rows, and how many lines it has. */
export const preview = (text: string): ReadonlyArray<string> => {
  const lines = text.split("\n")
  const left = lines.length - maxShown
  return left > 0 ? [...lines.slice(0, maxShown), `… and ${left} more line${left === 1 ? "" : "s"}`] : lines
}

export const questionOf = (text: string, prompt: string): string =>
  `Send ${text.split("\n").length} lines to ${prompt}? Enter or y; Ctrl-C drops them `

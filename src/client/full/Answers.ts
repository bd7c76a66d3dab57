/** What commands gave, line by line, above where one types. Pure. */
import type { Line } from "../screen/Layout.ts"
import { isCode } from "./Row.ts"
import { type View, withoutAnswer } from "./View.ts"

/** How many lines of it are kept. */
const maxLines = 2000

/** Without the margin that stands under the times in line mode. */
const linesOf = (lines: ReadonlyArray<Line>): ReadonlyArray<string> =>
  lines.flatMap(({ text }) => text.split("\n")).map((line) => (isCode(line) ? line : line.replace(/^ {6}/, "")))

export const answeredWith = (view: View, lines: ReadonlyArray<string>): View =>
  lines.length === 0
    ? view
    : { ...view, answer: { lines: [...(view.answer?.lines ?? []), ...lines].slice(-maxLines), scroll: 0 } }

export const answered = (view: View, lines: ReadonlyArray<Line>): View => answeredWith(view, linesOf(lines))

/** The same, to be read from its beginning: a page of help. */
export const answeredFromTop = (view: View, lines: ReadonlyArray<string>): View => {
  const shown = answeredWith(withoutAnswer(view), lines)
  return shown.answer === undefined ? shown : { ...shown, answer: { ...shown.answer, scroll: Infinity } }
}

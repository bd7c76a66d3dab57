/**
 * For screen readers: everything is written once, in order, behind what is there; nothing is drawn over.
 *
 * The prompt comes with the first key of a line, and stays as it is until the line has ended. What happens while a line or an
 * answer is typed waits until it has ended; a typed line stays where it was typed.
 *
 * Bound: `maxWaiting` lines wait; then they are written all the same, and the line again behind them.
 */
import type * as readline from "node:readline"
import { type Bottom, endOfLine, eraseLine, inOneWrite, textOf, write } from "./Bottom.ts"
import type { Line } from "./Layout.ts"
import { noPrompt } from "./Screen.ts"

const maxWaiting = 1000

export const make = (editor: readline.Interface): Bottom => {
  let prompt = noPrompt
  /** The prompt that stands on the last row; none if that is empty. */
  let written: typeof noPrompt | undefined
  let question: string | undefined
  let waiting: ReadonlyArray<Line> = []

  /** What waits, on rows of its own; the last row is empty behind it. */
  const flush = (isRowEmpty: boolean): void => {
    if (!isRowEmpty) write("\n")
    written = undefined
    editor.setPrompt("")
    write(textOf(waiting))
    waiting = []
  }

  const writeLine = (): void => {
    written = prompt
    // What the editor believes to stand above is not there any more.
    Object.assign(editor, { prevRows: 0 })
    editor.setPrompt(prompt.text)
    write(prompt.text + editor.line)
  }

  return {
    shownKey: () => (written ?? prompt).key,
    show: (lines) => {
      waiting = [...waiting, ...lines]
      const isTyping = question !== undefined || editor.line !== ""
      if (!isTyping) return flush(written === undefined)
      if (waiting.length <= maxWaiting) return
      inOneWrite(() => {
        flush(false)
        if (question === undefined) writeLine()
        else write(question)
      })
    },
    setPrompt: (next) => {
      prompt = next
    },
    ask: (asked) => {
      const isRowEmpty = question === undefined && written === undefined
      question = asked
      inOneWrite(() => {
        flush(isRowEmpty)
        if (asked !== undefined) write(asked)
        else if (editor.line !== "") writeLine()
      })
    },
    beforeKey: () => {
      if (written === undefined) writeLine()
    },
    entered: () => flush(true),
    drop: () => {
      flush(false)
      editor.write(null, endOfLine)
      editor.write(null, eraseLine)
    },
    redraw: () =>
      inOneWrite(() => {
        flush(written === undefined)
        if (question === undefined) writeLine()
        else write(question)
      }),
    resume: () => {
      if (question !== undefined) write(question)
      else if (editor.line !== "") writeLine()
    },
    close: () => {
      if (written !== undefined || question !== undefined) write("\n")
      written = undefined
    }
  }
}

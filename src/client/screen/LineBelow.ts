/**
 * The line being typed stands below all that happens, and is drawn again when something happens. A typed line is taken off
 * the screen; what becomes of it is shown like everything else, so that the screen tells in one order what happened, once.
 *
 * Bound: the last `maxLately` lines are kept, for drawing the screen again.
 */
import process from "node:process"
import type * as readline from "node:readline"
import { type Bottom, endOfLine, eraseLine, inOneWrite, rowsOf, textOf, write } from "./Bottom.ts"
import type { Line } from "./Layout.ts"
import { noPrompt } from "./Screen.ts"

const maxLately = 200

export const make = (editor: readline.Interface): Bottom => {
  let prompt = noPrompt
  let question: string | undefined
  let lately: ReadonlyArray<Line> = []

  /** How many rows above the cursor what is being typed begins. */
  const rowsAbove = (): number => (question === undefined ? editor.getCursorPos().rows : rowsOf(question) - 1)

  const drawLine = (): void => {
    if (question === undefined) redraw(editor)
    else write(question)
  }

  /** Changes what stands there. */
  const change = (step: () => void): void =>
    inOneWrite(() => {
      write(clear(rowsAbove()))
      step()
      drawLine()
    })

  return {
    shownKey: () => prompt.key,
    show: (lines) => {
      if (lines.length === 0) return
      lately = [...lately, ...lines].slice(-maxLately)
      change(() => write(textOf(lines)))
    },
    setPrompt: (next) => {
      if (next.key === prompt.key && next.text === prompt.text) return
      change(() => {
        prompt = next
        editor.setPrompt(next.text)
      })
    },
    ask: (asked) =>
      change(() => {
        question = asked
      }),
    beforeKey: () => {},
    entered: (line) =>
      inOneWrite(() => {
        write(clear(rowsOf(prompt.text + line)))
        drawLine()
      }),
    drop: () => {
      editor.write(null, endOfLine)
      editor.write(null, eraseLine)
    },
    redraw: () =>
      inOneWrite(() => {
        const rows = textOf(lately).split("\n").slice(0, -1)
        const room = Math.max(0, (process.stdout.rows || 24) - 1)
        write(
          `${wholeScreen}${rows
            .slice(-room)
            .map((row) => `${row}\n`)
            .join("")}`
        )
        drawLine()
      }),
    resume: drawLine,
    close: () => write(clear(rowsAbove()))
  }
}

/**
 * The prompt and what was typed, from the cursor's row on. Left alone, the editor would first go up as many rows as it
 * believes to have drawn, which it forgets to count when a line grows into its next row.
 */
const redraw = (editor: readline.Interface): void => {
  Object.assign(editor, { prevRows: 0 })
  editor.prompt(true)
}

/** Goes up so many rows, to the first column, and clears from there (ECMA-48: CUU, CR, ED). */
const clear = (rows: number): string => `${rows > 0 ? `\u001b[${rows}A` : ""}\r\u001b[J`

/** To the first row, and clears all (ECMA-48: CUP, ED). */
const wholeScreen = "\u001b[H\u001b[2J"

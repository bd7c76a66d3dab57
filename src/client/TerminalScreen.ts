/**
 * A `Screen` for a person: a line to edit, with history and completion, and everything that happens above it.
 *
 * Owns stdin, stdout and the cursor while its scope is open. A typed line is taken off the screen again; what becomes of
 * it is shown like everything else, so that the screen tells in one order what happened, once.
 */
import * as process from "node:process"
import * as readline from "node:readline"
import { type Cause, Clock, DateTime, Effect, Layer, Queue, Stream } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { complete, type KnownNames } from "./Completion.ts"
import { colourful, colourless } from "./Palette.ts"
import type { Line } from "./Render.ts"
import { Screen } from "./Screen.ts"
import * as Timestamp from "./Timestamp.ts"
import { cellsOf } from "./Wrap.ts"

const prompt = "> "

const make = Effect.gen(function* () {
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  // Unbounded: one person's typing and pasting.
  const lines = yield* Queue.unbounded<string, Cause.Done>()
  const timestamp = Timestamp.make(DateTime.zoneMakeLocal())
  let known: KnownNames = { users: [], rooms: [] }
  let isOpen = true

  const open = Effect.sync(() => {
    const editor = readline.createInterface({
      input: process.stdin,
      output: process.stdout,
      prompt,
      historySize: 1000,
      completer: (typed: string) => complete(typed, known)
    })
    editor.on("line", (line) => {
      inOneWrite(() => {
        process.stdout.write(clear(rowsOf(line)))
        editor.prompt()
      })
      Queue.offerUnsafe(lines, line)
    })
    // Ctrl-C, wherever in a line; Ctrl-D, on an empty one.
    editor.on("SIGINT", () => Queue.endUnsafe(lines))
    editor.on("close", () => {
      isOpen = false
      Queue.endUnsafe(lines)
    })
    editor.prompt()
    return editor
  })
  const editor = yield* Effect.acquireRelease(open, (editor) =>
    Effect.sync(() => {
      editor.close()
      process.stdout.write(clear(0))
    })
  )

  const show = (shown: ReadonlyArray<Line>) =>
    Effect.sync(() => {
      if (shown.length === 0) return
      const text = shown.map((line) => `${line.text}\n`).join("")
      if (!isOpen) {
        process.stdout.write(text)
        return
      }
      // The editor goes up from the cursor's row to the first before it draws; where it will find itself has to be as
      // far below the new text.
      const { rows } = editor.getCursorPos()
      inOneWrite(() => {
        process.stdout.write(`${clear(rows)}${text}${"\n".repeat(rows)}`)
        editor.prompt(true)
      })
    })

  return Screen.of({
    isInteractive: true,
    style: Effect.map(Clock.currentTimeMillis, (now) => ({
      layout: "terminal",
      palette: canColor ? colourful : colourless,
      timestamp,
      now,
      columns: columns()
    })),
    lines: Stream.fromQueue(lines),
    show,
    offerNames: (names) =>
      Effect.sync(() => {
        known = names
      })
  })
})

export const layer: Layer.Layer<Screen> = Layer.effect(Screen, make)

/** Goes up so many rows, to the first column, and clears from there (ECMA-48: CUU, CR, ED). */
const clear = (rows: number): string => `${rows > 0 ? `\u001b[${rows}A` : ""}\r\u001b[J`

/** How many rows a line took on the screen, its prompt included. */
const rowsOf = (line: string): number => Math.max(1, Math.ceil(cellsOf(prompt + line) / columns()))

/** Zero where the terminal does not tell. */
const columns = (): number => process.stdout.columns || 80

/** So that the screen never shows a state in between. */
const inOneWrite = (draw: () => void): void => {
  process.stdout.cork()
  draw()
  process.stdout.uncork()
}

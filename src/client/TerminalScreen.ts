/**
 * A `Screen` for a person: a line to edit, with history and completion, and everything that happens above it.
 *
 * Owns stdin, stdout and the cursor while its scope is open. A typed line is taken off the screen again; what becomes of
 * it is shown like everything else, so that the screen tells in one order what happened, once.
 */
import * as process from "node:process"
import * as readline from "node:readline"
import { type Cause, Clock, DateTime, Effect, Layer, Queue, Stream } from "effect"
import { CliOutput, TerminalCapabilities } from "effect/cli"
import { complete, type KnownNames } from "./Completion.ts"
import { colourful, colourless } from "./Palette.ts"
import type { Line } from "./Render.ts"
import { Screen } from "./Screen.ts"

const prompt = "> "

const make = Effect.gen(function* () {
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  // Unbounded: one person's typing and pasting.
  const lines = yield* Queue.unbounded<string, Cause.Done>()
  const zone = DateTime.zoneMakeLocal()
  let known: KnownNames = { users: [], rooms: [] }

  const editor = yield* Effect.acquireRelease(
    Effect.sync(() =>
      readline.createInterface({
        input: process.stdin,
        output: process.stdout,
        prompt,
        historySize: 1000,
        completer: (typed: string) => complete(typed, known)
      })
    ),
    (editor) =>
      Effect.sync(() => {
        editor.close()
        process.stdout.write(clear(0))
      })
  )

  const isOpen = yield* Effect.sync(() => {
    let isOpen = true
    editor.on("line", (line) => {
      process.stdout.write(clear(rowsOf(line)))
      editor.prompt()
      Queue.offerUnsafe(lines, line)
    })
    // Ctrl-C, and Ctrl-D on an empty line.
    editor.on("SIGINT", () => Queue.endUnsafe(lines))
    editor.on("close", () => {
      isOpen = false
      Queue.endUnsafe(lines)
    })
    editor.prompt()
    return () => isOpen
  })

  const show = (shown: ReadonlyArray<Line>) =>
    Effect.sync(() => {
      if (shown.length === 0) return
      const text = shown.map((line) => `${line.text}\n`).join("")
      if (!isOpen()) {
        process.stdout.write(text)
        return
      }
      // The editor goes up from the cursor's row to the first before it draws; where it will find itself has to be as
      // far below the new text.
      const { rows } = editor.getCursorPos()
      process.stdout.write(`${clear(rows)}${text}${"\n".repeat(rows)}`)
      editor.prompt(true)
    })

  return Screen.of({
    isInteractive: true,
    style: Effect.map(Clock.currentTimeMillis, (now) => ({
      layout: "terminal",
      palette: canColor ? colourful : colourless,
      zone,
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
const rowsOf = (line: string): number => {
  return Math.max(1, Math.ceil(CliOutput.displayWidth(prompt + line) / columns()))
}

/** Zero where the terminal does not tell. */
const columns = (): number => process.stdout.columns || 80

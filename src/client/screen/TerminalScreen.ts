/**
 * A `Screen` for a person: a line to edit, with history and completion, and everything that happens above it.
 *
 * Owns stdin, stdout and the cursor while its scope is open. A typed line is taken off the screen again; what becomes of
 * it is shown like everything else, so that the screen tells in one order what happened, once.
 *
 * Ctrl-Z stops the whole process group, as the terminal itself would: a shell notices that only if npx and pnpm, who may
 * stand between, stop too. Whatever continues the process, the terminal is then taken over anew.
 *
 * Bounds: a line of `maxLineLength`, what comes beyond up to its end is not kept; 1 Mi characters of lines that wait to be
 * read, further ones are refused; and the last 1000 lines, for the Up key.
 */
import process from "node:process"
import * as readline from "node:readline"
import { type Cause, Clock, DateTime, Effect, Layer, Queue, Semaphore, Stream } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { maxLineLength, tooLong } from "../command/Command.ts"
import { complete, type KnownNames } from "../command/Completion.ts"
import * as Recent from "../core/Recent.ts"
import { cellsOf } from "../text/Grapheme.ts"
import { colourful, colourless } from "../text/Palette.ts"
import { safeLine } from "../text/SafeText.ts"
import * as Timestamp from "../text/Timestamp.ts"
import type { Line, Style } from "./Layout.ts"
import { error } from "./Render.ts"
import { Screen, type TypedLine } from "./Screen.ts"
import { answer } from "./Unseen.ts"

const prompt = "> "

const maxWaitingLength = 1024 * 1024
/** What a line takes beside its characters. */
const lengthPerLine = 64
/** What 1000 messages take that were shown when a line was begun, if the line before was begun when others were. */
const lengthPerView = 32 * 1024
/** In nanoseconds: whoever names one again and again is heard once in 2 s. */
const bellPause = 2_000_000_000n
const bell = "\u0007"
const tooMuch = "Not read: too many lines are waiting for the server. Type this one again later."

const eraseLine = { ctrl: true, name: "u" }

const make = Effect.gen(function* () {
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  // Unbounded in name only: `take` counts.
  const lines = yield* Queue.unbounded<{ readonly typed: TypedLine; readonly length: number }, Cause.Done>()
  const timestamp = Timestamp.make(DateTime.zoneMakeLocal())
  let known: KnownNames = { users: [], rooms: [], membersOf: () => [], boundIn: () => [] }
  let isOpen = true
  /** The person wants to leave, and is asked nothing more. */
  let isLeaving = false
  let waitingLength = 0
  /** What is typed belongs to a line that was too long, up to its end. */
  let isPassingOver = false
  let look = () => Recent.empty
  /** What had been shown when the line being typed was begun; undefined while there is none. */
  let begun: Recent.Recent | undefined
  /** What comes with the last line that waits: lines have it in common, unless something was shown in between. */
  let lastBegun = Recent.empty

  const styleAt = (now: number): Style => ({
    layout: "terminal",
    palette: canColor ? colourful : colourless,
    timestamp,
    now,
    columns: columns()
  })

  /** What is asked, while the answer is typed unseen. */
  let question: string | undefined

  /** How many rows above the cursor what is being typed begins. */
  const rowsAbove = (editor: readline.Interface): number =>
    question === undefined ? editor.getCursorPos().rows : rowsOf(question) - 1

  const drawLine = (editor: readline.Interface): void => {
    if (question === undefined) redraw(editor)
    else process.stdout.write(question)
  }

  /** Above the line that is being typed. */
  const draw = (editor: readline.Interface, shown: ReadonlyArray<Line>): void => {
    if (shown.length === 0) return
    inOneWrite(() => {
      process.stdout.write(`${clear(rowsAbove(editor))}${textOf(shown)}`)
      drawLine(editor)
    })
  }

  const ask = (editor: readline.Interface, asked: string | undefined): void =>
    inOneWrite(() => {
      const rows = rowsAbove(editor)
      question = asked
      process.stdout.write(clear(rows))
      drawLine(editor)
    })

  const take = (editor: readline.Interface, line: string) => {
    const typed = { text: line, begun: begun ?? look() }
    begun = undefined
    const length = line.length + lengthPerLine + (typed.begun === lastBegun ? 0 : lengthPerView)
    if (waitingLength + length > maxWaitingLength) return draw(editor, error(styleAt(0), tooMuch))
    waitingLength += length
    lastBegun = typed.begun
    Queue.offerUnsafe(lines, { typed, length })
  }

  const next = Effect.map(Queue.take(lines), ({ length, typed }): [TypedLine] => {
    waitingLength -= length
    return [typed]
  })

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
        process.stdout.write(clear(rowsOf(prompt + line)))
        editor.prompt()
      })
      if (isPassingOver) isPassingOver = false
      else take(editor, line)
    })
    const passOver = () => {
      if (!isPassingOver && editor.line.length <= maxLineLength) return
      editor.write(null, eraseLine)
      if (!isPassingOver) draw(editor, error(styleAt(0), tooLong))
      isPassingOver = true
    }
    const noteBeginning = () => {
      begun = editor.line === "" ? undefined : (begun ?? look())
    }
    // The editor's own listener comes first.
    process.stdin.on("keypress", passOver)
    process.stdin.on("keypress", noteBeginning)
    let isStopped = false
    const takeOver = () => {
      isStopped = false
      // Off first: what is believed to be on already is not set again.
      setRawMode(false)
      setRawMode(true)
      drawLine(editor)
    }
    process.on("SIGCONT", takeOver)
    editor.on("SIGTSTP", () => {
      process.stdout.write(clear(editor.getCursorPos().rows))
      setRawMode(false)
      isStopped = true
      process.kill(0, "SIGTSTP")
      // Where nobody could continue it, the system stops nothing (POSIX, orphaned process groups), and no SIGCONT comes.
      setImmediate(() => setImmediate(() => isStopped && takeOver()))
    })
    // Ctrl-C, wherever in a line; Ctrl-D, on an empty one.
    editor.on("SIGINT", () => {
      isLeaving = true
      Queue.endUnsafe(lines)
    })
    editor.on("close", () => {
      isOpen = false
      process.off("SIGCONT", takeOver)
      process.stdin.off("keypress", passOver)
      process.stdin.off("keypress", noteBeginning)
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

  let lastBell = -bellPause
  const show = Effect.fnUntraced(function* (shown: ReadonlyArray<Line>) {
    if (!isOpen) return void process.stdout.write(textOf(shown))
    draw(editor, shown)
    if (!shown.some(({ rings }) => rings)) return
    const now = yield* Clock.monotonicTimeNanos
    if (now - lastBell < bellPause) return
    lastBell = now
    process.stdout.write(bell)
  })

  const oneQuestion = yield* Semaphore.make(1)
  const unseen = (asked: string) =>
    Effect.acquireUseRelease(
      Effect.sync(() => ask(editor, `${safeLine(asked)}: `)),
      () => answer(process.stdin),
      () => Effect.sync(() => isOpen && ask(editor, undefined))
    ).pipe(oneQuestion.withPermit)

  return Screen.of({
    isInteractive: true,
    style: Effect.map(Clock.currentTimeMillis, styleAt),
    lines: (looking) => {
      look = looking
      return Stream.fromPull(Effect.succeed(next))
    },
    show,
    propose: (line) =>
      Effect.sync(() => {
        if (!isOpen || editor.line !== "" || question !== undefined) return
        editor.write(line)
        begun = look()
      }),
    askUnseen: (asked) => Effect.suspend(() => (isOpen && !isLeaving ? unseen(asked) : Effect.succeedNone)),
    offerNames: (names) =>
      Effect.sync(() => {
        known = names
      })
  })
})

export const layer: Layer.Layer<Screen> = Layer.effect(Screen, make)

/**
 * The prompt and what was typed, from the cursor's row on. Left alone, the editor would first go up as many rows as it
 * believes to have drawn, which it forgets to count when a line grows into its next row.
 */
const redraw = (editor: readline.Interface): void => {
  Object.assign(editor, { prevRows: 0 })
  editor.prompt(true)
}

const textOf = (lines: ReadonlyArray<Line>): string => lines.map(({ text }) => `${text}\n`).join("")

const setRawMode = (isRaw: boolean): void => {
  if (process.stdin.isTTY) process.stdin.setRawMode(isRaw)
}

/** Goes up so many rows, to the first column, and clears from there (ECMA-48: CUU, CR, ED). */
const clear = (rows: number): string => `${rows > 0 ? `\u001b[${rows}A` : ""}\r\u001b[J`

/** How many rows a line takes on the screen. */
const rowsOf = (line: string): number => Math.max(1, Math.ceil(cellsOf(line) / columns()))

/** Zero where the terminal does not tell. */
const columns = (): number => process.stdout.columns || 80

/** So that the screen never shows a state in between. */
const inOneWrite = (draw: () => void): void => {
  process.stdout.cork()
  draw()
  process.stdout.uncork()
}

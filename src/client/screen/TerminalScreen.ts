/**
 * A `Screen` for a person: a line to edit, with history and completion, and what happens around it; see `Bottom` for how these are
 * drawn, and `Keys` for what the keys mean.
 *
 * Owns stdin, stdout and the cursor while its scope is open. Whatever ends the process, the terminal is left as it was: the
 * modes that are switched on are also switched off where nothing is left to run but the listeners of its exit.
 *
 * Ctrl-Z stops the whole process group, as the terminal itself would: a shell notices that only if npx and pnpm, who may
 * stand between, stop too. Whatever continues the process, the terminal is then taken over anew.
 *
 * Bounds: a line of `maxLineLength`, what comes beyond up to its end is not kept; a paste of `maxPasted`; 1 Mi characters of
 * lines that wait to be read, further ones are refused; and the last 1000 lines, for the Up key.
 */
import process from "node:process"
import * as readline from "node:readline"
import { type Cause, Clock, DateTime, Effect, Layer, Queue, Semaphore, Stream } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { maxLineLength, tooLong } from "../command/Command.ts"
import { complete, type KnownNames } from "../command/Completion.ts"
import { lobbyKey } from "../core/chat/ChatState.ts"
import * as Recent from "../core/Recent.ts"
import { colourful, colourless } from "../text/Palette.ts"
import { safeLine } from "../text/SafeText.ts"
import * as Timestamp from "../text/Timestamp.ts"
import { type Bottom, columns, eraseLine, textOf } from "./Bottom.ts"
import * as Keys from "./Keys.ts"
import { isOthers, leaveToOthers, orphaning } from "./Launchers.ts"
import type { Line, Style } from "./Layout.ts"
import * as LineBelow from "./LineBelow.ts"
import * as LineInOrder from "./LineInOrder.ts"
import { preview, tooLongPaste } from "./Pasting.ts"
import { error, notice } from "./Render.ts"
import { noPrompt, Screen, type TypedLine } from "./Screen.ts"
import { answer } from "./Unseen.ts"

const maxWaitingLength = 1024 * 1024
/** What a line takes beside its characters. */
const lengthPerLine = 64
/** What 1000 messages take that were shown when a line was begun, if the line before was begun when others were. */
const lengthPerView = 32 * 1024
/** In nanoseconds: whoever names one again and again is heard once in 2 s. */
const bellPause = 2_000_000_000n
const bell = "\u0007"
/** So often it is looked whether whoever started us is there still. */
const watchPause = "1 second"
const tooMuch = "Not read: too many lines are waiting for the server. Type this one again later."

/** What stood before a line when it was begun. */
type Beginning = Pick<TypedLine, "begun" | "begunFor">

const make = Effect.fnUntraced(function* ({ isInOrder }: Options) {
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  // Unbounded in name only: `take` counts.
  const lines = yield* Queue.unbounded<{ readonly typed: TypedLine; readonly length: number }, Cause.Done>()
  const timestamp = Timestamp.make(DateTime.zoneMakeLocal())
  let known: KnownNames = { users: [], rooms: [], membersOf: () => [], boundIn: () => [] }
  let prompt = noPrompt
  let isOpen = true
  /** The person wants to leave, and is asked nothing more. */
  let isLeaving = false
  let waitingLength = 0
  /** What is typed belongs to a line that was too long, up to its end. */
  let isPassingOver = false
  let look = () => Recent.empty
  /** Of the line being typed; undefined while there is none. */
  let begun: Beginning | undefined
  /** Of the paste that is held. */
  let heldFrom: Beginning | undefined
  /** What comes with the last line that waits: lines have it in common, unless something was shown in between. */
  let lastBegun = Recent.empty

  const styleAt = (now: number): Style => ({
    layout: "terminal",
    palette: canColor ? colourful : colourless,
    timestamp,
    now,
    columns: columns(),
    tagsLobby: prompt.key !== noPrompt.key && prompt.key !== lobbyKey,
    isBrief: !isInOrder
  })

  const beginningIn = (bottom: Bottom): Beginning => ({ begun: look(), begunFor: bottom.shownKey() })

  const take = (bottom: Bottom, typed: TypedLine) => {
    const length = typed.text.length + lengthPerLine + (typed.begun === lastBegun ? 0 : lengthPerView)
    if (waitingLength + length > maxWaitingLength) return bottom.show(error(styleAt(0), tooMuch))
    waitingLength += length
    lastBegun = typed.begun
    Queue.offerUnsafe(lines, { typed, length })
  }

  const next = Effect.map(Queue.take(lines), ({ length, typed }): [TypedLine] => {
    waitingLength -= length
    return [typed]
  })

  const leave = () => {
    isLeaving = true
    Queue.endUnsafe(lines)
  }

  const open = Effect.sync(() => {
    const editor = readline.createInterface({
      input: process.stdin,
      output: process.stdout,
      prompt: isInOrder ? "" : noPrompt.text,
      historySize: 1000,
      completer: (typed: string) => complete(typed, known)
    })
    const bottom = isInOrder ? LineInOrder.make(editor) : LineBelow.make(editor)
    const say = (text: string) => bottom.show(notice(styleAt(0), text))

    editor.on("line", (text) => {
      const typedFor = bottom.shownKey()
      const beginning = begun ?? beginningIn(bottom)
      begun = undefined
      bottom.entered(text)
      if (isPassingOver) isPassingOver = false
      else take(bottom, { ...beginning, text, typedFor })
    })
    const passOver = () => {
      if (!isPassingOver && editor.line.length <= maxLineLength) return
      editor.write(null, eraseLine)
      if (!isPassingOver) bottom.show(error(styleAt(0), tooLong))
      isPassingOver = true
    }

    let isStopped = false
    const takeOver = () => {
      isStopped = false
      // Off first: what is believed to be on already is not set again.
      setRawMode(false)
      setRawMode(true)
      Keys.markPastes(true)
      bottom.resume()
    }
    const letGo = () => {
      Keys.markPastes(false)
      if (!isOthers()) setRawMode(false)
    }
    const suspend = () => {
      bottom.close()
      letGo()
      isStopped = true
      process.kill(0, "SIGTSTP")
      // Where nobody could continue it, the system stops nothing (POSIX, orphaned process groups), and no SIGCONT comes.
      setImmediate(() => setImmediate(() => isStopped && takeOver()))
    }

    const keys = Keys.listen(editor, process.stdin, {
      bottom,
      nameOfPlace: () => prompt.name,
      changed: () => {
        if (!isOpen) return
        passOver()
        begun = editor.line === "" ? undefined : (begun ?? beginningIn(bottom))
      },
      held: (text) => {
        heldFrom = beginningIn(bottom)
        bottom.show(pasted(text, styleAt(0)))
      },
      answered: (text, isToBeSent) => {
        const beginning = heldFrom ?? beginningIn(bottom)
        heldFrom = undefined
        if (!isToBeSent) return say("not sent")
        take(bottom, { ...beginning, text, typedFor: bottom.shownKey(), isPasted: true })
      },
      tooLong: () => bottom.show(error(styleAt(0), tooLongPaste)),
      sayHowToLeave: () => say("Ctrl-C again quits"),
      leave,
      suspend
    })
    process.on("SIGCONT", takeOver)
    process.on("exit", letGo)
    process.once("exit", leaveToOthers)
    // Never taken off: whose terminal is gone, or the shell's again since their pnpm was killed, leaves, and is heard by nobody.
    process.stdin.on("error", leave)
    editor.on("error", leave)
    process.stdout.on("error", ignore)
    // Ctrl-D, on an empty line; or the end of the input.
    editor.on("close", () => {
      bottom.close()
      isOpen = false
      process.off("SIGCONT", takeOver)
      keys.stop()
      letGo()
      process.off("exit", letGo)
      Queue.endUnsafe(lines)
    })
    Keys.markPastes(true)
    if (!isInOrder) editor.prompt()
    return { bottom, editor, keys }
  })
  const { bottom, keys, editor } = yield* Effect.acquireRelease(open, ({ editor }) => Effect.sync(() => editor.close()))
  const isOrphan = orphaning()
  yield* Effect.sleep(watchPause).pipe(
    Effect.andThen(Effect.sync(() => isOrphan() && leave())),
    Effect.forever,
    Effect.forkScoped
  )

  let lastBell = -bellPause
  const show = Effect.fnUntraced(function* (shown: ReadonlyArray<Line>) {
    if (!isOpen) return void process.stdout.write(textOf(shown))
    bottom.show(shown)
    if (!shown.some(({ rings }) => rings)) return
    const now = yield* Clock.monotonicTimeNanos
    if (now - lastBell < bellPause) return
    lastBell = now
    process.stdout.write(bell)
  })

  let isAsking = false
  const ask = (asked: string | undefined) =>
    Effect.sync(() => {
      isAsking = asked !== undefined
      if (isOpen) bottom.ask(asked)
    })
  const oneQuestion = yield* Semaphore.make(1)
  const unseen = (asked: string) =>
    Effect.acquireUseRelease(
      ask(`${safeLine(asked)}: `),
      () => answer(process.stdin),
      () => ask(undefined)
    ).pipe(oneQuestion.withPermit)

  return Screen.of({
    isInteractive: true,
    keepsLines: isInOrder,
    style: Effect.map(Clock.currentTimeMillis, styleAt),
    lines: (looking) => {
      look = looking
      return Stream.fromPull(Effect.succeed(next))
    },
    show,
    setPrompt: (next) =>
      Effect.sync(() => {
        prompt = next
        if (!isOpen) return
        bottom.setPrompt(next)
        keys.renamed()
      }),
    propose: (line) =>
      Effect.sync(() => {
        if (!isOpen || isAsking) return false
        if (line.includes("\n")) {
          keys.hold(line)
          return true
        }
        if (editor.line !== "") return false
        bottom.beforeKey()
        editor.write(line)
        begun = beginningIn(bottom)
        return true
      }),
    askUnseen: (asked) => Effect.suspend(() => (isOpen && !isLeaving ? unseen(asked) : Effect.succeedNone)),
    offerNames: (names) =>
      Effect.sync(() => {
        known = names
      })
  })
})

interface Options {
  /** Everything is written once and in order, for screen readers: see `LineInOrder`. */
  readonly isInOrder: boolean
}

export const layer = (options: Options): Layer.Layer<Screen> => Layer.effect(Screen, make(options))

/** What is held of a paste, to be looked at. */
const pasted = (text: string, { palette }: Style): ReadonlyArray<Line> =>
  preview(text).map((row) => ({ kind: "notice", text: palette.dim(`      ┊ ${safeLine(row)}`) }))

const ignore = () => {}

const setRawMode = (isRaw: boolean): void => {
  if (process.stdin.isTTY) process.stdin.setRawMode(isRaw)
}

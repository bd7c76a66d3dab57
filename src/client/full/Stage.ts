/**
 * The terminal, taken over as a whole: keys, pastes and the mouse come from it, frames go to it.
 *
 * 1. However its scope ends, the terminal is left as it was: in its own screen, with its cursor, its title and its modes.
 * 2. Of the library nothing is loaded before it is opened. Where it cannot work (a Node without FFI, a machine for which there is no
 *    native part) opening fails, and the terminal was not touched.
 *
 * Bounds: `maxInputs` keys wait to be read; what comes beyond is dropped, as a terminal's own buffer would.
 */
import { isBuiltin } from "node:module"
import process from "node:process"
import type * as OpenTui from "@opentui/core"
import { Effect, Queue, Schema, Semaphore } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { leaveToOthers, orphaning } from "../screen/Launchers.ts"
import type { Frame } from "./Frame.ts"
import * as Painter from "./Painter.ts"
import { type Theme, themes } from "./Theme.ts"
import type { Size } from "./View.ts"
import type { Key, Pointer } from "./Wish.ts"

const maxInputs = 4096

export type Input =
  | { readonly _tag: "Key"; readonly key: Key }
  | { readonly _tag: "Paste"; readonly text: string }
  | { readonly _tag: "Resized" }
  /** Whether the window is the one that is used, where the terminal tells. */
  | { readonly _tag: "Looked"; readonly isLooking: boolean }
  /** What waits on other servers has changed. */
  | { readonly _tag: "Elsewhere" }
  /** Something that the person is to be told. */
  | { readonly _tag: "Told"; readonly text: string }
  /** Nobody is there any more. */
  | { readonly _tag: "Gone" }
  /** Something went wrong outside of all that waits for it. */
  | { readonly _tag: "Thrown"; readonly error: unknown }
  | Pointer

/** There is no full screen here. */
class CannotDraw extends Schema.TaggedError<CannotDraw>()("CannotDraw", { cause: Schema.Unknown }) {}

export interface Stage {
  readonly inputs: Queue.Dequeue<Input>
  readonly size: () => Size
  /** Draws, as soon as it can be, whatever is newest then. */
  readonly draw: () => void
  readonly copy: (text: string) => boolean
  readonly ring: () => void
  /** Tells of it beside the window, where the terminal can. */
  readonly notify: (title: string, text: string) => void
  readonly title: (text: string) => void
  readonly mouse: (isOn: boolean) => void
  readonly redraw: () => void
  /** Back to the shell; done when one has returned. */
  readonly suspend: Effect.Effect<void>
}

const names: Readonly<Record<string, string>> = { return: "enter", linefeed: "ctrl+j" }

// eslint-disable-next-line no-control-regex -- an Escape, and a character that is typed
const afterEscape = /^\u001b([^\u0000-\u001f\u007f-\u009f])$/u

/** As `Keys` calls it, and what it types. */
export const keyOf = ({ ctrl, meta, name, option, sequence, shift }: OpenTui.KeyEvent): Key => {
  const isPlain = !ctrl && !meta && !option
  // eslint-disable-next-line no-control-regex -- what a key sends that is no character
  const isTyped = isPlain && sequence !== "" && !/[\u0000-\u001f\u007f-\u009f]/.test(sequence)
  // The library has no name for a sign behind an Escape.
  const behindEscape = name === "" ? (afterEscape.exec(sequence)?.[1] ?? "") : ""
  const base = isTyped && sequence !== " " ? sequence : (names[name] ?? (name.toLowerCase() || behindEscape))
  const isShifted = shift && !isTyped && base.length > 1
  const isAlt = meta || option || behindEscape !== ""
  const whole = [...(ctrl ? ["ctrl"] : []), ...(isAlt ? ["alt"] : []), ...(isShifted ? ["shift"] : []), base]
  return { name: whole.join("+"), ...(isTyped && { text: sequence }) }
}

/** Whether this may be the place for it: a terminal that can be drawn on, and a Node that can. */
const isPossible = (): boolean =>
  process.stdin.isTTY && process.stdout.isTTY && process.env["TERM"] !== "dumb" && isBuiltin("node:ffi")

/** So often it is looked whether somebody is there still. */
const watchPause = "1 second"

/** Where tmux counts more cells than the library for emoji that are joined, what stands behind them is put in its place by this. */
const placeBehindEmoji = () => {
  if (process.env["TMUX"] !== undefined) process.env["OPENTUI_FORCE_NOZWJ"] ??= "1"
}

/** tmux and screen count by themselves, whatever the terminal says that they are in; what they count differs from version to version. */
const joinsEmoji = ({ widthMethod }: OpenTui.CliRenderer): boolean =>
  process.env["TMUX"] === undefined && process.env["STY"] === undefined && widthMethod === "unicode"

/** Node tells of FFI as an experiment, on a screen that is ours by then. */
const load = Effect.gen(function* () {
  placeBehindEmoji()
  const listeners = process.listeners("warning")
  process.removeAllListeners("warning")
  const library = yield* Effect.tryPromise({
    try: () => import("@opentui/core"),
    catch: (cause) => new CannotDraw({ cause })
  })
  yield* Effect.try({ try: () => library.resolveRenderLib(), catch: (cause) => new CannotDraw({ cause }) })
  yield* Effect.callback<void>((resume) => {
    setImmediate(() => resume(Effect.void))
  })
  for (const listener of listeners) process.on("warning", listener)
  return library
})

/** Whether a full screen can be opened here. */
export const canOpen: Effect.Effect<boolean> = Effect.suspend(() =>
  isPossible() ? Effect.match(load, { onSuccess: () => true, onFailure: () => false }) : Effect.succeed(false)
)

/** What nobody has caught. */
const throws = ["uncaughtException", "unhandledRejection"] as const

/** Alone for as long as the scope is open. */
const hearAlone = (event: (typeof throws)[number], hear: (error: unknown) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      process.removeAllListeners(event)
      process.on(event, hear)
    }),
    () => Effect.sync(() => process.off(event, hear))
  )

const acquire = (library: typeof OpenTui, useMouse: boolean, { listen }: Widths) =>
  Effect.tryPromise({
    try: () =>
      library.createCliRenderer({
        exitOnCtrlC: false,
        exitSignals: [],
        consoleMode: "disabled",
        openConsoleOnError: false,
        useKittyKeyboard: null,
        prependInputHandlers: [listen],
        useMouse,
        enableMouseMovement: false,
        maxFps: 60,
        targetFps: 30
      }),
    catch: (cause) => new CannotDraw({ cause })
  })

/** Title: onto the terminal's stack of titles, and from there (XTWINOPS 22 and 23). */
const [keepTitle, restoreTitle] = ["\u001b[22;0t", "\u001b[23;0t"]

/**
 * The library draws only what has changed since it drew last, whatever else has got onto the screen, and has no word for more: of
 * another size, and back, it knows nothing of what is there.
 */
const clearScreen = "\u001b[2J"

const release = (renderer: OpenTui.CliRenderer, widths: Widths) =>
  Effect.promise(() => {
    renderer.destroy()
    return renderer.closed
  }).pipe(
    Effect.timeoutOption("2 seconds"),
    Effect.andThen(Effect.sync(() => process.stdout.write(restoreTitle))),
    Effect.andThen(Effect.sync(widths.putBack)),
    Effect.ignoreCause
  )

/** `frame` is asked each time something is drawn. */
export const open = Effect.fnUntraced(function* (
  frame: () => Pick<Frame, "cursor" | "rows">,
  hasMouse: boolean,
  wanted: Theme = themes.terminal
) {
  const { canColor: hasColours } = yield* TerminalCapabilities.TerminalCapabilities
  const library = yield* load
  const inputs = yield* Queue.dropping<Input>(maxInputs)
  const offer = (input: Input) => void Queue.offerUnsafe(inputs, input)
  // Unheard, the error of a terminal that is gone would end the process before it has put things in order.
  const gone = () => offer({ _tag: "Gone" })
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      process.stdout.on("error", gone)
      process.stdin.on("error", gone)
      process.stdin.on("end", gone)
      process.stdout.write(keepTitle)
    }),
    () =>
      Effect.sync(() => {
        process.stdin.off("end", gone)
      })
  )
  process.once("exit", leaveToOthers)
  const isOrphan = orphaning()
  yield* Effect.sleep(watchPause).pipe(
    Effect.andThen(Effect.sync(() => isOrphan() && gone())),
    Effect.forever,
    Effect.forkScoped
  )
  const widths = widthsOf()
  const thrown = (error: unknown) => offer({ _tag: "Thrown", error })
  const renderer = yield* Effect.acquireRelease(acquire(library, hasMouse, widths), (renderer) =>
    release(renderer, widths)
  )
  // The library would write on the screen what it hears of, and go on.
  yield* Effect.forEach(throws, (event) => hearAlone(event, thrown), { discard: true })
  const stopping = yield* Semaphore.make(1)
  yield* whenContinued(stopping.withPermitsIfAvailable(1)(takenAnew(renderer, widths)))
  const drawn = () => {
    try {
      return frame()
    } catch (error) {
      thrown(error)
      return { rows: [], cursor: undefined }
    }
  }
  Painter.paint(library, renderer, {
    frame: drawn,
    point: offer,
    theme: hasColours ? wanted : themes.none,
    joinsEmoji: () => joinsEmoji(renderer)
  })
  renderer.keyInput.on("keypress", (event) => offer({ _tag: "Key", key: keyOf(event) }))
  renderer.keyInput.on("paste", (event) => offer({ _tag: "Paste", text: library.decodePasteBytes(event.bytes) }))
  renderer.on("resize", () => offer({ _tag: "Resized" }))
  renderer.on("focus", () => offer({ _tag: "Looked", isLooking: true }))
  renderer.on("blur", () => offer({ _tag: "Looked", isLooking: false }))
  let title = ""
  const unless = (act: () => void) => {
    if (!renderer.isDestroyed) act()
  }
  return {
    inputs,
    size: () => ({ columns: renderer.width, rows: renderer.height }),
    draw: () => unless(() => renderer.requestRender()),
    copy: (text) => !renderer.isDestroyed && renderer.copyToClipboardOSC52(text),
    ring: () => unless(() => void process.stdout.write("\u0007")),
    notify: (about, text) => unless(() => void renderer.triggerNotification(text, about)),
    title: (text) =>
      unless(() => {
        if (text !== title) renderer.setTerminalTitle(text)
        title = text
      }),
    mouse: (isOn) =>
      unless(() => {
        renderer.useMouse = isOn
      }),
    redraw: () =>
      unless(() => {
        const { height, width } = renderer
        process.stdout.write(clearScreen)
        renderer.resize(width, height + 1)
        renderer.resize(width, height)
        renderer.requestRender()
      }),
    suspend: stopping.withPermit(suspended(renderer, widths))
  } satisfies Stage
})

const whenContinued = Effect.fnUntraced(function* (act: Effect.Effect<unknown>) {
  const continued = yield* Queue.sliding<void>(1)
  const hear = () => void Queue.offerUnsafe(continued, undefined)
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("SIGCONT", hear)),
    () => Effect.sync(() => process.off("SIGCONT", hear))
  )
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(continued), act)))
})

/** Stops the whole process group, as the terminal itself would: npx and pnpm may stand between the shell and us. */
const suspended = (renderer: OpenTui.CliRenderer, widths: Widths): Effect.Effect<void> =>
  Effect.promise(() => renderer.suspend()).pipe(
    Effect.andThen(Effect.sync(widths.putBack)),
    Effect.andThen(
      Effect.callback<void>((resume) => {
        const back = () => {
          process.off("SIGCONT", back)
          resume(Effect.void)
        }
        process.on("SIGCONT", back)
        process.kill(0, "SIGTSTP")
        // Where nobody could continue it, the system stops nothing (POSIX, orphaned process groups), and no SIGCONT comes.
        setImmediate(() => setImmediate(back))
      })
    ),
    Effect.andThen(takenOver(renderer, widths))
  )

const takenOver = (renderer: OpenTui.CliRenderer, widths: Widths): Effect.Effect<void> =>
  Effect.promise(() => renderer.resume()).pipe(Effect.andThen(Effect.sync(widths.takeOver)), Effect.ignoreCause)

/** Who was stopped by somebody else had no time to let go: the shell has set the terminal as it wants it, and written on the screen. */
const takenAnew = (renderer: OpenTui.CliRenderer, widths: Widths): Effect.Effect<void> =>
  Effect.promise(() => renderer.suspend()).pipe(Effect.andThen(takenOver(renderer, widths)), Effect.ignoreCause)

type Widths = ReturnType<typeof widthsOf>

/**
 * The library has the terminal count widths by grapheme (mode 2027), and leaves it so. Where the terminal said that it did not
 * (DECRPM, 2 for "reset"), it is to be as before.
 */
const widthsOf = () => {
  const mode = "\u001b[?2027"
  let before: string | undefined
  const change = (letter: string) => () => {
    if (before === "2") process.stdout.write(`${mode}${letter}`)
  }
  return {
    /** Hears what the terminal answers, of which the first time counts; the library is to hear it, too. */
    listen: (sequence: string) => {
      // eslint-disable-next-line no-control-regex -- a terminal's answer
      before ??= /\u001b\[\?2027;(\d)\$y/.exec(sequence)?.[1]
      return false
    },
    putBack: change("l"),
    takeOver: change("h")
  }
}

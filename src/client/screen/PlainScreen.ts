/** A `Screen` for scripts: lines in, lines out, no prompt, no colours, one event a line. */
import * as process from "node:process"
import { Clock, Effect, Layer, Stdio, Stream } from "effect"
import { cutLines } from "../command/InputLines.ts"
import { colourless } from "../text/Palette.ts"
import * as Timestamp from "../text/Timestamp.ts"
import type { Line } from "./Layout.ts"
import { noPrompt, OutputClosed, Screen } from "./Screen.ts"

const make = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  yield* Effect.sync(() => {
    // Never taken off: the error of a write can follow its callback, and unheard it would end the process.
    process.stdout.on("error", ignore)
    process.stderr.on("error", ignore)
  })
  const show = Effect.fnUntraced(function* (lines: ReadonlyArray<Line>) {
    yield* write(process.stdout, lines.filter(isSaid))
    yield* write(
      process.stderr,
      lines.filter((line) => !isSaid(line))
    )
  })
  return Screen.of({
    isInteractive: false,
    keepsLines: true,
    style: Effect.map(Clock.currentTimeMillis, (now) => ({
      layout: "plain",
      palette: colourless,
      timestamp: Timestamp.utc,
      now,
      columns: Infinity,
      tagsLobby: false
    })),
    lines: (look) =>
      stdio.stdin.pipe(
        Stream.decodeText(),
        cutLines,
        Stream.map((text) => ({ text, begun: look(), begunFor: noPrompt.key, typedFor: noPrompt.key }))
      ),
    show,
    setPrompt: () => Effect.void,
    propose: () => Effect.succeed(false),
    askUnseen: () => Effect.succeedNone,
    offerNames: () => Effect.void
  })
})

export const layer: Layer.Layer<Screen, never, Stdio.Stdio> = Layer.effect(Screen, make)

/**
 * Waits until the text has left the process: the exit after a failed script is by `process.exit`, and would cut off
 * what is still under way to a pipe.
 */
const write = (stream: NodeJS.WritableStream, lines: ReadonlyArray<Line>) =>
  lines.length === 0
    ? Effect.void
    : Effect.callback<void, OutputClosed>((resume) => {
        stream.write(lines.map(({ text }) => `${text}\n`).join(""), (error) => {
          resume(error ? Effect.fail(new OutputClosed()) : Effect.void)
        })
      })

const isSaid = ({ kind }: Line): boolean => kind === "said"

const ignore = () => {}

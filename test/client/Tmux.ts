/** A real terminal for a client: a tmux of its own, seen through `capture-pane`. */
import * as process from "node:process"
import { Duration, Effect, Schedule, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { compileCache } from "../support/CompileCache.ts"
import { clientPath, root } from "./Processes.ts"

class NotOnScreen extends Schema.TaggedError<NotOnScreen>()("NotOnScreen", {
  awaited: Schema.String,
  screen: Schema.String
}) {
  override readonly message = `${this.awaited} did not appear on this screen:\n${this.screen}`
}

/** How often the screen is looked at, and for how long at most. */
const looking = Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: "15 seconds" }))

/** Starts a client in a terminal of 60 columns and 20 rows; when it ends, the terminal shows `exit <code>`. */
export const startInTerminal = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>>
) {
  const socket = `parley-${process.pid}-${environment["PORT"]}-${args.join("-")}`
  const tmux = (...words: ReadonlyArray<string>) =>
    ChildProcess.make("tmux", ["-L", socket, "-f", "/dev/null", ...words], { cwd: root }).pipe(
      Effect.flatMap(({ all }) => Stream.mkString(Stream.decodeText(all))),
      Effect.scoped
    )
  const settings = Object.entries({ ...compileCache, ...environment }).flatMap(([name, value]) => [
    "-e",
    `${name}=${value}`
  ])
  const command = `'${process.execPath}' '${clientPath}' ${args.join(" ")}; echo exit $?; cat`

  yield* Effect.acquireRelease(tmux("new-session", "-d", "-x", "60", "-y", "20", ...settings, command), () =>
    Effect.ignore(tmux("kill-server"))
  )
  const screen = Effect.map(tmux("capture-pane", "-p"), (text) =>
    text.split("\n").map((row) => row.trimEnd().replace(/^\d\d:\d\d/, "hh:mm"))
  )

  return {
    press: (...keys: ReadonlyArray<string>) => Effect.asVoid(tmux("send-keys", ...keys)),
    type: (text: string) => Effect.asVoid(tmux("send-keys", "-l", text)),
    withColours: tmux("capture-pane", "-p", "-e"),
    /** Waits until these rows stand on the screen, in this order; the time of day reads hh:mm. */
    shows: (...rows: ReadonlyArray<string>) =>
      Effect.flatMap(screen, (shown) => {
        const found = rows.map((row) => shown.indexOf(row))
        return found.every((at, index) => at > (found[index - 1] ?? -1))
          ? Effect.void
          : Effect.fail(new NotOnScreen({ awaited: rows.join(" / "), screen: shown.join("\n") }))
      }).pipe(Effect.retry(looking), Effect.timeout(Duration.seconds(18)))
  }
})

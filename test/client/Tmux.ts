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

/** How often the screen is looked at, each time by a process, and for how long at most. */
const looking = Schedule.spaced("100 millis").pipe(Schedule.upTo({ duration: "90 seconds" }))

/** Looks until what is awaited is there; then and only then a look that hangs is given up, for its failure would not tell what was seen. */
const untilSeen = <E, R>(look: Effect.Effect<void, E, R>) =>
  look.pipe(Effect.retry(looking), Effect.timeout(Duration.seconds(110)))

type Environment = Readonly<Record<string, string>>

/** Starts a client in a terminal; when it ends, the terminal shows `exit <code>`. */
export const startInTerminal = (args: ReadonlyArray<string>, environment: Environment) =>
  startTerminal(`${clientCommand} ${args.join(" ")}; echo exit $?; cat`, environment)

/** How a shell starts a client. */
export const clientCommand = `'${process.execPath}' '${clientPath}'`

/** Starts a shell in a terminal, with job control; its prompt is `$ `. */
export const startShell = (environment: Environment) =>
  startTerminal("exec env 'PS1=$ ' bash --norc --noprofile -i", environment)

/** How many terminals were started: each is a tmux of its own. */
let started = 0

/** A terminal of 60 columns and 20 rows; of the settings that say whether to have colours, it has its own alone. */
const startTerminal = Effect.fnUntraced(function* (command: string, environment: Environment) {
  const socket = `parley-${process.pid}-${started++}`
  const tmux = (...words: ReadonlyArray<string>) =>
    ChildProcess.make("tmux", ["-L", socket, "-f", "/dev/null", ...words], { cwd: root }).pipe(
      Effect.flatMap(({ all }) => Stream.mkString(Stream.decodeText(all))),
      Effect.scoped
    )
  // Unless a test wants the full screen.
  const settings = Object.entries({ CHAT_LINE: "1", ...compileCache, ...environment }).flatMap(([name, value]) => [
    "-e",
    `${name}=${value}`
  ])
  const unset = ["NO_COLOR", "FORCE_COLOR"].filter((name) => !(name in environment)).join(" ")
  const forgetful = unset === "" ? command : `unset ${unset}; ${command}`

  yield* Effect.acquireRelease(tmux("new-session", "-d", "-x", "60", "-y", "20", ...settings, forgetful), () =>
    Effect.ignore(tmux("kill-server"))
  )
  const screen = Effect.map(tmux("capture-pane", "-p"), (text) =>
    text.split("\n").map((row) =>
      row
        .trimEnd()
        .replace(/^\d\d:\d\d #\d+/, "hh:mm #n")
        .replace(/^\d\d:\d\d/, "hh:mm")
    )
  )

  return {
    press: (...keys: ReadonlyArray<string>) => Effect.asVoid(tmux("send-keys", ...keys)),
    type: (text: string) => Effect.asVoid(tmux("send-keys", "-l", text)),
    resize: (columns: number, rows: number) =>
      Effect.asVoid(tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`)),
    /** As a terminal does it that marks what is pasted, if the program asks for that. */
    paste: (text: string) =>
      Effect.andThen(
        tmux("set-buffer", "-b", "pasted", text),
        Effect.asVoid(tmux("paste-buffer", "-p", "-b", "pasted"))
      ),
    /** What the terminal was left with: its cursor, its other screen, the mouse; each 1 if it is on. */
    modes: Effect.map(tmux("display", "-p", "#{cursor_flag} #{alternate_on} #{mouse_any_flag}"), (text) => text.trim()),
    /** How the system has it: whether what is typed is echoed, comes line by line, and the like; as a shell has it at its prompt. */
    settings: Effect.flatMap(tmux("display", "-p", "#{pane_tty}"), (tty) =>
      ChildProcess.make("stty", ["-F", tty.trim(), "-g"]).pipe(
        Effect.flatMap(({ all }) => Stream.mkString(Stream.decodeText(all))),
        Effect.scoped
      )
    ),
    /** The process of this client that runs in it. */
    signal: (signal: string) =>
      Effect.flatMap(tmux("display", "-p", "#{pane_pid}"), (pid) =>
        Effect.asVoid(
          ChildProcess.make("pkill", [`-${signal}`, "-P", pid.trim(), "node"]).pipe(
            Effect.flatMap(({ exitCode }) => exitCode),
            Effect.scoped
          )
        )
      ),
    /** What another program writes there, past the client. */
    scribble: (text: string) =>
      Effect.flatMap(tmux("display", "-p", "#{pane_tty}"), (tty) =>
        ChildProcess.make("sh", ["-c", `printf %s "$0" > '${tty.trim()}'`, text]).pipe(
          Effect.flatMap(({ exitCode }) => exitCode),
          Effect.asVoid,
          Effect.scoped
        )
      ),
    /** Writes to this file what comes for the terminal from now on. */
    record: (path: string) => Effect.asVoid(tmux("pipe-pane", "-O", `cat > '${path}'`)),
    /** As it is now. */
    screen,
    withColours: tmux("capture-pane", "-p", "-e"),
    /** Waits until these rows stand on the screen one below the other. */
    showsTogether: (...rows: ReadonlyArray<string>) =>
      Effect.flatMap(screen, (shown) =>
        shown.join("\n").includes(rows.join("\n"))
          ? Effect.void
          : Effect.fail(new NotOnScreen({ awaited: rows.join(" / "), screen: shown.join("\n") }))
      ).pipe(untilSeen),
    /** Waits until a row holds this text. */
    showsIn: (text: string) =>
      Effect.flatMap(screen, (shown) =>
        shown.some((row) => row.includes(text))
          ? Effect.void
          : Effect.fail(new NotOnScreen({ awaited: text, screen: shown.join("\n") }))
      ).pipe(untilSeen),
    /** Waits until these rows stand on the screen, in this order; the time of day reads hh:mm, a number #n. */
    shows: (...rows: ReadonlyArray<string>) =>
      Effect.flatMap(screen, (shown) => {
        const found = rows.map((row) => shown.indexOf(row))
        return found.every((at, index) => at > (found[index - 1] ?? -1))
          ? Effect.void
          : Effect.fail(new NotOnScreen({ awaited: rows.join(" / "), screen: shown.join("\n") }))
      }).pipe(untilSeen)
  }
})

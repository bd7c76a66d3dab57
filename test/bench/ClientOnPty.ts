/**
 * The client as somebody starts it: `pnpm client`'s own command line, from this checkout's sources, on a terminal (a pty that
 * util-linux's `script` makes, since Node has none). What it draws is followed cell by cell.
 *
 * `script` hands on what is typed and what is drawn; it takes a few tenths of a millisecond each way, and counts for no figure of the
 * client's.
 */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import { resolve } from "node:path"
import { Effect } from "effect"
import manifest from "../../package.json" with { type: "json" }
import { BenchError } from "./Crowd.ts"
import { Grid } from "./Grid.ts"
import { innermostChildOf } from "./Machine.ts"

const root = resolve(import.meta.dirname, "../..")
export const size = { columns: 120, rows: 40 }

export interface Looked {
  readonly port: number
  readonly user: string
  /** Where it keeps what it keeps: a folder that is its home. */
  readonly home: string
  /** Put before the processor that it is to run on, if there is one to choose. */
  readonly cores: string | undefined
}

export interface OnPty {
  readonly pid: number
  readonly grid: Grid
  readonly type: (text: string) => void
  /** Gives the milliseconds until the screen is as it is to be, looked at whenever something is drawn. */
  readonly until: (what: string, isSeen: (grid: Grid) => boolean) => Effect.Effect<number, BenchError>
}

const patience = "60 seconds"
const searchPath = process.env["PATH"] ?? ""

/** As people start it, but for the program that starts it. */
const commandOf = ({ cores, port, user }: Looked): string => {
  const command = manifest.scripts.client.replace(/^node\b/, `'${process.execPath}'`)
  const pinned = cores === undefined ? "" : `taskset --cpu-list ${cores} `
  return `stty rows ${size.rows} cols ${size.columns}; exec ${pinned}${command} --host 127.0.0.1 --port ${port} --user ${user}`
}

/** Whether a client's first frame is there: where what is typed goes to, and who types. */
export const isFirstFrame =
  (user: string) =>
  (grid: Grid): boolean =>
    grid.frames > 0 && grid.row(-1).startsWith("lobby›") && grid.row(-2).includes(` ${user}`)

/** Starts one; it ends with the scope. */
export const startOnPty = (looked: Looked) =>
  Effect.gen(function* () {
    Fs.mkdirSync(looked.home, { recursive: true })
    const grid = new Grid(size.columns, size.rows)
    const watching = new Set<() => void>()
    let said = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = spawn("script", ["-qfec", commandOf(looked), "/dev/null"], {
          cwd: root,
          env: { PATH: searchPath, TERM: "xterm-256color", HOME: looked.home, LANG: "C.UTF-8" },
          stdio: ["pipe", "pipe", "ignore"]
        })
        started.stdin.on("error", () => {})
        return started
      }),
      (started) =>
        Effect.callback<void>((resume) => {
          if (started.exitCode !== null || started.pid === undefined) return resume(Effect.void)
          started.once("exit", () => resume(Effect.void))
          process.kill(innermostChildOf(started.pid), "SIGTERM")
        }).pipe(
          Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.sync(() => started.kill("SIGKILL")) })
        )
    )
    const decoder = new TextDecoder()
    child.stdout.on("data", (bytes: Buffer) => {
      const text = decoder.decode(bytes, { stream: true })
      said = (said + text).slice(-2000)
      grid.write(text)
      for (const look of watching) look()
    })
    const until: OnPty["until"] = (what, isSeen) => {
      const startedAt = performance.now()
      return Effect.callback<number, BenchError>((resume) => {
        const stop = () => {
          watching.delete(look)
          child.off("exit", gone)
        }
        const look = () => {
          if (!isSeen(grid)) return
          stop()
          resume(Effect.succeed(performance.now() - startedAt))
        }
        const gone = () => {
          stop()
          resume(Effect.fail(new BenchError({ message: `The client ended before ${what}: ${said}` })))
        }
        watching.add(look)
        child.once("exit", gone)
        look()
        return Effect.sync(stop)
      }).pipe(
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () => Effect.fail(new BenchError({ message: `No ${what} in ${patience}:\n${grid.text()}` }))
        })
      )
    }
    const client: OnPty = {
      get pid() {
        return innermostChildOf(child.pid ?? 0)
      },
      grid,
      type: (text) => void child.stdin.write(text),
      until
    }
    return client
  })

/**
 * How a screen ends when nobody asked it to: something throws, whoever started it is killed, or it is stopped from outside. The
 * terminal is then as it was, and no process is left.
 */
import { spawnSync } from "node:child_process"
import { isBuiltin } from "node:module"
import { join } from "node:path"
import process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Schedule } from "effect"
import { Server } from "./Processes.ts"
import { clientCommand, startShell } from "./Tmux.ts"

const hasNoTmux = spawnSync("tmux", ["-V"]).status !== 0

/** Who chats, how the screen is chosen, and what it shows when it is there. */
const screens = [
  { mode: "full", setting: "false", ready: "lobby›", cannotRun: hasNoTmux || !isBuiltin("node:ffi") },
  { mode: "line", setting: "1", ready: "lobby>", cannotRun: hasNoTmux }
] as const

/** Cursor on, one screen, no mouse. */
const asItWas = "1 0 0"

/** What a test has thrown where nobody waits for it, when it says so with this signal. */
const throwing = "--import=data:text/javascript,process.on('SIGUSR2',()=>setTimeout(()=>{throw(Error('thrown'))}))"

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const gone = (pid: number) =>
  Effect.sync(() => isThere(pid)).pipe(
    Effect.repeat({ while: (isThere) => isThere, schedule: Schedule.spaced("50 millis") }),
    Effect.timeout("60 seconds")
  )

layer(Layer.provideMerge(Server.layer, NodeServices.layer), { excludeTestServices: true })("a terminal", (it) => {
  /** A shell in which a client runs below a launcher, as below npx and pnpm; their process ids stand in files. */
  const start = Effect.fnUntraced(function* ({ mode, ready, setting }: (typeof screens)[number], then: string) {
    const { port } = yield* Server
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-ending-" })
    const read = (name: string) => Effect.map(files.readFileString(join(folder, name)), (text) => text.trim())
    const terminal = yield* startShell({
      PORT: `${port}`,
      CHAT_LINE: setting,
      NO_COLOR: "1",
      NODE_OPTIONS: throwing,
      XDG_CONFIG_HOME: folder,
      XDG_DATA_HOME: folder
    })
    yield* terminal.shows("$")
    const atPrompt = yield* terminal.settings
    const client = `sh -c 'echo \\$\\$ > ${folder}/client; exec \\"\\$0\\" \\"\\$@\\"' ${clientCommand} --user ${mode}-${then}`
    const launcher = `sh -c "echo \\$\\$ > ${folder}/launcher; ${client}; exit \\$?"`
    // Behind a launcher that ended, and before the shell edits a line again, its own settings do not hide ours.
    yield* terminal.type(
      `clear; stty -g > ${folder}/before; ${launcher}; echo exit $?; stty -g > ${folder}/after; echo done`
    )
    yield* terminal.press("Enter")
    yield* terminal.shows(ready)
    const pid = (name: string) => Effect.map(read(name), Number)
    return { atPrompt, client: yield* pid("client"), launcher: yield* pid("launcher"), read, terminal }
  })

  for (const screen of screens) {
    const { cannotRun, mode } = screen
    it.effect.skipIf(cannotRun)(`is as it was when something throws below a ${mode} screen`, () =>
      Effect.gen(function* () {
        const { client, read, terminal } = yield* start(screen, "throws")
        yield* Effect.sync(() => process.kill(client, "SIGUSR2"))
        yield* terminal.shows("exit 1", "done")
        yield* terminal.showsIn("thrown")
        assert.strictEqual(yield* read("after"), yield* read("before"))
        assert.strictEqual(yield* terminal.modes, asItWas)
      })
    )

    it.effect.skipIf(cannotRun)(`is as it was, and a ${mode} screen gone, when what started that is killed`, () =>
      Effect.gen(function* () {
        const { atPrompt, client, launcher, terminal } = yield* start(screen, "orphan")
        yield* Effect.sync(() => process.kill(launcher, "SIGKILL"))
        yield* gone(client)
        assert.strictEqual(yield* terminal.modes, asItWas)
        // The shell edits its line by then: that is not disturbed.
        assert.strictEqual(yield* terminal.settings, atPrompt)
      })
    )

    it.effect.skipIf(cannotRun)(`is a ${mode} screen's again when that was stopped from outside and goes on`, () =>
      Effect.gen(function* () {
        const { client, launcher, terminal } = yield* start(screen, "stopped")
        yield* Effect.sync(() => {
          for (const pid of [client, launcher]) process.kill(pid, "SIGSTOP")
        })
        yield* terminal.showsIn("Stopped")
        yield* terminal.type(`fg > /dev/null`)
        yield* terminal.press("Enter")
        yield* terminal.shows(screen.ready)
        yield* terminal.type("nobody else is here")
        yield* terminal.shows(`${screen.ready} nobody else is here`)
        yield* terminal.press("C-u")
        yield* Effect.sync(() => process.kill(client, "SIGQUIT"))
        yield* gone(client)
        assert.strictEqual(yield* terminal.modes, asItWas)
      })
    )
  }
})

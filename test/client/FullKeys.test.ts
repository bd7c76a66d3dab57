/** Keys, the mouse and job control in a real terminal: what the program cannot know of them by itself. */
import { spawnSync } from "node:child_process"
import { isBuiltin } from "node:module"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { connect } from "../support/RawClient.ts"
import { Server } from "./Processes.ts"
import { clientCommand, startInTerminal, startShell } from "./Tmux.ts"

const cannotRun = spawnSync("tmux", ["-V"]).status !== 0 || !isBuiltin("node:ffi")

const environment = Effect.gen(function* () {
  const { port } = yield* Server
  const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
  return { PORT: `${port}`, CHAT_LINE: "false", XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, XDG_STATE_HOME: folder }
})

/** Somebody who says this. */
const talk = Effect.fnUntraced(function* (user: string, ...messages: ReadonlyArray<string>) {
  const { port } = yield* Server
  const somebody = yield* connect({ port })
  yield* somebody.ask({ _tag: "Handshake", user })
  for (const content of messages) yield* somebody.ask({ _tag: "GlobalMessage", content })
  return somebody
})

layer(NodeServices.layer, { excludeTestServices: true })("a full screen in a terminal", (it) => {
  it.layer(Server.layer)((it) => {
    it.effect.skipIf(cannotRun)("is stopped by Ctrl-Z, and back where it was with fg", () =>
      Effect.gen(function* () {
        const terminal = yield* startShell(yield* environment)
        yield* terminal.type(`${clientCommand} --user zoe`)
        yield* terminal.press("Enter")
        yield* terminal.shows("lobby›")
        yield* terminal.type("half a line")
        yield* terminal.shows("lobby› half a line")
        yield* terminal.press("C-z")
        yield* terminal.showsIn("Stopped")
        assert.strictEqual(yield* terminal.modes, "1 0 0")
        yield* terminal.type("fg")
        yield* terminal.press("Enter")
        yield* terminal.shows("lobby› half a line")
        yield* terminal.type("!")
        yield* terminal.shows("lobby› half a line!")
        yield* terminal.press("C-c", "C-c")
        yield* terminal.showsIn("Leave parley?")
        yield* terminal.press("y")
        yield* terminal.shows("$")
        assert.strictEqual(yield* terminal.modes, "1 0 0")
      })
    )

    it.effect.skipIf(cannotRun)("hears clicks and the wheel, unless the mouse is left to the terminal", () =>
      Effect.gen(function* () {
        yield* talk("wanda", ...Array.from({ length: 40 }, (_, index) => `number ${index}`))
        const terminal = yield* startInTerminal(["--user", "max"], yield* environment)
        yield* terminal.resize(90, 20)
        yield* terminal.showsIn("number 39")
        yield* terminal.type(":pm wanda")
        yield* terminal.press("Enter")
        yield* terminal.shows("@wanda›")
        yield* terminal.type("\u001b[<0;3;1M\u001b[<0;3;1m")
        yield* terminal.shows("lobby›")
        // The wheel, up.
        for (let turn = 0; turn < 3; turn++) yield* terminal.type("\u001b[<64;40;8M")
        yield* terminal.showsIn("newer (End)")
        yield* terminal.press("End")
        yield* terminal.showsIn("number 39")
        // A message is chosen by a click on it.
        yield* terminal.type("\u001b[<0;40;16M\u001b[<0;40;16m")
        yield* terminal.showsIn("r reply")
        assert.strictEqual((yield* terminal.modes).split(" ").at(-1), "1")
        yield* terminal.press("F4")
        yield* terminal.showsIn("The mouse is the terminal's.")
        assert.strictEqual((yield* terminal.modes).split(" ").at(-1), "0")

        const other = yield* startInTerminal(["--user", "mia", "--no-mouse"], yield* environment)
        yield* other.shows("lobby›")
        assert.strictEqual((yield* other.modes).split(" ").at(-1), "0")
      })
    )

    it.effect.skipIf(cannotRun)("knows the keys by what terminals send for them", () =>
      Effect.gen(function* () {
        yield* talk("nina", "Where are the tomatoes?")
        const terminal = yield* startInTerminal(["--user", "kim"], yield* environment)
        yield* terminal.showsIn("tomatoes")
        yield* terminal.type("one two")
        yield* terminal.press("C-_")
        yield* terminal.shows("lobby› one")
        yield* terminal.press("M-z")
        yield* terminal.shows("lobby› one two")
        yield* terminal.press("M-b", "M-k")
        yield* terminal.shows("lobby› one")
        yield* terminal.press("C-y", "Home", "Delete", "End", "C-w")
        yield* terminal.shows("lobby› ne")
        yield* terminal.press("M-Enter")
        yield* terminal.type("second")
        yield* terminal.shows("       second")
        yield* terminal.press("C-c")
        yield* terminal.shows("lobby›")
        yield* terminal.type("nin")
        yield* terminal.press("Tab")
        yield* terminal.shows("lobby› nina:")
        yield* terminal.press("C-c", "M-Up")
        yield* terminal.showsIn("r reply")
        yield* terminal.press("r")
        yield* terminal.shows("lobby ↳ nina›")
        yield* terminal.press("Escape")
        yield* terminal.shows("lobby›")
        yield* terminal.press("C-f")
        yield* terminal.type("tomatoes")
        yield* terminal.press("Enter")
        yield* terminal.showsIn("1 found")
        yield* terminal.press("Enter")
        yield* terminal.showsIn("r reply")
        yield* terminal.press("F1")
        yield* terminal.showsIn("Alt-Enter")
      })
    )
  })
})

/** What only a real terminal shows: how it counts the cells of emoji, and what another program has written over the screen. */
import { spawnSync } from "node:child_process"
import { isBuiltin } from "node:module"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { startClient, startServer } from "./Processes.ts"
import { startInTerminal } from "./Tmux.ts"

const cannotRun = spawnSync("tmux", ["-V"]).status !== 0 || !isBuiltin("node:ffi")

layer(NodeServices.layer, { excludeTestServices: true })("a full screen in tmux", (it) => {
  it.effect.skipIf(cannotRun)("shows no letters that nobody wrote beside emoji, and is drawn anew by Ctrl-L", () =>
    Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const { port } = yield* startServer({ DATABASE: `${folder}/chat.sqlite` })
      const terminal = yield* startInTerminal(["--user", "ada"], {
        PORT: `${port}`,
        CHAT_LINE: "false",
        LANG: "C.UTF-8",
        XDG_CONFIG_HOME: folder,
        XDG_DATA_HOME: folder,
        XDG_STATE_HOME: folder
      })
      yield* terminal.shows("lobby›")
      const bob = yield* startClient({ args: ["--port", `${port}`, "--user", "bob"] })
      yield* bob.type("letters where emoji come", "more letters there", "❤️x ❤️y a❤️b 1️⃣x", "🇩🇪x 👍🏽x 👩‍💻x 🏳️‍🌈x")
      yield* terminal.showsIn("bob │ letters where emoji come")
      // They move to rows on which other letters stood.
      yield* bob.type("one more row", "and another one", "the last")
      yield* terminal.showsIn("the last")
      const rows = yield* terminal.screen
      const text = rows.join("\n")
      assert.match(text, /│ ❤\ufe0f? {0,1}x ❤\ufe0f? {0,1}y a❤\ufe0f? {0,1}b 1\ufe0f?\u20e3 {0,1}x\n/u)
      assert.match(text, /│ 🇩🇪x 👍🏽?x 👩‍💻x 🏳\S*? {0,1}x\n/u)

      yield* terminal.scribble("\u001b[9;30Hwritten by another program\u001b[3;30Hand here")
      yield* terminal.showsIn("written by another program")
      yield* terminal.press("C-l")
      yield* terminal.showsTogether(...rows.slice(0, 18))
    })
  )
})

/** The full screen in a real terminal, with a real server: what one lives through in it, and how it ends. */
import { spawnSync } from "node:child_process"
import { isBuiltin } from "node:module"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, FileSystem, Scope } from "effect"
import * as FakeServer from "./FakeServer.ts"
import { startClient, startServer } from "./Processes.ts"
import { startInTerminal } from "./Tmux.ts"

const cannotRun = spawnSync("tmux", ["-V"]).status !== 0 || !isBuiltin("node:ffi")

/** Cursor on, one screen, no mouse. */
const asItWas = "1 0 0"

layer(NodeServices.layer, { excludeTestServices: true })("a full screen", (it) => {
  it.effect.skipIf(cannotRun)(
    "chats, is resized, takes a paste, loses its server and has it back, and leaves the terminal as it was",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped()
        const database = { DATABASE: `${folder}/chat.sqlite` }
        const scope = yield* Scope.make()
        const { port } = yield* Scope.provide(startServer(database), scope)
        const terminal = yield* startInTerminal(["--user", "ada"], {
          PORT: `${port}`,
          CHAT_LINE: "false",
          XDG_CONFIG_HOME: folder,
          XDG_DATA_HOME: folder
        })
        yield* terminal.showsIn("Nothing was said here yet.")
        yield* terminal.shows("lobby›")

        const bob = yield* startClient({ args: ["--port", `${port}`, "--user", "bob"] })
        yield* bob.type("Hi @ada", ":cr dev", ":jr dev")
        yield* terminal.showsIn("bob │ Hi @ada")
        yield* terminal.type(":jr dev")
        yield* terminal.press("Enter")
        yield* terminal.shows("dev›")
        yield* bob.type(":rm dev It compiles")
        yield* terminal.showsIn("bob │ It compiles")
        yield* terminal.type("For everybody? No")
        yield* terminal.press("Enter")
        yield* bob.says("[dev] ada: For everybody? No")

        yield* terminal.resize(40, 10)
        yield* terminal.showsIn("ada │ For everybody? No")
        yield* terminal.resize(90, 24)
        yield* terminal.showsIn("1 lobby")
        yield* terminal.paste(`${Array.from({ length: 20 }, (_, index) => `line ${index}`).join("\n")}\n:quit\n`)
        yield* terminal.showsIn("Put 21 lines into what you are typing for dev?")
        yield* terminal.press("n")
        yield* terminal.shows("dev›")

        yield* Scope.close(scope, Exit.void)
        yield* terminal.showsIn("offline")
        yield* terminal.type("said offline")
        yield* terminal.press("Enter")
        yield* terminal.type("and typed")
        yield* startServer({ ...database, PORT: `${port}` })
        yield* bob.says("[dev] ada: said offline")
        yield* terminal.shows("dev› and typed")

        yield* terminal.press("C-c", "C-c")
        yield* terminal.showsIn("Leave parley?")
        yield* terminal.press("y")
        yield* terminal.shows("exit 0")
        assert.strictEqual(yield* terminal.modes, asItWas)
      })
  )

  it.effect.skipIf(cannotRun)("leaves the terminal as it was when it is told to end", () =>
    Effect.gen(function* () {
      const { port } = yield* startServer()
      const ended = Effect.fnUntraced(function* (signal: string, exit: string) {
        const environment = { PORT: `${port}`, CHAT_LINE: "false" }
        const terminal = yield* startInTerminal(["--user", `ada-${signal}`], environment)
        yield* terminal.shows("lobby›")
        yield* terminal.signal(signal)
        yield* terminal.shows(exit)
        assert.strictEqual(yield* terminal.modes, asItWas)
        yield* terminal.type("what is typed is seen again")
        yield* terminal.showsIn("what is typed is seen again")
      })
      yield* Effect.all([ended("TERM", "exit 143"), ended("HUP", "exit 129"), ended("QUIT", "exit 131")], {
        concurrency: "unbounded"
      })
    })
  )

  it.effect.skipIf(cannotRun)("shows the password of the environment to one server, and to none of several", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const [home, work] = [yield* FakeServer.make, yield* FakeServer.make]
      const host = "127.0.0.1"
      yield* files.makeDirectory(`${folder}/parley`)
      yield* files.writeFileString(
        `${folder}/parley/config.json`,
        JSON.stringify({
          servers: { home: { host, port: home.port, user: "ada" }, work: { host, port: work.port, user: "ada" } }
        })
      )
      const environment = {
        CHAT_LINE: "false",
        XDG_CONFIG_HOME: folder,
        XDG_DATA_HOME: folder,
        PARLEY_PASSWORD: "only for one"
      }
      const shownTo = Effect.fnUntraced(function* (server: typeof home) {
        const peer = yield* server.accept
        const handshake = yield* peer.take
        yield* peer.say(FakeServer.welcome(0))
        return handshake._tag === "Handshake" ? handshake.credentials?._tag : handshake._tag
      })
      yield* startInTerminal(["@home"], environment)
      assert.strictEqual(yield* shownTo(home), "Password")
      yield* startInTerminal(["@home", "@work"], environment)
      assert.isUndefined(yield* shownTo(home))
      assert.isUndefined(yield* shownTo(work))
    })
  )
})

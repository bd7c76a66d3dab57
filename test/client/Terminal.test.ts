import { spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { colourful } from "../../src/client/text/Palette.ts"
import { root, Server, startClient, startServer } from "./Processes.ts"
import { clientCommand, startInTerminal, startShell } from "./Tmux.ts"

// A tab that comes in one piece with what is typed before or behind it is text that was pasted: tests wait in between.
const hasNoTmux = spawnSync("tmux", ["-V"]).status !== 0

layer(Layer.provideMerge(Server.layer, NodeServices.layer), { excludeTestServices: true })("a terminal", (it) => {
  it.effect.skipIf(hasNoTmux)("asks for a name, edits a line while others talk, and is left as it was", () =>
    Effect.gen(function* () {
      const { port } = yield* Server
      const terminal = yield* startInTerminal([], { PORT: `${port}`, NO_COLOR: "1" })
      yield* terminal.shows("? Your name: ›")
      yield* terminal.type("not a name")
      yield* terminal.press("Enter")
      yield* terminal.shows("› a name has 1 to 32 letters, digits, '_', '.', '-'")
      yield* terminal.press("C-u")
      yield* terminal.type("ada")
      yield* terminal.press("Enter")
      yield* terminal.shows("      1 user: ada", "      no rooms yet; :cr <room> creates one", "lobby>")

      yield* terminal.type(":cr dev")
      yield* terminal.press("Enter")
      yield* terminal.shows(
        "      > :cr dev",
        "      you created the room dev",
        "      [dev] → you joined as owner; here: ada",
        "dev>"
      )
      yield* terminal.type("/jr d")
      yield* terminal.shows("dev> /jr d")
      yield* terminal.press("Tab")
      yield* terminal.shows("dev> /jr dev")
      yield* terminal.press("Enter")
      yield* terminal.shows("      > /jr dev", "dev>")

      const half = "half a line that is so long that it goes on in the next row"
      yield* terminal.type(half)
      yield* terminal.shows(`dev> ${half.slice(0, 55)}`, half.slice(55))
      const bob = yield* startClient({ args: ["--port", `${port}`, "--user", "bob"] })
      yield* bob.type(":jr dev", ":rm dev one", ":rm dev two")
      yield* bob.says("[dev] bob: two")
      for (const row of [
        "      → bob joined",
        "      [dev] → bob joined",
        "hh:mm #n [dev] bob: one",
        "hh:mm #n [dev] bob: two"
      ]) {
        yield* terminal.shows(row, `dev> ${half.slice(0, 55)}`, half.slice(55), "")
      }

      yield* bob.type("three")
      yield* terminal.showsTogether(
        "hh:mm #n [lobby] bob: three",
        `dev (1)> ${half.slice(0, 51)}`.trimEnd(),
        half.slice(51),
        ""
      )
      yield* terminal.press("Enter")
      yield* bob.says(`[dev] ada: ${half}`)
      yield* terminal.press("Up", "C-u")
      yield* terminal.type(":quti")
      yield* terminal.press("Enter")
      yield* terminal.shows(
        'There is no command ":quti". Did you mean :quit? To',
        '      send the line as text, begin it with "::".',
        "dev (1)>"
      )
      yield* terminal.type("half")
      yield* terminal.press("C-c")
      yield* terminal.shows("dev (1)>")
      yield* terminal.press("C-c")
      yield* terminal.shows("— Ctrl-C again quits —", "dev (1)>")
      yield* terminal.press("C-c")
      yield* terminal.shows("exit 0")
      yield* bob.says("← ada left")
    })
  )

  it.effect.skipIf(hasNoTmux)("shows who comes what was said before, and finds it", () =>
    Effect.gen(function* () {
      const { port } = yield* startServer()
      const bob = yield* startClient({ args: ["--port", `${port}`, "--user", "bob"] })
      const said = Array.from({ length: 22 }, (_, index) => `:rm dev ${index + 1} apples`)
      yield* bob.type("good morning", ":cr dev", ":jr dev", ...said)
      yield* bob.says("bob: 22 apples")
      const terminal = yield* startInTerminal(["--user", "ada"], { PORT: `${port}`, NO_COLOR: "1" })
      yield* terminal.shows(
        "hh:mm #n bob: good morning",
        "      ↑ 1 earlier message",
        "      2 users: ada, bob",
        "      1 room: dev (1)",
        "lobby>"
      )
      yield* terminal.type(":jr dev")
      yield* terminal.press("Enter")
      const last = Array.from({ length: 18 }, (_, index) => `hh:mm #n [dev] bob: ${index + 5} apples`)
      yield* terminal.shows(...last, "      ↑ 20 earlier messages; :more shows older ones", "dev>")
      yield* terminal.type(":search in:d")
      yield* terminal.shows("dev> :search in:d")
      yield* terminal.press("Tab")
      yield* terminal.shows("dev> :search in:dev")
      yield* terminal.type('"5 apples"')
      yield* terminal.press("Enter")
      yield* terminal.shows(
        "      ↑ 20 earlier messages; :more shows older ones",
        '      > :search in:dev "5 apples"',
        "hh:mm #n [dev] bob: 5 apples",
        "      1 message found",
        "dev>"
      )
      yield* terminal.press("C-d")
      yield* terminal.shows("exit 0")
    })
  )

  it.effect.skipIf(hasNoTmux)("answers what was shown last when one began to type, or else nothing", () =>
    Effect.gen(function* () {
      const { port } = yield* startServer()
      const terminal = yield* startInTerminal(["--user", "ada"], { PORT: `${port}`, NO_COLOR: "1" })
      yield* terminal.showsIn(" room")
      const bob = yield* startClient({ args: ["--port", `${port}`, "--user", "bob"] })
      yield* bob.type(":pm ada psst")
      yield* terminal.shows("hh:mm #n (private) bob → ada: psst", "lobby (1)>")
      yield* terminal.type(":reply bet")
      yield* terminal.shows("lobby (1)> :reply bet")
      yield* bob.type("hello")
      yield* terminal.shows("hh:mm #n bob: hello", "lobby (1)> :reply bet")
      yield* terminal.type("ween us")
      yield* terminal.press("Enter")
      yield* terminal.shows("lobby (1)> :reply in:@bob #1 between us")
      yield* terminal.press("Enter")
      yield* terminal.shows("      ↳ #1 bob: psst", "hh:mm #n (private) ada → bob: between us", "lobby>")
      yield* terminal.press("C-d")
      yield* terminal.shows("exit 0")
    })
  )

  it.effect.skipIf(hasNoTmux)(
    "holds a paste of many lines until it is sent as text, and carries nothing of it out",
    () =>
      Effect.gen(function* () {
        const { port } = yield* startServer()
        const terminal = yield* startInTerminal(["--user", "ada"], { PORT: `${port}`, NO_COLOR: "1" })
        yield* terminal.showsIn(" room")
        const bob = yield* startClient({ args: ["--port", `${port}`, "--user", "bob"] })
        yield* terminal.showsIn("bob joined")
        yield* terminal.type("half")
        const lines = Array.from({ length: 100 }, (_, index) => (index === 7 ? ":quit" : `line ${index + 1}`))
        yield* terminal.paste(`${lines.join("\n")}\n`)
        yield* terminal.shows("      ┊ :quit", "      ┊ … and 90 more lines")
        yield* terminal.showsIn("Send 100 lines to lobby? Enter or y; Ctrl-C drops them")
        yield* bob.type("meanwhile")
        yield* terminal.shows("hh:mm #n bob: meanwhile", "Send 100 lines to lobby? Enter or y; Ctrl-C drops them")
        yield* terminal.press("Enter")
        yield* bob.says(`ada: ${lines.join(" ⏎ ")}`)
        yield* terminal.shows("      ┊ line 100", "lobby> half")
        yield* terminal.paste("one\n/quit")
        yield* terminal.showsIn("Send 2 lines to lobby?")
        yield* terminal.press("C-c")
        yield* terminal.shows("— not sent —", "lobby> half")
        yield* terminal.paste(" a line\n")
        yield* terminal.shows("lobby> half a line")
        yield* terminal.press("C-c")
        yield* terminal.type("e👩‍💻é")
        yield* terminal.press("BSpace", "BSpace")
        yield* terminal.shows("lobby> e")
        yield* terminal.press("Enter")
        yield* terminal.shows("hh:mm #n ada: e", "lobby>")
        yield* terminal.type(":whois bob")
        yield* terminal.press("Enter")
        yield* terminal.showsIn("bob: a guest")
        yield* terminal.press("C-r")
        yield* terminal.type("WHO")
        yield* terminal.shows("search “WHO”: :whois bob")
        yield* terminal.press("Enter")
        yield* terminal.shows("lobby> :whois bob")
        yield* terminal.press("C-l")
        yield* terminal.shows("      bob: a guest, here now", "lobby> :whois bob")
        yield* terminal.press("C-c", "C-d")
        yield* terminal.shows("exit 0")
      })
  )

  it.effect.skipIf(hasNoTmux)(
    "writes everything once and in order with --line, and nothing into a line being typed",
    () =>
      Effect.gen(function* () {
        const { port } = yield* startServer()
        const terminal = yield* startInTerminal(["--user", "ada", "--line"], { PORT: `${port}`, NO_COLOR: "1" })
        yield* terminal.showsIn(" room")
        const bob = yield* startClient({ args: ["--port", `${port}`, "--user", "bob"] })
        yield* terminal.shows("      → bob joined", "")
        yield* terminal.type("hal")
        yield* terminal.shows("      → bob joined", "lobby> hal")
        yield* bob.type("meanwhile")
        yield* bob.says("bob: meanwhile")
        yield* terminal.type("f")
        yield* terminal.showsTogether("      → bob joined", "lobby> half", "")
        yield* terminal.press("Enter")
        yield* terminal.showsTogether("lobby> half", "hh:mm #n bob: meanwhile", "hh:mm #n ada: half", "")
        yield* terminal.press("C-d")
        yield* terminal.shows("exit 0")
      })
  )

  it.effect.skipIf(hasNoTmux)("is as it was before, whatever signal ends the client", () =>
    Effect.gen(function* () {
      const { port } = yield* Server
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-" })
      const read = (name: string) => Effect.map(files.readFileString(join(folder, name)), (text) => text.trim())
      const terminal = yield* startShell({ PORT: `${port}`, NO_COLOR: "1" })
      yield* terminal.shows("$")
      yield* terminal.record(join(folder, "written"))
      for (const signal of ["SIGHUP", "SIGTERM"] as const) {
        const client = `sh -c 'echo $$ > ${folder}/pid; exec "$0" "$@"' ${clientCommand} --user kim`
        yield* terminal.type(`clear; stty -g > ${folder}/before; ${client}; stty -g > ${folder}/after; echo gone`)
        yield* terminal.press("Enter")
        yield* terminal.shows("lobby>")
        const pid = Number(yield* read("pid"))
        yield* Effect.sync(() => process.kill(pid, signal))
        yield* terminal.shows("gone", "$")
        assert.strictEqual(yield* read("after"), yield* read("before"))
      }
      const client = (yield* read("written")).split("connected to").at(-1) ?? ""
      assert.include(client, "[?2004l")
    })
  )

  const hasNoNpx = spawnSync("npx", ["--yes", "pnpm", "--version"], { cwd: root }).status !== 0
  const ways = [
    ["by itself", "nina", clientCommand],
    // As npx and pnpm do: what they started runs in their process group, and they wait for its end.
    ["by npx and pnpm", "otto", hasNoNpx ? `sh -c '"$0" "$@"; exit $?' ${clientCommand}` : "npx --yes pnpm -s client"]
  ] as const
  for (const [how, user, start] of ways) {
    it.effect.skipIf(hasNoTmux)(`can be stopped with a client that was started ${how}, and goes on where it was`, () =>
      Effect.gen(function* () {
        const { port } = yield* Server
        const terminal = yield* startShell({ PORT: `${port}`, NO_COLOR: "1" })
        yield* terminal.shows("$")
        yield* terminal.type(`clear; ${start} --user ${user}`)
        yield* terminal.press("Enter")
        yield* terminal.showsIn(" room")
        const half = "half a line that is so long that it goes on in the next row"
        yield* terminal.type(half)
        yield* terminal.shows(half.slice(53))
        yield* terminal.press("C-z")
        yield* terminal.showsIn("Stopped")
        yield* terminal.type("clear; echo $((6 * 7)); fg > /dev/null")
        yield* terminal.press("Enter")
        yield* terminal.showsTogether("42", `lobby> ${half.slice(0, 53)}`, half.slice(53), "")
        yield* terminal.press("C-u")
        yield* terminal.type("nobody else is here")
        yield* terminal.press("Enter")
        yield* terminal.shows(`hh:mm #n ${user}: nobody else is here`, "lobby>")
        yield* terminal.press("C-d")
        yield* terminal.shows(`hh:mm #n ${user}: nobody else is here`, "$")
      })
    )
  }

  it.effect.skipIf(hasNoTmux)("goes on where nobody could continue it, and behind a line that is too long", () =>
    Effect.gen(function* () {
      const { port } = yield* Server
      const terminal = yield* startInTerminal(["--user", "pia"], { PORT: `${port}`, NO_COLOR: "1" })
      yield* terminal.showsIn(" room")
      yield* terminal.press("C-z")
      yield* terminal.type("still here")
      yield* terminal.press("Enter")
      yield* terminal.shows("hh:mm #n pia: still here", "lobby>")
      for (let part = 0; part < 3; part++) yield* terminal.type("x".repeat(8000))
      yield* terminal.shows("A line may have 20000 characters at most; this one was", "      passed over.", "lobby>")
      yield* terminal.press("Enter")
      yield* terminal.type("and here")
      yield* terminal.press("Enter")
      yield* terminal.shows("      passed over.", "hh:mm #n pia: and here", "lobby>")
      yield* terminal.press("C-d")
      yield* terminal.shows("exit 0")
    })
  )

  it.effect.skipIf(hasNoTmux)("has colours, unless they are not wanted", () =>
    Effect.gen(function* () {
      const { port } = yield* Server
      const coloured = yield* startInTerminal(["--user", "colourful"], { PORT: `${port}` })
      yield* coloured.shows("      1 user: colourful", "lobby>")
      assert.include(yield* coloured.withColours, colourful.user("colourful").replace("\u001b[0m", ""))
      yield* coloured.type(":quit")
      yield* coloured.press("Enter")
      yield* coloured.shows("exit 0")

      const plain = yield* startInTerminal(["--user", "हिन्दी"], { PORT: `${port}`, NO_COLOR: "1" })
      yield* plain.shows("      1 user: हिन्दी", "lobby>")
      assert.notInclude(yield* plain.withColours, "\u001b")
      yield* plain.type("नमस्ते हि")
      yield* plain.shows("lobby> नमस्ते हि")
      yield* plain.press("Tab")
      yield* plain.shows("lobby> नमस्ते हिन्दी")
      yield* plain.press("Enter")
      yield* plain.shows("hh:mm #n हिन्दी: नमस्ते हिन्दी", "lobby>")
      yield* plain.press("C-d")
      yield* plain.shows("exit 0")
    })
  )
})

/** Links on the full screen in a real terminal: the bytes that reach it, and what `:url` does. */
import { spawnSync } from "node:child_process"
import { isBuiltin } from "node:module"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { startClient, startServer } from "./Processes.ts"
import { startInTerminal } from "./Tmux.ts"

const cannotRun = spawnSync("tmux", ["-V"]).status !== 0 || !isBuiltin("node:ffi")

const address = `https://example.org/${"0123456789".repeat(6)}?q=$(id)&x='1'z`
const escape = String.fromCharCode(27)

layer(NodeServices.layer, { excludeTestServices: true })("links on a full screen", (it) => {
  it.effect.skipIf(cannotRun)(
    "reach the terminal as hyperlinks to what stands there, and are opened as one word by no shell, or copied",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped()
        const opened = `${folder}/opened`
        const browser = `${folder}/browser`
        yield* files.writeFileString(browser, `#!/bin/sh\nfor word; do printf '%s\\n' "$word"; done > '${opened}'\n`)
        yield* files.chmod(browser, 0o700)
        const { port } = yield* startServer()
        const terminal = yield* startInTerminal(["--user", "ada"], {
          PORT: `${port}`,
          CHAT_LINE: "false",
          XDG_CONFIG_HOME: folder,
          XDG_DATA_HOME: folder,
          FORCE_HYPERLINK: "1",
          DISPLAY: ":1",
          WAYLAND_DISPLAY: "",
          BROWSER: `${browser} --new-window`
        })
        yield* terminal.showsIn("Nothing was said here yet.")
        yield* terminal.record(`${folder}/bytes`)
        const bob = yield* startClient({ args: ["--port", `${port}`, "--user", "bob"] })
        yield* bob.type(`Look: ${address} and https://аpple.com/ä or [https://good.example](javascript:x)`)
        yield* terminal.showsIn("(xn--pple-43d.com)")
        yield* terminal.type(":url 9")
        yield* terminal.press("Enter")
        yield* terminal.showsIn("There are 3 links here.")
        yield* terminal.type(":url")
        yield* terminal.press("Enter")
        yield* terminal.showsIn("Opened and copied")
        assert.strictEqual(yield* files.readFileString(opened), `--new-window\n${address}\n`)
        yield* files.writeFileString(browser, "#!/bin/sh\nexit 3\n")
        yield* terminal.type(":url 2")
        yield* terminal.press("Enter")
        yield* terminal.showsIn("Copied; no browser here: https://xn--pple-43d.com/%C3%A4")

        const bytes = yield* files.readFileString(`${folder}/bytes`)
        const sequences = bytes.split(`${escape}]8;`).slice(1)
        const targets = sequences.flatMap((one) => {
          const [, target = ""] = /^[^;]*;(\P{Cc}*)/u.exec(one) ?? []
          return target === "" ? [] : [target]
        })
        assert.deepStrictEqual([...new Set(targets)].toSorted(), [
          address,
          "https://good.example",
          "https://xn--pple-43d.com/%C3%A4"
        ])
        const copied = Buffer.from(address).toString("base64")
        assert.include(bytes, `${escape}]52;c;${copied}`)
      })
  )
})

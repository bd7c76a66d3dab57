import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, FileSystem, Result } from "effect"
import * as ConfigFile from "../../../src/client/config/ConfigFile.ts"
import { bindings, shown } from "../../../src/client/full/Keys.ts"

const parse = (source: string) => ConfigFile.parse("c.json", source)
const told = (source: string): ReadonlyArray<string> => {
  const result = parse(source)
  return Result.isFailure(result) ? result.failure.message.split("\n") : []
}

const readme = readFileSync(join(import.meta.dirname, "../../../src/client/README.md"), "utf8")

describe("The config file", () => {
  it("is as the example in the guide, which has everything that can stand in it", () => {
    const [, example = ""] = /```json\n([\s\S]*?)```/.exec(readme) ?? []
    const config = Result.getOrThrow(parse(example))
    const fields = ["servers", "default", "theme", "colours", "keys", "bell", "notify", "mouse"]
    assert.sameMembers(Object.keys(config), fields)
    const ofServers = ["host", "port", "tls", "ca", "user", "key", "tokenFile", "mute", "notifyAll"]
    assert.sameMembers([...new Set(Object.values(config.servers ?? {}).flatMap((one) => Object.keys(one)))], ofServers)
    assert.sameMembers(Object.keys(config.colours ?? {}), ["text", "faint", "accent", "error", "mention"])
    for (const { deed, keys, says } of bindings) {
      assert.include(readme, `| \`${deed}\` | ${keys.map((key) => `\`${shown(key)}\``).join(", ")} | ${says} |`)
    }
  })

  it("tells of each error its line and column, its field, and what would be right", () => {
    const lines = told(
      `{
  "servers": {
    "home": { "hots": "x", "port": 80800 },
    "work": { "host": "b", "mute": ["lobby", "@a b"] }
  },
  "default": "hom",
  "theme": "drak",
  "colours": { "acent": "#fff" },
  "bells": true
}`
    )
    assert.deepStrictEqual(lines, [
      "c.json:3:5: servers.home.host is missing: the name or address of a server.",
      'c.json:3:15: servers.home.hots is no setting. Write "host".',
      "c.json:3:28: servers.home.port must be a port: a whole number from 1 to 65535.",
      'c.json:4:46: servers.work.mute.1 must be a conversation: "lobby", the name of a room, or "@" and the name of somebody.',
      "c.json:6:3: default is none of the servers. Write home; there are: home, work.",
      'c.json:7:3: theme must be one of "dark", "light", "terminal", "none".',
      'c.json:8:16: colours.acent is no setting. Write "accent".',
      'c.json:9:3: bells is no setting. Write "bell".'
    ])
  })

  it("tells of ten errors, and how many more there are", () => {
    const many = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`nothing${index}`, 1]))
    const lines = told(JSON.stringify(many))
    assert.strictEqual(lines.length, 11)
    assert.strictEqual(lines[10], "And 4 more.")
  })

  it("tells nothing to the terminal but text", () => {
    assert.notInclude(told('{"\\u001b[2J": 1}').join(""), "\u001b")
    assert.notInclude(told('{"keys": {"send": "\\u001b[2J"}}').join(""), "\u001b")
  })

  it("gives keys to deeds, each to one, and none that cannot be pressed", () => {
    const keys = (given: object) => told(JSON.stringify({ keys: given })).map((line) => line.replace(/^\S+ /, ""))
    assert.deepStrictEqual(keys({ jump: "Ctrl-G", help: ["f1", "alt+h"], mute: [] }), [])
    assert.deepStrictEqual(keys({ jmp: "ctrl+g" }), ['keys.jmp is nothing that a key can do. Write "jump".'])
    const wrong = (key: string) => keys({ jump: key })[0] ?? ""
    assert.include(wrong("k"), 'it types a character; write "ctrl+k" or "alt+k".')
    assert.include(wrong("pgeup"), 'write "pageup".')
    assert.include(wrong("crtl+k"), 'write "ctrl" for "crtl".')
    assert.include(wrong("ctrl+i"), 'terminals send the same for "tab"; write that.')
    assert.include(wrong("alt+shift+k"), 'write "alt+k".')
    assert.include(wrong("ctrl+1"), "terminals send no such thing")
    assert.include(wrong("alt+3"), "show the conversation of that number")
    assert.include(keys({ jump: "f5", sort: "F5" })[0], 'keys.sort gives f5 away, which "jump" has been given.')
    assert.include(keys({ newline: "enter" })[0], 'keys leave "send" no key')
    assert.include(keys({ jump: 3 })[0], "keys.jump must be a key")
  })
})

layer(NodeServices.layer)("A config file", (it) => {
  it.effect("may be missing, unless it was asked for; one that cannot be read is told of", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const path = `${folder}/config.json`
      assert.deepStrictEqual((yield* ConfigFile.open(path, false)).config, {})
      const why = (isAsked = false) =>
        Effect.map(Effect.flip(ConfigFile.open(path, isAsked)), ({ message }) => message.replace(path, "it"))
      assert.match(yield* why(true), /"it" is not there/)
      yield* files.makeDirectory(path)
      assert.match(yield* why(), /is a folder/)
      yield* files.remove(path, { recursive: true })
      yield* files.writeFile(path, new Uint8Array([0x7b, 0xff]))
      assert.match(yield* why(), /is not UTF-8/)
      yield* files.writeFileString(path, " ".repeat(1024 * 1024 + 1))
      assert.match(yield* why(), /is longer than 1 MiB/)
      yield* files.writeFileString(path, "\n")
      assert.deepStrictEqual((yield* ConfigFile.open(path, true)).config, {})
    })
  )
})

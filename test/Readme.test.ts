/** What readers are told, held against the code: tables are made from the code's own, and what is named is there. */
import { existsSync, readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import manifest from "../package.json" with { type: "json" }
import { commands, usage } from "../src/client/command/Command.ts"
import { logLevelSetting, settings } from "../src/server/config/ServerConfig.ts"

const root = resolve(import.meta.dirname, "..")
const read = (path: string) => readFileSync(join(root, path), "utf8")

const readme = read("README.md")
/** For whoever runs a server. */
const running = read("src/server/admin/README.md")

const documents = [
  "README.md",
  "CHANGELOG.md",
  "src/common/wire/PROTOCOL.md",
  "src/server/admin/README.md",
  "test/bench/README.md"
]

/** A reader's quarter of an hour, whatever counts as a word: tables and drawings included. */
const maxWords = 2500

const table = (heading: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [heading, heading.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const matches = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  Array.from(text.matchAll(pattern), ([, found = ""]) => found)

const anchorsOf = (path: string): ReadonlyArray<string> =>
  matches(read(path), /^#+ (.*)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-")
  )

describe("README", () => {
  it("lists every command as it is typed, with what it does", () => {
    const expected = table(
      ["command", "what it does"],
      commands.map((command) => [`\`${usage(command)}\``, command.summary])
    )
    assert.include(readme, expected)
  })

  it(`has ${maxWords} words at most`, () => {
    assert.isAtMost(readme.split(/\s+/).filter((word) => word !== "").length, maxWords)
  })
})

describe("The README for whoever runs a server", () => {
  it("lists every setting with its default and what is allowed", () => {
    const expected = table(
      ["setting", "default", "what", "allowed"],
      [...Object.values(settings), logLevelSetting].map(({ allowed, description, fallback = "", name }) => [
        `\`${name}\``,
        fallback,
        description,
        allowed
      ])
    )
    assert.include(running, expected)
  })
})

describe.each(documents)("%s", (path) => {
  const text = read(path)

  it("names only files that are there", () => {
    const named = matches(text, /`((?:src|test)\/[\w./-]*)`/g)
    assert.deepStrictEqual(
      named.filter((file) => !existsSync(join(root, file))),
      []
    )
  })

  it("leads nowhere that is not there", () => {
    const broken = matches(text, /\]\(([^)]*)\)/g)
      .filter((link) => !link.startsWith("https://"))
      .filter((link) => {
        const [file = "", anchor] = link.split("#")
        const target = file === "" ? path : join(dirname(path), file)
        return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor))
      })
    assert.deepStrictEqual(broken, [])
  })

  it("names only scripts that package.json has", () => {
    const named = matches(text, /\bpnpm (?:-s )?(dev|client|admin|bench|simulate|[a-z]+:[a-z]+)\b/g)
    assert.deepStrictEqual(
      named.filter((script) => !Object.keys(manifest.scripts).includes(script)),
      []
    )
  })
})

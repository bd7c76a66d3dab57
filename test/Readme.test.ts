import { readFileSync } from "node:fs"
/** The README's tables are made from the code's own; this says so when one of them moves. */
import { assert, describe, it } from "@effect/vitest"
import { commands, usage } from "../src/client/command/Command.ts"
import { logLevelSetting, settings } from "../src/server/config/ServerConfig.ts"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")

const table = (heading: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [heading, heading.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

describe("README", () => {
  it("lists every command as it is typed, with what it does and an example", () => {
    const expected = table(
      ["command", "what it does", "example"],
      commands.map((command) => [`\`${usage(command)}\``, command.summary, `\`${command.example}\``])
    )
    assert.include(readme, expected)
  })

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
    assert.include(readme, expected)
  })
})

/** That what SECURITY.md says is shown by a test is named by one. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = join(import.meta.dirname, "../../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")

/** `File: the beginning of a title`, in the last cell of a row. */
const named = [...read("src/client/crypto/SECURITY.md").matchAll(/\| (\w+): ([^|]+?) \|$/gm)].flatMap(
  ([, file = "", title = ""]) => [{ file, title }]
)

describe("The threat model", () => {
  it("names tests that there are, for all but what cannot be tested", () => {
    assert.isAtLeast(named.length, 38)
    for (const { file, title } of named) {
      const titles = [...read(`test/client/sealed/${file}.test.ts`).matchAll(/"([^"\n]+)"/g)].map(
        ([, text = ""]) => text
      )
      assert.isTrue(
        titles.some((text) => text.startsWith(title)),
        `${file}.test.ts has no "${title}"`
      )
    }
  })
})

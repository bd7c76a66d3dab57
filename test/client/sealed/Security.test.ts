/** That what SECURITY.md says is shown by a test is named by one. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = join(import.meta.dirname, "../../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")

/** Where the tests are, of which no two files have one name. */
const folders = ["test/client/sealed", "test/client/crypto", "test/durability"]
const sourceOf = (file: string): string => {
  const path = folders.map((folder) => `${folder}/${file}.test.ts`).find((one) => existsSync(join(root, one)))
  return path === undefined ? assert.fail(`there is no ${file}.test.ts`) : read(path)
}

/** `File: the beginning of a title`, in the last cell of a row. */
const named = [...read("src/client/crypto/SECURITY.md").matchAll(/\| (\w+): ([^|]+?) \|$/gm)].flatMap(
  ([, file = "", title = ""]) => [{ file, title }]
)

describe("The threat model", () => {
  it("names tests that there are, for all but what cannot be tested", () => {
    assert.isAtLeast(named.length, 64)
    for (const { file, title } of named) {
      const titles = [...sourceOf(file).matchAll(/"([^"\n]+)"/g)].map(([, text = ""]) => text)
      assert.isTrue(
        titles.some((text) => text.startsWith(title)),
        `${file}.test.ts has no "${title}"`
      )
    }
  })
})

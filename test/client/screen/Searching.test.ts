/** Looking back for a line that was typed, key by key. */
import { assert, describe, it } from "@effect/vitest"
import { begun, press, type Searching, withoutLast } from "../../../src/client/screen/Searching.ts"

const lines = [":whois bob", "hello", ":jr dev", "hello again"]

const searching = (...keys: ReadonlyArray<string>): Searching =>
  keys.reduce<Searching>(
    (before, key) => {
      if (before._tag === "Done") return before
      if (key.startsWith("C-")) return press(before.search, lines, undefined, { ctrl: true, name: key.slice(2) })
      return key.length > 1
        ? press(before.search, lines, undefined, { name: key })
        : press(before.search, lines, key, {})
    },
    { _tag: "Searching", search: begun }
  )

const found = (...keys: ReadonlyArray<string>) => {
  const result = searching(...keys)
  return result._tag === "Done" ? result.line : result.search.found
}

describe("a search of what was typed", () => {
  it.each([
    [["h"], ":whois bob"],
    [["H", "E"], "hello"],
    [["h", "e", "C-r"], "hello again"],
    [["h", "e", "C-r", "C-r"], "hello again"],
    [["h", "e", "C-r", "l"], "hello again"],
    [["h", "e", "C-r", "backspace"], ":whois bob"],
    [["h", "x"], undefined],
    [["C-r"], undefined],
    [["j", "return"], ":jr dev"],
    [["j", "right"], ":jr dev"],
    [["j", "C-c"], undefined],
    [["j", "escape"], undefined]
  ])("with the keys %j finds %j", (keys, line) => {
    assert.strictEqual(found(...keys), line)
  })

  it("takes back a character as a whole", () => {
    assert.strictEqual(withoutLast("e👩\u200d💻"), "e")
    assert.strictEqual(withoutLast("ae\u0301"), "a")
    assert.strictEqual(withoutLast(""), "")
  })
})

/** What is typed unseen, key by key. */
import { assert, describe, it } from "@effect/vitest"
import { press } from "../../../src/client/screen/Unseen.ts"

type Typed = string | { readonly name: string; readonly ctrl?: true; readonly character?: string }

/** What comes of these keys, one after the other. */
const typing = (...keys: ReadonlyArray<Typed>) =>
  keys.reduce<ReturnType<typeof press>>(
    (before, key) => {
      if (before._tag !== "Typing") return before
      return typeof key === "string" ? press(before.text, key, {}) : press(before.text, key.character, key)
    },
    { _tag: "Typing", text: "" }
  )

const enter = { name: "return", character: "\r" }
const backspace = { name: "backspace", character: "\u007f" }

describe("a line that is typed unseen", () => {
  it("is what was typed, up to Enter", () => {
    assert.deepStrictEqual(typing("a", " ", "é", "🍅", enter, "z"), { _tag: "Done", text: "a é🍅" })
    assert.deepStrictEqual(typing(enter), { _tag: "Done", text: "" })
  })

  it("can be corrected, a whole character at a time, or begun anew", () => {
    assert.deepStrictEqual(typing("a", "🍅", backspace, "b", enter), { _tag: "Done", text: "ab" })
    assert.deepStrictEqual(typing("a", { name: "u", ctrl: true, character: "\u0015" }, "b", enter), {
      _tag: "Done",
      text: "b"
    })
  })

  it("is given up with Ctrl-C, or with Ctrl-D where there is nothing", () => {
    assert.deepStrictEqual(typing("a", { name: "c", ctrl: true }), { _tag: "GivenUp" })
    assert.deepStrictEqual(typing({ name: "d", ctrl: true }), { _tag: "GivenUp" })
    assert.deepStrictEqual(typing("a", { name: "d", ctrl: true }, enter), { _tag: "Done", text: "a" })
  })

  it("holds no keys that are no text, and no more than a password can be", () => {
    assert.deepStrictEqual(typing({ name: "up" }, { name: "escape", character: "\u001b" }, "\t", "a", enter), {
      _tag: "Done",
      text: "a"
    })
    assert.deepStrictEqual(typing("x".repeat(1024), "y", enter), { _tag: "Done", text: "x".repeat(1024) })
  })
})

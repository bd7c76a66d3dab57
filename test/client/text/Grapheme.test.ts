import { assert, describe, it, vi } from "@effect/vitest"
import { Schema } from "effect"
import { CliOutput } from "effect/cli"
import { cellsOf, graphemesOf } from "../../../src/client/text/Grapheme.ts"
import { cutTo, wrap } from "../../../src/client/text/Wrap.ts"
import { tries } from "../../support/generators.ts"
import { NastyText } from "../NastyText.ts"

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const segmentsOf = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment)
const piecesOf = (text: string) => Array.from(graphemesOf(text), ({ text }) => text)

/** What stands beside each other in ways that have rules of their own. */
const parts = [
  ..."aé日한ㅎ 1👩💻❤🏻กอ",
  ..."\u0301\u0903\u0e33\u200d\ufe0f\u20e3\uff9e\u1100\u1161\u11a8\r\n",
  "🇩",
  "🇪",
  "가",
  "👍🏻",
  "👩\u200d💻"
]
const Mixed = Schema.Array(Schema.Literals(parts))

describe("The pieces of a text that a terminal draws as one", () => {
  it.each([
    ["naïve", ["n", "a", "ï", "v", "e"]],
    ["e\u0301a", ["e\u0301", "a"]],
    ["👩\u200d💻👍🏻", ["👩\u200d💻", "👍🏻"]],
    ["🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]],
    ["1️⃣!", ["1️⃣", "!"]],
    ["각한", ["각", "한"]]
  ])("of %j are %j", (text, pieces) => {
    assert.deepStrictEqual(piecesOf(text), pieces)
  })

  it.prop(
    "are the graphemes of Unicode",
    { text: Mixed },
    ({ text }) => {
      const whole = text.join("")
      assert.deepStrictEqual(piecesOf(whole), segmentsOf(whole))
    },
    tries(500)
  )

  it.prop("are all of it, and take no fewer cells than terminals give them", { text: NastyText }, ({ text }) => {
    const whole = text.join("")
    assert.strictEqual(piecesOf(whole).join(""), whole)
    assert.isAtLeast(cellsOf(whole), CliOutput.displayWidth(whole))
  })

  it("take as many cells as Effect says, or one for each letter", () => {
    // One of every seventeen, of the planes where nearly all characters are.
    const some = Array.from({ length: 0x20000 / 17 }, (_, index) => String.fromCodePoint(index * 17))
    const letters = /[\p{L}\p{N}\p{Mc}]/u
    for (const character of some) {
      if (!/\p{Assigned}/u.test(character)) continue
      const atLeast = letters.test(character) ? 1 : 0
      assert.strictEqual(cellsOf(character), Math.max(CliOutput.displayWidth(character), atLeast), character)
    }
  })

  it("are found without a Segmenter, which keeps memory for each text", () => {
    const segment = vi.spyOn(Intl.Segmenter.prototype, "segment")
    try {
      for (const text of ["— a notice —", "日本語のテキスト", "👩\u200d💻 e\u0301".repeat(50)]) {
        wrap(text, 12, 12)
        cutTo(text, 12)
        cellsOf(text)
      }
      assert.strictEqual(segment.mock.calls.length, 0)
    } finally {
      segment.mockRestore()
    }
  })
})

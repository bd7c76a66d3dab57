/** What is made of a paste: lines as they stand, without what is no text, and as few messages as it takes. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { piecesOf } from "../../../src/client/line/Pasted.ts"
import { cleaned, extended, isOneLine, maxPasted, preview } from "../../../src/client/screen/Pasting.ts"
import { Content } from "../../../src/common/text/Content.ts"
import { NastyText } from "../NastyText.ts"

const isContent = Schema.is(Content)

describe("a paste", () => {
  it("has the lines that terminals send as CR, and none for the line ends behind it", () => {
    assert.strictEqual(cleaned("one\rtwo\r\n\tthree\n\r"), "one\ntwo\n\tthree")
    assert.isTrue(isOneLine(cleaned("one\r")))
    assert.isFalse(isOneLine(cleaned("one\rtwo")))
  })

  it("keeps little more than it may have, to know that it is too long", () => {
    const long = extended("x".repeat(maxPasted + 1), "y")
    assert.lengthOf(long, maxPasted + 1)
    assert.isAbove(long.length, maxPasted)
  })

  it("shows how it begins, and how many lines are left", () => {
    const lines = Array.from({ length: 12 }, (_, index) => `${index}`)
    assert.deepStrictEqual(preview(lines.join("\n")), [...lines.slice(0, 10), "… and 2 more lines"])
    assert.deepStrictEqual(preview("one\ntwo"), ["one", "two"])
  })

  it.prop(
    "becomes messages that can be sent, and holds all that was text in them, in order",
    { text: NastyText, times: Schema.Literals([1, 50, 2000]) },
    ({ text, times }) => {
      const paste = cleaned(text.join("").repeat(times)).slice(0, maxPasted).toWellFormed()
      const pieces = piecesOf(paste)
      for (const piece of pieces) assert.isTrue(isContent(piece), JSON.stringify(piece.slice(0, 80)))
      const solid = (whole: string) => whole.replaceAll(/\s/g, "")
      assert.strictEqual(solid(pieces.join("\n")), solid(paste))
    }
  )
})

/** What becomes of text from others before it reaches a terminal. */
import { assert, describe, it } from "@effect/vitest"
import { safeLine, safeText } from "../../../src/client/text/SafeText.ts"
import { NastyText } from "../NastyText.ts"

describe("Safe text", () => {
  it.prop(
    "holds no control character, nothing that turns the order of the writing, and no more than four marks on one letter",
    { text: NastyText },
    ({ text }) => {
      const safe = safeText(text.join(""))
      assert.notMatch(safe.replaceAll(/[\n\t]/g, ""), /[\p{Cc}\p{Cs}\p{Bidi_Control}]/u)
      assert.notMatch(safe, /(?:\p{M}[\u200c\u200d]*){5}/u)
      assert.strictEqual(safeText(safe), safe)
      assert.notMatch(safeLine(text.join("")), /[\n\t]/)
    }
  )

  it("leaves four marks on a letter, and of what is piled up on it no more", () => {
    assert.strictEqual(safeText(`e${"\u0301".repeat(60)}x`), `e${"\u0301".repeat(4)}x`)
    // Joiners between them begin no new letter.
    const marks = [...safeText(`e${"\u0301\u200d".repeat(60)}`)].filter((character) => character === "\u0301")
    assert.lengthOf(marks, 4)
  })

  it("leaves emoji that are joined, and scripts that need joiners, as they are", () => {
    for (const text of ["👩‍👩‍👧", "❤️", "می‌خواهم", "naïve", "日本語"]) assert.strictEqual(safeText(text), text)
  })
})

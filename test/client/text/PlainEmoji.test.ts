import { assert, describe, it } from "@effect/vitest"
import { cellsOf, graphemesOf } from "../../../src/client/text/Grapheme.ts"
import { plainEmoji } from "../../../src/client/text/PlainEmoji.ts"
import { tries } from "../../support/generators.ts"
import { NastyText } from "../NastyText.ts"

describe("Emoji for terminals that count character by character", () => {
  it("are their first character, and blank for the rest of their cells", () => {
    assert.strictEqual(plainEmoji("a❤️b 1️⃣ #️⃣ 👍🏽 🏳️‍🌈. 🤷🏽‍♀️. ☀️."), "a❤ b 1⃣  #⃣  👍 🏳 . 🤷. ☀ .")
  })

  it("that all count alike stay as they are, and so does all other text", () => {
    for (const text of ["🇩🇪 ✅ 🎉", "👩‍💻", "naïve e\u0301", "日本語", "क्षि", "#1"])
      assert.strictEqual(plainEmoji(text), text)
  })

  it.prop(
    "take as many cells as before, whatever stands around them, and hold nothing that is counted differently",
    { text: NastyText },
    ({ text }) => {
      const whole = text.join("")
      const plain = plainEmoji(whole)
      assert.strictEqual(cellsOf(plain), cellsOf(whole))
      for (const { text: piece } of graphemesOf(plain)) assert.notMatch(piece, /^[^]+(?:\ufe0f|\p{Emoji_Modifier})/u)
    },
    tries(200)
  )
})

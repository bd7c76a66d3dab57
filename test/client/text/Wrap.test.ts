import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { CliOutput } from "effect/cli"
import { wrap } from "../../../src/client/text/Wrap.ts"
import { NastyText } from "../NastyText.ts"

describe("long text", () => {
  it.each([
    ["short", ["short"]],
    ["twelve cells", ["twelve cells"]],
    ["more than twelve cells wide", ["more than ", "twelve cells ", "wide"]],
    ["averyveryverylongword", ["averyveryver", "ylongword"]],
    ["see https://example.org/a-page now", ["see ", "https://example.org/a-page ", "now"]],
    ["(https://example.org/a) (b)", ["(", "https://example.org/a) ", "(b)"]],
    ["\u001b[31mcolours are\u001b[0m not wide", ["\u001b[31mcolours are\u001b[0m ", "not wide"]],
    ["日本語のテキスト", ["日本語のテキ", "スト"]]
  ])("%j has rows of twelve cells, broken at spaces where it can be", (text, rows) => {
    assert.deepStrictEqual<unknown>(wrap(text, 12, 12), rows)
  })

  it.prop(
    "loses nothing, and fits, whatever it holds",
    { text: NastyText, width: Schema.Literals([2, 7, 20]) },
    ({ text, width }) => {
      const whole = text.join("")
      const rows = wrap(whole, width, width)
      assert.strictEqual(rows.join(""), whole)
      const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" })
      for (const row of rows) {
        const isOnePiece = [...segments.segment(row)].length === 1 || /^https?:\S+ *$/.test(row)
        assert.isTrue(CliOutput.displayWidth(row.trimEnd()) <= width || isOnePiece, row)
      }
    }
  )
})

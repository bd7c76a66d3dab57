import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { styled } from "../../../src/client/full/Marks.ts"
import { cellsOfRow, plain, type Row, textOf } from "../../../src/client/full/Row.ts"
import { safeText } from "../../../src/client/text/SafeText.ts"
import { linksIn } from "../../../src/common/text/Links.ts"
import { tries, wholeNumber } from "../../support/generators.ts"
import { NastyText } from "../NastyText.ts"

const rowsOf = (text: string, width = 60): ReadonlyArray<Row> => styled(text.split("\n"), width, plain)

/** What looks otherwise than plain: how, and what. */
const marked = (text: string, width = 60): ReadonlyArray<string> =>
  rowsOf(text, width).flatMap((row) =>
    row.flatMap(({ look: { bold, italic, link, strike, tone }, text: piece }) => {
      const how = [bold && "bold", italic && "italic", strike && "strike", link !== undefined && "link"]
      const all = [...how.filter((one) => one !== false && one !== undefined), ...(tone === "plain" ? [] : [tone])]
      return all.length === 0 ? [] : [`${all.join(" ")}: ${piece}`]
    })
  )

const isBold = (text: string) => marked(text).some((piece) => piece.startsWith("bold"))

describe("Marks of emphasis", () => {
  it("are drawn as what they mean, and stay to be seen", () => {
    assert.deepStrictEqual(marked("a **b c** ~~d~~ _e_ `f`"), [
      "bold: **",
      "bold: b c",
      "bold: **",
      "strike: ~~",
      "strike: d",
      "strike: ~~",
      "italic: _",
      "italic: e",
      "italic: _",
      "accent: `f`"
    ])
    assert.deepStrictEqual(marked("> quoted **b**").slice(0, 1), ["faint: > quoted "])
  })

  it("stand in each other, but in no code and in no address", () => {
    assert.includeMembers([...marked("**a _b_**")], ["bold: a ", "bold italic: b"])
    assert.deepStrictEqual(marked("`a **b** https://example.org`"), ["accent: `a **b** https://example.org`"])
    assert.deepStrictEqual(marked("https://example.org/_a_/**b**x"), ["link accent: https://example.org/_a_/**b**x"])
    assert.includeMembers(
      [...marked("**see https://example.org/a_b_**")],
      ["bold link accent: https://example.org/a_b"]
    )
  })

  it("are text where they are half open, empty, in a word, or cross each other", () => {
    for (const text of [
      "**a",
      "a**",
      "****",
      "** a**",
      "**a **",
      "~~a",
      "_a",
      "snake_case_name",
      "`a",
      "2 ** 3 ** 4"
    ]) {
      assert.deepStrictEqual(marked(text), [], text)
    }
    assert.isTrue(isBold("**a _b** c_"))
    assert.isFalse(marked("**a _b** c_").some((piece) => piece.startsWith("italic")))
    assert.isFalse(isBold("**a\nb**"))
  })

  it("make blocks between lines of three backticks, with a bar and without marks, to the end if they are not closed", () => {
    const rows = rowsOf("```ts\nconst a = **b**\n```\n**c**\n```\nd _e_")
    assert.deepStrictEqual(rows.map(textOf), ["▎ ```ts", "▎ const a = **b**", "▎ ```", "**c**", "▎ ```", "▎ d _e_"])
    assert.deepStrictEqual(
      rows.map((row) => row.some(({ look }) => look.bold === true)),
      [false, false, false, true, false, false]
    )
  })
})

describe("An address", () => {
  const address = `https://example.org/${"0123456789".repeat(6)}?q=1`

  it("that is wider than a row has rows to itself, each a link to the whole of it", () => {
    const rows = rowsOf(`Look at ${address} please`, 20)
    const linked = rows.filter((row) => row.some(({ look }) => look.link !== undefined))
    assert.strictEqual(linked.map(textOf).join(""), address)
    assert.isTrue(linked.every((row) => row.every(({ look }) => look.link === address)))
    assert.deepStrictEqual(
      [rows[0], rows.at(-1)].map((row) => textOf(row ?? [])),
      ["Look at", "please"]
    )
  })

  it("in other letters has the name of its host beside it", () => {
    const [row = []] = rowsOf("https://аpple.com/x")
    assert.strictEqual(textOf(row), "https://аpple.com/x (xn--pple-43d.com)")
  })
})

describe("Whatever is said", () => {
  const parts = Schema.Literals([
    "**",
    "*",
    "_",
    "~~",
    "`",
    "```",
    "> ",
    "https://a.org/x",
    "[",
    "](",
    ")",
    "a",
    " ",
    "\n"
  ])
  it.prop(
    "is drawn with every character of it, in rows that fit",
    { text: NastyText, signs: Schema.Array(parts).check(Schema.isMaxLength(40)), width: wholeNumber(2, 40) },
    ({ signs, text, width }) => {
      const said = safeText([...signs, ...text, ...signs].join(""))
      const rows = styled(said.split("\n"), width, plain)
      for (const row of rows) assert.isAtMost(cellsOfRow(row), width, textOf(row))
      const bare = (all: string) => all.replaceAll(/[\s▎\p{M}\p{Cf}\u{1f3fb}-\u{1f3ff}]/gu, "")
      // How a host in other letters is really called stands beside it.
      const beside = said
        .split("\n")
        .flatMap((line) => linksIn(line).flatMap(({ host }) => (host === undefined ? [] : `(${host})`)))
      const without = (all: string) => beside.reduce((rest, one) => rest.replaceAll(one, ""), bare(all))
      assert.strictEqual(without(rows.map(textOf).join("")), without(said))
    },
    tries(150)
  )

  it("takes no longer for being long, whatever marks it is made of", () => {
    const count = (text: string) => styled([text], 80, plain).length
    for (const sign of ["**a ", "_a ", "~~a ", "`", "https://a.org/ ", "**_~~"])
      assert.isAbove(count(sign.repeat(2000)), 10)
  }, 20_000)
})

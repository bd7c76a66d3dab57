import { assert, describe, it } from "@effect/vitest"
import { svgOf } from "./Svg.ts"

const pictureOf = (text: string) => svgOf({ text, columns: 20, title: "parley", alternative: "A chat" })
const texts = (svg: string) => [...svg.matchAll(/<text x="([\d.]+)" y="\d+"([^>]*)>([^<]*)</g)].slice(0)

describe("a picture of a terminal", () => {
  it("has each piece in its cell, as it looks, and nothing of the sequences", () => {
    const [, piece, other] = texts(pictureOf("ab\u001b[1;32mcd\u001b[0m e\u001b[38;5;1mf"))
    assert.deepStrictEqual([piece?.[1], piece?.[3], other?.[3]], ["14", "ab", "cd"])
    assert.strictEqual(other?.[1], `${Number((14 + 2 * 8.4).toFixed(1))}`)
    assert.include(other?.[2], 'fill="#8fce7e" font-weight="700" textLength="16.8"')
    assert.notInclude(pictureOf("\u001b]8;;https://x\u001b\\y\u001b[2J"), "\u001b")
  })

  it("begins what takes two cells at its own place, and what stands behind it", () => {
    const [, ...pieces] = texts(pictureOf("a🍅b"))
    assert.deepStrictEqual(
      pieces.map(([, x, , text]) => [Number(x), text]),
      [14, 22.4, 39.2].map((x, index) => [x, ["a", "🍅", "b"][index]])
    )
  })

  it("draws lines as lines, one for a row of them", () => {
    const svg = pictureOf("│───│")
    assert.strictEqual(svg.match(/<path/g)?.length, 3)
    assert.include(svg, `h${Number((3 * 8.4).toFixed(1))}"`)
  })

  it("shows what is inverse, and carries a look on to the next row", () => {
    assert.include(pictureOf("\u001b[7m x \u001b[0m"), 'fill="#d7dae0"/><text')
    const [, , second] = texts(pictureOf("\u001b[31ma\nb\u001b[0m"))
    assert.include(second?.[2], 'fill="#f47174"')
  })

  it("lets no text become markup", () => {
    assert.include(pictureOf('<b>&"'), "&lt;b&gt;&amp;&quot;")
    assert.notInclude(pictureOf("<script>"), "<script>")
  })
})

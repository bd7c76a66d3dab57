import { assert, describe, it } from "@effect/vitest"
import { Grid } from "./Grid.ts"

const shown = (...pieces: ReadonlyArray<string>) => {
  const grid = new Grid(10, 3)
  for (const piece of pieces) grid.write(piece)
  return grid
}

describe("what a terminal would show", () => {
  it("is what was written last at each place", () => {
    assert.strictEqual(shown("\u001b[2;3Hab\u001b[2;4HX\u001b[HO").text(), "O\n  aX\n")
  })

  it("is the same wherever what comes is cut", () => {
    const whole =
      "\u001b]0;title [3;3H\u0007\u001b[1;1H\u001b[38;5;3m│ada\u001b[0m\u001b_Gx\u001b\\\u001b[3;2Hhi\u001b[?2026l\u001b[1Cq"
    const { frames } = shown(whole)
    assert.deepStrictEqual([shown(whole).text(), frames], ["│ada\n\n hi q", 1])
    for (let at = 0; at <= whole.length; at++) {
      const grid = shown(whole.slice(0, at), whole.slice(at))
      assert.deepStrictEqual([grid.text(), grid.frames], [shown(whole).text(), 1])
    }
  })

  it("begins anew with the other screen, and holds nothing that was erased", () => {
    assert.strictEqual(shown("$ pnpm client\u001b[?1049h\u001b[1;1Hlobby\u001b[1;3H\u001b[K").text(), "lo\n\n")
  })

  it("goes on at no other row where one is full", () => {
    assert.strictEqual(shown("0123456789abc").text(), "0123456789\n\n")
  })
})

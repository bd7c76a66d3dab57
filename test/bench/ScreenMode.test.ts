import { assert, describe, it } from "@effect/vitest"
import { isFirstFrame } from "./ClientOnPty.ts"
import { Grid } from "./Grid.ts"
import { topNumber } from "./ScreenMode.ts"

const screenOf = (...rows: ReadonlyArray<string>) => {
  const grid = new Grid(40, rows.length)
  for (const [index, row] of rows.entries()) grid.write(`\u001b[${index + 1};1H${row}`)
  return grid
}

describe("a screen that is measured", () => {
  it("is there once a whole frame says where what is typed goes to, and who types", () => {
    const isThere = isFirstFrame("ada")
    const grid = screenOf("1 lobby", "   ada 3 ms", "lobby›")
    assert.isFalse(isThere(grid))
    grid.write("\u001b[?2026l")
    assert.isTrue(isThere(grid))
    assert.isFalse(isFirstFrame("bob")(grid))
    grid.write("\u001b[3;1Hseen›")
    assert.isFalse(isThere(grid))
  })

  it("begins with the message whose number stands first, though its first rows are not seen", () => {
    assert.strictEqual(topNumber(["— 2026-11-28 —", "ada │ xxxx", "    │ xxx~0000000041", "    │ x~0000000042"]), 41)
    assert.strictEqual(topNumber(["Nothing was said here yet."]), undefined)
  })
})

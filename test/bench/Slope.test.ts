import { assert, describe, it } from "@effect/vitest"
import { slopeOf } from "./Slope.ts"

describe("slopeOf", () => {
  it("is what a straight line rises by from each value to the next", () => {
    assert.strictEqual(slopeOf([7, 10, 13, 16]), 3)
    assert.strictEqual(slopeOf([5, 5, 5]), 0)
  })

  it("is hardly moved by one value that is off", () => {
    const level = Array.from({ length: 101 }, (_, index) => (index === 50 ? 1000 : 10))
    assert.closeTo(slopeOf(level), 0, 1e-9)
  })
})

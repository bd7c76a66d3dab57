import { assert, describe, it } from "@effect/vitest"
import { longer, type Pair, signedRank } from "./SignedRank.ts"

const pairs = (count: number, of: (index: number) => Pair) => Array.from({ length: count }, (_, index) => of(index))

describe("Wilcoxon's signed-rank test", () => {
  it("gives the statistic of its textbook example", () => {
    // Differences 1, -2, 3, 4, -5, 6: ranks as they are, so that their signed sum is 7 of a deviation of √91.
    const differences = [1, -2, 3, 4, -5, 6]
    assert.closeTo(signedRank(differences.map((difference) => [difference, 0])), 7 / Math.sqrt(91), 1e-12)
    assert.strictEqual(signedRank([]), 0)
  })

  it("tells apart what always differs, in either direction, and not what differs by chance or by a pause", () => {
    assert.strictEqual(longer(pairs(24, (index) => [30 + (index % 7), 1 + (index % 5)])), 1)
    assert.strictEqual(longer(pairs(24, (index) => [1 + (index % 5), 30 + (index % 7)])), -1)
    assert.strictEqual(longer(pairs(24, (index) => [30 + (index % 7), 30 + ((index * 5) % 7)])), 0)
    assert.strictEqual(longer(pairs(24, (index) => [index < 3 ? 3000 : 30 - (index % 2), 30 - ((index + 1) % 2)])), 0)
    // Always, but by too little to be of use.
    assert.strictEqual(longer(pairs(24, () => [30.2, 30])), 0)
  })
})

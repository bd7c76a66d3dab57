import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { tries, wholeNumber } from "../support/generators.ts"
import { Histogram } from "./Histogram.ts"

/** In milliseconds, from less than a microsecond to half an hour, as many short ones as long ones. */
const someDuration = Arbitrary.map(
  Arbitrary.all({ power: wholeNumber(-2, 30), part: wholeNumber(0, 999_999) }),
  ({ part, power }) => (2 ** power * (1 + part / 1_000_000)) / 1000
)

const histogramOf = (durations: ReadonlyArray<number>) => {
  const histogram = new Histogram()
  for (const duration of durations) histogram.record(duration)
  return histogram
}

const microsecond = 0.001

describe("Histogram", () => {
  it.prop(
    "gives every quantile within a thousandth of it, or a microsecond",
    [Arbitrary.array(someDuration, { minLength: 1 }), wholeNumber(0, 1000)],
    ([durations, thousandths]) => {
      const share = thousandths / 1000
      const sorted = durations.toSorted((left, right) => left - right)
      const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN
      assert.closeTo(histogramOf(durations).quantile(share), exact, Math.max(microsecond, exact / 1000))
    },
    tries(500, 60)
  )

  it.prop(
    "has quantiles that do not fall, and none above the greatest, which is exact",
    [Arbitrary.array(someDuration, { minLength: 1 })],
    ([durations]) => {
      const histogram = histogramOf(durations)
      const quantiles = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1].map((share) => histogram.quantile(share))
      assert.deepStrictEqual(
        quantiles.toSorted((left, right) => left - right),
        quantiles
      )
      assert.strictEqual(histogram.max(), Math.max(...durations))
      assert.isAtMost(quantiles.at(-1) ?? Number.NaN, histogram.max())
      assert.strictEqual(histogram.count, durations.length)
    },
    tries(200, 60)
  )

  it("gives quantiles of a hundred thousand durations to a thousandth", () => {
    const histogram = new Histogram()
    for (let micros = 1; micros <= 1_000_000; micros += 7) histogram.record(micros / 1000)
    for (const share of [0.001, 0.5, 0.9, 0.99, 1]) {
      assert.closeTo(histogram.quantile(share), share * 1000, Math.max(0.01, share))
    }
  })

  it("counts what takes longer than it can tell as the longest it can, and keeps the maximum", () => {
    const histogram = histogramOf([5_000_000, 6_000_000])
    assert.closeTo(histogram.quantile(0.5), 2 ** 31 / 1000, 2 ** 31 / 1000 / 1000)
    assert.strictEqual(histogram.max(), 6_000_000)
  })

  it("counts a duration below nothing as nothing", () => {
    const histogram = histogramOf([-1, -0.5])
    assert.deepStrictEqual([histogram.count, histogram.quantile(1), histogram.max()], [2, 0, 0])
  })

  it("has no quantile of nothing", () => {
    assert.isNaN(new Histogram().quantile(0.5))
    assert.isNaN(new Histogram().max())
  })
})

import { assert, describe, it } from "@effect/vitest"
import { makePerHour } from "../../../src/server/limits/PerHour.ts"

const hour = 3_600_000

describe("ReportLimits", () => {
  it("lets so many through in an hour, and says when the next is let through", () => {
    const limits = makePerHour()
    assert.deepStrictEqual([limits.take("ada", 2, 0), limits.take("ada", 2, 1000)], [0, 0])
    assert.strictEqual(limits.take("ada", 2, 1500), hour - 1500)
    assert.strictEqual(limits.take("ben", 2, 1500), 0)
    assert.strictEqual(limits.take("ada", 2, hour - 1), 1)
    assert.strictEqual(limits.take("ada", 2, hour), 0)
    assert.strictEqual(limits.take("ada", 2, hour), 1000)
  })

  it("forgets who has been quiet for an hour", () => {
    const limits = makePerHour()
    for (let reporter = 0; reporter < 500; reporter++) limits.take(`${reporter}`, 5, reporter)
    assert.strictEqual(limits.count(), 500)
    limits.take("ada", 5, hour + 498)
    assert.strictEqual(limits.count(), 2)
  })

  it("holds so many and no more, and forgets first who has been quiet longest", () => {
    const limits = makePerHour(3)
    for (const reporter of ["a", "b", "a", "c", "d"]) limits.take(reporter, 2, 0)
    assert.strictEqual(limits.count(), 3)
    assert.strictEqual(limits.take("a", 2, 1), hour - 1)
    assert.strictEqual(limits.take("b", 1, 1), 0)
    assert.strictEqual(limits.count(), 3)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { makeTypingTimes, typingMillis } from "../../../src/server/presence/TypingTimes.ts"

describe("TypingTimes", () => {
  it("lets somebody be said once, and again when the time is over, whoever else types", () => {
    const times = makeTypingTimes()
    assert.isTrue(times.take("ada", 0))
    assert.isTrue(times.take("ben", 10))
    assert.isFalse(times.take("ada", typingMillis - 1))
    assert.isTrue(times.take("ada", typingMillis))
    assert.isFalse(times.take("ben", typingMillis + 9))
    assert.isTrue(times.take("ben", typingMillis + 10))
  })

  it("forgets whose time is over", () => {
    const times = makeTypingTimes()
    for (let typist = 0; typist < 1000; typist++) times.take(`${typist}`, typist)
    assert.strictEqual(times.count(), 1000)
    times.take("ada", typingMillis + 998)
    assert.strictEqual(times.count(), 2)
  })

  it("holds so many and no more, and forgets the oldest first", () => {
    const times = makeTypingTimes(3)
    for (const typist of ["a", "b", "c", "d"]) assert.isTrue(times.take(typist, 0))
    assert.strictEqual(times.count(), 3)
    assert.isFalse(times.take("b", 1))
    assert.isTrue(times.take("a", 1))
    assert.strictEqual(times.count(), 3)
  })
})

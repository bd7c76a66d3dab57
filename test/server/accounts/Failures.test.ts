import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import {
  counted,
  countLeft,
  type Failures,
  maxCount,
  noFailures,
  remainingWait,
  type Rule,
  waitAfter
} from "../../../src/server/accounts/Failures.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

const rule: Rule = { free: 5, firstWait: 5000, maxWait: 900_000, forgivenAfter: 60_000 }

/** As many, one after the other, at the same moment. */
const failures = (count: number, at = 0): Failures =>
  Array.from({ length: count }).reduce<Failures>((before) => counted(rule, before, at), noFailures)

describe("Failures", () => {
  it("cost nothing five times, and then twice as long each time, up to a quarter of an hour", () => {
    assert.deepStrictEqual(
      Array.from({ length: 16 }, (_, count) => waitAfter(rule, count) / 1000),
      [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    )
    assert.strictEqual(maxCount(rule), 13)
    assert.strictEqual(failures(100).count, 13)
  })

  it("make one wait from the last of them on", () => {
    assert.strictEqual(remainingWait(rule, noFailures, 0), 0)
    assert.strictEqual(remainingWait(rule, failures(4, 1000), 1000), 0)
    assert.strictEqual(remainingWait(rule, failures(5, 1000), 1000), 5000)
    assert.strictEqual(remainingWait(rule, failures(5, 1000), 5999), 1)
    assert.strictEqual(remainingWait(rule, failures(5, 1000), 6000), 0)
    assert.strictEqual(remainingWait(rule, failures(5, 1000), 1e9), 0)
  })

  it("are forgotten one by one, for each minute in which one might have tried", () => {
    assert.strictEqual(countLeft(rule, failures(4), 59_999), 4)
    assert.strictEqual(countLeft(rule, failures(4), 60_000), 3)
    assert.strictEqual(countLeft(rule, failures(4), 240_000), 0)
    assert.strictEqual(countLeft(rule, failures(4), 1e9), 0)
    assert.deepStrictEqual(counted(rule, failures(4), 120_000), { count: 3, at: 120_000 })
    assert.strictEqual(countLeft(rule, failures(5), 64_999), 5)
    assert.strictEqual(countLeft(rule, failures(5), 65_000), 4)
    assert.strictEqual(countLeft(rule, failures(13), 959_999), 13)
    assert.strictEqual(countLeft(rule, failures(13), 960_000), 12)
  })

  it.prop(
    "are five at once for who waits as told, then one for each wait, and one a minute in the long run",
    [Arbitrary.array(wholeNumber(0, 120_000), { minLength: 1 })],
    ([gaps]) => {
      const times: Array<number> = []
      let known = noFailures
      let now = 0
      for (const gap of gaps) {
        now += gap
        if (remainingWait(rule, known, now) > 0) continue
        known = counted(rule, known, now)
        times.push(now)
      }
      for (const [first, start] of times.entries()) {
        // The first wait is 5 s.
        const within = times.slice(first).filter((time) => time - start < 5000)
        assert.isAtMost(within.length, 5)
        const minutes = (now - start) / 60_000
        assert.isAtMost(times.length - first, 14 + minutes)
      }
    },
    tries(200, 80)
  )
})

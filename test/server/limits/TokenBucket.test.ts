import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as TokenBucket from "../../../src/server/limits/TokenBucket.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

const someAllowance = Arbitrary.all({ rate: wholeNumber(1, 2000), burst: wholeNumber(1, 50) })
const someGaps = Arbitrary.array(wholeNumber(0, 300), { minLength: 1 })

/** The times, in milliseconds, at which a message was let through, of one message after each gap. */
const letThrough = (allowance: TokenBucket.Allowance, gaps: ReadonlyArray<number>): ReadonlyArray<number> => {
  let bucket = TokenBucket.full(allowance, 0)
  let now = 0
  return gaps.flatMap((gap) => {
    now += gap
    const taken = TokenBucket.take(bucket, allowance, now)
    if (typeof taken === "number") return []
    bucket = taken
    return [now]
  })
}

describe("A token bucket", () => {
  it.prop(
    "lets through no more than its burst and its rate in any window of time",
    [someAllowance, Arbitrary.array(wholeNumber(0, 60), { minLength: 1 })],
    ([allowance, gaps]) => {
      const times = letThrough(allowance, gaps)
      for (const [first, start] of times.entries()) {
        for (const [last, end] of times.entries()) {
          if (last < first) continue
          const count = last - first + 1
          assert.isAtMost(count, allowance.burst + (allowance.rate * (end - start)) / 1000)
        }
      }
    },
    tries(200, 60)
  )

  it.prop(
    "lets through at once as many as its burst after a long pause, and no more",
    [someAllowance],
    ([allowance]) => {
      let bucket = TokenBucket.full(allowance, 0)
      for (let count = 0; count < allowance.burst; count++) {
        const taken = TokenBucket.take(bucket, allowance, 1e9)
        if (typeof taken === "number") return assert.fail(`refused message ${count + 1} of ${allowance.burst}`)
        bucket = taken
      }
      assert.isNumber(TokenBucket.take(bucket, allowance, 1e9))
    },
    tries(100)
  )

  it.prop(
    "lets a message through when it said it would, and not 1 ms before",
    [someAllowance, someGaps],
    ([allowance, gaps]) => {
      let bucket = TokenBucket.full(allowance, 0)
      let now = 0
      for (const gap of gaps) {
        now += gap % 5
        const taken = TokenBucket.take(bucket, allowance, now)
        if (typeof taken !== "number") bucket = taken
        else {
          assert.isAbove(taken, 0)
          assert.isNotNumber(TokenBucket.take(bucket, allowance, now + taken))
          if (taken > 1) assert.isNumber(TokenBucket.take(bucket, allowance, now + taken - 1))
        }
      }
    },
    tries(200, 60)
  )

  it.prop(
    "gives nothing away when the clock goes back",
    [someAllowance, wholeNumber(1, 1_000_000)],
    ([allowance, back]) => {
      let bucket = TokenBucket.full(allowance, 1_000_000)
      for (let count = 0; count < allowance.burst; count++) {
        const taken = TokenBucket.take(bucket, allowance, 1_000_000)
        if (typeof taken !== "number") bucket = taken
      }
      assert.isNumber(TokenBucket.take(bucket, allowance, 1_000_000 - back))
    },
    tries(100)
  )

  it.prop("lets everything through at a rate of 0", [wholeNumber(1, 50), someGaps], ([burst, gaps]) => {
    assert.lengthOf(letThrough({ rate: 0, burst }, gaps), gaps.length)
  })
})

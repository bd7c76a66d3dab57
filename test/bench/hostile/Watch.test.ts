import { assert, describe, it } from "@effect/vitest"
import { Watch } from "./Watch.ts"

describe("What one kind of request has met", () => {
  it("is how long each answer took, and which were refused", () => {
    const watch = new Watch()
    for (const [number, key] of ["a", "b", "c"].entries()) watch.begin(key, number)
    watch.end("a", 10)
    watch.end("b", 31)
    watch.refuse("c", "RateLimited")
    assert.isFalse(watch.isWaiting)
    const { max, p50, refused, sent, unanswered } = watch.close(100)
    assert.deepStrictEqual({ sent, refused, unanswered, max }, { sent: 3, refused: 1, unanswered: 0, max: 30 })
    assert.closeTo(p50, 10, 0.02)
    assert.deepStrictEqual([...watch.refusals], ["RateLimited"])
  })

  it("counts what is never answered as having taken until the end", () => {
    const watch = new Watch()
    watch.begin("a", 0)
    assert.isTrue(watch.isWaiting)
    const { max, p99, unanswered } = watch.close(8000)
    assert.strictEqual(unanswered, 1)
    assert.closeTo(p99, 8000, 8)
    assert.strictEqual(max, 8000)
  })

  it("counts an answer once, and none that belongs to the phase before", () => {
    const watch = new Watch()
    watch.begin("a", 0)
    watch.close(1)
    watch.begin("b", 1)
    watch.end("a", 50)
    watch.end("b", 2)
    watch.end("b", 90)
    watch.refuse("b", "late")
    const { max, refused, sent } = watch.close(100)
    assert.deepStrictEqual({ max, refused, sent }, { max: 1, refused: 0, sent: 1 })
  })
})

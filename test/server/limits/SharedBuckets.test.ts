import { assert, describe, it } from "@effect/vitest"
import { makeSharedBuckets, type SharedBucket } from "../../../src/server/limits/SharedBuckets.ts"
import * as TokenBucket from "../../../src/server/limits/TokenBucket.ts"

const allowance = { rate: 10, burst: 5 }
const maxResting = 100

/** Takes so many tokens, of which all have to be there. */
const use = (shared: SharedBucket, count: number, now: number) => {
  for (let taken = 0; taken < count; taken++) {
    const bucket = TokenBucket.take(shared.bucket, allowance, now)
    if (typeof bucket === "number") return assert.fail(`token ${taken + 1} of ${count} is not there`)
    shared.bucket = bucket
  }
}

describe("Buckets that several share", () => {
  it("are one for all who hold the same, and others for others", () => {
    const buckets = makeSharedBuckets(allowance, maxResting)
    const first = buckets.hold("a", 0)
    use(first, 5, 0)
    assert.strictEqual(buckets.hold("a", 0), first)
    use(buckets.hold("b", 0), 5, 0)
  })

  it("are as empty as they were for who goes and comes back, until they have filled up", () => {
    const buckets = makeSharedBuckets(allowance, maxResting)
    const before = buckets.hold("a", 0)
    use(before, 5, 0)
    buckets.letGo(before, 0)
    const after = buckets.hold("a", 100)
    use(after, 1, 100)
    assert.isNumber(TokenBucket.take(after.bucket, allowance, 100))
  })

  it("are forgotten at once if nothing was taken, and otherwise once others come when they are full again", () => {
    const buckets = makeSharedBuckets(allowance, maxResting)
    buckets.letGo(buckets.hold("idle", 0), 0)
    assert.strictEqual(buckets.size(), 0)
    const used = buckets.hold("a", 0)
    use(used, 5, 0)
    buckets.letGo(used, 0)
    assert.strictEqual(buckets.size(), 1)
    buckets.letGo(buckets.hold("b", 500), 500)
    assert.strictEqual(buckets.size(), 0)
  })

  it("are as many as are held, and a bounded number more, however many there were", () => {
    const buckets = makeSharedBuckets(allowance, maxResting)
    const kept = buckets.hold("kept", 0)
    use(kept, 5, 0)
    for (let index = 0; index < 1000; index++) {
      const shared = buckets.hold(`${index}`, 0)
      use(shared, 1, 0)
      buckets.letGo(shared, 0)
    }
    assert.strictEqual(buckets.size(), 1 + maxResting)
    assert.strictEqual(buckets.hold("kept", 0), kept)
  })
})

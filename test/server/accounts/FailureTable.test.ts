import { assert, describe, it } from "@effect/vitest"
import type { Rule } from "../../../src/server/accounts/Failures.ts"
import { makeFailureTable } from "../../../src/server/accounts/FailureTable.ts"

const rule: Rule = { free: 5, firstWait: 5000, maxWait: 900_000, forgivenAfter: 60_000 }

describe("A table of failures", () => {
  it("knows how many were whose, and when the last was", () => {
    const table = makeFailureTable(rule, 10)
    table.set("ada", { count: 2, at: 100 }, 100)
    table.set("bob", { count: 1, at: 200 }, 200)
    table.set("ada", { count: 3, at: 300 }, 300)
    assert.deepStrictEqual(table.of("ada"), { count: 3, at: 300 })
    assert.deepStrictEqual(table.of("bob"), { count: 1, at: 200 })
    assert.deepStrictEqual(table.of("cyd"), { count: 0, at: 0 })
    assert.strictEqual(table.size(), 2)
    table.set("ada", { count: 0, at: 300 }, 300)
    assert.strictEqual(table.size(), 1)
  })

  it("holds as many as it may, and drops who has the fewest, of those whose were longest ago", () => {
    const table = makeFailureTable(rule, 4)
    table.set("often", { count: 6, at: 1 }, 1)
    table.set("twice", { count: 2, at: 2 }, 2)
    table.set("once, first", { count: 1, at: 3 }, 3)
    table.set("once, later", { count: 1, at: 4 }, 4)
    for (let index = 0; index < 1000; index++) table.set(`another ${index}`, { count: 1, at: 5 }, 5)
    assert.strictEqual(table.size(), 4)
    assert.strictEqual(table.of("often").count, 6)
    assert.strictEqual(table.of("twice").count, 2)
    assert.strictEqual(table.of("once, first").count, 0)
    assert.strictEqual(table.of("once, later").count, 0)
    assert.strictEqual(table.of("another 999").count, 1)
  })

  it("does not forget who must wait for as many others as there is room for, unless each failed as often", () => {
    const table = makeFailureTable(rule, 1000)
    table.set("attacker", { count: 6, at: 0 }, 0)
    for (let count = 1; count <= 5; count++) {
      for (let index = 0; index < 2000; index++) table.set(`helper ${index}`, { count, at: 1000 }, 1000)
    }
    assert.strictEqual(table.of("attacker").count, 6)
    assert.strictEqual(table.size(), 1000)
  })

  it("drops first of whom nothing is left, however many they were once", () => {
    const table = makeFailureTable(rule, 2)
    table.set("long ago", { count: 13, at: 0 }, 0)
    const now = 900_000 + 13 * 60_000
    table.set("often", { count: 13, at: now - 1 }, now - 1)
    table.set("just now", { count: 1, at: now }, now)
    assert.strictEqual(table.of("long ago").count, 0)
    assert.strictEqual(table.of("often").count, 13)
    assert.strictEqual(table.size(), 2)
  })

  it("drops who has been quiet for long before who has failed just now, if less often", () => {
    const table = makeFailureTable(rule, 2)
    table.set("three, of which one is left", { count: 3, at: 0 }, 0)
    table.set("two", { count: 2, at: 120_000 }, 120_000)
    table.set("one", { count: 1, at: 120_000 }, 120_000)
    assert.strictEqual(table.of("three, of which one is left").count, 0)
    assert.strictEqual(table.of("two").count, 2)
  })

  it("gets smaller again when those who failed are quiet", () => {
    const table = makeFailureTable(rule, 1000)
    for (let index = 0; index < 1000; index++) table.set(`one ${index}`, { count: 1, at: 0 }, 0)
    for (let index = 0; index < 400; index++) table.set("another", { count: 1, at: 60_000 }, 60_000)
    assert.strictEqual(table.size(), 201)
  })
})

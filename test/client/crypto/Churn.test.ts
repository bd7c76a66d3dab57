/** Random lives of a group. `CHURN_SEEDS=12` runs as many as the issue asks; every failure names its seed and operation. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { churn } from "./Churn.ts"

const seeds = Number(process.env["CHURN_SEEDS"] ?? 2)
const operations = 100

describe("A group that changes all the time", () => {
  for (let seed = 1; seed <= seeds; seed++) {
    it.live(`is one group for all who are in it, after each of ${operations} operations (seed ${seed})`, () =>
      Effect.gen(function* () {
        const tally = yield* churn(seed, operations)
        assert.strictEqual(
          Object.values(tally).reduce((sum, count) => sum + count, 0),
          operations
        )
        assert.sameMembers(Object.keys(tally), ["add", "remove", "replace", "renew", "talk", "race", "reload"])
      })
    )
  }
})

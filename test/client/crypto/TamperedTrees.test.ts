/** Who joins verifies the tree, whoever signed it; and whom the last commit left outside stays there. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { removedDerivesNextEpoch } from "./ForgottenMember.ts"
import { tamperedJoins } from "./TamperedTrees.ts"

describe("Who joins", () => {
  it.live("refuses every tree in which a member changed something, and none in which nobody did", () =>
    Effect.gen(function* () {
      let refused = 0
      for (const seed of [1, 2]) {
        const { nothing, ...others } = yield* tamperedJoins(seed, 14)
        assert.deepStrictEqual(nothing, { joined: 14 })
        for (const [kind, outcomes] of Object.entries(others)) {
          assert.deepStrictEqual(Object.keys(outcomes), ["Damaged"], `${kind}, seed ${seed}`)
          refused += outcomes["Damaged"] ?? 0
        }
        if (seed === 1) assert.strictEqual(Object.keys(others).length, 12)
      }
      assert.isAtLeast(refused, 96)
    })
  )
})

describe("Who was removed by the only other one", () => {
  it.live("cannot derive the keys of the next epoch", () =>
    Effect.gen(function* () {
      assert.isFalse(yield* removedDerivesNextEpoch)
    })
  )
})

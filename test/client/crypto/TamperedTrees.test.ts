/** Who joins verifies the tree, whoever signed it; and whom the last commit left outside stays there. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RatchetTree } from "ts-mls/ratchetTree.js"
import { deviceOf, packageOf } from "./Crowd.ts"
import { removedDerivesNextEpoch } from "./ForgottenMember.ts"
import { growing, joinWith, tamperedJoins } from "./TamperedTrees.ts"

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

  it.live("refuses a tree that is wider than a room can need, before it is verified", () =>
    Effect.gen(function* () {
      const [group] = yield* growing(3, 1)
      const { read } = yield* packageOf(yield* deviceOf("far.away"))
      // Valid but for its width: leaves and their parents, then blanks, then a leaf that really joined.
      const wide = (nodes: number) => {
        const tree: RatchetTree = group?.state.ratchetTree.slice() ?? []
        while (tree.length < nodes) tree.push(undefined)
        tree[nodes - 1] = { nodeType: "leaf", leaf: read.mls.leafNode }
        return tree
      }
      assert.isDefined(group)
      if (group === undefined) return
      assert.strictEqual(yield* joinWith(group, wide(255)), "joined")
      assert.strictEqual(yield* joinWith(group, wide(511)), "Damaged")
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

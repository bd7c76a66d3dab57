/** Who joins verifies the tree, whoever signed it; and whom the last commit left outside stays there. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js"
import { encodeRatchetTree, type RatchetTree } from "ts-mls/ratchetTree.js"
import { type Device, makeDevice } from "../../../src/client/crypto/Device.ts"
import { credentialOf } from "../../../src/client/crypto/Identity.ts"
import { capabilities, suite } from "../../../src/client/crypto/Suite.ts"
import { commits, deviceOf, following, packageOf, pair, three } from "./Crowd.ts"
import { removedDerivesNextEpoch } from "./ForgottenMember.ts"
import { growing, joinWith, tamperedJoins } from "./TamperedTrees.ts"

/** One whose trees have what every kind of tampering needs. */
const seed = 1

describe("Who joins", () => {
  it.live("refuses every tree in which a member changed something, and none in which nobody did", () =>
    Effect.gen(function* () {
      const { nothing, ...others } = yield* tamperedJoins(seed, 14)
      assert.deepStrictEqual(nothing, { joined: 14 })
      assert.strictEqual(Object.keys(others).length, 12)
      let refused = 0
      for (const [kind, outcomes] of Object.entries(others)) {
        assert.deepStrictEqual(Object.keys(outcomes), ["Damaged"], `${kind}, seed ${seed}`)
        refused += outcomes["Damaged"] ?? 0
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

  it.live("refuses a welcome that says more than it should, or gives keys that are not those that all see", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* three
      const { bytes } = yield* commits(ofBob)
      const group = yield* following(ofAda, bytes)
      const tree = group.state.ratchetTree
      assert.strictEqual(yield* joinWith(group, tree), "joined")
      const extension = { extensionType: 0xff01, extensionData: encodeRatchetTree(tree) }
      assert.strictEqual(yield* joinWith(group, tree, { extensions: [extension] }), "Damaged")
      assert.strictEqual(yield* joinWith(group, tree, { epoch: BigInt(Number.MAX_SAFE_INTEGER) }), "joined")
      assert.strictEqual(yield* joinWith(group, tree, { epoch: 2n ** 53n }), "Damaged")
      // Bob gave the root a key, which the newcomer does not get from Ada; one that is made up opens nothing.
      assert.isDefined(tree[3])
      assert.strictEqual(yield* joinWith(group, tree, { pathSecret: new Uint8Array(32) }), "Damaged")
    })
  )

  it.live("refuses a tree of leaves that are signed well, but break our rules", () =>
    Effect.gen(function* () {
      const { bob, ofAda } = yield* pair
      const cs = yield* suite
      const leafOf = Effect.fnUntraced(function* (device: Device, can: ReturnType<typeof capabilities>) {
        const keys = { signKey: device.privateKey, publicKey: device.publicKey }
        const lifetime = { notBefore: 0n, notAfter: 2n ** 62n }
        const { publicPackage } = yield* Effect.promise(() =>
          generateKeyPackageWithKey(credentialOf(device.identity), can, lifetime, [], keys, cs)
        )
        return { nodeType: "leaf" as const, leaf: publicPackage.leafNode }
      })
      const cy = yield* deviceOf("cy")
      const tree = (leaf: RatchetTree[number]): RatchetTree => [
        ...ofAda.state.ratchetTree,
        undefined,
        leaf,
        undefined,
        undefined
      ]
      assert.strictEqual(yield* joinWith(ofAda, tree(yield* leafOf(cy, capabilities()))), "joined")
      const able = { ...capabilities(), proposals: [9] }
      assert.strictEqual(yield* joinWith(ofAda, tree(yield* leafOf(cy, able))), "Damaged")
      const anotherBob = yield* makeDevice(bob.identity)
      assert.strictEqual(yield* joinWith(ofAda, tree(yield* leafOf(anotherBob, capabilities()))), "Damaged")
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

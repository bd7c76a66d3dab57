/** Commits by a member who keeps to the protocol's form but not to its rules: refused by all others, whose group goes on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ClientState } from "ts-mls/clientState.js"
import { createCommit } from "ts-mls/createCommit.js"
import { createProposal } from "ts-mls/createMessage.js"
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js"
import { signKeyPackage } from "ts-mls/keyPackage.js"
import { signLeafNodeKeyPackage } from "ts-mls/leafNode.js"
import { encodeMlsMessage } from "ts-mls/message.js"
import type { Proposal } from "ts-mls/proposal.js"
import { apply } from "../../../src/client/crypto/Apply.ts"
import { authenticatorOf, encodeGroup, type Group, withConfig } from "../../../src/client/crypto/Group.ts"
import { credentialOf } from "../../../src/client/crypto/Identity.ts"
import { suite } from "../../../src/client/crypto/Suite.ts"
import { trusting } from "../../../src/client/crypto/Trust.ts"
import { commits, deviceOf, following, hex, identity, packageOf, three, trustingAll } from "./Crowd.ts"
import { addingStrangers } from "./Strangers.ts"

/** A commit of the library's making, of a state and with means that are not quite the member's own. */
const rogue = Effect.fnUntraced(function* (
  group: Group,
  proposals: ReadonlyArray<Proposal>,
  changed: (state: ClientState) => ClientState = (state) => state,
  means: (cs: CiphersuiteImpl) => CiphersuiteImpl = (cs) => cs
) {
  const cs = means(yield* suite)
  const state = changed(withConfig(group, trusting(trustingAll)))
  const { commit } = yield* Effect.promise(() =>
    createCommit({ state, cipherSuite: cs }, { extraProposals: [...proposals], ratchetTreeExtension: true })
  )
  return encodeMlsMessage(commit)
})

/** The own leaf changed, as the next commit will sign it. */
const asLeaf = (change: Readonly<Record<string, unknown>>) => (state: ClientState) => ({
  ...state,
  ratchetTree: state.ratchetTree.map((node, index) =>
    node?.nodeType === "leaf" && index === 2 * state.privatePath.leafIndex
      ? { ...node, leaf: { ...node.leaf, ...change } }
      : node
  )
})

/** Bob's commit as Ada and Cy take it. */
const refusals = Effect.fnUntraced(function* (groups: ReadonlyArray<Group>, bytes: Uint8Array) {
  const issues: Array<string> = []
  for (const group of groups) {
    const before = hex(encodeGroup(group))
    const error = yield* Effect.flip(apply(group, bytes, trustingAll))
    issues.push(error._tag === "Damaged" ? error.issue : error._tag)
    assert.strictEqual(hex(encodeGroup(group)), before)
  }
  return issues
})

const twice = (issue: string) => [issue, issue]

describe("A commit that breaks the rules", () => {
  it.live("is refused if a byte of it was changed", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* three
      const { read } = yield* packageOf(yield* deviceOf("dan"))
      const { bytes } = yield* commits(ofBob, { adds: [read] })
      for (let index = 0; index < bytes.length; index += 5) {
        yield* refusals([ofAda], bytes.with(index, (bytes[index] ?? 0) ^ 0x20))
        yield* refusals([ofAda], bytes.subarray(0, index))
      }
      assert.strictEqual((yield* following(ofAda, bytes)).keyEpoch, 3)
    })
  )

  it.live("is refused if it adds devices whom one does not trust, or who did not sign, and ends no process", () =>
    Effect.gen(function* () {
      const { outcomes, unhandled } = yield* addingStrangers
      assert.deepStrictEqual(outcomes, ["Untrusted", "Untrusted", "Untrusted", "Damaged"])
      assert.strictEqual(unhandled, 0)
    })
  )

  it.live("is refused if it changes more than who is in", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob, ofCy } = yield* three
      const others = [ofAda, ofCy]
      const extensions: Proposal = {
        proposalType: "group_context_extensions",
        groupContextExtensions: { extensions: [] }
      }
      assert.deepStrictEqual(
        yield* refusals(others, yield* rogue(ofBob, [extensions])),
        twice("it changes more than who is in")
      )
      const reinit: Proposal = {
        proposalType: "reinit",
        reinit: {
          groupId: new Uint8Array(4),
          version: "mls10",
          cipherSuite: ofBob.state.groupContext.cipherSuite,
          extensions: []
        }
      }
      assert.deepStrictEqual(
        yield* refusals(others, yield* rogue(ofBob, [reinit])),
        twice("it changes more than who is in")
      )
    })
  )

  it.live("is refused if it adds more devices than eight, or one that keeps other rules", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob, ofCy } = yield* three
      const packages = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8, 9], (index) =>
        Effect.flatMap(deviceOf(`u${index}`), packageOf)
      )
      const adds = packages.map(({ read }) => ({ proposalType: "add" as const, add: { keyPackage: read.mls } }))
      const others = [ofAda, ofCy]
      assert.deepStrictEqual(yield* refusals(others, yield* rogue(ofBob, adds)), twice("it adds more than 8 devices"))
      assert.isDefined(yield* following(ofAda, yield* rogue(ofBob, adds.slice(1))))
    })
  )

  it.live("is refused if it adds a device with the key of another", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob, ofCy } = yield* three
      const dan = yield* deviceOf("dan")
      const cs = yield* suite
      const { read } = yield* packageOf(dan)
      const adding = Effect.fnUntraced(function* (hpkePublicKey: Uint8Array) {
        const leaf = { ...read.mls.leafNode, hpkePublicKey }
        const leafNode = yield* Effect.promise(() => signLeafNodeKeyPackage(leaf, dan.privateKey, cs.signature))
        const changed = { ...read.mls, leafNode: { ...leaf, ...leafNode } }
        const keyPackage = yield* Effect.promise(() => signKeyPackage(changed, dan.privateKey, cs.signature))
        return yield* rogue(ofBob, [{ proposalType: "add", add: { keyPackage } }])
      })
      assert.isDefined(yield* following(ofAda, yield* adding(read.mls.leafNode.hpkePublicKey)))
      const adas = ofAda.state.ratchetTree[0]
      assert.strictEqual(adas?.nodeType, "leaf")
      if (adas?.nodeType !== "leaf") return
      const bytes = yield* adding(adas.leaf.hpkePublicKey)
      assert.deepStrictEqual(yield* refusals([ofAda, ofCy], bytes), twice("a key is in two places"))
    })
  )

  it.live("is refused if its committer becomes somebody else by it, or claims other abilities", () =>
    Effect.gen(function* () {
      const { ada, ofAda, ofBob, ofCy } = yield* three
      const others = [ofAda, ofCy]
      const renamed = yield* rogue(ofBob, [], asLeaf({ credential: credentialOf(identity("mallory")) }))
      assert.deepStrictEqual(yield* refusals(others, renamed), twice("who changed the keys became somebody else"))
      const asAda = yield* rogue(ofBob, [], asLeaf({ credential: credentialOf(ada.identity) }))
      assert.deepStrictEqual(yield* refusals(others, asAda), twice("who changed the keys became somebody else"))
      const able = yield* rogue(ofBob, [], (state) => {
        const { capabilities } =
          state.ratchetTree[2]?.nodeType === "leaf" ? state.ratchetTree[2].leaf : { capabilities: {} }
        return asLeaf({ capabilities: { ...capabilities, proposals: [9] } })(state)
      })
      assert.deepStrictEqual(yield* refusals(others, able), twice("a device claims to do something else"))
    })
  )

  it.live("is refused if it gives others keys that are not those that all see", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob, ofCy } = yield* three
      let pairs = 0
      const bytes = yield* rogue(
        ofBob,
        [],
        (state) => state,
        // The first pair is Bob's own; those of the nodes above are others than their secrets give.
        (cs) => ({
          ...cs,
          hpke: {
            ...cs.hpke,
            deriveKeyPair: (ikm) => (pairs++ === 0 ? cs.hpke.deriveKeyPair(ikm) : cs.hpke.generateKeyPair())
          }
        })
      )
      assert.deepStrictEqual(
        yield* refusals([ofAda, ofCy], bytes),
        twice("the keys given to this device are not its own")
      )
    })
  )

  it.live("is refused if it is in the name of another", () =>
    Effect.gen(function* () {
      const { ofBob, ofCy } = yield* three
      const bytes = yield* rogue(ofBob, [], (state) => ({
        ...state,
        privatePath: { ...state.privatePath, leafIndex: 0 }
      }))
      assert.deepStrictEqual(yield* refusals([ofCy], bytes), ["BadSignature"])
    })
  )

  it.live("is none: a proposal is not waited with", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob, ofCy } = yield* three
      const cs = yield* suite
      const state = withConfig(ofBob, trusting(trustingAll))
      const remove = { proposalType: "remove", remove: { removed: 2 } } as const
      const { message, newState } = yield* Effect.promise(() => createProposal(state, false, remove, cs))
      assert.deepStrictEqual(yield* refusals([ofAda, ofCy], encodeMlsMessage(message)), twice("it is a proposal"))
      const { commit } = yield* Effect.promise(() => createCommit({ state: newState, cipherSuite: cs }))
      const [issue] = yield* refusals([ofAda], encodeMlsMessage(commit))
      assert.strictEqual(issue, "this change of keys does not follow from what was before")
    })
  )

  it.live("does not keep the others from going on", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob, ofCy } = yield* three
      const extensions: Proposal = {
        proposalType: "group_context_extensions",
        groupContextExtensions: { extensions: [] }
      }
      yield* refusals([ofCy], yield* rogue(ofBob, [extensions]))
      const { bytes, next } = yield* commits(ofAda)
      assert.strictEqual(hex(authenticatorOf(yield* following(ofCy, bytes))), hex(authenticatorOf(next)))
    })
  )
})

/**
 * Trees that somebody in a group changed before giving them to who joins. The welcome is properly signed, and the tree has the
 * hash that the group's context names: only what RFC 9420 asks a joiner to verify shows it (sections 7.3, 7.9.2 and 12.4.3.1).
 */
import { Effect } from "effect"
import { createGroupInfoWithRatchetTree } from "ts-mls/createCommit.js"
import type { Extension } from "ts-mls/extension.js"
import { createConfirmationTag } from "ts-mls/framedContent.js"
import { extractWelcomeSecret } from "ts-mls/groupInfo.js"
import { deriveKeySchedule } from "ts-mls/keySchedule.js"
import { encodeMlsMessage } from "ts-mls/message.js"
import { addLeafNode, type RatchetTree } from "ts-mls/ratchetTree.js"
import { treeHashRoot } from "ts-mls/treeHash.js"
import { encryptGroupInfo, encryptGroupSecrets } from "ts-mls/welcome.js"
import { commit } from "../../../src/client/crypto/Commit.ts"
import type { Device } from "../../../src/client/crypto/Device.ts"
import { create, type Group, membersOf, withConfig } from "../../../src/client/crypto/Group.ts"
import { credentialOf } from "../../../src/client/crypto/Identity.ts"
import { join } from "../../../src/client/crypto/Join.ts"
import { suite, suiteName } from "../../../src/client/crypto/Suite.ts"
import { trusting } from "../../../src/client/crypto/Trust.ts"
import { Chance } from "../../simulation/Chance.ts"
import { deviceOf, following, groupId, identity, packageOf, trustingAll } from "./Crowd.ts"

type Tamper = (tree: RatchetTree, chance: Chance) => RatchetTree | undefined
type Parent = Extract<NonNullable<RatchetTree[number]>, { readonly nodeType: "parent" }>
type Leaf = Extract<NonNullable<RatchetTree[number]>, { readonly nodeType: "leaf" }>

const replaced = (tree: RatchetTree, index: number, node: RatchetTree[number]): RatchetTree => tree.with(index, node)
const other = (bytes: Uint8Array): Uint8Array =>
  bytes.length === 0 ? new Uint8Array(32) : bytes.with(0, (bytes[0] ?? 0) ^ 1)

const pick = <A>(chance: Chance, from: ReadonlyArray<A>): A | undefined => from[chance.between(0, from.length - 1)]

const aParent =
  (
    change: (node: Parent, index: number, tree: RatchetTree, chance: Chance) => Parent | undefined,
    isMeant: (node: Parent, index: number, tree: RatchetTree) => boolean = () => true
  ): Tamper =>
  (tree, chance) => {
    const parents = tree.flatMap((node, index) =>
      node?.nodeType === "parent" && isMeant(node, index, tree) ? [{ node, index }] : []
    )
    const picked = pick(chance, parents)
    const changed = picked && change(picked.node, picked.index, tree, chance)
    return picked && changed && replaced(tree, picked.index, changed)
  }

const aLeaf =
  (change: (leaf: Leaf["leaf"]) => Leaf["leaf"]): Tamper =>
  (tree, chance) => {
    const picked = pick(
      chance,
      tree.flatMap((node, index) => (node?.nodeType === "leaf" ? [{ node, index }] : []))
    )
    return picked && replaced(tree, picked.index, { nodeType: "leaf", leaf: change(picked.node.leaf) })
  }

/** The leaves under a node that is so many levels above them. */
const leavesUnder = (tree: RatchetTree, index: number): ReadonlyArray<number> => {
  const half = ((index & -(index + 1)) | (index ^ (index + 1))) >> 1
  return tree.flatMap((node, at) => (node?.nodeType === "leaf" && Math.abs(at - index) <= half ? [at / 2] : []))
}

const withUnmerged = ({ parent }: Parent, unmergedLeaves: Array<number>): Parent => ({
  nodeType: "parent",
  parent: { ...parent, unmergedLeaves }
})

/** What is done to a tree, if it has what is needed for it. */
const tampers: Readonly<Record<string, Tamper>> = {
  "another key of a parent": aParent(({ parent }) => ({
    nodeType: "parent",
    parent: { ...parent, hpkePublicKey: other(parent.hpkePublicKey) }
  })),
  "another parent hash": aParent(({ parent }) => ({
    nodeType: "parent",
    parent: { ...parent, parentHash: other(parent.parentHash) }
  })),
  "another key of a leaf": aLeaf((leaf) => ({ ...leaf, hpkePublicKey: other(leaf.hpkePublicKey) })),
  "another name in a leaf": aLeaf((leaf) => ({ ...leaf, credential: credentialOf(identity("mallory")) })),
  "other abilities of a leaf": aLeaf((leaf) => ({ ...leaf, capabilities: { ...leaf.capabilities, proposals: [9] } })),
  "one leaf in two places": (tree, chance) => {
    const leaves = tree.flatMap((node, index) => (node?.nodeType === "leaf" ? [index] : []))
    const from = pick(chance, leaves)
    const to = pick(
      chance,
      leaves.filter((index) => index !== from && index !== 0)
    )
    return from === undefined || to === undefined ? undefined : replaced(tree, to, tree[from])
  },
  "a leaf more among the unmerged": aParent((node, index, tree, chance) => {
    const { unmergedLeaves } = node.parent
    const leaf = pick(
      chance,
      leavesUnder(tree, index).filter((at) => !unmergedLeaves.includes(at))
    )
    return leaf === undefined
      ? undefined
      : withUnmerged(
          node,
          [...unmergedLeaves, leaf].toSorted((one, two) => one - two)
        )
  }),
  "a leaf fewer among the unmerged": aParent(
    (node, _index, _tree, chance) => {
      const dropped = chance.between(0, node.parent.unmergedLeaves.length - 1)
      return withUnmerged(node, node.parent.unmergedLeaves.toSpliced(dropped, 1))
    },
    (node) => node.parent.unmergedLeaves.length > 0
  ),
  "a leaf among the unmerged that is not below": aParent((node, index, tree) => {
    const below = leavesUnder(tree, index)
    const elsewhere = tree.length + 1
    const outside = tree.findIndex((leaf, at) => leaf?.nodeType === "leaf" && !below.includes(at / 2))
    return withUnmerged(
      node,
      [...node.parent.unmergedLeaves, outside < 0 ? elsewhere : outside / 2].toSorted((a, b) => a - b)
    )
  }),
  "a leaf twice among the unmerged": aParent(
    (node) => withUnmerged(node, [...node.parent.unmergedLeaves.slice(0, 1), ...node.parent.unmergedLeaves]),
    (node) => node.parent.unmergedLeaves.length > 0
  ),
  "the unmerged in another order": aParent(
    (node) => withUnmerged(node, node.parent.unmergedLeaves.toReversed()),
    (node) => node.parent.unmergedLeaves.length > 1
  ),
  "a blank parent under another one": (tree, chance) => {
    const root = (tree.length - 1) / 2
    if (tree[root] === undefined) return undefined
    const inner = tree.flatMap((node, index) => (node?.nodeType === "parent" && index !== root ? [index] : []))
    const picked = pick(chance, inner)
    // Only of a chain that goes on to the root is a link missed.
    const node = picked === undefined ? undefined : tree[picked]
    const isLinked = node?.nodeType === "parent" && node.parent.parentHash.length > 0
    return picked === undefined || !isLinked ? undefined : replaced(tree, picked, undefined)
  }
}

/** Ada's group at so many times of its growing, each with some leaves unmerged. */
export const growing = Effect.fnUntraced(function* (seed: number, count: number) {
  const chance = new Chance(seed)
  let ada = yield* create(yield* deviceOf("ada"), groupId)
  let others: ReadonlyArray<{ readonly device: Device; readonly group: Group }> = []
  const grown: Array<Group> = []
  for (let index = 0; grown.length < count; index++) {
    const devices = yield* Effect.forEach([0, 1, 2].slice(0, chance.between(1, 3)), (at) => deviceOf(`u${index}.${at}`))
    const packages = yield* Effect.forEach(devices, packageOf)
    const leaving = others.length > 7 ? others.filter(() => chance.is(0.5)) : []
    const staying = others.filter((member) => !leaving.includes(member))
    const { pending } = yield* commit(ada, {
      adds: packages.map(({ read }) => read),
      removes: leaving.map(({ device }) => device.identity)
    })
    const { welcome = new Uint8Array(0) } = pending
    const followed = yield* Effect.forEach(staying, ({ device, group }) =>
      Effect.map(following(group, pending.bytes), (group) => ({ device, group }))
    )
    const joined = yield* Effect.forEach(devices, (device, at) => {
      const privateBytes = packages[at]?.own.privateBytes ?? new Uint8Array(0)
      return Effect.map(join(device, { groupId, welcome, privateBytes }, trustingAll), ({ group }) => ({
        device,
        group
      }))
    })
    others = [...followed, ...joined]
    ada = pending.next
    // Somebody else gives new keys to the nodes above them; then a device is added to those nodes.
    const by = pick(chance, others)
    if (by !== undefined && chance.is(0.7)) {
      const { pending } = yield* commit(by.group, {})
      ada = yield* following(ada, pending.bytes)
      others = yield* Effect.forEach(others, (member) =>
        member === by
          ? Effect.succeed({ device: by.device, group: pending.next })
          : Effect.map(following(member.group, pending.bytes), (group) => ({ device: member.device, group }))
      )
    }
    if (membersOf(ada).length > 3) grown.push(ada)
  }
  return grown
})

/** What else Ada may say in a welcome. */
interface Lies {
  readonly epoch?: bigint
  readonly extensions?: Array<Extension>
  readonly pathSecret?: Uint8Array
}

/**
 * What becomes of a device that Ada adds with another tree than hers. She makes up the epoch: whoever welcomes can, and the
 * library's own way of adding would look at some of it.
 */
export const joinWith = Effect.fnUntraced(function* (group: Group, tampered: RatchetTree, lies: Lies = {}) {
  const cs = yield* suite
  const device = yield* deviceOf("newcomer")
  const { own, read } = yield* packageOf(device)
  const [tree] = addLeafNode(tampered, read.mls.leafNode)
  const { groupContext } = group.state
  const treeHash = yield* Effect.promise(() => treeHashRoot(tree, cs.hash))
  const context = { ...groupContext, epoch: lies.epoch ?? groupContext.epoch + 1n, treeHash }
  const joinerSecret = cs.rng.randomBytes(cs.kdf.size)
  const noSecret = new Uint8Array(cs.kdf.size)
  const [schedule] = yield* Effect.promise(() => deriveKeySchedule(joinerSecret, noSecret, context, cs.kdf))
  const tag = yield* Effect.promise(() =>
    createConfirmationTag(schedule.confirmationKey, context.confirmedTranscriptHash, cs.hash)
  )
  const state = withConfig(group, trusting(trustingAll))
  const info = yield* Effect.promise(() =>
    createGroupInfoWithRatchetTree(context, tag, state, tree, lies.extensions ?? [], cs)
  )
  const welcomeSecret = yield* Effect.promise(() => extractWelcomeSecret(joinerSecret, noSecret, cs.kdf))
  const encryptedGroupInfo = yield* Effect.promise(() => encryptGroupInfo(info, welcomeSecret, cs))
  const key = yield* Effect.promise(() => cs.hpke.importPublicKey(read.mls.initKey))
  const secrets = { joinerSecret, pathSecret: lies.pathSecret, psks: [] }
  const { ct, enc } = yield* Effect.promise(() => encryptGroupSecrets(key, encryptedGroupInfo, secrets, cs.hpke))
  const encryptedGroupSecrets = { kemOutput: enc, ciphertext: ct }
  const welcome = {
    cipherSuite: suiteName,
    secrets: [{ newMember: read.ref, encryptedGroupSecrets }],
    encryptedGroupInfo
  }
  const bytes = encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome })
  return yield* Effect.match(join(device, { groupId, welcome: bytes, privateBytes: own.privateBytes }, trustingAll), {
    onFailure: ({ _tag }) => _tag,
    onSuccess: () => "joined"
  })
})

/** How each kind of tampering came out, with `trees` of so many groups: outcome by outcome, and how often. */
export const tamperedJoins = Effect.fnUntraced(function* (seed: number, trees: number) {
  const outcomes: Record<string, Record<string, number>> = {}
  const chance = new Chance(seed)
  for (const group of yield* growing(seed, trees)) {
    for (const [kind, tamper] of [["nothing", (tree: RatchetTree) => tree] as const, ...Object.entries(tampers)]) {
      const tree = tamper(group.state.ratchetTree, chance)
      if (tree === undefined) continue
      const outcome = yield* joinWith(group, tree)
      const counts = (outcomes[kind] ??= {})
      counts[outcome] = (counts[outcome] ?? 0) + 1
    }
  }
  return outcomes
})

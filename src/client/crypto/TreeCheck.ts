/**
 * What is looked at in a tree beyond what the library does, after a join and after each commit: our own rules, and what
 * RFC 9420 asks of whoever takes a key from others (sections 7.3, 7.5, 12.4.2 and 12.4.3.1).
 */
import { Effect } from "effect"
import { Base64Url } from "effect/encoding"
import type { RatchetTree } from "ts-mls/ratchetTree.js"
import { Damaged } from "./CryptoError.ts"
import { type Group, maxDevices } from "./Group.ts"
import { identityIn, identityKey } from "./Identity.ts"
import { leafIssue } from "./KeyPackage.ts"
import { suite } from "./Suite.ts"

/** Fails with the rule that a group breaks. */
export const checkTree = Effect.fnUntraced(function* (group: Group) {
  const { groupContext, ratchetTree } = group.state
  const issue = groupContext.extensions.length > 0 ? "the group has extensions" : treeIssue(ratchetTree)
  if (issue !== undefined) return yield* new Damaged({ issue })
  yield* checkPrivateKeys(group)
})

const treeIssue = (tree: RatchetTree): string | undefined => {
  const identities = new Set<string>()
  const keys = new Set<string>()
  let devices = 0
  const isNew = (known: Set<string>, key: string) => known.size < known.add(key).size
  for (const node of tree) {
    if (node === undefined) continue
    // A key for encrypting stands in one node only, one for signing too.
    if (node.nodeType === "parent") {
      if (!isNew(keys, Base64Url.encode(node.parent.hpkePublicKey))) return "a key is in two places"
      continue
    }
    devices += 1
    const { leaf } = node
    const identity = identityIn(leaf.credential)
    if (identity === undefined) return "a device in it has no name of this server"
    if (!isNew(identities, identityKey(identity))) return "a device is in it twice"
    if (!isNew(keys, Base64Url.encode(leaf.hpkePublicKey))) return "a key is in two places"
    if (!isNew(keys, `signs ${Base64Url.encode(leaf.signaturePublicKey)}`)) return "two devices have one key"
    const issue = leafIssue(leaf)
    if (issue !== undefined) return issue
  }
  return devices > maxDevices ? `it has more than ${maxDevices} devices` : undefined
}

/**
 * Each private key belongs to the public one that all others see in its node. Otherwise a committer could give somebody keys
 * that nobody uses: nothing would be wrong until the next commit, which that member could not follow.
 */
const checkPrivateKeys = Effect.fnUntraced(function* ({ state }: Group) {
  const { hpke } = yield* suite
  for (const [index, privateKey] of Object.entries(state.privatePath.privateKeys)) {
    const node = state.ratchetTree[Number(index)]
    if (node === undefined) continue
    const expected = node.nodeType === "leaf" ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey
    const { x } = yield* Effect.tryPromise({
      try: () => hpke.importPrivateKey(privateKey).then((key) => crypto.subtle.exportKey("jwk", key)),
      catch: () => new Damaged({ issue: "a key in it is none" })
    })
    if (x !== Base64Url.encode(expected))
      return yield* new Damaged({ issue: "the keys given to this device are not its own" })
  }
})

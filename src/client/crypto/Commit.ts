/**
 * Changes of a group by this device (RFC 9420, sections 12.1, 12.4 and 12.4.1): devices added and removed, and new keys.
 *
 * A commit is pending until the server has put it into the log: `next` holds if and only if these very bytes come back first in
 * their epoch. Otherwise both are dropped, and `group` goes on with what came instead (see Apply.ts).
 */
import { Effect } from "effect"
import { createCommit } from "ts-mls/createCommit.js"
import { encodeMlsMessage } from "ts-mls/message.js"
import { consumeRatchet } from "ts-mls/secretTree.js"
import { leafToNodeIndex, toLeafIndex } from "ts-mls/treemath.js"
import { maxAuthenticatedBytes, maxSealedBytes } from "../../common/wire/SealedHeader.ts"
import { copyOf } from "./Bytes.ts"
import { AlreadyMember, CannotRemoveItself, Damaged, NotAMember, TooLarge, TooManyDevices } from "./CryptoError.ts"
import { type Group, groupOf, maxDevices, memberOf, membersOf, ownLeafOf, withConfig } from "./Group.ts"
import { type Identity, isSameIdentity } from "./Identity.ts"
import type { KeyPackage } from "./KeyPackage.ts"
import { suite } from "./Suite.ts"
import { trusting } from "./Trust.ts"

/** The welcome has something for each, and the server checks each. */
export const maxAdds = 8

export interface Change {
  readonly adds?: ReadonlyArray<KeyPackage>
  readonly removes?: ReadonlyArray<Identity>
  /** In the clear, but unchanged. */
  readonly authenticatedData?: Uint8Array
}

export interface PendingCommit {
  readonly bytes: Uint8Array
  /** The group once the commit is in the log. */
  readonly next: Group
  /** For all that are added, if any are. */
  readonly welcome: Uint8Array | undefined
}

/**
 * A commit of this change; of none, it renews this device's keys. `group` is the same group with the key used up that the commit
 * was sealed with: store it with the pending commit, so that another one in this epoch, should the server refuse this, has
 * another key.
 */
export const commit = Effect.fnUntraced(function* (group: Group, change: Change) {
  const { adds = [], authenticatedData = new Uint8Array(0), removes = [] } = change
  if (authenticatedData.length > maxAuthenticatedBytes) {
    return yield* new TooLarge({ bytes: authenticatedData.length, limit: maxAuthenticatedBytes })
  }
  if (adds.length > maxAdds) return yield* new TooManyDevices({ limit: maxAdds })
  const leaves = yield* Effect.forEach(removes, (identity) => leafToRemove(group, identity))
  for (const { identity } of adds) {
    const member = memberOf(group, identity)
    if (member !== undefined && !leaves.includes(member.leaf)) return yield* new AlreadyMember(identity)
    if (adds.filter((other) => isSameIdentity(other.identity, identity)).length > 1)
      return yield* new AlreadyMember(identity)
  }
  if (membersOf(group).length - new Set(leaves).size + adds.length > maxDevices) {
    return yield* new TooManyDevices({ limit: maxDevices })
  }

  const cs = yield* suite
  // Whom it adds was asked for when the packages were read.
  const trust = trusting(() => true)
  const proposals = [
    ...[...new Set(leaves)].map((removed) => ({ proposalType: "remove" as const, remove: { removed } })),
    ...adds.map(({ mls }) => ({ proposalType: "add" as const, add: { keyPackage: mls } }))
  ]
  const { commit, newState, welcome } = yield* trust.attempt(
    () =>
      createCommit(
        { state: withConfig(group, trust), cipherSuite: cs },
        { extraProposals: proposals, ratchetTreeExtension: true, authenticatedData: copyOf(authenticatedData) }
      ),
    () => new Damaged({ issue: "the change cannot be made" })
  )
  const bytes = yield* withinFrame(encodeMlsMessage(commit))
  const welcomeBytes =
    welcome && (yield* withinFrame(encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome })))
  const { newTree } = yield* Effect.promise(() =>
    consumeRatchet(group.state.secretTree, leafToNodeIndex(toLeafIndex(ownLeafOf(group))), "commit", cs)
  )
  const pending: PendingCommit = { bytes, next: groupOf(newState), welcome: welcomeBytes }
  return { group: groupOf({ ...group.state, secretTree: newTree }), pending }
})

const leafToRemove = Effect.fnUntraced(function* (group: Group, identity: Identity) {
  const member = memberOf(group, identity)
  if (member === undefined) return yield* new NotAMember(identity)
  if (member.leaf === ownLeafOf(group)) return yield* new CannotRemoveItself()
  return member.leaf
})

const withinFrame = (bytes: Uint8Array) =>
  bytes.length > maxSealedBytes ? new TooLarge({ bytes: bytes.length, limit: maxSealedBytes }) : Effect.succeed(bytes)

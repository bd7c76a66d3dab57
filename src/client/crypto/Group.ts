/**
 * A group as one device knows it (RFC 9420, section 8): a value. Whatever changes it gives another one; who goes on with the
 * old one seals twice with one key.
 *
 * Only what is needed to go on is in it: no keys of former epochs (the server takes nothing that was sealed before the newest
 * commit, so none can come), no proposals that wait (they come inside of commits alone), no private keys of nodes that are blank.
 */
import { Effect } from "effect"
import { createGroup, decodeGroupState, encodeGroupState, type GroupState } from "ts-mls/clientState.js"
import { copyOf, decodeAll, joinBytes } from "./Bytes.ts"
import { Damaged, StateUnreadable } from "./CryptoError.ts"
import type { Device } from "./Device.ts"
import { type Identity, identityIn, isSameIdentity } from "./Identity.ts"
import { makeKeyPackage, readPrivateKeys } from "./KeyPackage.ts"
import { suite } from "./Suite.ts"
import { trusting, trustingNobody } from "./Trust.ts"

/** As the server has it too. */
export const maxDevices = 100

export interface Group {
  /** `room/incarnation`. */
  readonly groupId: string
  readonly keyEpoch: number
  /** The library's own, for this folder alone. */
  readonly state: GroupState
}

export interface Member extends Identity {
  /** The place in the tree: what the group tells its members apart by. */
  readonly leaf: number
  readonly publicKey: Uint8Array
}

/** A group of this device alone. The next of an incarnation that was reset is made in the same way. */
export const create = Effect.fnUntraced(function* (device: Device, groupId: string) {
  const cs = yield* suite
  const { privateBytes } = yield* makeKeyPackage(device, "once")
  const keys = yield* Effect.orDie(readPrivateKeys(privateBytes))
  const privateKeys = {
    initPrivateKey: keys.initKey,
    hpkePrivateKey: keys.leafKey,
    signaturePrivateKey: copyOf(device.privateKey)
  }
  const id = new TextEncoder().encode(groupId)
  const { config } = trusting(trustingNobody)
  return groupOf(yield* Effect.promise(() => createGroup(id, keys.mls, privateKeys, [], cs, config)))
})

/** Without what nobody needs any more. The library drops none of it by itself. */
export const groupOf = (state: GroupState): Group => {
  const { groupContext, privatePath, ratchetTree } = state
  const held = Object.entries(privatePath.privateKeys).filter(([node]) => ratchetTree[Number(node)] !== undefined)
  return {
    groupId: new TextDecoder().decode(groupContext.groupId),
    keyEpoch: Number(groupContext.epoch),
    state: {
      groupContext,
      keySchedule: state.keySchedule,
      secretTree: state.secretTree,
      ratchetTree,
      privatePath: { leafIndex: privatePath.leafIndex, privateKeys: Object.fromEntries(held) },
      signaturePrivateKey: state.signaturePrivateKey,
      unappliedProposals: {},
      confirmationTag: state.confirmationTag,
      historicalReceiverData: new Map(),
      groupActiveState: state.groupActiveState
    }
  }
}

const version = 1

/** What to keep of it, secrets included: to be sealed by who stores it. The format is the library's, behind a version. */
export const encodeGroup = ({ state }: Group): Uint8Array => joinBytes(Uint8Array.of(version), encodeGroupState(state))

/** The group that was kept; fails if another version kept it. */
export const decodeGroup = Effect.fnUntraced(function* (bytes: Uint8Array) {
  if (bytes[0] !== version) return yield* new StateUnreadable({ issue: `they are of version ${bytes[0] ?? "none"}` })
  const state = decodeAll(decodeGroupState, bytes.subarray(1))
  if (state === undefined) return yield* new StateUnreadable({ issue: "they are damaged" })
  return groupOf(state)
})

/** Who is in, as the tree says, which all members have agreed on. */
export const membersOf = ({ state }: Group): ReadonlyArray<Member> =>
  state.ratchetTree.flatMap((node, index) => {
    if (node?.nodeType !== "leaf") return []
    const identity = identityIn(node.leaf.credential)
    return identity === undefined
      ? []
      : [{ ...identity, leaf: index / 2, publicKey: copyOf(node.leaf.signaturePublicKey) }]
  })

export const memberAt = (group: Group, leaf: number): Member | undefined =>
  membersOf(group).find((member) => member.leaf === leaf)

export const memberOf = (group: Group, identity: Identity): Member | undefined =>
  membersOf(group).find((member) => isSameIdentity(member, identity))

/** The place of this device. */
export const ownLeafOf = ({ state }: Group): number => state.privatePath.leafIndex

/** 32 bytes that are equal for two members if and only if they agree on everything so far (section 8.7). */
export const authenticatorOf = ({ state }: Group): Uint8Array => copyOf(state.keySchedule.epochAuthenticator)

/** The library's state under the settings of one operation. */
export const withConfig = ({ state }: Group, { config }: ReturnType<typeof trusting>) => ({
  ...state,
  clientConfig: config
})

/** For what only a group that is broken lacks. */
export const missing = (what: string) => new Damaged({ issue: `${what} is missing` })

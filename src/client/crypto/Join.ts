/** Joining by a welcome (RFC 9420, section 12.4.3.1): the whole tree is verified, and everybody in it asked for. */
import { Effect } from "effect"
import { joinGroup } from "ts-mls/clientState.js"
import type { GroupInfo } from "ts-mls/groupInfo.js"
import { decodeMlsMessage } from "ts-mls/message.js"
import { emptyPskIndex } from "ts-mls/pskIndex.js"
import { decodeRatchetTree } from "ts-mls/ratchetTree.js"
import { decryptGroupInfo, decryptGroupSecrets, type Welcome } from "ts-mls/welcome.js"
import { maxSealedBytes } from "../../common/wire/SealedHeader.ts"
import { areEqual, copyOf, decodeAll } from "./Bytes.ts"
import { Damaged, NotForThisGroup, NotInvited, StateUnreadable, TooLarge } from "./CryptoError.ts"
import type { Device } from "./Device.ts"
import { groupOf } from "./Group.ts"
import { identityIn, isSameIdentity } from "./Identity.ts"
import { type PrivateKeys, readPrivateKeys } from "./KeyPackage.ts"
import { suite } from "./Suite.ts"
import { checkTree } from "./TreeCheck.ts"
import { type IsTrusted, trusting } from "./Trust.ts"

export interface Invitation {
  /** What the server says the welcome is for: `room/incarnation`. */
  readonly groupId: string
  readonly welcome: Uint8Array
  /** Of the key package that it answers; of several, try each: the wrong ones fail with NotInvited. */
  readonly privateBytes: Uint8Array
}

/**
 * The group that a welcome invites into. `isSpent`: whether the key package's private half is to be deleted with storing the
 * group, since it was for once.
 */
export const join = Effect.fnUntraced(function* (device: Device, invitation: Invitation, isTrusted: IsTrusted) {
  const { groupId, privateBytes, welcome: bytes } = invitation
  if (bytes.length > maxSealedBytes) return yield* new TooLarge({ bytes: bytes.length, limit: maxSealedBytes })
  const message = decodeAll(decodeMlsMessage, bytes)
  if (message?.wireformat !== "mls_welcome") return yield* new Damaged({ issue: "it is no welcome" })
  const { welcome } = message
  const keys = yield* readPrivateKeys(privateBytes)
  const identity = identityIn(keys.mls.leafNode.credential)
  const isOwn = identity !== undefined && isSameIdentity(identity, device.identity)
  if (!isOwn || !areEqual(keys.mls.leafNode.signaturePublicKey, device.publicKey)) {
    return yield* new StateUnreadable({ issue: "a key package is another device's" })
  }
  if (!welcome.secrets.some(({ newMember }) => areEqual(newMember, keys.ref))) return yield* new NotInvited()

  const info = yield* readGroupInfo(welcome, keys)
  if (!areEqual(info.groupId, new TextEncoder().encode(groupId))) {
    return yield* new NotForThisGroup({ groupId: new TextDecoder().decode(info.groupId) })
  }
  if (info.issue !== undefined) return yield* new Damaged({ issue: info.issue })

  const cs = yield* suite
  const trust = trusting(isTrusted)
  const privateKeys = {
    initPrivateKey: keys.initKey,
    hpkePrivateKey: keys.leafKey,
    signaturePrivateKey: copyOf(device.privateKey)
  }
  const state = yield* trust.attempt(
    () => joinGroup(welcome, keys.mls, privateKeys, emptyPskIndex, cs, undefined, undefined, trust.config),
    () => new Damaged({ issue: "the group that this welcome describes does not hold together" })
  )
  const group = groupOf(state)
  yield* checkTree(group)
  return { group, isSpent: keys.kind === "once" }
})

/**
 * What the welcome is about, before anything of it is verified: verifying takes a time that grows with the square of the tree,
 * and anybody may welcome, to a tree of 40,000 blank nodes too.
 */
const readGroupInfo = Effect.fnUntraced(function* (welcome: Welcome, { initKey, ref }: PrivateKeys) {
  const cs = yield* suite
  const damaged = () => new Damaged({ issue: "the welcome does not open with this device's keys" })
  const attempt = <A>(step: () => Promise<A>) => Effect.tryPromise({ try: step, catch: damaged })
  const key = yield* attempt(() => cs.hpke.importPrivateKey(initKey))
  const secrets = yield* attempt(() => decryptGroupSecrets(key, ref, welcome, cs.hpke))
  if (secrets === undefined || secrets.psks.length > 0) return yield* damaged()
  const noSecret = new Uint8Array(cs.kdf.size)
  const info = yield* attempt(() => decryptGroupInfo(welcome, secrets.joinerSecret, noSecret, cs))
  if (info === undefined) return yield* damaged()
  return { groupId: info.groupContext.groupId, issue: groupInfoIssue(info) }
})

const groupInfoIssue = ({ extensions, groupContext }: GroupInfo): string | undefined => {
  if (groupContext.epoch > BigInt(Number.MAX_SAFE_INTEGER)) return "its epoch is none"
  const [only, ...others] = extensions
  if (only?.extensionType !== "ratchet_tree" || others.length > 0) return "the welcome is not of a tree alone"
  const tree = decodeAll(decodeRatchetTree, only.extensionData)
  if (tree === undefined) return "the tree is none"
  return tree.length > maxNodes ? "the tree is too wide" : undefined
}

/** Leaves are taken from the left, so that a hundred need a tree of 128; between them stand the parents. */
const maxNodes = 2 * 128 - 1

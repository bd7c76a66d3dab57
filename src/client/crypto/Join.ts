/** Joining by a welcome (RFC 9420, section 12.4.3.1): the whole tree is verified, and everybody in it asked for. */
import { Effect } from "effect"
import { joinGroupWithExtensions } from "ts-mls/clientState.js"
import { decodeMlsMessage } from "ts-mls/message.js"
import { emptyPskIndex } from "ts-mls/pskIndex.js"
import { maxSealedBytes } from "../../common/wire/SealedHeader.ts"
import { areEqual, copyOf, decodeAll } from "./Bytes.ts"
import { Damaged, NotForThisGroup, NotInvited, StateUnreadable, TooLarge } from "./CryptoError.ts"
import type { Device } from "./Device.ts"
import { groupOf } from "./Group.ts"
import { identityIn, isSameIdentity } from "./Identity.ts"
import { readPrivateKeys } from "./KeyPackage.ts"
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

  const cs = yield* suite
  const trust = trusting(isTrusted)
  const privateKeys = {
    initPrivateKey: keys.initKey,
    hpkePrivateKey: keys.leafKey,
    signaturePrivateKey: copyOf(device.privateKey)
  }
  const [state, extensions] = yield* trust.attempt(
    () =>
      joinGroupWithExtensions(welcome, keys.mls, privateKeys, emptyPskIndex, cs, undefined, undefined, trust.config),
    () => new Damaged({ issue: "the group that this welcome describes does not hold together" })
  )
  if (extensions.some(({ extensionType }) => extensionType !== "ratchet_tree")) {
    return yield* new Damaged({ issue: "the welcome has extensions" })
  }
  const group = groupOf(state)
  if (group.groupId !== groupId) return yield* new NotForThisGroup({ groupId: group.groupId })
  if (group.keyEpoch > Number.MAX_SAFE_INTEGER) return yield* new Damaged({ issue: "its epoch is none" })
  yield* checkTree(group)
  return { group, isSpent: keys.kind === "once" }
})

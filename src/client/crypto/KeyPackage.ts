/**
 * Key packages (RFC 9420, section 10): what a device leaves with the server, so that others can add it while it is away.
 *
 * Each is for one group. The one of last resort is handed out when no other is left, perhaps more than once: its private half is
 * kept after a join. It is marked in the private half alone; nobody who adds a device needs to know, and an extension would be
 * one more thing that all members must be able to do.
 */
import { Clock, Duration, Effect } from "effect"
import { generateKeyPackageWithKey, type KeyPackage as MlsKeyPackage } from "ts-mls/keyPackage.js"
import { makeKeyPackageRef, verifyKeyPackage } from "ts-mls/keyPackage.js"
import { type LeafNode, verifyLeafNodeSignatureKeyPackage } from "ts-mls/leafNode.js"
import { decodeMlsMessage, encodeMlsMessage } from "ts-mls/message.js"
import { areEqual, copyOf, decodeAll, joinBytes } from "./Bytes.ts"
import { BadSignature, Damaged, KeyPackageExpired, StateUnreadable, TooLarge, Untrusted } from "./CryptoError.ts"
import type { Device } from "./Device.ts"
import { credentialOf, type Identity, identityIn } from "./Identity.ts"
import { areOurs, capabilities, keyBytes, suite, suiteName } from "./Suite.ts"
import type { IsTrusted } from "./Trust.ts"

/** How long one is good (section 7.2). A device that is away for longer cannot be added until it comes back. */
const lifetime = Duration.days(365)

/** Whether others are to be able to use it for half a year more: whoever is here once in that time can always be let in. */
export const isFresh = ({ mls }: PrivateKeys) =>
  Effect.map(
    Clock.currentTimeMillis,
    (now) => mls.leafNode.lifetime.notAfter > seconds(now + Duration.toMillis(lifetime) / 2)
  )

/** For clocks that are slow. */
const backdated = Duration.days(1)

/** No longer than the longest of ours. */
const maxLifetime = Duration.sum(lifetime, backdated)

/** Ours have about 330. */
const maxBytes = 2048

export interface OwnKeyPackage {
  /** An MLSMessage, for the server and whoever adds this device. */
  readonly publicBytes: Uint8Array
  /** For this device alone; to be deleted when a join with it is stored, unless it is of last resort. */
  readonly privateBytes: Uint8Array
  /** Names it in welcomes (section 5.2). */
  readonly ref: Uint8Array
}

/** Somebody's key package, verified: to be added with. */
export interface KeyPackage {
  readonly identity: Identity
  readonly publicKey: Uint8Array
  readonly ref: Uint8Array
  readonly mls: MlsKeyPackage
}

export interface PrivateKeys {
  readonly kind: "lastResort" | "once"
  readonly ref: Uint8Array
  readonly initKey: Uint8Array
  readonly leafKey: Uint8Array
  readonly mls: MlsKeyPackage
}

export const makeKeyPackage = Effect.fnUntraced(function* (device: Device, kind: "lastResort" | "once") {
  const cs = yield* suite
  const now = yield* Clock.currentTimeMillis
  const valid = {
    notBefore: seconds(now - Duration.toMillis(backdated)),
    notAfter: seconds(now + Duration.toMillis(lifetime))
  }
  const keys = { signKey: copyOf(device.privateKey), publicKey: copyOf(device.publicKey) }
  const { privatePackage, publicPackage } = yield* Effect.promise(() =>
    generateKeyPackageWithKey(credentialOf(device.identity), capabilities(), valid, [], keys, cs)
  )
  const publicBytes = encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage: publicPackage })
  const head = Uint8Array.of(version, kind === "once" ? 0 : 1)
  const privateBytes = joinBytes(head, privatePackage.initPrivateKey, privatePackage.hpkePrivateKey, publicBytes)
  const ref = yield* Effect.promise(() => makeKeyPackageRef(publicPackage, cs.hash))
  return { publicBytes, privateBytes, ref } satisfies OwnKeyPackage
})

const version = 1
const headBytes = 2

/** The private half as it was kept. */
export const readPrivateKeys = Effect.fnUntraced(function* (privateBytes: Uint8Array) {
  const cs = yield* suite
  const leafAt = headBytes + keyBytes
  const publicAt = leafAt + keyBytes
  const mls = publicIn(privateBytes.subarray(publicAt))
  if (privateBytes[0] !== version || mls === undefined) {
    return yield* new StateUnreadable({ issue: "a key package is of another version" })
  }
  const ref = yield* Effect.promise(() => makeKeyPackageRef(mls, cs.hash))
  return {
    kind: privateBytes[1] === 0 ? "once" : "lastResort",
    ref,
    initKey: copyOf(privateBytes.subarray(headBytes, leafAt)),
    leafKey: copyOf(privateBytes.subarray(leafAt, publicAt)),
    mls
  } satisfies PrivateKeys
})

/** Somebody's key package from the server: read, and verified as section 10.1 asks and our rules do. */
export const readKeyPackage = Effect.fnUntraced(function* (publicBytes: Uint8Array, isTrusted: IsTrusted) {
  if (publicBytes.length > maxBytes) return yield* new TooLarge({ bytes: publicBytes.length, limit: maxBytes })
  const mls = publicIn(publicBytes)
  const identity = mls && identityIn(mls.leafNode.credential)
  if (mls === undefined || identity === undefined) return yield* new Damaged({ issue: "it is no key package" })
  const issue = keyPackageIssue(mls)
  if (issue !== undefined) return yield* new Damaged({ issue })

  const now = yield* Clock.currentTimeMillis
  const { notAfter, notBefore } = mls.leafNode.lifetime
  const isDue = notBefore <= seconds(now) && seconds(now) <= notAfter
  if (!isDue || notAfter - notBefore > seconds(Duration.toMillis(maxLifetime))) {
    return yield* new KeyPackageExpired(identity)
  }

  const cs = yield* suite
  const signatures = yield* Effect.tryPromise({
    try: () =>
      Promise.all([verifyLeafNodeSignatureKeyPackage(mls.leafNode, cs.signature), verifyKeyPackage(mls, cs.signature)]),
    catch: () => new BadSignature(identity)
  })
  if (signatures.includes(false)) return yield* new BadSignature(identity)
  const publicKey = copyOf(mls.leafNode.signaturePublicKey)
  if (!isTrusted(identity, copyOf(publicKey))) return yield* new Untrusted(identity)
  const ref = yield* Effect.promise(() => makeKeyPackageRef(mls, cs.hash))
  return { identity, publicKey, ref, mls } satisfies KeyPackage
})

/** Which of our rules a key package breaks, its signatures, its lifetime and whom it names apart. */
export const keyPackageIssue = ({ cipherSuite, extensions, initKey, leafNode }: MlsKeyPackage): string | undefined => {
  if (cipherSuite !== suiteName) return "a key package is for another suite"
  if (extensions.length > 0) return "a key package has extensions"
  if (initKey.length !== keyBytes || areEqual(initKey, leafNode.hpkePublicKey))
    return "a key package has no key of its own"
  return leafIssue(leafNode)
}

/** Which of our rules a leaf breaks (section 7.3), its signature and whom it names apart. */
export const leafIssue = (leaf: LeafNode): string | undefined => {
  if (leaf.hpkePublicKey.length !== keyBytes || leaf.signaturePublicKey.length !== keyBytes)
    return "a key has no 32 bytes"
  if (!areOurs(leaf.capabilities)) return "a device claims to do something else"
  if (leaf.extensions.length > 0) return "a device has extensions"
  return undefined
}

/** The one spelling is asked for: the signatures are over what the library writes again. */
const publicIn = (bytes: Uint8Array): MlsKeyPackage | undefined => {
  const message = decodeAll(decodeMlsMessage, bytes)
  if (message?.wireformat !== "mls_key_package" || message.version !== "mls10") return undefined
  return areEqual(encodeMlsMessage(message), bytes) ? message.keyPackage : undefined
}

const seconds = (milliseconds: number): bigint => BigInt(Math.floor(milliseconds / 1000))

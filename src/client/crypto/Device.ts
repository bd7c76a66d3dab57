/**
 * A device's long-term key: an Ed25519 pair (RFC 8032) that signs its key packages, messages and commits, for as long as the
 * device is one. Both halves are 32 bytes, the private one the seed, as effect/crypto's Signature has them.
 */
import { Effect } from "effect"
import { copyOf } from "./Bytes.ts"
import type { Identity } from "./Identity.ts"
import { keyBytes, suite } from "./Suite.ts"

export interface Device {
  readonly identity: Identity
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
}

/** A new key for a device that has none. */
export const makeDevice = Effect.fnUntraced(function* (identity: Identity) {
  const { signature } = yield* suite
  const { publicKey, signKey } = yield* Effect.promise(() => signature.keygen())
  // The library gives PKCS #8, which ends with the seed (RFC 8410, section 7).
  return { identity, publicKey, privateKey: copyOf(signKey.subarray(-keyBytes)) } satisfies Device
})

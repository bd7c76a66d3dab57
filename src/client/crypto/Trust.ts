/**
 * The authentication service (RFC 9420, section 5.3.1) as a function of the caller's, and the settings under which the library
 * works, none of which are its own defaults.
 */
import { Effect } from "effect"
import type { ClientConfig } from "ts-mls/clientConfig.js"
import { areEqual, copyOf } from "./Bytes.ts"
import { Damaged, Untrusted } from "./CryptoError.ts"
import { type Identity, identityIn } from "./Identity.ts"

/** Whether this public key is the one of this device of this user. Asked for every leaf that joins, and for all on joining. */
export type IsTrusted = (identity: Identity, publicKey: Uint8Array) => boolean

/**
 * How far a ratchet goes. The server keeps one order, so that messages come as they were sent: what is skipped was lost on
 * purpose, deleted, or said by who was blocked. 10 keys are kept for what is skipped, 200 steps are taken at once (each a hash: about
 * 20 ms in all), and as many more as the log has places for (`farthest`).
 */
export const retention = {
  retainKeysForGenerations: 10,
  // Nothing is accepted from before the newest commit, so nothing of it is kept (see Group.ts). Not 0, which the library
  // takes for all.
  retainKeysForEpochs: 1,
  maximumForwardRatchetSteps: 200
}

/**
 * The most steps for one message, about two seconds. Each generation of an honest device stands at a place of its own in the log, so
 * that whoever skips many has to have said as much.
 */
export const farthest = 20_000

/** The library's settings for one operation, and whom the caller did not trust in it. */
export const trusting = (isTrusted: IsTrusted) => {
  let refusal: Untrusted | Damaged | undefined
  const validate = (identity: Identity | undefined, publicKey: Uint8Array): boolean => {
    if (identity !== undefined && isTrusted(identity, copyOf(publicKey))) return true
    refusal ??=
      identity === undefined
        ? new Damaged({ issue: "a device in it has no name of this server" })
        : new Untrusted(identity)
    return false
  }
  const config: ClientConfig = {
    keyRetentionConfig: retention,
    // Of packages that come in commits and trees the lifetime was looked at by who added them, perhaps long ago.
    lifetimeConfig: { maximumTotalLifetime: 0n, validateLifetimeOnReceive: false },
    keyPackageEqualityConfig: {
      compareKeyPackages: (one, other) => areEqual(one.leafNode.signaturePublicKey, other.leafNode.signaturePublicKey),
      compareKeyPackageToLeafNode: (one, leaf) => areEqual(one.leafNode.signaturePublicKey, leaf.signaturePublicKey)
    },
    paddingConfig: { kind: "padUntilLength", padUntilLength: 0 },
    authService: {
      validateCredential: (credential, publicKey) => Promise.resolve(validate(identityIn(credential), publicKey))
    }
  }
  return {
    config,
    /** Runs a step of the library's: it fails with the caller's refusal, if there was one, or else as `otherwise` says. */
    attempt: <A, E>(
      step: () => Promise<A>,
      otherwise: (cause: unknown) => E
    ): Effect.Effect<A, E | Untrusted | Damaged> =>
      Effect.tryPromise({ try: step, catch: (cause) => refusal ?? otherwise(cause) })
  }
}

/** Where nobody new is met. */
export const trustingNobody: IsTrusted = () => false

/**
 * The one cipher suite and what a device says that it can do (RFC 9420, sections 5.1 and 7.2).
 *
 * Suite 1: X25519, AES-128-GCM, SHA-256, Ed25519, all from the platform's Web Crypto. The library is loaded by the paths of its
 * files: its index also loads packages that nobody declares.
 */
import { Effect } from "effect"
import type { Capabilities } from "ts-mls/capabilities.js"
import { type CiphersuiteImpl, type CiphersuiteName, getCiphersuiteFromName } from "ts-mls/crypto/ciphersuite.js"
import { getCiphersuiteImpl } from "ts-mls/crypto/getCiphersuiteImpl.js"

export const suiteName: CiphersuiteName = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"

/** Of an Ed25519 public key or seed, and of an X25519 key of either kind. */
export const keyBytes = 32

let made: Promise<CiphersuiteImpl> | undefined

/** Made once for the process; it keeps no secrets. */
export const suite = Effect.promise(() => (made ??= getCiphersuiteImpl(getCiphersuiteFromName(suiteName))))

/** This version, this suite, basic credentials; nothing beyond what RFC 9420 makes everybody know. */
export const capabilities = (): Capabilities => ({
  versions: ["mls10"],
  ciphersuites: [suiteName],
  extensions: [],
  proposals: [],
  credentials: ["basic"]
})

/** Whether somebody says the same; everybody here runs the same rules, and a list with more is a way to split a group. */
export const areOurs = (claimed: Capabilities): boolean =>
  isJust(claimed.versions, "mls10") &&
  isJust(claimed.ciphersuites, suiteName) &&
  isJust(claimed.credentials, "basic") &&
  claimed.extensions.length === 0 &&
  claimed.proposals.length === 0

const isJust = <A>(list: ReadonlyArray<A>, only: A): boolean => list.length === 1 && list[0] === only

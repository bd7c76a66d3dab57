/**
 * What a server can say again, and is known by its hashes. Pure.
 *
 * What this device has sealed in a key epoch, by its hashes: what of it comes from the log and is not awaited was repeated by the
 * server, or refused and kept all the same. Without them it would look as if a copy of the device's keys had sealed it.
 *
 * Which keys it was let into by its package of last resort: a welcome to them opens again, also where the server says that the room was
 * made anew, and would have the same keys used twice.
 *
 * Bounds: the newest 256 hashes of what was sealed, of 9 bytes each; what is older in one key epoch is taken for a copy's. The
 * newest 64 of what was joined.
 */
import { createHash } from "node:crypto"
import type { KeptMore } from "./Kept.ts"

const maxNoted = 256
const maxJoined = 64
const hashBytes = 9

const hashOf = (data: Uint8Array): string =>
  createHash("sha256").update(data).digest().subarray(0, hashBytes).toString("base64")

/** With what was just sealed. */
export const noted = (more: KeptMore, data: Uint8Array): KeptMore => ({
  ...more,
  sealed: [...(more.sealed ?? []), hashOf(data)].slice(-maxNoted)
})

export const isNoted = ({ sealed = [] }: KeptMore, data: Uint8Array): boolean => sealed.includes(hashOf(data))

/** With the keys of this authenticator (RFC 9420, section 8.7) among those that were joined. */
export const withJoined = (more: KeptMore, authenticator: Uint8Array): KeptMore => ({
  ...more,
  joined: [...(more.joined ?? []), hashOf(authenticator)].slice(-maxJoined)
})

export const wasJoined = ({ joined = [] }: KeptMore, authenticator: Uint8Array): boolean =>
  joined.includes(hashOf(authenticator))

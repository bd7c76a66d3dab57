/**
 * What this device has sealed in a key epoch, by its hashes: what of it comes from the log and is not awaited was repeated by the
 * server, or refused and kept all the same. Without them it would look as if a copy of the device's keys had sealed it. Pure.
 *
 * Bounds: the newest 256 hashes, of 9 bytes each; what is older in one key epoch is taken for a copy's.
 */
import { createHash } from "node:crypto"
import type { KeptMore } from "./Kept.ts"

const maxNoted = 256
const hashBytes = 9

const hashOf = (data: Uint8Array): string =>
  createHash("sha256").update(data).digest().subarray(0, hashBytes).toString("base64")

/** With what was just sealed. */
export const noted = (more: KeptMore, data: Uint8Array): KeptMore => ({
  ...more,
  sealed: [...(more.sealed ?? []), hashOf(data)].slice(-maxNoted)
})

export const isNoted = ({ sealed = [] }: KeptMore, data: Uint8Array): boolean => sealed.includes(hashOf(data))

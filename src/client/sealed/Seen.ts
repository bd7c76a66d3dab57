/**
 * What was read of a key epoch, as a chain of hashes: H0 is the epoch's authenticator (RFC 9420, section 8.7), and with each sealed
 * message of the log Hn = SHA-256(Hn-1 || SHA-256(data)). Two members who have read the same have the same; who says another hash
 * for a place that one has read oneself was shown something else by the server, or one was oneself. Pure.
 *
 * Bounds: the newest 64 hashes are kept; who is further behind is not compared.
 */
import { createHash } from "node:crypto"
import { Schema } from "effect"
import type { Seen } from "./Payload.ts"

export const Reading = Schema.Struct({
  keyEpoch: Schema.Natural,
  n: Schema.Natural,
  /** The newest last. */
  hashes: Schema.Array(Schema.String)
})
export type Reading = typeof Reading.Type

const maxHashes = 64

const sha256 = (...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const begin = (keyEpoch: number, authenticator: Uint8Array): Reading => ({
  keyEpoch,
  n: 0,
  hashes: [Buffer.from(authenticator).toString("base64")]
})

/** With one more message. */
export const read = ({ hashes, keyEpoch, n }: Reading, data: Uint8Array): Reading => {
  const last = Buffer.from(hashes.at(-1) ?? "", "base64")
  return { keyEpoch, n: n + 1, hashes: [...hashes, sha256(last, sha256(data)).toString("base64")].slice(-maxHashes) }
}

export const seenOf = ({ hashes, keyEpoch, n }: Reading): Seen => ({ keyEpoch, n, hash: hashes.at(-1) ?? "" })

/** Whether what somebody says to have seen is something else than what was read here. */
export const differs = ({ hashes, keyEpoch, n }: Reading, seen: Seen): boolean => {
  if (seen.keyEpoch !== keyEpoch) return false
  // Nobody has read more of what is in one order than was there when it was sealed: before this message itself.
  if (seen.n > n) return true
  const own = hashes[hashes.length - 1 - (n - seen.n)]
  return own !== undefined && own !== seen.hash
}

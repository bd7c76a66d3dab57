/**
 * How a password's hash is written down: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, the PHC string format, with the
 * parameters it was made with, so that they can be raised later and old hashes still be checked.
 *
 * Only what this server could have written is read: one spelling, and parameters within bounds. A damaged row cannot make a
 * login take gigabytes or minutes: what is read costs at most 128 MiB and 35 times as long as a login takes today.
 */
import { Redacted, Result } from "effect"
import { Base64 } from "effect/encoding"

/** What a hash costs to make, whoever makes it. */
export interface HashCost {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

export interface PasswordHash extends HashCost {
  readonly salt: Uint8Array
  readonly hash: Redacted.Redacted<Uint8Array>
}

const maxMemoryKib = 128 * 1024
const maxPasses = 10
const maxLanes = 4

/** Argon2 (RFC 9106, section 3.1) has no less for each lane. */
const minMemoryKibOfLane = 8

const minSaltBytes = 8
const minHashBytes = 16

/** Of salt and hash, 64 bytes are 86 characters. */
const format =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,5}),t=([1-9]\d?),p=([1-9])\$([A-Za-z0-9+/]{1,86})\$([A-Za-z0-9+/]{1,86})$/

/** The hash that was written so; undefined if it is none of ours. */
export const parsePhcString = (text: string): PasswordHash | undefined => {
  const [, memory, passes, lanes, salt, hash] = format.exec(text) ?? []
  const cost = { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) }
  const saltBytes = decode(salt ?? "", minSaltBytes)
  const hashBytes = decode(hash ?? "", minHashBytes)
  if (!isAffordable(cost) || saltBytes === undefined || hashBytes === undefined) return undefined
  return { ...cost, salt: saltBytes, hash: Redacted.make(hashBytes) }
}

export const formatPhcString = ({ hash, lanes, memoryKib, passes, salt }: PasswordHash): string =>
  `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${encode(salt)}$${encode(Redacted.value(hash))}`

const isAffordable = ({ lanes, memoryKib, passes }: HashCost): boolean =>
  memoryKib >= minMemoryKibOfLane * lanes && memoryKib <= maxMemoryKib && passes <= maxPasses && lanes <= maxLanes

/** Base64 without padding. */
const encode = (bytes: Uint8Array): string => Base64.encode(bytes).replaceAll("=", "")

/** None if there are too few bytes, or if it is not how these bytes are written: the last character has spare bits. */
const decode = (text: string, minimum: number): Uint8Array | undefined => {
  const bytes = Result.getOrUndefined(Base64.decode(text.padEnd(Math.ceil(text.length / 4) * 4, "=")))
  if (bytes === undefined || bytes.length < minimum) return undefined
  return encode(bytes) === text ? bytes : undefined
}

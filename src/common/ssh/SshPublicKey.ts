/**
 * A public key as OpenSSH writes it into a `.pub` file: `ssh-ed25519 AAAA… comment`. Ed25519 (RFC 8709), ECDSA on the three
 * NIST curves (RFC 5656) and RSA of 2048 to 8192 bits (RFC 4253, section 6.6); keys on a security token are others.
 *
 * One key has one spelling: whatever could be left out, added or written in another way is refused. Whether a point is on its
 * curve is seen when something signed with it is checked (see SshVerify).
 */
import { Effect, Result } from "effect"
import { Digest } from "effect/crypto"
import { Base64 } from "effect/encoding"
import { SshReader } from "./SshWire.ts"

interface AnyKey {
  /** The key itself, which is what the base64 holds. */
  readonly blob: Uint8Array
  /** What its owner calls it, of printable characters; may be empty. */
  readonly comment: string
}

interface Ed25519Key extends AnyKey {
  readonly kind: "ssh-ed25519"
  readonly point: Uint8Array
}

export interface EcdsaKey extends AnyKey {
  readonly kind: "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521"
  /** Uncompressed: 4, and both coordinates. */
  readonly point: Uint8Array
}

export interface RsaKey extends AnyKey {
  readonly kind: "ssh-rsa"
  readonly exponent: Uint8Array
  readonly modulus: Uint8Array
}

export type SshPublicKey = Ed25519Key | EcdsaKey | RsaKey

/** A key of 8192 bits takes 1,416 characters; the rest is for comments. */
const maxCharacters = 4096

const ed25519Bytes = 32
const minModulusBits = 2048
const maxModulusBits = 8192

/** 65537 nearly always. A large one would make checking slow. */
const maxExponentBytes = 4

/** How many bytes a coordinate has. */
export const coordinateBytes: Readonly<Record<EcdsaKey["kind"], number>> = {
  "ecdsa-sha2-nistp256": 32,
  "ecdsa-sha2-nistp384": 48,
  "ecdsa-sha2-nistp521": 66
}

/** The key of a line, with or without a newline behind it; undefined if it is none of those named above. */
export const parseSshPublicKey = (text: string): SshPublicKey | undefined => {
  if (text.length > maxCharacters) return undefined
  const [kind = "", base64 = "", ...words] = text.trim().split(/[ \t]+/)
  const comment = words.join(" ")
  const blob = Result.getOrUndefined(Base64.decode(base64))
  if (blob === undefined || Base64.encode(blob) !== base64 || /\p{Cc}/u.test(comment)) return undefined
  const reader = new SshReader(blob)
  if (reader.name() !== kind) return undefined
  const key = read(kind, reader, { blob, comment })
  return reader.isDone() ? key : undefined
}

/** The line of a key, without its comment. */
export const formatSshPublicKey = ({ blob, kind }: SshPublicKey): string => `${kind} ${Base64.encode(blob)}`

/** What people compare keys by, as `ssh-keygen -l` prints it: `SHA256:` and 43 characters. */
export const fingerprintOf = Effect.fnUntraced(function* ({ blob }: SshPublicKey) {
  const digest = yield* Digest.Digest
  return `SHA256:${Base64.encode(yield* digest.digest(Digest.sha256, blob)).replaceAll("=", "")}`
})

const read = (kind: string, reader: SshReader, any: AnyKey): SshPublicKey | undefined => {
  switch (kind) {
    case "ssh-ed25519": {
      const point = reader.string()
      return point.length === ed25519Bytes ? { ...any, kind, point } : undefined
    }
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521": {
      const curve = reader.name()
      const point = reader.string()
      const isPoint = point.length === 1 + 2 * coordinateBytes[kind] && point[0] === 4
      return `ecdsa-sha2-${curve}` === kind && isPoint ? { ...any, kind, point } : undefined
    }
    case "ssh-rsa": {
      const exponent = reader.positive()
      const modulus = reader.positive()
      return isRsa(exponent, modulus) ? { ...any, kind, exponent, modulus } : undefined
    }
    default:
      return undefined
  }
}

const isRsa = (exponent: Uint8Array, modulus: Uint8Array): boolean => {
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  const isLarge = bits >= minModulusBits && bits <= maxModulusBits
  const isUsable = exponent.length <= maxExponentBytes && !(exponent.length === 1 && exponent[0] === 1)
  return isLarge && isUsable && isOdd(exponent) && isOdd(modulus)
}

const isOdd = (number: Uint8Array): boolean => (number.at(-1) ?? 0) % 2 === 1

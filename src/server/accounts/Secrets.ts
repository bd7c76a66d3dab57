/**
 * Secrets that the server makes up, and what it keeps of them: their SHA-256, which gives nothing away, for they have so many
 * bits of chance (256 a token, 100 a code) that nobody finds them by trying. Passwords, which have few, are for `Passwords`.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { Context, Effect, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { Base64Url } from "effect/encoding"
import { SecretHash } from "./Account.ts"

const tokenBytes = 32
const nonceBytes = 32

/** Crockford's base32: no letter that is taken for a digit or another letter, and no U. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
const codeCharacters = 20
const groupCharacters = 4

export class Secrets extends Context.Service<
  Secrets,
  {
    /** What a device logs in with: 43 characters of base64url. */
    readonly token: Effect.Effect<Redacted.Redacted>
    /** What a person is given to type, once: `4gq7-x2mk-…`, five groups of four letters and digits. */
    readonly code: Effect.Effect<Redacted.Redacted>
    /** What is signed to prove that one has a key, just now. It is told to whoever asks, and no secret. */
    readonly nonce: Effect.Effect<string>
  }
>()("parley/server/accounts/Secrets") {
  static readonly layerWith: Layer.Layer<Secrets, never, SecureRandom.SecureRandom> = Layer.effect(
    Secrets,
    Effect.map(SecureRandom.SecureRandom, ({ randomBytes }) =>
      Secrets.of({
        token: Effect.map(randomBytes(tokenBytes), (bytes) => Redacted.make(Base64Url.encode(bytes))),
        code: Effect.map(randomBytes(codeCharacters), (bytes) => Redacted.make(grouped(base32(bytes)))),
        nonce: Effect.map(randomBytes(nonceBytes), (bytes) => Base64Url.encode(bytes))
      })
    )
  )

  static readonly layer: Layer.Layer<Secrets> = Secrets.layerWith.pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

/** What is kept of a secret, and by which it is found again. */
export const hashOf = (secret: Redacted.Redacted): SecretHash =>
  SecretHash.make(createHash("sha256").update(Redacted.value(secret)).digest("hex"))

/** The same of a code, however it was typed. What is no code has a hash that no code has. */
export const hashOfCode = (typed: Redacted.Redacted): SecretHash => hashOf(codeFrom(typed) ?? typed)

/**
 * A code as it was made, from how somebody typed it: in capitals, in other groups or none, with `o` for 0 and `i` or `l` for 1.
 * Undefined if it is no code.
 */
export const codeFrom = (typed: Redacted.Redacted): Redacted.Redacted | undefined => {
  const text = Redacted.value(typed)
  if (text.length > maxTypedCharacters) return undefined
  const characters = text.toLowerCase().replaceAll(/[\s-]/g, "").replaceAll("o", "0").replaceAll(/[il]/g, "1")
  return isCode.test(characters) ? Redacted.make(grouped(characters)) : undefined
}

const maxTypedCharacters = 100
const isCode = new RegExp(`^[${alphabet}]{${codeCharacters}}$`)

/** Whether two are the same, in a time that does not say where they differ. */
export const areEqual = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other)

/** One character for each byte, of which five bits count. */
const base32 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => alphabet[byte % 32]).join("")

const grouped = (characters: string): string =>
  Array.from({ length: characters.length / groupCharacters }, (_, index) =>
    characters.slice(index * groupCharacters, (index + 1) * groupCharacters)
  ).join("-")

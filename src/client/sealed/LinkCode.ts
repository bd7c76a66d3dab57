/**
 * The code by which a device of an account signs another one in: shown on the first, typed on the second.
 *
 * It is a secret of 130 random bits, from which both derive the second device's key pair: the first signs the public half into the
 * account's list and forgets the rest. So nothing that the server says decides which key the new device has, and the code never
 * goes over the network. It is good for the one device that it was made for.
 */
import { Effect, Layer } from "effect"
import { Kdf, SecureRandom, Signature } from "effect/crypto"
import type { Device } from "../crypto/Device.ts"
import type { Identity } from "../crypto/Identity.ts"
import { identityKey } from "../crypto/Identity.ts"

/** Crockford's: without I, L, O and U, which people read as something else. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
const length = 26
const group = 4

const crypto = Layer.provideMerge(
  Layer.mergeAll(Signature.layerWebCrypto, Kdf.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

/** In groups, as it is shown. */
export const make = SecureRandom.SecureRandom.use(({ randomBytes }) => randomBytes(length)).pipe(
  Effect.map((bytes) => Array.from(bytes, (byte) => alphabet[byte & 31]).join("")),
  Effect.map((code) => code.replace(new RegExp(`(.{${group}})(?=.)`, "g"), "$1-")),
  Effect.provide(SecureRandom.layerWebCrypto),
  Effect.orDie
)

/** A code as people type it; undefined if it is none. */
const parse = (typed: string): string | undefined => {
  const code = typed.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1")
  return code.length === length && [...code].every((letter) => alphabet.includes(letter)) ? code : undefined
}

/** What a QR code has of it: as it is typed, without the hyphens, so that it stays as small as a safety number's. */
export const symbolsOf = (code: string): string => code.replaceAll("-", "")

/**
 * The device that this code makes, in the list that began with this root; undefined if it is no code. The root is in the keys: a
 * server that shows the new device a list of its own, with the new device in it, does not find it taken for the account's.
 */
export const deviceOf = Effect.fnUntraced(function* (
  identity: Identity,
  typed: string,
  root: string
): Effect.fn.Return<Device | undefined, never, Kdf.Kdf | Signature.Signature> {
  const code = parse(typed)
  if (code === undefined) return undefined
  return yield* Effect.gen(function* () {
    const utf8 = new TextEncoder()
    const kdf = yield* Kdf.Kdf
    const info = utf8.encode(JSON.stringify(["parley link 2", identityKey(identity), root]))
    const options = { salt: new Uint8Array(32), length: 32, info }
    const privateKey = yield* kdf.derive(Kdf.hkdfSha256, utf8.encode(code), options)
    const signing = yield* Signature.privateKey(Signature.ed25519, privateKey)
    const publicKey = yield* Signature.toBytes(yield* Signature.Signature.use((one) => one.publicKeyOf(signing)))
    return { identity, publicKey, privateKey }
  }).pipe(Effect.orDie)
}, Effect.provide(crypto))

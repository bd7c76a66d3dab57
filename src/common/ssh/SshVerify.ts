/**
 * Whether a text was signed with a key, for a purpose: by WebCrypto, in a browser as in Node.
 *
 * Each kind of key has its own algorithm, and RSA the two with SHA-2: what names another is wrong, and so is a signature that
 * names another key. Whatever the bytes, the answer is yes or no.
 */
import { Effect } from "effect"
import { type CryptoError, Digest, KeyFormat, Signature } from "effect/crypto"
import { Base64Url } from "effect/encoding"
import { coordinateBytes, type EcdsaKey, type RsaKey, type SshPublicKey } from "./SshPublicKey.ts"
import { parseSshSignature, signedBy, type SshSignature } from "./SshSignature.ts"
import { joined, SshReader } from "./SshWire.ts"

export interface Claim {
  readonly key: SshPublicKey
  readonly namespace: string
  readonly text: Uint8Array
  /** In armour. */
  readonly signature: string
}

/** Whether the claim is true. */
export const isSignedBy = Effect.fnUntraced(function* ({ key, namespace, signature, text }: Claim) {
  const parsed = parseSshSignature(signature)
  if (parsed === undefined || parsed.namespace !== namespace || !isSame(parsed.key, key.blob)) return false
  const digest = yield* Digest.Digest
  const hashed = yield* digest.digest(hashes[parsed.hash], text)
  return yield* verify(key, parsed, signedBy(parsed, hashed)).pipe(Effect.catch(whereKeyIsWrong))
})

const hashes = { sha256: Digest.sha256, sha512: Digest.sha512 }

/** A key that is none, such as a point beside its curve, has signed nothing. */
const whereKeyIsWrong = (error: CryptoError.CryptoError) =>
  error.reason._tag === "InvalidKey" ? Effect.succeed(false) : Effect.die(error)

const verify = Effect.fnUntraced(function* (key: SshPublicKey, { algorithm, value }: SshSignature, signed: Uint8Array) {
  const signatures = yield* Signature.Signature
  switch (key.kind) {
    case "ssh-ed25519": {
      if (algorithm !== key.kind) return false
      return yield* signatures.verify(yield* Signature.publicKey(Signature.ed25519, key.point), value, signed)
    }
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521": {
      const numbers = ecdsaNumbers(key, value)
      if (algorithm !== key.kind || numbers === undefined) return false
      return yield* signatures.verify(yield* Signature.publicKey(curves[key.kind], key.point), numbers, signed)
    }
    case "ssh-rsa": {
      const hash = rsaHashes.get(algorithm)
      if (hash === undefined) return false
      return yield* signatures.verify(yield* rsaKey(key, hash), value, signed)
    }
  }
})

const curves = {
  "ecdsa-sha2-nistp256": Signature.ecdsaP256,
  "ecdsa-sha2-nistp384": Signature.ecdsaP384,
  "ecdsa-sha2-nistp521": Signature.ecdsaP521
}

/** Not `ssh-rsa` itself, which is with SHA-1. */
const rsaHashes: ReadonlyMap<string, Digest.Algorithm> = new Map([
  ["rsa-sha2-256", Digest.sha256],
  ["rsa-sha2-512", Digest.sha512]
])

const rsaKey = ({ exponent, modulus }: RsaKey, hash: Digest.Algorithm) =>
  KeyFormat.decodePublic(KeyFormat.jwk, Signature.rsaPkcs1v15({ hash, modulusLength: modulus.length * 8 }), {
    kty: "RSA",
    n: Base64Url.encode(modulus),
    e: Base64Url.encode(exponent)
  })

/** The two numbers of a signature, each as long as a coordinate, which is how WebCrypto wants them. */
const ecdsaNumbers = ({ kind }: EcdsaKey, value: Uint8Array): Uint8Array | undefined => {
  const reader = new SshReader(value)
  const r = reader.positive()
  const s = reader.positive()
  const length = coordinateBytes[kind]
  if (!reader.isDone() || r.length > length || s.length > length) return undefined
  return joined(new Uint8Array(length - r.length), r, new Uint8Array(length - s.length), s)
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index])

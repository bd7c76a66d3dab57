/**
 * Seals what is written to the state file, cell by cell: AES-256-GCM under one key, which comes from a key file or a passphrase.
 *
 * A cell is bound to its place (table, column and row), so that whoever can write to the file cannot exchange two of them. That a
 * whole file is put back as it once was cannot be seen here; the conversations show it (see Decision.ts).
 *
 * Bounds: nonces are random, of 96 bits, for fewer than 2^32 cells of one key (NIST SP 800-38D, section 8.3).
 */
import * as process from "node:process"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import { Aead, Kdf, SecureRandom } from "effect/crypto"
import { StateFailed, WrongKey } from "./StateError.ts"

export interface Safe {
  readonly seal: (place: string, plain: Uint8Array) => Effect.Effect<Uint8Array>
  readonly open: (place: string, sealed: Uint8Array) => Effect.Effect<Uint8Array, WrongKey>
}

/** Where the key comes from. */
export type KeySource =
  | { readonly _tag: "File"; readonly path: string }
  | { readonly _tag: "Passphrase"; readonly passphrase: Redacted.Redacted; readonly cost?: Kdf.Argon2id }

const keyBytes = 32
const nonceBytes = 12
export const saltBytes = 16

/** As OWASP advises for what is tried offline: 64 MiB, three passes. */
const cost = Kdf.argon2id({ memory: 65_536, passes: 3, parallelism: 1 })

const crypto = Layer.provideMerge(
  Layer.mergeAll(Aead.layerWebCrypto, NodeCrypto.layerKdf),
  NodeCrypto.layerSecureRandom
)

const utf8 = new TextEncoder()

/** `salt` is kept in the file; a key file needs none. */
export const make = Effect.fnUntraced(function* (path: string, source: KeySource, salt: Uint8Array) {
  const { randomBytes } = yield* SecureRandom.SecureRandom
  const aead = yield* Aead.Aead
  const bytes = yield* source._tag === "File" ? keyInFile(source.path) : derive(source, salt)
  const key = yield* Effect.orDie(Aead.key(Aead.aes256Gcm, bytes))
  const aad = (place: string) => utf8.encode(`parley state 1 ${place}`)
  const safe: Safe = {
    seal: (place, plain) =>
      Effect.gen(function* () {
        const nonce = yield* randomBytes(nonceBytes)
        const sealed = yield* aead.encrypt(key, plain, { nonce, aad: aad(place) })
        return Buffer.concat([nonce, sealed])
      }).pipe(Effect.orDie),
    open: (place, sealed) => {
      const nonce = sealed.subarray(0, nonceBytes)
      return Effect.mapError(
        aead.decrypt(key, sealed.subarray(nonceBytes), { nonce, aad: aad(place) }),
        () => new WrongKey({ path })
      )
    }
  }
  return safe
}, Effect.provide(crypto))

const derive = ({ cost: given = cost, passphrase }: Extract<KeySource, { _tag: "Passphrase" }>, salt: Uint8Array) =>
  Kdf.Kdf.use((kdf) =>
    Effect.orDie(
      kdf.derive(given, utf8.encode(Redacted.value(passphrase).normalize("NFC")), { salt, length: keyBytes })
    )
  )

/** The key in this file. */
const keyInFile = Effect.fnUntraced(
  function* (path: string) {
    const files = yield* FileSystem.FileSystem
    const bytes = yield* files.readFile(path)
    return bytes.length === keyBytes ? bytes : yield* new StateFailed({ path, issue: "this is no key file" })
  },
  (reading, path) =>
    Effect.catchTag(reading, "PlatformError", ({ message }) => Effect.fail(new StateFailed({ path, issue: message })))
)

/**
 * Makes the key file, readable to its owner alone, where there is none: whole and on the disk under its name, or not at all, and
 * never over one that another program has made meanwhile.
 */
export const makeKeyFile = Effect.fnUntraced(
  function* (path: string) {
    const files = yield* FileSystem.FileSystem
    if (yield* files.exists(path)) return
    const made = yield* Effect.orDie((yield* SecureRandom.SecureRandom).randomBytes(keyBytes))
    const next = `${path}.${process.pid}`
    yield* Effect.gen(function* () {
      const file = yield* files.open(next, { flag: "w", mode: 0o600 })
      yield* file.writeAll(made)
      yield* file.sync
    }).pipe(
      Effect.scoped,
      Effect.andThen(files.link(next, path)),
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      Effect.ensuring(Effect.ignore(files.remove(next)))
    )
  },
  (making, path) =>
    Effect.catchTag(making, "PlatformError", ({ message }) => Effect.fail(new StateFailed({ path, issue: message }))),
  Effect.provide(crypto)
)

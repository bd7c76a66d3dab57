/**
 * Hashes passwords and checks them: Argon2id (RFC 9106) with the least that OWASP advises, 19 MiB and 2 passes, 30 ms.
 *
 * 1. To try a name that has no account takes as long as to try one that has: something is hashed all the same. Only a hash
 *    made with other parameters takes another time, until its account's next login.
 * 2. At most `maxHashing` are hashed at a time: they run on libuv's four threads, as reading a file does. At most `maxWaiting`
 *    more wait, a second in all; who comes then is refused at once.
 * 3. Neither a password nor its hash is part of any error or log.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { Context, Effect, Layer, Option, Redacted, Schema, Semaphore } from "effect"
import { Kdf, SecureRandom } from "effect/crypto"
import { opaque } from "./PasswordText.ts"
import type { HashCost, PasswordHash } from "./PhcString.ts"
import { areEqual } from "./Secrets.ts"

/** What a hash costs that is made now. Only what is about something else than passwords may give it less. */
export const PasswordCost = Context.Reference<HashCost>("parley/server/accounts/Passwords/PasswordCost", {
  defaultValue: () => ({ memoryKib: 19_456, passes: 2, lanes: 1 })
})

const saltBytes = 16
const hashBytes = 32

const maxHashing = 2
const maxWaiting = 64

/** So many passwords are being checked that this one is not even begun. Trying again later may succeed. */
export class PasswordsBusy extends Schema.TaggedError<PasswordsBusy>()("PasswordsBusy", {}) {}

/** `needsRehash`: it is the right one, and its hash is worth less than one made today. */
export interface Verdict {
  readonly matches: boolean
  readonly needsRehash: boolean
}

export class Passwords extends Context.Service<
  Passwords,
  {
    readonly hash: (password: Redacted.Redacted) => Effect.Effect<PasswordHash, PasswordsBusy>
    /** Whether this is the password that was hashed; `undefined` stands for an account that is not there. */
    readonly verify: (
      hash: PasswordHash | undefined,
      password: Redacted.Redacted
    ) => Effect.Effect<Verdict, PasswordsBusy>
  }
>()("parley/server/accounts/Passwords") {
  /** With another cost, or other functions to derive bytes with. */
  static readonly layerWith = (cost: HashCost): Layer.Layer<Passwords, never, Kdf.Kdf | SecureRandom.SecureRandom> =>
    Layer.effect(
      Passwords,
      Effect.suspend(() => make(cost))
    )

  static readonly layer: Layer.Layer<Passwords> = Layer.effect(
    Passwords,
    Effect.flatMap(PasswordCost, (cost) => make(cost))
  ).pipe(Layer.provide([NodeCrypto.layerKdf, NodeCrypto.layerSecureRandom]))
}

const make = Effect.fnUntraced(function* (current: HashCost) {
  const kdf = yield* Kdf.Kdf
  const random = yield* SecureRandom.SecureRandom
  const places = yield* Semaphore.make(maxHashing + maxWaiting)
  const hashing = yield* Semaphore.make(maxHashing)

  /** Hashed in place of the password of an account that is not there. */
  const nobodys: PasswordHash = {
    ...current,
    salt: yield* random.randomBytes(saltBytes),
    hash: Redacted.make(yield* random.randomBytes(hashBytes))
  }

  const derive = Effect.fnUntraced(function* (
    { lanes, memoryKib, passes }: HashCost,
    salt: Uint8Array,
    length: number,
    password: Redacted.Redacted
  ) {
    const algorithm = Kdf.argon2id({ memory: memoryKib, passes, parallelism: lanes })
    const text = new TextEncoder().encode(opaque(Redacted.value(password)))
    // It fails for parameters and on a runtime for which this was not written. What has begun goes on in its thread, and keeps
    // its permit until it is done, whoever waits for it.
    const derived = kdf
      .derive(algorithm, text, { salt, length })
      .pipe(Effect.orDie, Effect.uninterruptible, hashing.withPermits(1))
    const inTurn = yield* places.withPermitsIfAvailable(1)(derived)
    return Option.isSome(inTurn) ? inTurn.value : yield* new PasswordsBusy()
  })

  return Passwords.of({
    hash: Effect.fn("Passwords.hash")(function* (password) {
      const salt = yield* random.randomBytes(saltBytes)
      return { ...current, salt, hash: Redacted.make(yield* derive(current, salt, hashBytes, password)) }
    }),
    verify: Effect.fn("Passwords.verify")(function* (known, password) {
      const against = known ?? nobodys
      const expected = Redacted.value(against.hash)
      const derived = yield* derive(against, against.salt, expected.length, password)
      const matches = areEqual(derived, expected) && known !== undefined
      return { matches, needsRehash: matches && isWeaker(against, current) }
    })
  })
})

/** A hash that was made with more, by a later version, is left as it is. */
const isWeaker = ({ hash, memoryKib, passes, salt }: PasswordHash, current: HashCost): boolean =>
  memoryKib * passes < current.memoryKib * current.passes ||
  salt.length < saltBytes ||
  Redacted.value(hash).length < hashBytes

import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { Kdf, SecureRandom } from "effect/crypto"
import { Passwords, PasswordsBusy } from "../../../src/server/accounts/Passwords.ts"
import { formatPhcString, type HashCost, parsePhcString } from "../../../src/server/accounts/PhcString.ts"

const usual: HashCost = { memoryKib: 19_456, passes: 2, lanes: 1 }
const right = Redacted.make("a ferry in the morning")
const wrong = Redacted.make("a ferry in the evening")

const cheap = (cost: HashCost) =>
  Passwords.layerWith(cost).pipe(Layer.provide([NodeCrypto.layerKdf, SecureRandom.layerWebCrypto]))

/** What is chosen at random is nought. */
const noughts = Layer.succeed(
  SecureRandom.SecureRandom,
  SecureRandom.make((size) => new Uint8Array(size))
)

/** Hashes by counting: says what it was asked, and answers when it may. */
const fakeKdf = (answer: Effect.Effect<Uint8Array>) => {
  const asked: Array<Kdf.Algorithm> = []
  let underWay = 0
  let mostAtOnce = 0
  const kdf = Layer.succeed(Kdf.Kdf, {
    derive: (algorithm) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          asked.push(algorithm)
          mostAtOnce = Math.max(mostAtOnce, ++underWay)
        }),
        () => answer,
        () => Effect.sync(() => underWay--)
      )
  })
  return {
    asked,
    mostAtOnce: () => mostAtOnce,
    layer: Passwords.layerWith(usual).pipe(Layer.provide([kdf, noughts]))
  }
}

describe("A password", () => {
  layer(Passwords.layer)((it) => {
    it.effect("is known again by its hash, and no other is", () =>
      Effect.gen(function* () {
        const passwords = yield* Passwords
        const hash = yield* passwords.hash(right)
        assert.deepStrictEqual(yield* passwords.verify(hash, right), { matches: true, needsRehash: false })
        assert.deepStrictEqual(yield* passwords.verify(hash, wrong), { matches: false, needsRehash: false })
      })
    )

    it.effect("is known again by what was stored of it, which no other hash of it resembles", () =>
      Effect.gen(function* () {
        const passwords = yield* Passwords
        const hash = yield* passwords.hash(right)
        const stored = formatPhcString(hash)
        assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
        assert.isTrue((yield* passwords.verify(parsePhcString(stored), right)).matches)
        const again = yield* passwords.hash(right)
        assert.notDeepEqual(again.salt, hash.salt)
        assert.notDeepEqual(Redacted.value(again.hash), Redacted.value(hash.hash))
      })
    )

    it.effect("is hashed as every other program does", () =>
      Effect.gen(function* () {
        const passwords = yield* Passwords
        // A test vector of Argon2's reference implementation.
        const elsewhere = parsePhcString(
          "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
        )
        const password = Redacted.make("password")
        assert.deepStrictEqual(yield* passwords.verify(elsewhere, password), { matches: true, needsRehash: true })
      })
    )

    it.effect("is the same however its letters were composed and its spaces typed", () =>
      Effect.gen(function* () {
        const passwords = yield* Passwords
        const hash = yield* passwords.hash(Redacted.make("caf\u00e9 au\u00a0lait"))
        assert.isTrue((yield* passwords.verify(hash, Redacted.make("cafe\u0301 au lait"))).matches)
        assert.isFalse((yield* passwords.verify(hash, Redacted.make("cafe au lait"))).matches)
        assert.isFalse((yield* passwords.verify(hash, Redacted.make("Caf\u00e9 au lait"))).matches)
        assert.isFalse((yield* passwords.verify(hash, Redacted.make("caf\u00e9 au lait "))).matches)
      })
    )

    it.effect("of an account that is not there is never right", () =>
      Effect.gen(function* () {
        const passwords = yield* Passwords
        assert.deepStrictEqual(yield* passwords.verify(undefined, right), { matches: false, needsRehash: false })
      })
    )
  })

  it.effect("is hashed again when its hash is worth less than one made today, and then it is right", () =>
    Effect.gen(function* () {
      const hashedAt = (cost: HashCost) =>
        Effect.flatMap(Passwords, (passwords) => passwords.hash(right)).pipe(Effect.provide(cheap(cost)))
      const verifiedAt = (cost: HashCost, hash: Parameters<Passwords["Service"]["verify"]>[0], password = right) =>
        Effect.flatMap(Passwords, (passwords) => passwords.verify(hash, password)).pipe(Effect.provide(cheap(cost)))
      const today = { memoryKib: 64, passes: 2, lanes: 1 }
      const hash = yield* hashedAt(today)
      assert.deepStrictEqual(yield* verifiedAt({ ...today, memoryKib: 65 }, hash), { matches: true, needsRehash: true })
      assert.deepStrictEqual(yield* verifiedAt({ ...today, passes: 3 }, hash), { matches: true, needsRehash: true })
      assert.deepStrictEqual(yield* verifiedAt(today, hash), { matches: true, needsRehash: false })
      assert.deepStrictEqual(yield* verifiedAt({ ...today, memoryKib: 63 }, hash), {
        matches: true,
        needsRehash: false
      })
      assert.deepStrictEqual(yield* verifiedAt({ ...today, passes: 3 }, hash, wrong), {
        matches: false,
        needsRehash: false
      })
    })
  )

  it.effect("is hashed again when its salt or its hash is shorter than one made today", () => {
    const bytes = (length: number) => new Uint8Array(length)
    return Effect.gen(function* () {
      for (const [saltBytes, hashBytes, needsRehash] of [
        [16, 32, false],
        [15, 32, true],
        [16, 31, true]
      ] as const) {
        const { layer } = fakeKdf(Effect.succeed(bytes(hashBytes)))
        const hash = { ...usual, salt: bytes(saltBytes), hash: Redacted.make(bytes(hashBytes)) }
        const verdict = yield* Effect.flatMap(Passwords, (passwords) => passwords.verify(hash, right)).pipe(
          Effect.provide(layer)
        )
        assert.deepStrictEqual(verdict, { matches: true, needsRehash }, `${saltBytes} ${hashBytes}`)
      }
    })
  })

  it.effect("is as dear to try for a name without an account as for one that has one", () => {
    const { asked, layer } = fakeKdf(Effect.succeed(new Uint8Array(32)))
    return Effect.gen(function* () {
      const passwords = yield* Passwords
      yield* passwords.verify(yield* passwords.hash(right), wrong)
      // What stands in for its hash, and is never right, happens to be the same here.
      assert.isFalse((yield* passwords.verify(undefined, wrong)).matches)
      assert.deepStrictEqual(
        asked,
        Array.from({ length: 3 }, () => Kdf.argon2id({ memory: 19_456, passes: 2, parallelism: 1 }))
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("waits while two others are being hashed, and is refused while 64 wait", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<Uint8Array>()
      const { asked, layer, mostAtOnce } = fakeKdf(Deferred.await(done))
      yield* Effect.gen(function* () {
        const passwords = yield* Passwords
        const begun = yield* Effect.forEach(Array.from({ length: 66 }), () =>
          Effect.forkChild(passwords.verify(undefined, wrong), { startImmediately: true })
        )
        assert.strictEqual(asked.length, 2)
        assert.instanceOf(yield* Effect.flip(passwords.verify(undefined, right)), PasswordsBusy)
        assert.instanceOf(yield* Effect.flip(passwords.hash(right)), PasswordsBusy)

        yield* Deferred.succeed(done, new Uint8Array(32))
        yield* Fiber.awaitAll(begun)
        assert.strictEqual(asked.length, 66)
        assert.strictEqual(mostAtOnce(), 2)
        assert.isFalse((yield* passwords.verify(undefined, right)).matches)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("is not hashed for who left while waiting, and makes room for another", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<Uint8Array>()
      const { asked, layer } = fakeKdf(Deferred.await(done))
      yield* Effect.gen(function* () {
        const passwords = yield* Passwords
        const begun = yield* Effect.forEach(Array.from({ length: 66 }), () =>
          Effect.forkChild(passwords.verify(undefined, wrong), { startImmediately: true })
        )
        yield* Effect.forEach(begun.slice(2), Fiber.interrupt)
        const another = yield* Effect.forkChild(passwords.verify(undefined, wrong), { startImmediately: true })
        yield* Deferred.succeed(done, new Uint8Array(32))
        yield* Fiber.join(another)
        assert.strictEqual(asked.length, 3)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("keeps its place while it is being hashed, though who asked has left: hashing does not stop for that", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<Uint8Array>()
      const { asked, layer } = fakeKdf(Deferred.await(done))
      yield* Effect.gen(function* () {
        const passwords = yield* Passwords
        const verifying = Effect.forkChild(passwords.verify(undefined, wrong), { startImmediately: true })
        const begun = yield* Effect.forEach([1, 2], () => verifying)
        const leaving = yield* Effect.forkChild(Effect.forEach(begun, Fiber.interrupt), { startImmediately: true })
        const another = yield* verifying
        assert.strictEqual(asked.length, 2)

        yield* Deferred.succeed(done, new Uint8Array(32))
        yield* Fiber.join(leaving)
        yield* Fiber.join(another)
        assert.strictEqual(asked.length, 3)
      }).pipe(Effect.provide(layer))
    })
  )
})

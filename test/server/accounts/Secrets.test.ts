import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { areEqual, codeFrom, hashOf, Secrets } from "../../../src/server/accounts/Secrets.ts"

const typed = (text: string) => {
  const code = codeFrom(Redacted.make(text))
  return code === undefined ? undefined : Redacted.value(code)
}

/** Chance that comes out as the same bytes each time. */
const bytes = (byte: number) =>
  Secrets.layerWith.pipe(
    Layer.provide(
      Layer.succeed(
        SecureRandom.SecureRandom,
        SecureRandom.make((size) => new Uint8Array(size).fill(byte))
      )
    )
  )

describe("A secret of the server's own", () => {
  layer(Secrets.layer)((it) => {
    it.effect("is a token of 256 bits for a device, and never the same twice", () =>
      Effect.gen(function* () {
        const { token } = yield* Secrets
        const tokens = yield* Effect.all(Array.from({ length: 100 }, () => token))
        for (const one of tokens) assert.match(Redacted.value(one), /^[\w-]{43}$/)
        assert.strictEqual(new Set(tokens.map(Redacted.value)).size, 100)
      })
    )

    it.effect("is a code of 100 bits for a person, and never the same twice", () =>
      Effect.gen(function* () {
        const { code } = yield* Secrets
        const codes = yield* Effect.all(Array.from({ length: 100 }, () => code))
        for (const one of codes) {
          assert.match(Redacted.value(one), /^[0-9a-hjkmnp-tv-z]{4}(?:-[0-9a-hjkmnp-tv-z]{4}){4}$/)
          assert.strictEqual(typed(Redacted.value(one)), Redacted.value(one))
        }
        assert.strictEqual(new Set(codes.map(Redacted.value)).size, 100)
        // Every letter and digit comes somewhere: 2,000 characters miss one of 32 once in 10^26.
        assert.strictEqual(new Set(codes.map(Redacted.value).join("")).size, 33)
      })
    )

    it.effect("is a nonce of 256 bits for a key, and never the same twice", () =>
      Effect.gen(function* () {
        const { nonce } = yield* Secrets
        const nonces = yield* Effect.all(Array.from({ length: 100 }, () => nonce))
        for (const one of nonces) assert.match(one, /^[\w-]{43}$/)
        assert.strictEqual(new Set(nonces).size, 100)
      })
    )

    it.effect("does not show itself when it is logged", () =>
      Effect.gen(function* () {
        const { code, token } = yield* Secrets
        for (const secret of [yield* code, yield* token]) {
          assert.notInclude(`${String(secret)} ${JSON.stringify({ secret })}`, Redacted.value(secret))
        }
      })
    )
  })

  it.effect("comes from secure chance, each bit of which counts", () =>
    Effect.gen(function* () {
      const { code, token } = yield* Secrets
      assert.strictEqual(Redacted.value(yield* token), `${"_".repeat(42)}8`)
      assert.strictEqual(Redacted.value(yield* code), "zzzz-zzzz-zzzz-zzzz-zzzz")
    }).pipe(Effect.provide(bytes(255)))
  )

  it("is kept as its SHA-256", () => {
    assert.strictEqual(
      hashOf(Redacted.make("abc")),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
  })

  it("is the same as another only if every byte is", () => {
    const one = Uint8Array.of(1, 2, 3)
    assert.isTrue(areEqual(one, Uint8Array.of(1, 2, 3)))
    assert.isFalse(areEqual(one, Uint8Array.of(1, 2, 4)))
    assert.isFalse(areEqual(one, Uint8Array.of(1, 2)))
    assert.isFalse(areEqual(one, Uint8Array.of()))
    assert.isTrue(areEqual(Uint8Array.of(), Uint8Array.of()))
  })
})

describe("A code that somebody typed", () => {
  const made = "4gq7-x2mk-01ab-cdef-9z10"

  it("may be in capitals, in other groups, and with letters that look like the digits", () => {
    for (const text of [
      made,
      made.toUpperCase(),
      made.replaceAll("-", ""),
      made.replaceAll("-", " "),
      `  ${made}\n`,
      "4GQ7 X2MK-O1AB-CDEF 9ZIo",
      "4gq7x2mkolabcdef9zl0"
    ]) {
      assert.strictEqual(typed(text), made, text)
    }
  })

  it("is none if it is too short, too long or holds anything else", () => {
    for (const text of [
      "",
      "-",
      made.slice(1),
      `${made}4`,
      made.replace("g", "u"),
      made.replace("g", "é"),
      `${made}.`
    ]) {
      assert.isUndefined(typed(text), text)
    }
    assert.isUndefined(typed(`${made}${" ".repeat(77)}`))
    assert.isDefined(typed(`${made}${" ".repeat(76)}`))
  })
})

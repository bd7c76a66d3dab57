import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Redacted, Schema } from "effect"
import { formatPhcString, parsePhcString } from "../../../src/server/accounts/PhcString.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

const salt = "c29tZXNhbHRzb21lc2FsdA"
const hash = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
const written = (parameters: string) => `$argon2id$v=19$${parameters}$${salt}$${hash}`
const usual = written("m=19456,t=2,p=1")

const bytes = (minimum: number, maximum: number) =>
  Arbitrary.array(wholeNumber(0, 255), { minLength: minimum, maxLength: maximum }).pipe(
    Arbitrary.map((numbers) => Uint8Array.from(numbers))
  )

const someHash = Arbitrary.all({
  lanes: wholeNumber(1, 4),
  memoryKib: wholeNumber(32, 131_072),
  passes: wholeNumber(1, 10),
  salt: bytes(8, 64),
  hash: bytes(16, 64).pipe(Arbitrary.map((value) => Redacted.make(value)))
})

describe("A password's hash", () => {
  it("is read with the parameters it was made with", () => {
    const parsed = parsePhcString(usual)
    assert.strictEqual(parsed?.memoryKib, 19_456)
    assert.strictEqual(parsed?.passes, 2)
    assert.strictEqual(parsed?.lanes, 1)
    assert.deepStrictEqual(parsed?.salt, new TextEncoder().encode("somesaltsomesalt"))
    assert.deepStrictEqual(
      parsed === undefined ? undefined : Redacted.value(parsed.hash),
      new TextEncoder().encode("01234567890123456789012345678901")
    )
  })

  it("does not show itself when it is logged", () => {
    assert.notInclude(JSON.stringify(parsePhcString(usual)), "48,49,50")
  })

  it.prop(
    "is read as it was written",
    [someHash],
    ([made]) => {
      const text = formatPhcString(made)
      const parsed = parsePhcString(text)
      if (parsed === undefined) return assert.fail(`not read: ${text}`)
      assert.deepStrictEqual(
        { ...parsed, hash: Redacted.value(parsed.hash) },
        { ...made, hash: Redacted.value(made.hash) }
      )
      assert.strictEqual(formatPhcString(parsed), text)
    },
    tries(100, 80)
  )

  it("is not read if it would cost more memory or time than a login may", () => {
    assert.isDefined(parsePhcString(written("m=131072,t=10,p=4")))
    assert.isUndefined(parsePhcString(written("m=131073,t=10,p=4")))
    assert.isUndefined(parsePhcString(written("m=4194304,t=2,p=1")))
    assert.isUndefined(parsePhcString(written("m=131072,t=11,p=4")))
    assert.isUndefined(parsePhcString(written("m=131072,t=10,p=5")))
  })

  it("is not read if no argon2 has such parameters", () => {
    assert.isDefined(parsePhcString(written("m=32,t=1,p=4")))
    assert.isUndefined(parsePhcString(written("m=31,t=1,p=4")))
    for (const parameters of ["m=0,t=2,p=1", "m=19456,t=0,p=1", "m=19456,t=2,p=0", "m=-1,t=2,p=1", "m=1e4,t=2,p=1"]) {
      assert.isUndefined(parsePhcString(written(parameters)), parameters)
    }
  })

  it("has a salt of 8 to 64 bytes and 16 to 64 bytes of its own", () => {
    const of = (saltBytes: number, hashBytes: number) =>
      `$argon2id$v=19$m=19456,t=2,p=1$${base64(saltBytes)}$${base64(hashBytes)}`
    const base64 = (length: number) => Buffer.alloc(length, 7).toString("base64").replaceAll("=", "")
    for (const [saltBytes, hashBytes] of [
      [8, 16],
      [64, 64]
    ] as const) {
      assert.isDefined(parsePhcString(of(saltBytes, hashBytes)))
    }
    for (const [saltBytes, hashBytes] of [
      [7, 32],
      [65, 32],
      [16, 15],
      [16, 65]
    ] as const) {
      assert.isUndefined(parsePhcString(of(saltBytes, hashBytes)), `${saltBytes} ${hashBytes}`)
    }
  })

  it("has one spelling", () => {
    for (const text of [
      "",
      usual.slice(1),
      `${usual}\n`,
      ` ${usual}`,
      `${usual}$`,
      `${usual}=`,
      usual.replace("argon2id", "argon2i"),
      usual.replace("v=19", "v=16"),
      usual.replace("$v=19", ""),
      usual.replace("m=19456", "m=019456"),
      usual.replace("m=19456,t=2", "t=2,m=19456"),
      usual.replace("p=1", "p=1,keyid=AA"),
      // The same bytes in other words: spare bits that are set, another alphabet, a space.
      usual.replace(salt, "c29tZXNhbHRzb21lc2FsdB"),
      usual.replace(hash, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDF"),
      usual.replace(hash, "__EyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"),
      usual.replace("$MDEy", "$ MDEy"),
      // Five characters more than bytes have.
      usual.replace(hash, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwM")
    ]) {
      assert.isUndefined(parsePhcString(text), text)
    }
  })

  it.prop(
    "is none in any other text, and no text is too much for its parser",
    [Arbitrary.schema(Schema.String), wholeNumber(0, usual.length)],
    ([text, place]) => {
      assert.isUndefined(parsePhcString(text))
      assert.isUndefined(parsePhcString(`${usual.slice(0, place)}${text} ${usual.slice(place)}`))
    },
    tries(200)
  )

  it("is found in no text of a megabyte", () => {
    assert.isUndefined(parsePhcString(usual.replace(salt, "A".repeat(1_000_000))))
  })
})

/** The header of sealed messages, as a server reads it: against bytes made by hand. What clients make is in test/client/crypto. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { maxAuthenticatedBytes, maxSealedBytes, parseSealedHeader } from "../../../src/common/wire/SealedHeader.ts"
import { Chance } from "../../simulation/Chance.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

/** A variable-size vector, with its length in so many bytes, or else in as few as it takes (RFC 9420, section 2.1.2). */
const vector = (bytes: ReadonlyArray<number>, size?: 1 | 2 | 4): ReadonlyArray<number> => {
  const length = bytes.length
  const shortest = length < 64 ? 1 : length < 16_384 ? 2 : 4
  const width = size ?? shortest
  const tag = { 1: 0, 2: 1, 4: 2 }[width] << 6
  const spelled = Array.from({ length: width }, (_, index) => (length >> (8 * (width - 1 - index))) & 0xff)
  return [(spelled[0] ?? 0) | tag, ...spelled.slice(1), ...bytes]
}

const text = (value: string) => [...new TextEncoder().encode(value)]
const filled = (length: number) => Array.from({ length }, () => 7)

const parts = {
  version: [0, 1] as ReadonlyArray<number>,
  wireFormat: [0, 2] as ReadonlyArray<number>,
  groupId: vector(text("dev/1")),
  epoch: [0, 0, 0, 0, 0, 0, 1, 2] as ReadonlyArray<number>,
  contentType: [1] as ReadonlyArray<number>,
  authenticatedData: vector([]),
  senderData: vector(filled(28)),
  ciphertext: vector(filled(200))
}
const message = (changed: Partial<typeof parts> = {}) => Uint8Array.from(Object.values({ ...parts, ...changed }).flat())
const header = { groupId: "dev/1", keyEpoch: 258, contentType: "application" } as const

describe("The header of a sealed message", () => {
  it("is read from what stands before the sealed part", () => {
    assert.deepStrictEqual(parseSealedHeader(message()), header)
    assert.deepStrictEqual(parseSealedHeader(message({ contentType: [2] })), { ...header, contentType: "proposal" })
    assert.deepStrictEqual(parseSealedHeader(message({ contentType: [3] })), { ...header, contentType: "commit" })
    const long = "漢".repeat(170)
    assert.deepStrictEqual(parseSealedHeader(message({ groupId: vector(text(long)) })), { ...header, groupId: long })
    const beside = vector(filled(maxAuthenticatedBytes))
    assert.deepStrictEqual(parseSealedHeader(message({ authenticatedData: beside })), header)
  })

  it("is read where the bytes stand inside of others", () => {
    const inside = Uint8Array.from([9, 9, ...message(), 9]).subarray(2, -1)
    assert.deepStrictEqual(parseSealedHeader(inside), header)
  })

  it("is none of another version or wire format, of a number too large, or of no content type", () => {
    const others: ReadonlyArray<Partial<typeof parts>> = [
      { version: [0, 2] },
      { version: [1, 0] },
      { wireFormat: [0, 1] },
      { wireFormat: [0, 3] },
      { epoch: [0, 0x20, 0, 0, 0, 0, 0, 0] },
      { epoch: filled(8) },
      { contentType: [0] },
      { contentType: [4] },
      { groupId: vector([]) },
      { groupId: vector(filled(513)) },
      { groupId: vector([0xff, 0xfe]) },
      { groupId: vector([0xed, 0xa0, 0x80]) },
      { authenticatedData: vector(filled(maxAuthenticatedBytes + 1)) },
      { senderData: vector(filled(27)) },
      { senderData: vector(filled(29)) },
      { ciphertext: vector(filled(16)) }
    ]
    for (const changed of others) assert.isUndefined(parseSealedHeader(message(changed)), JSON.stringify(changed))
    assert.strictEqual(
      parseSealedHeader(message({ epoch: [0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] }))?.keyEpoch,
      Number.MAX_SAFE_INTEGER
    )
  })

  it("has one spelling: a length that could be shorter is none", () => {
    assert.isDefined(parseSealedHeader(message({ groupId: vector(text("dev/1"), 1) })))
    assert.isUndefined(parseSealedHeader(message({ groupId: vector(text("dev/1"), 2) })))
    assert.isUndefined(parseSealedHeader(message({ groupId: vector(text("dev/1"), 4) })))
    assert.isUndefined(parseSealedHeader(message({ ciphertext: vector(filled(200), 4) })))
    assert.isUndefined(parseSealedHeader(message({ groupId: [0xc0, 0, 0, 0, 0, 0, 0, 5, ...text("dev/1")] })))
  })

  it("is none if anything is missing behind it, or is too much", () => {
    const whole = message()
    for (let length = 0; length < whole.length; length++)
      assert.isUndefined(parseSealedHeader(whole.subarray(0, length)))
    assert.isUndefined(parseSealedHeader(Uint8Array.from([...whole, 0])))
    const beside = message({ ciphertext: [] }).length
    const longest = message({ ciphertext: vector(filled(maxSealedBytes - beside - 4)) })
    assert.strictEqual(longest.length, maxSealedBytes)
    assert.deepStrictEqual(parseSealedHeader(longest), header)
    assert.isUndefined(parseSealedHeader(message({ ciphertext: vector(filled(maxSealedBytes - beside - 3)) })))
  })

  it.prop(
    "is looked for in any bytes, without an exception",
    [Arbitrary.schema(Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))))],
    ([bytes]) => {
      parseSealedHeader(Uint8Array.from(bytes))
      parseSealedHeader(Uint8Array.from([0, 1, 0, 2, ...bytes]))
    },
    tries(300, 60)
  )

  it.prop(
    "is another one, or none, if a byte of it was changed",
    [wholeNumber(0, message().length - 1), wholeNumber(1, 255)],
    ([index, change]) => {
      const whole = message()
      const changed = parseSealedHeader(whole.with(index, (whole[index] ?? 0) ^ change))
      const sealedFrom = message({ senderData: [], ciphertext: [], authenticatedData: [] }).length
      if (index < sealedFrom) assert.notDeepEqual(changed, header)
      if (changed !== undefined) assert.isAtLeast(changed.groupId.length, 1)
    },
    tries(300)
  )

  it("names no more than is there, whatever hostile bytes claim", () => {
    const chance = new Chance(1)
    let longest = 0
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: chance.between(0, 80) }, () => chance.between(0, 255))
      bytes.set([0, 1, 0, 2].slice(0, bytes.length))
      longest = Math.max(longest, parseSealedHeader(bytes)?.groupId.length ?? 0)
    }
    assert.isAtMost(longest, 80)
  })
})

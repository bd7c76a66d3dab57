/** That what stands for sealed messages in tests of the server has the header that it reads, and nothing else passes for one. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { maxSealedBytes } from "../../src/common/log/Sealing.ts"
import * as SealedHeader from "../../src/common/wire/SealedHeader.ts"
import { oneOf, tries, troublesomeContent, wholeNumber } from "./generators.ts"
import { sealedBytes, type SealedHead } from "./SealedBytes.ts"

const someHead = Arbitrary.all({
  room: troublesomeContent,
  incarnation: wholeNumber(0, 99),
  keyEpoch: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  contentType: oneOf<NonNullable<SealedHead["contentType"]>>("application", "proposal", "commit"),
  authenticated: oneOf(0, 63, 64, SealedHeader.maxAuthenticatedBytes)
})

const parse = (data: string) => SealedHeader.parseSealedHeader(Buffer.from(data, "base64"))

describe("The bytes of a sealed message in a test", () => {
  it.prop(
    "say what they are made of, and one byte less or more is no message",
    [someHead],
    ([head]) => {
      const data = sealedBytes(head)
      const { contentType, incarnation, keyEpoch, room } = head
      assert.deepStrictEqual(parse(data), { groupId: `${room}/${incarnation}`, keyEpoch, contentType })
      const bytes = Buffer.from(data, "base64")
      for (const other of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from([0])])]) {
        assert.isUndefined(SealedHeader.parseSealedHeader(other))
      }
    },
    tries(100)
  )

  it("have one bound, whoever looks", () => {
    assert.strictEqual(maxSealedBytes, SealedHeader.maxSealedBytes)
    const tooMuch = { room: "vault", keyEpoch: 0, authenticated: SealedHeader.maxAuthenticatedBytes + 1 }
    assert.isUndefined(parse(sealedBytes(tooMuch)))
  })
})

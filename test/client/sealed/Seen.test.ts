/** What two who read one log have in common, and what shows that they were not shown the same. */
import { assert, describe, it } from "@effect/vitest"
import { decode, encode, Payload } from "../../../src/client/sealed/Payload.ts"
import * as Seen from "../../../src/client/sealed/Seen.ts"
import { bytesOf } from "../crypto/Crowd.ts"

const readAll = (texts: ReadonlyArray<string>, authenticator = "of the epoch") =>
  texts.reduce((reading, text) => Seen.read(reading, bytesOf(text)), Seen.begin(3, bytesOf(authenticator)))

describe("What was read of a key epoch", () => {
  it("is the same for who has read the same, and for who is behind", () => {
    const reading = readAll(["one", "two", "three"])
    for (const texts of [[], ["one"], ["one", "two"], ["one", "two", "three"]]) {
      assert.isFalse(Seen.differs(reading, Seen.seenOf(readAll(texts))), texts.join())
    }
    assert.isFalse(Seen.differs(reading, { ...Seen.seenOf(readAll(["other"])), keyEpoch: 4 }), "another key epoch")
  })

  it("differs where a message was left out, put in, exchanged or is of another group", () => {
    const reading = readAll(["one", "two", "three"])
    for (const texts of [["two"], ["one", "three"], ["zero", "one"], ["one", "two", "three", "four"]]) {
      assert.isTrue(Seen.differs(reading, Seen.seenOf(readAll(texts))), texts.join())
    }
    assert.isTrue(Seen.differs(reading, Seen.seenOf(readAll([], "of another"))))
  })

  it("is not compared with what is too long ago", () => {
    const long = readAll(Array.from({ length: 100 }, (_, index) => `${index}`))
    assert.lengthOf(long.hashes, 64)
    assert.isFalse(Seen.differs(long, Seen.seenOf(readAll(["other"]))))
  })
})

describe("What is sealed", () => {
  it.prop("is read as it was said", [Payload], ([payload]) => {
    assert.deepStrictEqual(decode(encode(payload)), payload)
  })

  it.each(["", "{}", '{"v":2}', '{"v":1,"saying":{"_tag":"Said","content":"\\u001b[2J"},"chain":1}'])(
    "is nothing if it is %s",
    (text) => {
      assert.isUndefined(decode(bytesOf(text)))
    }
  )
})

import * as process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { ClientMessage, written } from "../../src/common/wire/ClientMessage.ts"
import { encodeLine, encodeText, type Incoming, lineText, makeDecoder } from "../../src/connection/Line.ts"
import { oneOf, tries, wholeNumber } from "../support/generators.ts"

const decode = makeDecoder(ClientMessage)
const decodeText = (text: string) => decode(encodeText(text))

const heard = (message: ClientMessage): Incoming<ClientMessage> => ({ _tag: "Message", message })
const malformed = (issue: string, id?: string): Incoming<ClientMessage> => ({ _tag: "Malformed", issue, id })

const notJson = "it is not JSON"
const notUtf8 = "it is not UTF-8"
const notObject = "it is not a JSON object"

/** The paths a sentence about a wrong field may begin with. */
const fields = new RegExp(
  `^(${["_tag", "it is", "it does", ...Object.values(ClientMessage.cases).flatMap((one) => Object.keys(one.fields))].join("|")})\\b`
)

const decodeSync = Schema.decodeUnknownSync(ClientMessage)

describe("A line", () => {
  it.prop(
    "is decoded to the message that was encoded",
    [ClientMessage],
    ([message]) => {
      const { buffer, byteLength, byteOffset } = encodeLine(written(message))
      const line = new Uint8Array(buffer, byteOffset, byteLength - 1)
      assert.deepStrictEqual(decode(line), {
        _tag: "Message",
        message: decodeSync(JSON.parse(JSON.stringify(written(message))))
      })
    },
    tries(300)
  )

  it.prop(
    "is the same bytes alone and in a batch",
    [Arbitrary.array(Arbitrary.schema(ClientMessage))],
    ([messages]) => {
      const batch = encodeText(messages.map((message) => lineText(written(message))).join(""))
      assert.deepStrictEqual(
        Array.from(batch),
        messages.flatMap((message) => Array.from(encodeLine(written(message))))
      )
    },
    tries(100)
  )

  it("may end with a carriage return and have spaces around its parts", () => {
    assert.deepStrictEqual(decodeText('{"_tag":"ListUsers"}\r'), heard({ _tag: "ListUsers" }))
    assert.deepStrictEqual(decodeText(' \t{ "_tag" : "Ping" , "nonce" : 1 } '), heard({ _tag: "Ping", nonce: 1 }))
  })

  it("may escape its characters", () => {
    assert.deepStrictEqual(
      decodeText('{"_tag":"Glob\\u0061lMessage","content":"\\u00e9\\ud83d\\ude00\\/"}'),
      heard({
        _tag: "GlobalMessage",
        content: "é😀/"
      })
    )
  })

  it("counts, of a field given twice, the last", () => {
    assert.deepStrictEqual(
      decodeText('{"_tag":"Disconnect","_tag":"Ping","nonce":1,"nonce":2}'),
      heard({ _tag: "Ping", nonce: 2 })
    )
  })

  it("cannot reach what objects inherit", () => {
    const before = Object.keys(Object.prototype)
    assert.deepStrictEqual(
      decodeText('{"_tag":"ListUsers","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
      heard({
        _tag: "ListUsers"
      })
    )
    assert.deepStrictEqual(Object.keys(Object.prototype), before)
    assert.deepStrictEqual(decodeText('{"__proto__":{"_tag":"ListUsers"}}'), malformed("_tag: Missing key"))
    for (const tag of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      assert.deepStrictEqual(
        decodeText(JSON.stringify({ _tag: tag })),
        malformed("_tag: there is no message of this kind")
      )
    }
  })
})

describe("A line that is no message", () => {
  it.each([
    ["nothing", ""],
    ["a space", " "],
    ["a carriage return", "\r"],
    ["half an object", '{"_tag":"ListUsers"'],
    ["two objects", '{"_tag":"ListUsers"}{"_tag":"ListUsers"}'],
    ["a byte order mark", '\ufeff{"_tag":"ListUsers"}'],
    ["a comment", '{"_tag":"ListUsers"} // hello'],
    ["single quotes", "{'_tag':'ListUsers'}"],
    ["a request of another protocol", "GET / HTTP/1.1"],
    ["a tab in a string", '{"_tag":"GlobalMessage","content":"a\tb"}'],
    ["not a number", '{"_tag":"Ping","nonce":NaN}'],
    ["open brackets", "[".repeat(60_000)],
    ["open objects", '{"a":'.repeat(12_000)]
  ])("because it is %s is not JSON", (_, text) => {
    assert.deepStrictEqual(decodeText(text), malformed(notJson))
  })

  it.each([["null"], ["1"], ['"text"'], ["true"], ["[]"], ['[{"_tag":"ListUsers"}]'], ["1e999"]])(
    "because it is %s is not a JSON object",
    (text) => {
      assert.deepStrictEqual(decodeText(text), malformed(notObject))
    }
  )

  it("because it is nested 30,000 deep is not a JSON object, or not JSON, and is survived", () => {
    const incoming = decodeText("[".repeat(30_000) + "]".repeat(30_000))
    assert.include([notObject, notJson], incoming._tag === "Malformed" ? incoming.issue : "")
    const inside = decodeText(`{"_tag":"ListUsers","x":${"[".repeat(30_000)}${"]".repeat(30_000)}}`)
    assert.include(["Message", "Malformed"], inside._tag)
    const content = decodeText(`{"_tag":"GlobalMessage","content":${"[".repeat(30_000)}${"]".repeat(30_000)}}`)
    assert.include(["content: Expected string", notJson], content._tag === "Malformed" ? content.issue : "")
  })

  it.each([
    ["a byte that never occurs", [0xff]],
    ["the end of a character alone", [0x80]],
    ["a character cut short", [0xe6, 0xbc]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a code point beyond the last", [0xf4, 0x90, 0x80, 0x80]]
  ])("because it holds %s is not UTF-8", (_, bytes) => {
    const [before, after] = ['{"_tag":"GlobalMessage","content":"', '"}'].map((text) => Array.from(encodeText(text)))
    assert.deepStrictEqual(decode(Uint8Array.from([...(before ?? []), ...bytes, ...(after ?? [])])), malformed(notUtf8))
  })

  it.each<[object, string]>([
    [{}, "_tag: Missing key"],
    [{ _tag: 5 }, "_tag: there is no message of this kind"],
    [{ _tag: "Nonsense" }, "_tag: there is no message of this kind"],
    [{ _tag: "listusers" }, "_tag: there is no message of this kind"],
    [{ _tag: "GlobalMessage" }, "content: Missing key"],
    [{ _tag: "GlobalMessage", content: "" }, "content: must have 1 to 8192 characters"],
    [{ _tag: "GlobalMessage", content: "x", key: "short" }, "key: must have 16 to 64 characters"],
    [{ _tag: "GlobalMessage", content: "x", id: "" }, "id: must have 1 to 64 characters"],
    [{ _tag: "GetHistory", limit: 0 }, "limit: must be a whole number from 1 to 500"],
    [{ _tag: "GetHistory", limit: 501 }, "limit: must be a whole number from 1 to 500"],
    [{ _tag: "GetHistory", limit: "5" }, "limit: Expected number"],
    [
      { _tag: "CreateRoom", room: "a b" },
      "room: must start with a letter or digit and hold only letters with up to three marks, digits, '_', '.' and '-'"
    ],
    [{ _tag: "Handshake", user: "a".repeat(33) }, "user: must have 1 to 32 characters"],
    [{ _tag: "Handshake", user: "ada", after: { lobby: { epoch: "e" } } }, "after.lobby.seq: Missing key"]
  ])("is answered with the field that is wrong: %j", (json, issue) => {
    const incoming = decodeText(JSON.stringify(json))
    assert.strictEqual(incoming._tag, "Malformed")
    assert.include(incoming._tag === "Malformed" ? incoming.issue : "", issue)
  })

  it.each(["1e999", "-1e999", "1.5", "9007199254740993", '"1"', "null", "[1]", "1e400000"])(
    "has a nonce of %s, which is no whole number that a computer keeps exactly",
    (nonce) => {
      const incoming = decodeText(`{"_tag":"Ping","nonce":${nonce}}`)
      assert.strictEqual(incoming._tag, "Malformed")
      assert.match(incoming._tag === "Malformed" ? incoming.issue : "", /^nonce: /)
    }
  )

  it.each<[unknown, string | undefined]>([
    ["1", "1"],
    ["x".repeat(64), "x".repeat(64)],
    ["x".repeat(65), undefined],
    ["", undefined],
    [7, undefined],
    [null, undefined]
  ])("is answered with its own id, if that is usable: %j", (id, usable) => {
    assert.deepStrictEqual(
      decodeText(JSON.stringify({ _tag: "Nonsense", id })),
      malformed("_tag: there is no message of this kind", usable)
    )
  })
})

describe("Hostile bytes", () => {
  const someBytes = Arbitrary.array(wholeNumber(0, 255)).pipe(Arbitrary.map((bytes) => Uint8Array.from(bytes)))
  const notAscii = Arbitrary.schema(Schema.Literals(["\u2620", "\u{1f480}", "\ue000"]))

  /** A valid line with one thing in it changed: a byte, a stretch left out, or a value put in place of another. */
  const spoiled = Arbitrary.all([
    Arbitrary.schema(ClientMessage),
    someBytes,
    wholeNumber(0, 999),
    wholeNumber(0, 9)
  ]).pipe(
    Arbitrary.map(([message, bytes, permille, length]) => {
      const line = encodeText(JSON.stringify(written(message)))
      const place = Math.floor((permille / 1000) * line.length)
      return Uint8Array.from([...line.subarray(0, place), ...bytes, ...line.subarray(place + length)])
    })
  )

  const survived = (line: Uint8Array) => {
    const incoming = decode(line)
    if (incoming._tag === "Message") assert.isTrue(Schema.is(ClientMessage)(incoming.message))
    else if (incoming._tag === "Malformed") {
      assert.match(incoming.issue, fields)
      assert.isBelow(incoming.issue.length, 200)
    } else assert.fail("the decoder knows nothing of limits")
  }

  it.prop(
    "are survived, and answered with one short sentence",
    [someBytes],
    ([bytes]) => survived(bytes),
    tries(500, 60)
  )
  it.prop("are survived inside a message", [spoiled], ([bytes]) => survived(bytes), tries(1000, 6))

  it.prop(
    "are never quoted in the sentence",
    [
      Arbitrary.schema(ClientMessage),
      notAscii,
      oneOf("_tag", "id", "content", "key", "to", "user", "room", "nonce", "limit", "before", "with", "after"),
      oneOf("alone", "in an array", "as a key")
    ],
    ([message, secret, field, how]) => {
      const wrong = how === "alone" ? secret : how === "in an array" ? [secret] : { _tag: secret, [secret]: 1 }
      const incoming = decodeText(JSON.stringify({ ...message, [field]: wrong, [secret]: secret }))
      if (incoming._tag === "Malformed") assert.notInclude(incoming.issue, secret)
    },
    tries(1000)
  )

  it.prop(
    "of any JSON at all are survived",
    [Schema.Json, oneOf("Handshake", "GlobalMessage", "Ping", "JoinRoom", "GetHistory"), Schema.JsonObject],
    ([json, _tag, object]) => {
      survived(encodeText(JSON.stringify(json)))
      survived(encodeText(JSON.stringify({ ...object, _tag })))
    },
    tries(300)
  )
})

describe("A decoder with a bound on the marks between values", () => {
  const most = 256
  const decodeBounded = makeDecoder(ClientMessage, () => most)
  const tooMany = malformed("it holds more than 256 brackets, colons and commas")
  const ping = (extra: string) => encodeText(`{"_tag":"Ping","nonce":1${extra}}`)

  it.each([
    ["brackets in brackets", `,"more":${"[".repeat(30_000)}${"]".repeat(30_000)}`],
    [
      "names that are all different",
      `,"more":[${Array.from({ length: 5000 }, (_, index) => `{"k${index}":0}`).join()}]`
    ],
    ["what is no JSON", "[".repeat(60_000)]
  ])("does not parse %s", (_, extra) => {
    assert.deepStrictEqual(decodeBounded(ping(extra)), tooMany)
  })

  it("does not parse numbers without end", () => {
    const tooLong = malformed("its numbers are too long")
    for (const number of ["1".repeat(9000), `0.${"0".repeat(60_000)}1`]) {
      assert.deepStrictEqual(decodeBounded(ping(`,"more":${number}`)), tooLong)
    }
    assert.deepStrictEqual(decodeBounded(ping(`,"more":${"1".repeat(8000)}`)), heard({ _tag: "Ping", nonce: 1 }))
  })

  it("looks at each byte once, whatever stands in the texts", () => {
    const plain = ping(`,"more":"${"x".repeat(60_000)}"`)
    const quotes = ping(`,"more":"${'\\"'.repeat(30_000)}"`)
    const timeOf = (line: Uint8Array) => {
      const begun = process.cpuUsage()
      for (let times = 0; times < 100; times++) decodeBounded(line)
      const { system, user } = process.cpuUsage(begun)
      return system + user
    }
    timeOf(plain)
    // Ten times as long with a search for each quote.
    assert.isBelow(timeOf(quotes), 5 * timeOf(plain) + 20_000)
  })

  it.each([
    ["in a text", '[{,:}]"'.repeat(3000)],
    ["behind backslashes", '\\\\"[[[['.repeat(3000)],
    ["in a text of quotes and brackets", '"['.repeat(5000)]
  ])("does not count them %s", (_, text) => {
    assert.deepStrictEqual(decodeBounded(ping(`,"more":${JSON.stringify(text)}`)), heard({ _tag: "Ping", nonce: 1 }))
  })

  it.prop(
    "decodes every message as one without does",
    [ClientMessage],
    ([message]) => {
      const line = encodeText(JSON.stringify(message))
      assert.deepStrictEqual(decodeBounded(line), decode(line))
    },
    tries(300)
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { issueOf, reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const text = new TextEncoder()
const line = (message: object) => `${JSON.stringify(message)}\n`

/** A line of exactly so many bytes, newline not counted, that is a valid message but for its size. */
const ofBytes = (bytes: number) => {
  const empty = JSON.stringify({ _tag: "Ping", nonce: 1, padding: "" })
  return `${JSON.stringify({ _tag: "Ping", nonce: 1, padding: "x".repeat(bytes - empty.length) })}\n`
}

describe("lines", () => {
  it.live("may come a thousand in one write, and each gets its reply, in order", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ids = Array.from({ length: 1000 }, (_, index) => `id-${index}`)
      yield* ada.write(ids.map((id, nonce) => line({ _tag: "Ping", nonce, id })).join(""))
      const pongs = yield* ada.nextLines(1000)
      assert.deepStrictEqual(
        pongs,
        ids.map((id, nonce) => ({ _tag: "Pong", nonce, id }))
      )
      assert.deepStrictEqual(yield* ada.soFar, [])
    })
  )

  it.live("may come one byte at a time", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      const bytes = text.encode(
        line({ _tag: "Handshake", user: "Ada" }) + line({ _tag: "GlobalMessage", content: "ü 👋" })
      )
      yield* ada.write(...Array.from(bytes, (byte) => Uint8Array.of(byte)))
      const [, message] = yield* ada.nextLines(3)
      assert.strictEqual(message?.["content"], "ü 👋")
    })
  )

  it.live("may be split anywhere, also inside a character", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const bytes = text.encode(line({ _tag: "GlobalMessage", content: "ü👋" }) + line({ _tag: "Ping", nonce: 1 }))
      for (let place = 1; place < bytes.length; place++) {
        yield* ada.write(bytes.subarray(0, place), bytes.subarray(place))
        const message = yield* ada.find("GlobalMessage")
        assert.strictEqual(message["content"], "ü👋", `split at ${place}`)
        yield* ada.find("Pong")
      }
    })
  )

  it.effect("may end in CR LF", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.write(`${JSON.stringify({ _tag: "Ping", nonce: 1 })}\r\n`)
      assert.strictEqual((yield* ada.next)._tag, "Pong")
    })
  )
})

describe("a line that is no message", () => {
  it.effect.each([
    { sent: "hello", issue: "it is not JSON" },
    { sent: "", issue: "it is not JSON" },
    { sent: `{"_tag":"Ping"`, issue: "it is not JSON" },
    { sent: "null", issue: "it is not a JSON object" },
    { sent: "42", issue: "it is not a JSON object" },
    { sent: `[{"_tag":"Ping","nonce":1}]`, issue: "it is not a JSON object" },
    { sent: "{}", issue: "_tag: Missing key" },
    { sent: `{"_tag":"Shout"}`, issue: "_tag: there is no message of this kind" },
    { sent: `{"_tag":7}`, issue: "_tag: there is no message of this kind" },
    { sent: `{"_tag":"__proto__"}`, issue: "_tag: there is no message of this kind" },
    { sent: `{"_tag":"Ping"}`, issue: "nonce: Missing key" },
    { sent: `{"_tag":"GlobalMessage"}`, issue: "content: Missing key" }
  ])("is answered with InvalidMessage, and the connection stays: $sent", ({ issue, sent }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.write(`${sent}\n`)
      const rejected = yield* ada.next
      assert.strictEqual(issueOf(rejected), issue)
      assert.notProperty(rejected, "id")
      assert.deepStrictEqual(yield* ada.soFar, [])
    })
  )

  it.effect.each([
    { field: "nonce", message: { _tag: "Ping", nonce: 1.5 } },
    { field: "nonce", message: { _tag: "Ping", nonce: "1" } },
    { field: "nonce", message: { _tag: "Ping", nonce: 2 ** 53 } },
    { field: "content", message: { _tag: "GlobalMessage", content: 7 } },
    { field: "to", message: { _tag: "PrivateMessage", to: ["Ben"], content: "hi" } },
    { field: "room", message: { _tag: "CreateRoom", room: null } },
    { field: "after.seq", message: { _tag: "JoinRoom", room: "dev", after: { epoch: "e", seq: -1 } } },
    { field: "after.epoch", message: { _tag: "JoinRoom", room: "dev", after: { seq: 1 } } },
    { field: "before", message: { _tag: "GetHistory", before: "7" } },
    { field: "key", message: { _tag: "GlobalMessage", content: "hi", key: "fifteen-letters" } },
    { field: "key", message: { _tag: "RoomMessage", room: "dev", content: "hi", key: "k".repeat(65) } }
  ])("is answered with the field that is wrong, and its id: $message", ({ field, message }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const rejected = yield* ada.ask(message)
      assert.strictEqual(issueOf(rejected).split(": ")[0], field)
    })
  )

  it.effect.each([{ id: "" }, { id: "x".repeat(65) }, { id: 7 }, { id: "a\u0000b" }, { id: "\ud800" }])(
    "is answered without an id where the id is what is wrong: %s",
    ({ id }) =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* server.join("Ada")
        yield* ada.send({ _tag: "Ping", nonce: 1, id })
        const rejected = yield* ada.next
        assert.match(issueOf(rejected), /^id: /)
        assert.notProperty(rejected, "id")
      })
  )

  it.effect.each([
    { called: "an overlong encoding", bytes: [0xc0, 0xaf] },
    { called: "half a character", bytes: [0xe2, 0x82] },
    { called: "a surrogate", bytes: [0xed, 0xa0, 0x80] },
    { called: "a byte that is none of UTF-8", bytes: [0xff] }
  ])("may also be one that is not UTF-8: $called", ({ bytes }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const [before, behind] = [`{"_tag":"GlobalMessage","content":"`, `"}\n`].map((part) => text.encode(part))
      assert(before !== undefined && behind !== undefined)
      yield* ada.write(Uint8Array.from([...before, ...bytes, ...behind]))
      assert.strictEqual(issueOf(yield* ada.next), "it is not UTF-8")
      assert.deepStrictEqual(yield* ada.soFar, [])
    })
  )

  it.effect("does not come back in what is said about it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.send({ _tag: "secret\u001b[2J", nonce: 1 }, { _tag: "CreateRoom", room: "secret\u001b[2J" })
      yield* ada.write("secret\u001b[2J\n")
      yield* ada.nextLines(3)
      assert.notInclude(ada.receivedText(), "secret")
    })
  )

  it.effect("twenty times in a row ends the connection, each of them answered", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.write("nonsense\n".repeat(25))
      const lines = yield* ada.closed
      assert.lengthOf(
        lines.filter(({ _tag }) => _tag === "Rejected"),
        20
      )
      assert.deepStrictEqual(
        lines.slice(20).map(({ _tag }) => _tag),
        ["Goodbye"]
      )
    })
  )

  it.effect("nineteen times and then a good one does not end it, however often", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      for (let round = 0; round < 3; round++) {
        yield* ada.write("nonsense\n".repeat(19))
        assert.lengthOf(yield* ada.soFar, 19)
      }
    })
  )
})

describe("a line that is too long", () => {
  it.effect("is one byte over MAX_FRAME_BYTES, 65536 by default: FrameTooLarge, and the connection ends", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.write(ofBytes(65_536))
      assert.strictEqual((yield* ada.next)._tag, "Pong")
      yield* ada.write(ofBytes(65_537))
      const [rejected, ...rest] = yield* ada.closed
      assert.deepStrictEqual(reasonOf(rejected), { _tag: "FrameTooLarge", limit: 65_536 })
      assert.deepStrictEqual(rest, [])
    })
  )

  it.effect("is refused before it ends, and before the Handshake too", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_FRAME_BYTES: "2048" } })
      const stranger = yield* server.connect()
      yield* stranger.write("x".repeat(2048))
      yield* stranger.write("x")
      assert.deepStrictEqual(reasonOf(yield* stranger.next), { _tag: "FrameTooLarge", limit: 2048 })
      yield* stranger.closed
    })
  )

  it.live("is refused also to a client that looks only when it has sent it all: no reset takes the line away", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.pause
      yield* ada.write(...Array.from({ length: 30 }, () => "x".repeat(100_000)))
      yield* ada.resume
      assert.deepStrictEqual(reasonOf((yield* ada.closed)[0]), { _tag: "FrameTooLarge", limit: 65_536 })
    })
  )

  it.effect("does not take the replies to the lines before it away", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_FRAME_BYTES: "2048" } })
      const ada = yield* server.join("Ada")
      yield* ada.write(line({ _tag: "GlobalMessage", content: "one" }) + "x".repeat(5000) + line({ _tag: "ListUsers" }))
      const lines = yield* ada.closed
      assert.deepStrictEqual(
        lines.map(({ _tag }) => _tag),
        ["GlobalMessage", "Sent", "Rejected"]
      )
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { issueOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const described = (text: string) => `${JSON.stringify(text.slice(0, 40))} (${[...text].length} characters)`
const each = (texts: ReadonlyArray<string>) => texts.map((text) => ({ text, called: described(text) }))

describe("a user's name", () => {
  it.effect.each(
    each([
      "a",
      "7",
      "a_b.c-d",
      "Jürgen",
      "Ελένη",
      "שרה",
      "李小龍",
      "٣",
      "a".repeat(32),
      // One code point each, but two UTF-16 units.
      "𠮷".repeat(32)
    ])
  )("may be $called", ({ text }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const client = yield* server.connect()
      yield* client.send({ _tag: "Handshake", user: text })
      assert.strictEqual((yield* client.next)["user"], text)
    })
  )

  it.effect.each(
    each([
      "",
      " ",
      "a b",
      "_a",
      ".a",
      "-a",
      "a/b",
      "a\n",
      "a\u0000",
      "a\u001b[31m",
      "a\u202e",
      "a\u200b",
      "👋",
      "a\ud800",
      "a".repeat(33),
      "𠮷".repeat(33),
      // One character as typed, four after NFKC.
      "㎯".repeat(9),
      "½"
    ])
  )("may not be $called", ({ text }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const client = yield* server.connect()
      yield* client.send({ _tag: "Handshake", user: text, id: "h" })
      const rejected = yield* client.next
      assert.match(issueOf(rejected), /^user: must (start with a letter or digit|have 1 to 32 characters)/)
      assert.strictEqual(rejected["id"], "h")
    })
  )

  it.effect("is normalised (NFKC) and shown as first written", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const zoe = yield* server.connect()
      yield* zoe.send({ _tag: "Handshake", user: "Zoe\u0308" })
      assert.strictEqual((yield* zoe.next)["user"], "Zoë")
      const ada = yield* server.join("ＡＤＡ")
      const { users } = yield* ada.ask({ _tag: "ListUsers" })
      assert.deepStrictEqual(users, ["ADA", "Zoë"])
      yield* ada.send({ _tag: "PrivateMessage", to: "zOË", content: "hi" })
      assert.strictEqual((yield* zoe.find("PrivateMessage"))["to"], "Zoë")
    })
  )
})

describe("a room's name", () => {
  it.effect.each(each(["d", "a".repeat(64), "𠮷".repeat(64), "Straße_7.b-c"]))("may be $called", ({ text }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      assert.strictEqual((yield* ada.ask({ _tag: "CreateRoom", room: text }))["room"], text)
      assert.strictEqual((yield* ada.ask({ _tag: "JoinRoom", room: text }))["_tag"], "RoomJoined")
    })
  )

  it.effect.each(each(["", "#dev", "a b", "a".repeat(65), "__proto__", "../x", "a\tb"]))(
    "may not be $called",
    ({ text }) =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* server.join("Ada")
        for (const _tag of ["CreateRoom", "JoinRoom", "LeaveRoom", "ListRoomUsers"]) {
          assert.match(
            issueOf(yield* ada.ask({ _tag, room: text })),
            /^room: must (start with a letter or digit|have 1 to 64 characters)/
          )
        }
      })
  )
})

describe("the content of a message", () => {
  it.effect.each(
    each([
      "x",
      " ",
      "line one\nline two\n",
      "\tindented",
      "👩‍👩‍👧‍👦 👍🏽 🇸🇪",
      "שלום עולם — مرحبا \u202bembedded\u202c",
      "e\u0301 is not é, ﬁ is not fi",
      "a\u2028b\u2029c\ufeffd\u00a0e",
      '\\ " / </script> ${x} %s \\u0041',
      "\uffff\ufffe\u{10ffff}",
      "a".repeat(8192),
      "😀".repeat(8192)
    ])
  )("comes through exactly: $called", ({ text }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "GlobalMessage", content: text })
      assert.strictEqual((yield* ben.find("GlobalMessage"))["content"], text)
      yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: text })
      assert.strictEqual((yield* ben.find("PrivateMessage"))["content"], text)
      const { messages } = yield* ben.ask({ _tag: "GetHistory" })
      assert.nestedPropertyVal(messages, "[0].content", text)
    })
  )

  it.effect.each(
    each([
      "",
      "a\u0000",
      "a\rb",
      "bell\u0007",
      "\u001b[2Jcleared",
      "c1\u009b31m",
      "nel\u0085",
      "half\ud83d",
      "\udc4bhalf",
      "a".repeat(8193),
      "😀".repeat(8193)
    ])
  )("may not be $called", ({ text }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      for (const message of [{ _tag: "GlobalMessage" }, { _tag: "PrivateMessage", to: "Ben" }]) {
        const rejected = yield* ada.ask({ ...message, content: text })
        assert.match(issueOf(rejected), /^content: must (have 1 to 8192 characters|not hold control characters)/)
      }
      assert.deepStrictEqual(yield* ben.soFar, [])
    })
  )
})

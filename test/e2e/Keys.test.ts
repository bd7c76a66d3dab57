import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const key = "01JZ8Q4X8M7V9T2B3C5D6E7F8G"

const conversations = [
  { _tag: "GlobalMessage" },
  { _tag: "RoomMessage", room: "dev" },
  { _tag: "PrivateMessage", to: "Ben" }
]

/** Ada and Ben, both in the room dev, with nothing left to read. */
const talking = Effect.gen(function* () {
  const server = yield* TestServer.start()
  const ada = yield* server.join("Ada")
  const ben = yield* server.join("Ben")
  yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
  yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
  yield* ben.ask({ _tag: "JoinRoom", room: "dev" })
  yield* Effect.all([ada.soFar, ben.soFar])
  return { server, ada, ben }
})

describe("a message sent again under its key", () => {
  it.effect.each(conversations)(
    "is answered with the first one's Sent, and nobody else hears of it: $_tag",
    (message) =>
      Effect.gen(function* () {
        const { ada, ben } = yield* talking
        const first = yield* ada.ask({ ...message, content: "once", key })
        yield* ada.ask({ ...message, content: "other" })
        yield* Effect.all([ada.soFar, ben.soFar])

        yield* ada.send({ ...message, content: "once", key, id: "again" })
        assert.deepStrictEqual(yield* ada.next, { ...first, id: "again", repeated: true })
        assert.deepStrictEqual(yield* Effect.all([ada.soFar, ben.soFar]), [[], []])
      })
  )

  it.effect.each(conversations)("in the same write is stored once: $_tag", (message) =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking
      const again = { ...message, content: "once", key }
      yield* ada.send(again, again, again)
      const sents = yield* ada.findMany("Sent", 3)
      assert.deepStrictEqual(
        sents.map(({ repeated, seq }) => ({ repeated, seq })),
        [
          { repeated: undefined, seq: 1 },
          { repeated: true, seq: 1 },
          { repeated: true, seq: 1 }
        ]
      )
      assert.lengthOf(yield* ben.soFar, 1)
      assert.strictEqual((yield* ada.ask({ ...message, content: "next" }))["seq"], 2)
    })
  )

  it.effect("is answered with its Sent although its receiver has left, and a first one with UserNotFound", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking
      const message = { _tag: "PrivateMessage", to: "Ben", content: "once" }
      const first = yield* ada.ask({ ...message, key })
      yield* ben.ask({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "Ben")
      yield* ada.soFar

      const again = yield* ada.ask({ ...message, key })
      assert.deepInclude(again, { _tag: "Sent", seq: first["seq"], at: first["at"], repeated: true })
      const other = yield* ada.ask({ ...message, key: "another-key-0123456789" })
      assert.deepStrictEqual(reasonOf(other), { _tag: "UserNotFound", user: "Ben" })
    })
  )

  it.effect("after coming back is still known", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* talking
      yield* ada.send({ _tag: "RoomMessage", room: "dev", content: "once", key })
      yield* ben.find("RoomMessage")
      yield* ada.reset
      yield* TestServer.whenGone(ben, "Ada")
      yield* ben.soFar

      const again = yield* server.join("ADA")
      yield* again.ask({ _tag: "JoinRoom", room: "dev" })
      const sent = yield* again.ask({ _tag: "RoomMessage", room: "dev", content: "once", key })
      assert.deepStrictEqual([sent["seq"], sent["repeated"]], [1, true])
      assert.deepStrictEqual(
        (yield* ben.soFar).filter(({ _tag }) => _tag === "RoomMessage"),
        []
      )
    })
  )
})

describe("the same key", () => {
  it.effect("from another sender, or in another conversation, is another message", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking
      const message = { _tag: "GlobalMessage", content: "hi", key }
      assert.notProperty(yield* ada.ask(message), "repeated")
      assert.notProperty(yield* ben.ask(message), "repeated")
      assert.notProperty(yield* ada.ask({ ...message, _tag: "RoomMessage", room: "dev" }), "repeated")
      const toBen = yield* ada.ask({ ...message, _tag: "PrivateMessage", to: "Ben" })
      assert.notProperty(toBen, "repeated")
    })
  )
})

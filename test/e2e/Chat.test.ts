import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as TestServer from "../support/TestServer.ts"

/** What the server's clock says while a test does not move it. */
const at = 1_750_000_000_000

const startAt = Effect.andThen(TestClock.setTime(at), TestServer.start())

describe("GlobalMessage", () => {
  it.effect("goes to everyone, its sender included, and the sender's Sent comes after it", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const stranger = yield* server.connect()
      const message = { _tag: "GlobalMessage", seq: 1, at, from: "Ada", content: "hello" }

      yield* ada.send({ _tag: "GlobalMessage", content: "hello", id: "g" })
      assert.deepStrictEqual(yield* ada.nextLines(2), [message, { _tag: "Sent", seq: 1, at, id: "g" }])
      assert.deepStrictEqual(yield* ben.next, message)
      assert.strictEqual(stranger.receivedText(), "")
    })
  )

  it.effect("reaches everyone in the same bytes", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.send({ _tag: "GlobalMessage", content: 'a "quoted" ünï \\ 👋' })
      yield* Effect.all([ada.find("Sent"), ben.find("GlobalMessage")])
      const bytesOf = (text: string) => text.split("\n").find((line) => line.includes(`"_tag":"GlobalMessage"`))
      assert.isDefined(bytesOf(ada.receivedText()))
      assert.strictEqual(bytesOf(ada.receivedText()), bytesOf(ben.receivedText()))
    })
  )
})

describe("PrivateMessage", () => {
  it.effect("goes to both and nobody else, each with the seq of their own inbox", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const cyd = yield* server.join("Cyd")
      yield* cyd.ask({ _tag: "PrivateMessage", to: "ben", content: "before" })
      yield* Effect.all([cyd.soFar, ben.soFar])

      yield* ada.send({ _tag: "PrivateMessage", to: "bEN", content: "psst", id: "p" })
      const message = { _tag: "PrivateMessage", at, from: "Ada", to: "Ben", content: "psst" }
      assert.deepStrictEqual(yield* ada.nextLines(2), [
        { ...message, seq: 1 },
        { _tag: "Sent", seq: 1, at, id: "p" }
      ])
      assert.deepStrictEqual(yield* ben.next, { ...message, seq: 2 })
      assert.deepStrictEqual(yield* cyd.soFar, [])
    })
  )

  it.effect("to somebody who is not here is refused with UserNotFound", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      const rejected = yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "psst" })
      assert.deepStrictEqual(rejected["reason"], { _tag: "UserNotFound", user: "Ben" })
    })
  )

  it.effect("to oneself is refused with CannotMessageYourself, in any spelling of the name", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      for (const to of ["Ada", "ADA", "ａｄａ"]) {
        const rejected = yield* ada.ask({ _tag: "PrivateMessage", to, content: "psst" })
        assert.deepStrictEqual(rejected["reason"], { _tag: "CannotMessageYourself" })
      }
    })
  )
})

describe("RoomMessage", () => {
  it.effect("goes to every member, its sender included, and to nobody else", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const cyd = yield* server.join("Cyd")
      yield* ada.ask({ _tag: "CreateRoom", room: "Dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ben.ask({ _tag: "JoinRoom", room: "dev" })
      yield* Effect.all([ada.soFar, ben.soFar, cyd.soFar])

      yield* ada.send({ _tag: "RoomMessage", room: "DEV", content: "hi", id: "r" })
      const message = { _tag: "RoomMessage", room: "Dev", seq: 1, at, from: "Ada", content: "hi" }
      assert.deepStrictEqual(yield* ada.nextLines(2), [message, { _tag: "Sent", seq: 1, at, id: "r" }])
      assert.deepStrictEqual(yield* ben.next, message)
      assert.deepStrictEqual(yield* cyd.soFar, [])
    })
  )

  it.effect("is for members only: others get NotInRoom, and RoomNotFound where there is no room", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      const outside = yield* ada.ask({ _tag: "RoomMessage", room: "dev", content: "hi" })
      assert.deepStrictEqual(outside["reason"], { _tag: "NotInRoom", room: "dev" })
      const nowhere = yield* ada.ask({ _tag: "RoomMessage", room: "ops", content: "hi" })
      assert.deepStrictEqual(nowhere["reason"], { _tag: "RoomNotFound", room: "ops" })
    })
  )

  it.effect("counts seq in each room on its own", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      for (const room of ["dev", "ops"]) {
        yield* ada.ask({ _tag: "CreateRoom", room })
        yield* ada.ask({ _tag: "JoinRoom", room })
        assert.strictEqual((yield* ada.ask({ _tag: "RoomMessage", room, content: "one" }))["seq"], 1)
        assert.strictEqual((yield* ada.ask({ _tag: "RoomMessage", room, content: "two" }))["seq"], 2)
      }
      assert.strictEqual((yield* ada.ask({ _tag: "GlobalMessage", content: "one" }))["seq"], 1)
    })
  )
})

describe("Ping", () => {
  it.effect("is answered with Pong and the same nonce", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      yield* ada.send({ _tag: "Ping", nonce: -7, id: "p" }, { _tag: "Ping", nonce: 2 ** 53 - 1 })
      assert.deepStrictEqual(yield* ada.nextLines(2), [
        { _tag: "Pong", nonce: -7, id: "p" },
        { _tag: "Pong", nonce: 2 ** 53 - 1 }
      ])
    })
  )
})

describe("ListUsers", () => {
  it.effect("is answered with everyone who has been welcomed, sorted", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      yield* server.connect()
      const cyd = yield* server.join("Cyd")
      yield* server.join("ada")
      yield* server.join("Ben")
      yield* cyd.send({ _tag: "ListUsers", id: "l" })
      assert.deepStrictEqual(yield* cyd.next, { _tag: "UserList", users: ["ada", "Ben", "Cyd"], count: 3, id: "l" })
    })
  )
})

describe("Disconnect", () => {
  it.effect("is answered with Goodbye, the last line before the server closes", () =>
    Effect.gen(function* () {
      const server = yield* startAt
      const ada = yield* server.join("Ada")
      yield* ada.send(
        { _tag: "GlobalMessage", content: "bye", id: "1" },
        { _tag: "Disconnect", id: "2" },
        { _tag: "Ping", nonce: 1, id: "3" }
      )
      const message = { _tag: "GlobalMessage", seq: 1, at, from: "Ada", content: "bye" }
      assert.deepStrictEqual(yield* ada.closed, [
        message,
        { _tag: "Sent", seq: 1, at, id: "1" },
        { _tag: "Goodbye", id: "2" }
      ])
    })
  )
})

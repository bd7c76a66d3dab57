import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Line, RawClient } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"

const at = 1_750_000_000_000

const say = Effect.fnUntraced(function* (client: RawClient, count: number, message: object) {
  const messages = Array.from({ length: count }, (_, index) => ({ ...message, content: `m${index + 1}` }))
  yield* client.send(...messages)
  yield* client.findMany("Sent", count)
})

const seqsOf = ({ messages }: Line) => {
  assert(Array.isArray(messages))
  return messages.map(({ seq }) => Number(seq))
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe("GetHistory", () => {
  it.effect("of the lobby is answered with its messages as they were heard, oldest first", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* say(ada, 2, { _tag: "GlobalMessage" })
      const ben = yield* server.join("Ben")
      yield* ben.send({ _tag: "GetHistory", id: "h" })
      assert.deepStrictEqual(yield* ben.next, {
        _tag: "History",
        messages: [
          { _tag: "GlobalMessage", seq: 1, at, from: "Ada", content: "m1" },
          { _tag: "GlobalMessage", seq: 2, at, from: "Ada", content: "m2" }
        ],
        more: false,
        id: "h"
      })
    })
  )

  it.effect("of a room is answered with the room's messages, under the room's name", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "Dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      yield* say(ada, 1, { _tag: "GlobalMessage" })
      yield* say(ada, 1, { _tag: "RoomMessage", room: "dev" })
      const history = yield* ada.ask({ _tag: "GetHistory", room: "DEV" })
      assert.deepStrictEqual(history["messages"], [
        { _tag: "RoomMessage", room: "Dev", seq: 1, at, from: "Ada", content: "m1" }
      ])
    })
  )

  it.effect("of a room is for its members, also for one who left: NotInRoom", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      yield* say(ada, 1, { _tag: "RoomMessage", room: "dev" })
      yield* ada.ask({ _tag: "LeaveRoom", room: "dev" })
      for (const client of [ada, ben]) {
        const rejected = yield* client.ask({ _tag: "GetHistory", room: "dev" })
        assert.deepStrictEqual(rejected["reason"], { _tag: "NotInRoom", room: "dev" })
      }
      const nowhere = yield* ada.ask({ _tag: "GetHistory", room: "ops" })
      assert.deepStrictEqual(nowhere["reason"], { _tag: "RoomNotFound", room: "ops" })
    })
  )

  it.effect("with a guest finds nothing, since a guest's private messages are not stored", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* server.join("Ben")
      yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "psst" })
      const history = yield* ada.ask({ _tag: "GetHistory", with: "Ben" })
      assert.deepStrictEqual({ ...history, id: "" }, { _tag: "History", messages: [], more: false, id: "" })
    })
  )

  it.effect("of a room and of a user at once is refused with InvalidMessage", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const rejected = yield* ada.ask({ _tag: "GetHistory", room: "dev", with: "Ben" })
      assert.deepStrictEqual(rejected["reason"], {
        _tag: "InvalidMessage",
        issue: "room, with: only one of the two may be given"
      })
    })
  )

  it.effect("gives the newest 50 where no limit is given, and says that there are more", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* say(ada, 60, { _tag: "GlobalMessage" })
      const history = yield* ada.ask({ _tag: "GetHistory" })
      assert.deepStrictEqual(seqsOf(history), range(11, 60))
      assert.isTrue(history["more"])
    })
  )

  it.effect.each([
    { asked: { limit: 3 }, seqs: range(8, 10), more: true },
    { asked: { limit: 10 }, seqs: range(1, 10), more: false },
    { asked: { limit: 500 }, seqs: range(1, 10), more: false },
    { asked: { before: 4 }, seqs: range(1, 3), more: false },
    { asked: { before: 8, limit: 2 }, seqs: [6, 7], more: true },
    { asked: { before: 1 }, seqs: [], more: false },
    { asked: { before: 99, limit: 1 }, seqs: [10], more: true },
    { asked: { after: 0, limit: 2 }, seqs: [1, 2], more: true },
    { asked: { after: 7 }, seqs: range(8, 10), more: false },
    { asked: { after: 10 }, seqs: [], more: false },
    { asked: { after: 99 }, seqs: [], more: false },
    { asked: { after: 2, before: 6 }, seqs: [3, 4, 5], more: false },
    { asked: { after: 2, before: 6, limit: 2 }, seqs: [3, 4], more: true },
    { asked: { after: 6, before: 2 }, seqs: [], more: false }
  ])("of ten messages with $asked gives $seqs, more: $more", ({ asked, more, seqs }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* say(ada, 10, { _tag: "GlobalMessage" })
      const history = yield* ada.ask({ _tag: "GetHistory", ...asked })
      assert.deepStrictEqual({ seqs: seqsOf(history), more: history["more"] }, { seqs, more })
    })
  )

  it.effect.each([0, 501, -1, 1.5])("with a limit of %s is refused with InvalidMessage", (limit) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const rejected = yield* ada.ask({ _tag: "GetHistory", limit })
      assert.nestedPropertyVal(rejected, "reason._tag", "InvalidMessage")
      assert.match(String(Reflect.get(Object(rejected["reason"]), "issue")), /^limit: /)
    })
  )

  it.effect("asked behind a message holds that message", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.send({ _tag: "GlobalMessage", content: "one" }, { _tag: "GetHistory", id: "h" })
      const [, sent, history] = yield* ada.nextLines(3)
      assert.strictEqual(sent?._tag, "Sent")
      assert(history !== undefined)
      assert.deepStrictEqual(seqsOf(history), [1])
    })
  )
})

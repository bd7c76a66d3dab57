import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch } from "effect"
import { historyBehind, isRoom } from "../support/FaultyServer.ts"
import type { RawClient } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"

const inSlow = { _tag: "RoomMessage", room: "slow" }

/** A server whose room `slow` cannot store anything until the latch opens, with Ada, Ben and Cyd; Ada and Ben are in. */
const waiting = Effect.gen(function* () {
  const latch = yield* Latch.make(true)
  const history = historyBehind((operation, conversation) =>
    operation === "append" && isRoom(conversation, "slow") ? latch.await : Effect.void
  )
  const server = yield* TestServer.start({ history })
  // A server that stops waits for its requests, and this clock would have it wait for ever.
  yield* Effect.addFinalizer(() => latch.open)
  const ada = yield* server.join("Ada")
  const ben = yield* server.join("Ben")
  const cyd = yield* server.join("Cyd")
  for (const room of ["slow", "quick"]) {
    yield* ada.ask({ _tag: "CreateRoom", room })
    yield* ada.ask({ _tag: "JoinRoom", room })
    yield* ben.ask({ _tag: "JoinRoom", room })
  }
  yield* latch.close
  yield* Effect.all([ada.soFar, ben.soFar, cyd.soFar])
  return { latch, server, ada, ben, cyd }
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe("while one room's history takes its time", () => {
  /** What a client is answered although the room is waiting. */
  const everythingElse = Effect.fnUntraced(function* (client: RawClient, partner: string) {
    const replies = yield* Effect.forEach(
      [
        { _tag: "Ping", nonce: 1 },
        { _tag: "ListUsers" },
        { _tag: "ListRooms" },
        { _tag: "GlobalMessage", content: "hi" },
        { _tag: "PrivateMessage", to: partner, content: "psst" },
        { _tag: "CreateRoom", room: `of-${partner}` },
        { _tag: "JoinRoom", room: `of-${partner}` },
        { _tag: "RoomMessage", room: `of-${partner}`, content: "hi" },
        { _tag: "ListRoomUsers", room: `of-${partner}` },
        { _tag: "GetHistory" },
        { _tag: "LeaveRoom", room: `of-${partner}` }
      ],
      (request) => client.ask(request)
    )
    assert.deepStrictEqual(
      replies.map(({ _tag }) => _tag),
      [
        "Pong",
        "UserList",
        "RoomList",
        "Sent",
        "Sent",
        "RoomCreated",
        "RoomJoined",
        "Sent",
        "RoomUsers",
        "History",
        "RoomLeft"
      ]
    )
  })

  it.effect("nobody sees what is not stored, and everything else is answered, the sender's other requests too", () =>
    Effect.gen(function* () {
      const { ada, ben, cyd, latch } = yield* waiting
      yield* ada.send({ ...inSlow, content: "one", id: "slow" })
      yield* everythingElse(ada, "Ben")
      yield* everythingElse(ben, "Cyd")
      yield* everythingElse(cyd, "Ada")
      const isOfSlow = (room: unknown) => room === "slow"
      for (const client of [ada, ben]) {
        assert.deepStrictEqual(
          (yield* client.soFar).filter(({ id, room }) => isOfSlow(room) || id === "slow"),
          []
        )
      }
      yield* latch.open
      assert.strictEqual((yield* ben.find("RoomMessage"))["seq"], 1)
      assert.strictEqual((yield* ada.find(({ id }) => id === "slow"))["_tag"], "Sent")
    })
  )

  it.effect("who is in it can be asked, and newcomers are welcomed to the server", () =>
    Effect.gen(function* () {
      const { ada, cyd, server } = yield* waiting
      yield* ada.send({ ...inSlow, content: "one" })
      assert.deepStrictEqual((yield* cyd.ask({ _tag: "ListRoomUsers", room: "slow" }))["users"], ["Ada", "Ben"])
      const dan = yield* server.join("Dan")
      yield* dan.ask({ _tag: "JoinRoom", room: "quick" })
      assert.strictEqual((yield* dan.ask({ _tag: "RoomMessage", room: "quick", content: "hi" }))["seq"], 1)
    })
  )

  it.effect("what is sent to it meanwhile comes through afterwards, in order, each answered once", () =>
    Effect.gen(function* () {
      const { ada, ben, latch } = yield* waiting
      for (const client of [ada, ben]) {
        yield* client.send(
          ...Array.from(range(1, 60), (number) => ({ ...inSlow, content: `${number}`, id: `${number}` }))
        )
      }
      yield* Effect.all([ada.soFar, ben.soFar])
      yield* latch.open
      const heard = yield* ben.findMany("RoomMessage", 120)
      assert.deepStrictEqual(
        heard.map(({ seq }) => seq),
        range(1, 120)
      )
      for (const [client, name] of [
        [ada, "Ada"],
        [ben, "Ben"]
      ] as const) {
        const own = heard.filter(({ from }) => from === name)
        const sents = yield* client.findMany("Sent", 60)
        assert.deepStrictEqual(
          own.map(({ content, seq }) => [content, seq]),
          sents.map(({ id, seq }) => [id, seq])
        )
      }
    })
  )

  it.effect("a member that leaves the server is gone at once, and its name is free", () =>
    Effect.gen(function* () {
      const { ada, ben, cyd, latch, server } = yield* waiting
      yield* ada.send({ ...inSlow, content: "one" })
      yield* ben.send({ _tag: "Disconnect" })
      yield* ben.closed
      yield* TestServer.whenGone(cyd, "Ben")
      const again = yield* server.join("Ben")
      yield* latch.open
      yield* ada.find("Sent")
      assert.deepStrictEqual((yield* again.ask({ _tag: "ListRoomUsers", room: "slow" }))["users"], ["Ada"])
    })
  )

  it.effect("a sender that has said goodbye is answered before the last word", () =>
    Effect.gen(function* () {
      const { ada, cyd, latch } = yield* waiting
      yield* ada.send({ ...inSlow, content: "one" }, { _tag: "Disconnect" })
      yield* TestServer.whenGone(cyd, "Ada")
      yield* latch.open
      const lines = yield* ada.closed
      assert.deepStrictEqual(
        lines.map(({ _tag }) => _tag).filter((tag) => tag === "Sent" || tag === "Goodbye"),
        ["Sent", "Goodbye"]
      )
    })
  )

  it.live("one that sends without end is read no further, and holds up only itself", () =>
    Effect.gen(function* () {
      const { ada, ben, latch } = yield* waiting
      const count = 3000
      // Handing this to the system waits until the server reads on.
      yield* Effect.forkChild(
        ada.send(
          ...Array.from(range(1, count), (number) => ({ ...inSlow, content: `${number} ${"x".repeat(2000)}` })),
          { _tag: "Ping", nonce: 1, id: "behind" }
        )
      )
      yield* everythingElse(ben, "Cyd")
      assert.isUndefined((yield* ben.soFar).find(({ _tag, room }) => _tag === "RoomMessage" && room === "slow"))
      assert.notInclude(ada.receivedText(), "behind")
      yield* latch.open
      const heard = yield* ben.findMany("RoomMessage", count)
      assert.deepStrictEqual(
        heard.map(({ seq }) => seq),
        range(1, count)
      )
      yield* ada.find(({ id }) => id === "behind")
    })
  )
})

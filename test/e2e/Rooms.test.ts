import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Line } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"

const reasonOf = ({ reason }: Line) => reason

describe("CreateRoom", () => {
  it.live("is answered with RoomCreated, which everyone else hears too", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ben = yield* server.join("Ben")
      const ada = yield* server.join("Ada")
      yield* ada.send({ _tag: "CreateRoom", room: "Dev", id: "c" })
      assert.deepStrictEqual(yield* ada.find("RoomCreated"), { _tag: "RoomCreated", room: "Dev", by: "Ada", id: "c" })
      assert.deepStrictEqual(yield* ben.find("RoomCreated"), { _tag: "RoomCreated", room: "Dev", by: "Ada" })
      assert.isFalse((yield* ada.soFar).some(({ _tag }) => _tag === "RoomCreated"))
    })
  )

  it.effect("is told of with a hundred others at most every 50 ms, when hundreds are made", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_ROOMS_PER_USER: "1000" } })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const rooms = Array.from({ length: 250 }, (_, index) => `room-${index}`)
      yield* ben.send(...rooms.map((room) => ({ _tag: "CreateRoom", room })))
      yield* ben.findMany("RoomCreated", rooms.length)
      yield* ada.soFar
      const told: Array<unknown> = []
      for (const count of [100, 200, 250]) {
        yield* TestClock.adjust("50 millis")
        told.push(...(yield* ada.soFar).flatMap(({ _tag, room }) => (_tag === "RoomCreated" ? [room] : [])))
        assert.lengthOf(told, count)
      }
      assert.deepStrictEqual(told, rooms)
    })
  )

  it.live(
    "is carried out one by one for each connection, so that whoever asks for hundreds holds up only oneself",
    () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start({ settings: { MAX_ROOMS_PER_USER: "1000" } })
        const ada = yield* server.join("Ada")
        const ben = yield* server.join("Ben")
        yield* ben.send(...Array.from({ length: 120 }, (_, index) => ({ _tag: "CreateRoom", room: `room-${index}` })))
        // Asked for behind all of them: it says how many there were when its turn had come.
        const { count } = yield* ada.ask({ _tag: "ListRooms" })
        assert.isBelow(Number(count), 60)
        yield* ben.findMany("RoomCreated", 120)
      })
  )

  it.effect("makes a room that its maker is not in", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListRoomUsers", room: "dev" }))["users"], [])
      const rejected = yield* ada.ask({ _tag: "LeaveRoom", room: "dev" })
      assert.deepStrictEqual(reasonOf(rejected), { _tag: "NotInRoom", room: "dev" })
    })
  )

  it.effect("of a room that exists is refused with RoomExists, in any spelling, under its first name", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "Dev" })
      for (const room of ["Dev", "dEV", "ｄｅｖ"]) {
        const rejected = yield* ben.ask({ _tag: "CreateRoom", room })
        assert.deepStrictEqual(reasonOf(rejected), { _tag: "RoomExists", room: "Dev" })
      }
    })
  )
})

describe("JoinRoom", () => {
  it.effect("is answered with RoomJoined: where the log stands and who is in, sorted", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ben = yield* server.join("Ben")
      yield* ben.ask({ _tag: "CreateRoom", room: "Dev" })
      yield* ben.send({ _tag: "JoinRoom", room: "DEV", id: "j" })
      const joined = yield* ben.find("RoomJoined")
      assert.deepStrictEqual(joined, {
        _tag: "RoomJoined",
        role: "owner",
        room: "Dev",
        epoch: joined["epoch"],
        seq: 0,
        missed: 0,
        truncated: false,
        users: ["Ben"],
        count: 1,
        id: "j"
      })
      assert.isString(joined["epoch"])
      yield* ben.ask({ _tag: "RoomMessage", room: "dev", content: "one" })

      const ada = yield* server.join("Ada")
      const second = yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      assert.deepStrictEqual(second, {
        ...joined,
        role: "member",
        seq: 1,
        users: ["Ada", "Ben"],
        count: 2,
        id: "ask-1"
      })
    })
  )

  it.effect("is refused with RoomNotFound or AlreadyInRoom", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const nowhere = yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      assert.deepStrictEqual(reasonOf(nowhere), { _tag: "RoomNotFound", room: "dev" })
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      const again = yield* ada.ask({ _tag: "JoinRoom", room: "DEV" })
      assert.deepStrictEqual(reasonOf(again), { _tag: "AlreadyInRoom", room: "dev" })
    })
  )
})

describe("LeaveRoom", () => {
  it.effect("is answered with RoomLeft, and nothing of the room is heard any more", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "Dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ben.ask({ _tag: "JoinRoom", room: "dev" })
      yield* Effect.all([ada.soFar, ben.soFar])

      yield* ada.send({ _tag: "LeaveRoom", room: "dev", id: "l" })
      assert.deepStrictEqual(yield* ada.next, { _tag: "RoomLeft", room: "Dev", id: "l" })
      yield* ben.ask({ _tag: "RoomMessage", room: "dev", content: "alone" })
      assert.deepStrictEqual(yield* ada.soFar, [])
      assert.deepStrictEqual((yield* ben.ask({ _tag: "ListRoomUsers", room: "dev" }))["users"], ["Ben"])
    })
  )

  it.effect("is refused with RoomNotFound or NotInRoom", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const nowhere = yield* ada.ask({ _tag: "LeaveRoom", room: "dev" })
      assert.deepStrictEqual(reasonOf(nowhere), { _tag: "RoomNotFound", room: "dev" })
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      const outside = yield* ada.ask({ _tag: "LeaveRoom", room: "dev" })
      assert.deepStrictEqual(reasonOf(outside), { _tag: "NotInRoom", room: "dev" })
    })
  )
})

describe("ListRooms", () => {
  it.effect("is answered with every room and how many are in it, sorted", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListRooms" }))["rooms"], [])
      for (const room of ["ops", "Dev", "art"]) yield* ada.ask({ _tag: "CreateRoom", room })
      yield* ada.ask({ _tag: "JoinRoom", room: "ops" })
      yield* ada.send({ _tag: "ListRooms", id: "l" })
      assert.deepStrictEqual(yield* ada.find("RoomList"), {
        _tag: "RoomList",
        rooms: [
          { room: "art", users: 0 },
          { room: "Dev", users: 0 },
          { room: "ops", users: 1 }
        ],
        count: 3,
        id: "l"
      })
    })
  )
})

describe("ListRoomUsers", () => {
  it.effect("is answered with who is in, sorted, to members and others alike", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const cyd = yield* server.join("Cyd")
      yield* cyd.ask({ _tag: "CreateRoom", room: "Dev" })
      yield* cyd.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      const users = { _tag: "RoomUsers", room: "Dev", users: ["Ada", "Cyd"], count: 2 }
      for (const [client, id] of [
        [ada, "a"],
        [ben, "b"]
      ] as const) {
        yield* client.send({ _tag: "ListRoomUsers", room: "DEV", id })
        assert.deepStrictEqual(yield* client.find("RoomUsers"), { ...users, id })
      }
      const nowhere = yield* ben.ask({ _tag: "ListRoomUsers", room: "ops" })
      assert.deepStrictEqual(reasonOf(nowhere), { _tag: "RoomNotFound", room: "ops" })
    })
  )
})

describe("a room's life", () => {
  const names = (list: Line) => list["rooms"]

  it.effect("ends when the last one leaves and nothing was ever written in it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ada.ask({ _tag: "LeaveRoom", room: "dev" })
      yield* ada.ask({ _tag: "ListRooms" })
      assert.deepStrictEqual(names(yield* ada.ask({ _tag: "ListRooms" })), [])
      assert.strictEqual((yield* ada.ask({ _tag: "CreateRoom", room: "dev" }))._tag, "RoomCreated")
    })
  )

  it.effect("goes on without anybody in it once something was written", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ada.ask({ _tag: "RoomMessage", room: "dev", content: "stays" })
      yield* ada.ask({ _tag: "LeaveRoom", room: "dev" })
      yield* ada.ask({ _tag: "ListRooms" })
      assert.deepStrictEqual(names(yield* ada.ask({ _tag: "ListRooms" })), [{ room: "dev", users: 0 }])
      assert.strictEqual((yield* ada.ask({ _tag: "JoinRoom", room: "dev" }))["seq"], 1)
    })
  )

  it.effect("ends when its maker goes away before anybody joined", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.send({ _tag: "Disconnect" })
      yield* ada.closed
      yield* ben.ask({ _tag: "ListRooms" })
      assert.deepStrictEqual(names(yield* ben.ask({ _tag: "ListRooms" })), [])
    })
  )

  it.effect("goes on without its maker while others are in it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ben.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ada.send({ _tag: "Disconnect" })
      yield* ada.closed
      yield* ben.ask({ _tag: "ListRooms" })
      assert.deepStrictEqual(names(yield* ben.ask({ _tag: "ListRooms" })), [{ room: "dev", users: 1 }])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

describe("MAX_ROOMS_PER_USER", () => {
  const settings = { MAX_ROOMS_PER_USER: "2" }

  it.effect("is how many rooms a user may own: one more is refused with TooManyRooms", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "one" })
      yield* ada.ask({ _tag: "CreateRoom", room: "two" })
      const refused = yield* ada.ask({ _tag: "CreateRoom", room: "three" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyRooms", limit: 2 })
      assert.strictEqual((yield* ben.ask({ _tag: "CreateRoom", room: "three" }))._tag, "RoomCreated")
    })
  )

  it.effect("is how many rooms a user may be in, and leaving one makes place", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const makers = yield* Effect.forEach(["one", "two", "three"], (room) =>
        Effect.tap(server.join(`maker-of-${room}`), (maker) => maker.ask({ _tag: "CreateRoom", room }))
      )
      assert.lengthOf(makers, 3)
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "JoinRoom", room: "one" })
      yield* ada.ask({ _tag: "JoinRoom", room: "two" })
      const refused = yield* ada.ask({ _tag: "JoinRoom", room: "three" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyRooms", limit: 2 })
      yield* ada.ask({ _tag: "LeaveRoom", room: "one" })
      assert.strictEqual((yield* ada.ask({ _tag: "JoinRoom", room: "three" }))._tag, "RoomJoined")
    })
  )

  it.effect("does not count rooms that are gone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada")
      for (let round = 0; round < 5; round++) {
        for (const _tag of ["CreateRoom", "JoinRoom", "LeaveRoom", "ListRooms"]) yield* ada.ask({ _tag, room: "dev" })
      }
      assert.strictEqual((yield* ada.ask({ _tag: "CreateRoom", room: "dev" }))._tag, "RoomCreated")
    })
  )
})

describe("MAX_ROOMS", () => {
  it.effect("is how many rooms there may be in all", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_ROOMS: "2" } })
      for (const room of ["one", "two"]) {
        const maker = yield* server.join(`maker-of-${room}`)
        assert.strictEqual((yield* maker.ask({ _tag: "CreateRoom", room }))._tag, "RoomCreated")
      }
      const ada = yield* server.join("Ada")
      const refused = yield* ada.ask({ _tag: "CreateRoom", room: "three" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyRooms", limit: 2 })
    })
  )
})

describe("MAX_CONNECTIONS", () => {
  it.effect("is how many connections there may be: one more is told TooManyConnections and closed", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_CONNECTIONS: "2" } })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const [refused, ...rest] = yield* Effect.flatMap(server.connect(), ({ closed }) => closed)
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyConnections" })
      assert.deepStrictEqual(rest, [])
      // It took nobody's place away.
      yield* ada.ask({ _tag: "GlobalMessage", content: "hi" })
      yield* ben.find("GlobalMessage")
    })
  )

  it.effect("lets the next one in when somebody has gone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_CONNECTIONS: "2" } })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ben.send({ _tag: "Disconnect" })
      yield* ben.closed
      yield* TestServer.whenGone(ada, "Ben")
      const come = Effect.gen(function* () {
        const cyd = yield* server.connect()
        yield* cyd.send({ _tag: "Handshake", user: "Cyd" })
        return (yield* cyd.next)._tag === "Welcome"
      })
      // The name is free a little before the place is.
      yield* Effect.repeat(Effect.scoped(come), { until: (isWelcome) => isWelcome })
    })
  )
})

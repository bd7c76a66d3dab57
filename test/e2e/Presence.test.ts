import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Line, RawClient } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"

const window = "50 millis"

/** By when everything sent until now has been answered, what everyone is to hear is being gathered. */
const gathered = (...clients: ReadonlyArray<RawClient>) =>
  Effect.forEach(clients, (client) =>
    Effect.andThen(client.ask({ _tag: "ListUsers" }), client.ask({ _tag: "ListUsers" }))
  )

const presenceIn = (lines: ReadonlyArray<Line>) => lines.filter(({ _tag }) => _tag.endsWith("Presence"))

const namesIn = (lines: ReadonlyArray<Line>, field: string) =>
  presenceIn(lines).flatMap((line) => {
    const names = line[field]
    return Array.isArray(names) ? names.map(String) : []
  })

describe("Presence", () => {
  it.effect("tells the others who came, once 50 ms have passed", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* gathered(ada, ben)
      yield* TestClock.adjust(window)
      yield* Effect.all([ada.find("Presence"), ben.soFar])

      const cyd = yield* server.join("Cyd")
      yield* gathered(ada, cyd)
      yield* TestClock.adjust("49 millis")
      assert.deepStrictEqual(yield* ada.soFar, [])
      yield* TestClock.adjust("1 millis")
      const presence = { _tag: "Presence", joined: ["Cyd"], left: [] }
      assert.deepStrictEqual(yield* ada.next, presence)
      assert.deepStrictEqual(yield* ben.find("Presence"), presence)
      assert.deepStrictEqual(presenceIn(yield* cyd.soFar), [], "nobody is told that they came themselves")
    })
  )

  it.effect("shares one message among all who came within 50 ms", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const names = Array.from({ length: 40 }, (_, index) => `guest-${index}`)
      const guests = yield* Effect.forEach(names, (name) => server.join(name))
      const [first] = guests
      assert(first !== undefined)
      yield* gathered(ada, first)
      yield* TestClock.adjust(window)
      const presence = yield* ada.next
      assert.strictEqual(presence._tag, "Presence")
      assert.sameMembers(namesIn([presence], "joined"), ["Ada", ...names])
      assert.deepStrictEqual(presence["left"], [])
      assert.deepStrictEqual(yield* ada.soFar, [])
    })
  )

  it.effect("tells who left, whatever ended the connection", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const cyd = yield* server.join("Cyd")
      const dan = yield* server.join("Dan")
      yield* gathered(ada, dan)
      yield* TestClock.adjust(window)
      yield* ada.find("Presence")

      yield* ben.send({ _tag: "Disconnect" })
      yield* cyd.reset
      yield* Effect.all([TestServer.whenGone(ada, "Ben"), TestServer.whenGone(ada, "Cyd")])
      yield* gathered(ada, dan)
      yield* TestClock.adjust(window)
      const presence = yield* ada.next
      assert.deepStrictEqual(presence["joined"], [])
      assert.sameMembers(namesIn([presence], "left"), ["Ben", "Cyd"])
    })
  )

  it.effect("names everybody once, where they ended up: one who came and went has left", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* gathered(ada, ben)
      yield* TestClock.adjust(window)
      yield* ada.find("Presence")

      const cyd = yield* server.join("Cyd")
      yield* cyd.send({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "Cyd")
      yield* gathered(ada, ben)
      yield* TestClock.adjust(window)
      assert.deepStrictEqual(yield* ada.next, { _tag: "Presence", joined: [], left: ["Cyd"] })
    })
  )

  it.effect("is not sent while more than PRESENCE_MAX users are connected", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { PRESENCE_MAX: "3" } })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* server.join("Cyd")
      yield* gathered(ada, ben)
      yield* TestClock.adjust(window)
      assert.sameMembers(namesIn([yield* ada.next], "joined"), ["Ada", "Ben", "Cyd"])

      const dan = yield* server.join("Dan")
      yield* gathered(ada, ben)
      yield* TestClock.adjust(window)
      assert.deepStrictEqual(yield* ada.soFar, [])

      yield* dan.send({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "Dan")
      yield* gathered(ada, ben)
      yield* TestClock.adjust(window)
      const presence = yield* ada.next
      assert.deepStrictEqual([presence["all"], presence["left"]], [true, []], "everybody is told anew who is there")
      assert.sameMembers(namesIn([presence], "joined"), ["Ada", "Ben", "Cyd"])
    })
  )
})

describe("RoomPresence", () => {
  const inDev = Effect.fnUntraced(function* (client: RawClient) {
    yield* client.ask({ _tag: "JoinRoom", room: "dev" })
    return client
  })
  /** The room has acted on everything before. */
  const settled = (client: RawClient) => client.ask({ _tag: "GetHistory", room: "dev" })

  it.effect("tells the members who came and who left, and nobody else", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const stranger = yield* server.join("Stranger")
      yield* ada.ask({ _tag: "CreateRoom", room: "Dev" })
      yield* inDev(ada)
      yield* settled(ada)
      yield* TestClock.adjust(window)
      yield* ada.soFar

      yield* inDev(ben)
      yield* settled(ada)
      yield* TestClock.adjust(window)
      assert.deepStrictEqual(yield* ada.next, { _tag: "RoomPresence", room: "Dev", joined: ["Ben"], left: [] })
      assert.deepStrictEqual(
        presenceIn(yield* ben.soFar).filter(({ room }) => room !== undefined),
        []
      )

      yield* ben.ask({ _tag: "LeaveRoom", room: "dev" })
      yield* settled(ada)
      yield* TestClock.adjust(window)
      assert.deepStrictEqual(yield* ada.next, { _tag: "RoomPresence", room: "Dev", joined: [], left: ["Ben"] })
      const elsewhere = [...(yield* ben.soFar), ...(yield* stranger.soFar)]
      assert.deepStrictEqual(
        elsewhere.filter(({ _tag }) => _tag === "RoomPresence"),
        []
      )
    })
  )

  it.effect("shares one message among all who came within 50 ms", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* inDev(ada)
      const names = Array.from({ length: 20 }, (_, index) => `guest-${index}`)
      yield* Effect.forEach(names, (name) => Effect.flatMap(server.join(name), inDev))
      yield* settled(ada)
      yield* TestClock.adjust(window)
      const presence = yield* ada.find("RoomPresence")
      assert.sameMembers(namesIn([presence], "joined"), ["Ada", ...names])
      assert.deepStrictEqual(
        (yield* ada.soFar).filter(({ _tag }) => _tag === "RoomPresence"),
        []
      )
    })
  )

  it.effect("tells that a connection that was reset left", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* inDev(ada)
      yield* inDev(ben)
      yield* settled(ada)
      yield* TestClock.adjust(window)
      yield* ada.find("RoomPresence")

      yield* ben.reset
      yield* TestServer.whenGone(ada, "Ben")
      yield* settled(ada)
      yield* TestClock.adjust(window)
      assert.deepStrictEqual(yield* ada.find("RoomPresence"), {
        _tag: "RoomPresence",
        room: "dev",
        joined: [],
        left: ["Ben"]
      })
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListRoomUsers", room: "dev" }))["users"], ["Ada"])
    })
  )

  it.effect("is not sent while the room has more than PRESENCE_MAX members", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { PRESENCE_MAX: "2" } })
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* inDev(ada)
      yield* Effect.flatMap(server.join("Ben"), inDev)
      yield* settled(ada)
      yield* TestClock.adjust(window)
      yield* ada.find("RoomPresence")

      const cyd = yield* Effect.flatMap(server.join("Cyd"), inDev)
      yield* settled(ada)
      yield* TestClock.adjust(window)
      assert.deepStrictEqual(
        (yield* ada.soFar).filter(({ _tag }) => _tag === "RoomPresence"),
        []
      )

      yield* cyd.ask({ _tag: "LeaveRoom", room: "dev" })
      yield* settled(ada)
      yield* TestClock.adjust(window)
      const presence = yield* ada.find("RoomPresence")
      assert.deepStrictEqual(presence, {
        _tag: "RoomPresence",
        room: "dev",
        joined: ["Ada", "Ben"],
        left: [],
        all: true
      })
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { StorageUnavailable } from "../../src/server/history/History.ts"
import { type Before, type Fault, historyBehind, serverWithFault, silently } from "../support/FaultyServer.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const storageUnavailable = { _tag: "StorageUnavailable" }

const inDev = { _tag: "RoomMessage", room: "dev" }

const makeDev = (maker: RawClient, ...members: ReadonlyArray<RawClient>) =>
  Effect.andThen(
    maker.ask({ _tag: "CreateRoom", room: "dev" }),
    Effect.forEach([maker, ...members], (client) => client.ask({ _tag: "JoinRoom", room: "dev" }))
  )

const lobbyEpoch = (received: string) => /"lobby":\{"epoch":"([^"]*)"/.exec(received)?.[1]

describe("a history that cannot be written", () => {
  const failures: ReadonlyArray<{ readonly how: string; readonly failure: ReturnType<Before> }> = [
    { how: "fails", failure: new StorageUnavailable({ cause: "the disk is full" }) },
    { how: "dies", failure: Effect.die("a bug in the history") }
  ]

  it.effect.each(failures)(
    "and $how refuses the message with StorageUnavailable: nobody sees it, the room lives",
    ({ failure }) =>
      Effect.gen(function* () {
        let isBroken = false
        const history = historyBehind((operation) => (isBroken && operation === "append" ? failure : Effect.void))
        const server = yield* TestServer.start({ history })
        const ada = yield* server.join("Ada")
        const ben = yield* server.join("Ben")
        yield* makeDev(ada, ben)
        yield* Effect.all([ada.soFar, ben.soFar])

        isBroken = true
        for (const message of [inDev, { _tag: "GlobalMessage" }]) {
          assert.deepStrictEqual(reasonOf(yield* ada.ask({ ...message, content: "lost" })), storageUnavailable)
        }
        assert.deepStrictEqual(yield* Effect.all([ada.soFar, ben.soFar]), [[], []])

        isBroken = false
        for (const message of [inDev, { _tag: "GlobalMessage" }]) {
          assert.strictEqual((yield* ada.ask({ ...message, content: "stored" }))["seq"], 1)
          assert.strictEqual((yield* ben.find(message._tag))["content"], "stored")
        }
      }).pipe(silently)
  )

  it.effect("tells members of what was stored though it said otherwise, in its place, before what comes after it", () =>
    Effect.gen(function* () {
      let isDoubtful = false
      const history = historyBehind(
        () => Effect.void,
        Effect.suspend(() => (isDoubtful ? new StorageUnavailable({ cause: "the thread died" }) : Effect.void))
      )
      const server = yield* TestServer.start({ history })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* makeDev(ada, ben)
      const key = "0123456789abcdef"
      yield* ada.ask({ ...inDev, content: "one" })

      isDoubtful = true
      for (const content of ["two", "three"]) {
        assert.deepStrictEqual(
          reasonOf(yield* ada.ask({ ...inDev, content, key: `${key} ${content}` })),
          storageUnavailable
        )
      }
      isDoubtful = false
      const sent = yield* ada.ask({ ...inDev, content: "three", key: `${key} three` })
      assert.deepInclude(sent, { _tag: "Sent", seq: 3, repeated: true })
      assert.strictEqual((yield* ada.ask({ ...inDev, content: "four" }))["seq"], 4)

      isDoubtful = true
      yield* ada.ask({ ...inDev, content: "five" })
      isDoubtful = false
      const cyd = yield* server.join("Cyd")
      yield* cyd.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ada.ask({ ...inDev, content: "six" })

      for (const client of [ada, ben]) {
        const heard = yield* client.findMany("RoomMessage", 6)
        assert.deepStrictEqual(
          heard.map(({ content, seq }) => [content, seq]),
          ["one", "two", "three", "four", "five", "six"].map((content, index) => [content, index + 1])
        )
      }
      assert.strictEqual((yield* cyd.find("RoomMessage"))["content"], "six")
    }).pipe(silently)
  )

  it.effect("answers each message of a run that was not stored", () =>
    Effect.gen(function* () {
      const failure = new StorageUnavailable({ cause: "the disk is full" })
      const history = historyBehind((operation) => (operation === "append" ? failure : Effect.void))
      const server = yield* TestServer.start({ history })
      const ada = yield* server.join("Ada")
      const ids = Array.from({ length: 500 }, (_, index) => `${index}`)
      yield* ada.send(...ids.map((id) => ({ _tag: "GlobalMessage", content: "lost", id })))
      const replies = yield* ada.findMany("Rejected", ids.length)
      assert.sameMembers(
        replies.map(({ id }) => String(id)),
        ids
      )
    }).pipe(silently)
  )
})

describe("a history that cannot be read", () => {
  it.effect("refuses what needs it with StorageUnavailable, and what failed may be tried again", () =>
    Effect.gen(function* () {
      let isBroken = false
      const history = historyBehind((operation) =>
        isBroken && operation !== "append" ? Effect.die("a bug in the history") : Effect.void
      )
      const server = yield* TestServer.start({ history })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const cyd = yield* server.connect()
      const [joined] = yield* makeDev(ada)
      const inRoom = { epoch: joined?.["epoch"] }
      const inLobby = { epoch: lobbyEpoch(ada.receivedText()) }
      yield* ada.ask({ ...inDev, content: "before" })
      yield* ada.ask({ _tag: "GlobalMessage", content: "before" })

      isBroken = true
      // Whoever missed nothing needs nothing of it.
      const dan = yield* server.join("Dan")
      yield* dan.send({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "Dan")
      assert.deepStrictEqual(reasonOf(yield* ada.ask({ _tag: "GetHistory", room: "dev" })), storageUnavailable)
      assert.deepStrictEqual(reasonOf(yield* ada.ask({ _tag: "GetHistory" })), storageUnavailable)
      assert.deepStrictEqual(
        reasonOf(yield* ben.ask({ _tag: "JoinRoom", room: "dev", after: { ...inRoom, seq: 0 } })),
        storageUnavailable
      )
      const back = { _tag: "Handshake", user: "Cyd", after: { lobby: { ...inLobby, seq: 0 } } }
      assert.deepStrictEqual(reasonOf(yield* cyd.ask(back)), storageUnavailable)
      // Neither is half in.
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListRoomUsers", room: "dev" }))["users"], ["Ada"])
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada", "Ben"])
      assert.strictEqual((yield* ada.ask({ ...inDev, content: "hi" }))["seq"], 2)

      isBroken = false
      assert.strictEqual((yield* ada.ask({ _tag: "GetHistory", room: "dev" }))["_tag"], "History")
      assert.strictEqual((yield* ben.ask({ _tag: "JoinRoom", room: "dev" }))["seq"], 2)
      assert.strictEqual((yield* cyd.ask(back))["_tag"], "Welcome")
    }).pipe(silently)
  )

  it.effect("gives whose Handshake failed for it as long again for another, and no longer", () =>
    Effect.gen(function* () {
      const history = historyBehind((operation) => (operation === "read" ? Effect.die("a bug") : Effect.void))
      const server = yield* TestServer.start({ history })
      const ben = yield* server.join("Ben")
      yield* ben.ask({ _tag: "GlobalMessage", content: "missed" })
      const lobby = { epoch: lobbyEpoch(ben.receivedText()), seq: 0 }
      const handshake = { _tag: "Handshake", user: "Ada", after: { lobby } }
      const ada = yield* server.connect()
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(reasonOf(yield* ada.ask(handshake)), storageUnavailable)
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(reasonOf(yield* ada.ask(handshake)), storageUnavailable)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(reasonOf((yield* ada.closed)[0]), { _tag: "HandshakeTimeout" })
    }).pipe(silently)
  )
})

describe("a processor whose handler dies", () => {
  const requests: ReadonlyArray<{
    readonly processor: string
    readonly armed: ServerMessage["_tag"]
    readonly request: object
  }> = [
    { processor: "ServerProcessor", armed: "UserList", request: { _tag: "ListUsers" } },
    { processor: "RoomProcessor", armed: "RoomList", request: { _tag: "ListRooms" } },
    {
      processor: "UserProcessor",
      armed: "PrivateMessage",
      request: { _tag: "PrivateMessage", to: "Ben", content: "hi" }
    },
    { processor: "lobby", armed: "History", request: { _tag: "GetHistory" } },
    { processor: "room", armed: "RoomMessage", request: { ...inDev, content: "hi" } },
    { processor: "room", armed: "RoomJoined", request: { _tag: "JoinRoom", room: "ops" } }
  ]

  it.effect.each(requests)("answers StorageUnavailable and lives on: $processor, $armed", ({ armed, request }) =>
    Effect.gen(function* () {
      const fault: Fault = { armed: undefined }
      const server = yield* TestServer.start({ server: serverWithFault(fault) })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* makeDev(ada, ben)
      yield* ada.ask({ _tag: "CreateRoom", room: "ops" })

      fault.armed = ({ _tag }) => _tag === armed
      assert.deepStrictEqual(reasonOf(yield* ada.ask(request)), storageUnavailable)
      assert.isUndefined(fault.armed)
      const again = yield* ada.ask(request)
      assert.oneOf(again._tag, [armed, "Sent"])
      // It still serves everybody else.
      yield* ben.ask({ ...inDev, content: "hello" })
      yield* ada.find(({ content }) => content === "hello")
    }).pipe(silently)
  )

  it.effect.each(["RoomCreated", "Presence"])("does not silence what everyone hears: %s", (armed) =>
    Effect.gen(function* () {
      const fault: Fault = { armed: undefined }
      const server = yield* TestServer.start({ server: serverWithFault(fault) })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const come = Effect.fnUntraced(function* (name: string, room: string) {
        yield* server.join(name)
        yield* ben.ask({ _tag: "CreateRoom", room })
        yield* TestClock.adjust("50 millis")
        yield* Effect.all([ada.soFar, ben.soFar])
      })
      fault.armed = ({ _tag }, how) => _tag === armed && how === "Tell"
      yield* come("Cyd", "one")
      yield* come("Dan", "two")
      assert.isUndefined(fault.armed)

      yield* server.join("Eve")
      yield* ben.ask({ _tag: "CreateRoom", room: "three" })
      yield* ada.soFar
      yield* TestClock.adjust("50 millis")
      assert.strictEqual((yield* ada.find("RoomCreated"))["room"], "three")
      assert.deepStrictEqual((yield* ada.find("Presence"))["joined"], ["Eve"])
    }).pipe(silently)
  )
})

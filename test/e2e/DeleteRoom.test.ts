/** Rooms that are deleted, over real sockets: who may, what everybody in hears of it, and what is left of them. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, FileSystem, Layer } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import type { ServerConfig } from "../../src/server/config/ServerConfig.ts"
import { History, StorageUnavailable } from "../../src/server/history/History.ts"
import type { CannotOpenDatabase } from "../../src/server/sql/CannotOpenDatabase.ts"
import * as Database from "../../src/server/store/Database.ts"
import type { Stores } from "../../src/server/store/Database.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import * as Talk from "../support/AccountTalk.ts"
import { historyBehind, isRoom, silently } from "../support/FaultyServer.ts"
import type { Line, RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const room = "dev"
const deleteRoom = { _tag: "DeleteRoom", room }
const notFound = { _tag: "RoomNotFound", room }
const say = (content: string) => ({ _tag: "RoomMessage", room, content })
const tagOf = (line: Line) => (line._tag === "Rejected" ? Reflect.get(reasonOf(line), "_tag") : line._tag)
const ask = (client: RawClient, message: object) => Effect.map(client.ask(message), tagOf)
const told = { _tag: "RoomDeleted", room, by: "ada" }

const inFile: Layer.Layer<Stores, CannotOpenDatabase, ServerConfig | FileSystem.FileSystem> = Layer.unwrap(
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* Effect.orDie(files.makeTempDirectoryScoped({ prefix: "parley-test-" }))
    return Database.layerFile({ file: `${folder}/chat.sqlite`, retention: "forever" })
  })
)
const stores = [
  { kept: "in memory", options: {} },
  { kept: "in a file", options: { stores: inFile } }
]

/** Ada owns the room; ben, an account, is in it with two connections, and gus, a guest, with one. */
const start = Effect.fnUntraced(function* (options: TestServer.TestServerOptions = {}) {
  const server = yield* TestServer.start(options)
  const ada = (yield* Talk.register(server, "ada")).client
  const { client: ben } = yield* Talk.register(server, "ben")
  const { client: other } = yield* Talk.logIn(server, "ben")
  const gus = yield* server.join("gus")
  yield* ada.ask({ _tag: "CreateRoom", room })
  for (const client of [ada, ben, other, gus]) yield* client.ask({ _tag: "JoinRoom", room })
  return { server, ada, ben, other, gus }
})

describe("DeleteRoom", () => {
  it.live("is refused to who neither owns the room nor is an admin, with a sentence that says who could", () =>
    Effect.gen(function* () {
      const { ada, ben, gus, server } = yield* start()
      yield* ada.ask({ _tag: "SetRole", room, user: "ben", role: "moderator" })
      const outside = yield* server.join("nia")
      for (const client of [ben, gus, outside]) {
        const refused = yield* client.ask(deleteRoom)
        assert.deepInclude(reasonOf(refused), { _tag: "NotAllowed", action: "DeleteRoom" })
        assert.match(String(refused["message"]), /owner.*admin/)
      }
      assert.deepStrictEqual(reasonOf(yield* ada.ask({ ...deleteRoom, room: "ops" })), { ...notFound, room: "ops" })
      assert.strictEqual(yield* ask(ben, say("still here")), "Sent")
    })
  )

  it.live.each(stores)(
    "is answered with RoomDeleted, the last that everybody in hears of the room, who is out then; $kept",
    ({ options }) =>
      Effect.gen(function* () {
        const { ada, ben, gus, other, server } = yield* start(options)
        const away = yield* Talk.register(server, "cyd")
        yield* away.client.ask({ _tag: "JoinRoom", room })
        yield* away.client.ask({ _tag: "Disconnect" })
        const outside = yield* server.join("nia")
        yield* ben.ask({ ...say("ripe"), key: "0123456789abcdef" })
        for (const client of [ada, ben, other, gus]) yield* client.soFar

        const { id: _, ...reply } = yield* ada.ask(deleteRoom)
        assert.deepStrictEqual<Line>(reply, told)
        for (const client of [ben, other, gus]) {
          // That there is a room may be announced late.
          const heard = (yield* client.soFar).filter(({ _tag }) => !_tag.endsWith("Presence") && _tag !== "RoomCreated")
          assert.deepStrictEqual(heard, [told])
        }
        assert.deepStrictEqual(
          (yield* ada.soFar).filter(({ _tag }) => _tag === "RoomDeleted" || _tag === "RoomLeft"),
          []
        )
        assert.deepStrictEqual(
          (yield* Talk.heard(outside)).filter(({ _tag }) => _tag === "RoomDeleted"),
          []
        )

        assert.deepStrictEqual((yield* outside.ask({ _tag: "ListRooms" }))["rooms"], [])
        for (const client of [ada, ben, gus]) {
          for (const request of [
            say("anybody?"),
            { _tag: "JoinRoom", room },
            { _tag: "LeaveRoom", room },
            { _tag: "ListRoomUsers", room },
            { _tag: "GetHistory", room },
            { _tag: "GetRoom", room },
            { _tag: "Search", query: "ripe", room },
            { _tag: "SetTopic", room, topic: "gone" },
            deleteRoom
          ]) {
            assert.deepStrictEqual(reasonOf(yield* client.ask(request)), notFound)
          }
          assert.deepStrictEqual((yield* client.ask({ _tag: "Search", query: "ripe" }))["messages"], [])
        }
        const { welcome } = yield* Talk.logIn(server, "cyd")
        assert.deepStrictEqual(welcome["rooms"], [])
      }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live.each(stores)("leaves nothing to a room that is made again under its name; $kept", ({ options }) =>
    Effect.gen(function* () {
      const { ada, ben, gus, server } = yield* start(options)
      yield* ada.ask({ _tag: "SetTopic", room, topic: "Plans" })
      yield* ada.ask({ _tag: "SetRole", room, user: "ben", role: "moderator" })
      yield* ada.ask({ _tag: "SetAccess", room, private: true })
      yield* Talk.register(server, "cyd")
      yield* ada.ask({ _tag: "InviteUser", room, user: "cyd" })
      yield* ada.ask({ _tag: "Ban", room, user: "gus" })
      const key = "0123456789abcdef"
      const { seq } = yield* ben.ask({ ...say("ripe"), key })
      yield* ben.ask({ _tag: "MarkRead", room, seq })
      const before = yield* ask(ada, deleteRoom)
      assert.strictEqual(before, "RoomDeleted")
      // Said in one go: whoever hears of the one may ask for the other at once.
      assert.strictEqual(yield* ask(gus, { _tag: "CreateRoom", room }), "RoomCreated")
      const joined = yield* gus.ask({ _tag: "JoinRoom", room })
      assert.deepInclude(joined, { seq: 0, role: "owner", users: ["gus"], count: 1 })
      assert.notProperty(joined, "topic")
      assert.notProperty(joined, "private")
      assert.deepInclude(yield* ben.ask({ _tag: "JoinRoom", room }), { seq: 0, role: "member" })
      assert.strictEqual(yield* ask(ada, { _tag: "JoinRoom", room }), "RoomJoined")
      assert.strictEqual(yield* ask(ada, { _tag: "SetTopic", room, topic: "mine" }), "NotAllowed")
      const again = yield* ben.ask({ ...say("unripe"), key })
      assert.deepStrictEqual([again["seq"], again["repeated"]], [1, undefined])
      const { messages } = yield* gus.ask({ _tag: "GetHistory", room })
      assert.lengthOf(Array.isArray(messages) ? messages : [], 1)
      const { welcome } = yield* Talk.logIn(server, "ben")
      const [standing] = Talk.listIn(welcome, "rooms")
      assert.deepInclude(standing, { room, seq: 1, read: 0, unread: 0 })
      assert.notProperty((yield* Talk.logIn(server, "cyd")).welcome, "invitations")
      assert.deepInclude(yield* gus.ask({ _tag: "GetRoom", room }), { owner: "gus", moderators: [], members: 3 })
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("is for an admin, too, who is not in, also of a private room that nobody is in", () =>
    Effect.gen(function* () {
      const { ada, ben, gus, other, server } = yield* start()
      const eve = (yield* Talk.register(server, "eve")).client
      yield* server.users.setAdmin(UserName.make("eve"), true)
      yield* ada.ask({ _tag: "SetAccess", room, private: true })
      for (const client of [ada, ben, gus]) yield* client.ask({ _tag: "LeaveRoom", room })
      yield* other.soFar
      const { by } = yield* eve.ask(deleteRoom)
      assert.strictEqual(by, "eve")
      assert.strictEqual(yield* ask(ada, { _tag: "GetRoom", room }), "RoomNotFound")
      // Of another one.
      yield* ada.ask({ _tag: "CreateRoom", room })
      yield* ben.ask({ _tag: "JoinRoom", room })
      yield* ben.ask(say("hello"))
      assert.strictEqual(yield* ask(eve, deleteRoom), "RoomDeleted")
      assert.deepInclude(yield* ben.find("RoomDeleted"), { room, by: "eve" })
    })
  )

  it.live("is for the guest who made the room, and gives the room back to MAX_ROOMS_PER_USER", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_ROOMS_PER_USER: "1" } })
      const gus = yield* server.join("gus")
      for (let times = 0; times < 3; times++) {
        assert.strictEqual(yield* ask(gus, { _tag: "CreateRoom", room }), "RoomCreated")
        assert.strictEqual(yield* ask(gus, { _tag: "JoinRoom", room }), "RoomJoined")
        assert.strictEqual(yield* ask(gus, say("mine")), "Sent")
        assert.strictEqual(yield* ask(gus, deleteRoom), "RoomDeleted")
      }
    })
  )

  it.live("stands behind what its asker said before, and what others wait for is answered RoomNotFound", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let isHeld = false
      const history = historyBehind((operation, conversation) =>
        isHeld && operation === "erase" && isRoom(conversation, room) ? Deferred.await(gate) : Effect.void
      )
      const { ada, ben, gus } = yield* start({ history })
      isHeld = true
      yield* ada.send({ ...say("last words"), id: "1" }, { ...deleteRoom, id: "2" }, { ...say("too late"), id: "3" })
      assert.deepInclude(yield* ben.find("RoomMessage"), { content: "last words" })
      yield* ben.send({ ...say("wait"), id: "1" }, { _tag: "GetHistory", room, id: "2" }, { ...say("!"), id: "3" })
      yield* gus.send({ ...say("me too"), id: "1" })
      // They wait, and nobody else does.
      yield* gus.soFar
      yield* Deferred.succeed(gate, undefined)
      const answers = yield* ada.findMany((line) => ["1", "2", "3"].includes(String(line["id"])), 3)
      assert.deepStrictEqual(answers.map(tagOf), ["Sent", "RoomDeleted", "RoomNotFound"])
      for (const [client, ids] of [
        [ben, ["1", "2", "3"]],
        [gus, ["1"]]
      ] as const) {
        const refused = yield* client.findMany((line) => ids.some((id) => id === line["id"]), ids.length)
        assert.deepStrictEqual(
          refused.map(tagOf),
          ids.map(() => "RoomNotFound")
        )
        assert.deepInclude(yield* client.find("RoomDeleted"), told)
      }
    })
  )

  it.live("that could not be stored leaves the room as it was", () =>
    Effect.gen(function* () {
      let isBroken = true
      const history = historyBehind((operation) =>
        isBroken && operation === "erase" ? Effect.fail(new StorageUnavailable({ cause: "for a test" })) : Effect.void
      )
      const { ada, ben } = yield* start({ history })
      assert.strictEqual(yield* ask(ada, deleteRoom), "StorageUnavailable")
      assert.strictEqual(yield* ask(ben, say("still here")), "Sent")
      assert.deepInclude(yield* ada.find("RoomMessage"), { content: "still here" })
      isBroken = false
      assert.strictEqual(yield* ask(ada, deleteRoom), "RoomDeleted")
      assert.deepInclude(yield* ben.find("RoomDeleted"), told)
    }).pipe(silently)
  )

  it.live("that failed and was carried out all the same is told to everybody who is in, a moment later", () =>
    Effect.gen(function* () {
      const lying = Layer.effect(
        History,
        Effect.map(History, (memory) =>
          History.of({
            ...memory,
            erase: (conversation) =>
              Effect.andThen(memory.erase(conversation), Effect.fail(new StorageUnavailable({ cause: "for a test" })))
          })
        )
      ).pipe(Layer.provide(MemoryHistory.layer))
      const { ada, ben, gus } = yield* start({ history: lying })
      assert.strictEqual(yield* ask(ada, deleteRoom), "StorageUnavailable")
      for (const client of [ada, ben, gus]) assert.deepInclude(yield* client.find("RoomDeleted"), told)
      for (const client of [ada, ben, gus]) {
        assert.deepStrictEqual(reasonOf(yield* client.ask({ _tag: "JoinRoom", room })), notFound)
      }
      assert.strictEqual(yield* ask(gus, { _tag: "CreateRoom", room }), "RoomCreated")
      assert.deepInclude(yield* ben.ask({ _tag: "JoinRoom", room }), { seq: 0, users: ["ben"] })
    }).pipe(silently)
  )
})

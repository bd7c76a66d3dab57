/** What attackers of governed rooms found, over real sockets: each was possible once. */
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Database from "../../src/server/store/Database.ts"
import * as Talk from "../support/AccountTalk.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const room = "dev"
const tagOf = (client: RawClient, message: object) =>
  Effect.map(client.ask(message), (line) =>
    line._tag === "Rejected" ? Reflect.get(reasonOf(line), "_tag") : line._tag
  )

/** Starts servers, one after the other, on a database of its own. */
const onFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const file = `${yield* files.makeTempDirectoryScoped()}/chat.sqlite`
  const stores = Database.layerFile({ file, retention: "forever" })
  return { file, begin: TestServer.start({ settings: { MAX_ROOMS_PER_USER: "60" }, stores }) }
})

describe("Who is banned while coming in", () => {
  it.live("is not in, whichever was faster", () =>
    Effect.gen(function* () {
      const server = yield* (yield* onFile).begin
      const ada = (yield* Talk.register(server, "ada")).client
      const mal = (yield* Talk.register(server, "mal")).client
      for (let count = 0; count < 20; count++) {
        const name = `den${count}`
        yield* ada.ask({ _tag: "CreateRoom", room: name, ...(count % 2 === 0 && { private: true }) })
        yield* ada.ask({ _tag: "JoinRoom", room: name })
        if (count % 2 === 0) yield* ada.ask({ _tag: "InviteUser", room: name, user: "mal" })
        yield* mal.send({ _tag: "JoinRoom", room: name, id: `join ${name}` })
        // In the place of a pause, of which the length is left to chance.
        for (let pings = 0; pings < count % 4; pings++) yield* ada.ask({ _tag: "Ping", nonce: pings })
        assert.strictEqual(yield* tagOf(ada, { _tag: "Ban", room: name, user: "mal" }), "Sent")
        yield* mal.find(({ id }) => id === `join ${name}`)
        yield* mal.ask({ _tag: "Ping", nonce: count })
        assert.notStrictEqual(yield* tagOf(mal, { _tag: "RoomMessage", room: name, content: "still here" }), "Sent")
        const { users } = yield* ada.ask({ _tag: "ListRoomUsers", room: name })
        assert.deepStrictEqual(users, ["ada"])
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describe("A private room", () => {
  it.live("is there for nobody else while it is being made", () =>
    Effect.gen(function* () {
      // In a file, for it is while it is stored.
      const server = yield* (yield* onFile).begin
      const ada = (yield* Talk.register(server, "ada")).client
      const mal = yield* server.join("mal")
      for (let count = 0; count < 10; count++) {
        const name = `den${count}`
        yield* ada.send({ _tag: "CreateRoom", room: name, private: true, id: name })
        // One behind the other, whenever that is stored.
        yield* mal.send(...Array.from({ length: 30 }, () => ({ _tag: "JoinRoom", room: name })), { _tag: "ListRooms" })
        assert.strictEqual((yield* ada.find(({ id }) => id === name))._tag, "RoomCreated")
        assert.lengthOf(Talk.listIn(yield* mal.find("RoomList"), "rooms"), 0)
        assert.isFalse((yield* mal.soFar).some(({ _tag }) => _tag === "RoomJoined"))
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("is not there for who was refused before it became private", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_ROOMS_PER_USER: "2" } })
      const [ada, mal] = [(yield* Talk.register(server, "ada")).client, (yield* Talk.register(server, "mal")).client]
      yield* ada.ask({ _tag: "CreateRoom", room })
      yield* ada.ask({ _tag: "JoinRoom", room })
      yield* ada.ask({ _tag: "Ban", room, user: "mal" })
      for (const _ of [1, 2, 3]) assert.strictEqual(yield* tagOf(mal, { _tag: "JoinRoom", room }), "Banned")
      yield* ada.ask({ _tag: "SetAccess", room, private: true })
      assert.strictEqual(yield* tagOf(mal, { _tag: "GetRoom", room }), "RoomNotFound")
      yield* ada.ask({ _tag: "CreateRoom", room: "open" })
      assert.strictEqual(yield* tagOf(mal, { _tag: "JoinRoom", room: "open" }), "RoomJoined")
    })
  )

  it.live("that was made again right after a restart stays private, and its owner's", () =>
    Effect.gen(function* () {
      const { begin } = yield* onFile
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { client } = yield* Talk.register(yield* begin, "ada")
          for (let count = 0; count < 40; count++) {
            yield* client.ask({ _tag: "CreateRoom", room: `unused${count}`, private: true })
          }
        })
      )
      const server = yield* begin
      const { client } = yield* Talk.logIn(server, "ada")
      yield* client.ask({ _tag: "CreateRoom", room: "unused39", private: true })
      yield* client.ask({ _tag: "JoinRoom", room: "unused39" })
      for (let count = 0; count < 50; count++) yield* client.ask({ _tag: "Ping", nonce: count })
      assert.deepInclude(yield* client.ask({ _tag: "GetRoom", room: "unused39" }), { private: true, owner: "ada" })
      const gus = yield* server.join("gus")
      assert.strictEqual(yield* tagOf(gus, { _tag: "GetRoom", room: "unused39" }), "RoomNotFound")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describe("An account that was deleted while no server ran", () => {
  it.live("owns and moderates nothing, whoever has its name then", () =>
    Effect.gen(function* () {
      const { begin, file } = yield* onFile
      yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* begin
          const [ada, bob] = [
            (yield* Talk.register(server, "ada")).client,
            (yield* Talk.register(server, "bob")).client
          ]
          yield* bob.ask({ _tag: "CreateRoom", room })
          yield* bob.ask({ _tag: "JoinRoom", room })
          yield* ada.ask({ _tag: "JoinRoom", room })
          yield* bob.ask({ _tag: "RoomMessage", room, content: "stays" })
        })
      )
      const database = new DatabaseSync(file)
      database.exec("UPDATE accounts SET state = 'Deleted' WHERE name = 'bob'")
      database.close()
      const { client } = yield* Talk.logIn(yield* begin, "ada")
      assert.notProperty(yield* client.ask({ _tag: "GetRoom", room }), "owner")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describe("A guest who made a room", () => {
  it.live("does not lose it by banning or muting another one from its own address", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const [gil, tim] = [yield* server.join("gil"), yield* server.join("tim")]
      yield* gil.ask({ _tag: "CreateRoom", room })
      for (const client of [gil, tim]) yield* client.ask({ _tag: "JoinRoom", room })
      assert.strictEqual(yield* tagOf(gil, { _tag: "Mute", room, user: "tim" }), "Sent")
      assert.strictEqual(yield* tagOf(tim, { _tag: "RoomMessage", room, content: "hello" }), "Muted")
      assert.strictEqual(yield* tagOf(gil, { _tag: "RoomMessage", room, content: "hello" }), "Sent")
      assert.strictEqual(yield* tagOf(gil, { _tag: "Ban", room, user: "tim" }), "Sent")
      assert.strictEqual(yield* tagOf(tim, { _tag: "JoinRoom", room }), "Banned")
      assert.strictEqual(yield* tagOf(gil, { _tag: "SetTopic", room, topic: "soup" }), "Sent")
      assert.strictEqual(yield* tagOf(gil, { _tag: "Unban", room, user: "tim" }), "Sent")
    })
  )

  it.live("and was banned from it owns it no more, also as an account or once that is lifted", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const root = (yield* Talk.register(server, "root")).client
      yield* server.users.setAdmin(UserName.make("root"), true)
      const eve = yield* server.join("eve", { localAddress: "127.0.0.9" })
      yield* eve.ask({ _tag: "CreateRoom", room })
      yield* eve.ask({ _tag: "JoinRoom", room })
      yield* root.ask({ _tag: "JoinRoom", room })
      yield* root.ask({ _tag: "Ban", room, user: "eve" })
      yield* root.ask({ _tag: "SetAccess", room, private: true })
      assert.strictEqual(yield* tagOf(eve, { _tag: "GetRoom", room }), "RoomNotFound")
      yield* eve.ask({ _tag: "Register", password: Talk.password })
      assert.strictEqual(yield* tagOf(eve, { _tag: "DeleteRoom", room }), "RoomNotFound")
      yield* root.ask({ _tag: "Unban", room, user: "eve" })
      assert.notProperty(yield* root.ask({ _tag: "GetRoom", room }), "owner")
    })
  )
})

describe("A list of rooms", () => {
  it.live("fits into a line of 1 MiB, whatever the rooms are about", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_ROOMS_PER_USER: "1000" } })
      const ada = yield* server.join("ada")
      const topic = "😀".repeat(300)
      for (let count = 0; count < 900; count++) {
        yield* ada.ask({ _tag: "CreateRoom", room: `${"𐐨".repeat(50)}${count}`, topic })
      }
      const first = yield* ada.ask({ _tag: "ListRooms" })
      assert.isBelow(Buffer.byteLength(JSON.stringify(first)), 1024 * 1024)
      assert.deepInclude(first, { more: true, count: 900 })
      const after = Talk.listIn(first, "rooms").at(-1)?.["room"]
      const second = yield* ada.ask({ _tag: "ListRooms", after })
      assert.isAbove(Talk.listIn(first, "rooms").length + Talk.listIn(second, "rooms").length, 600)
    })
  )
})

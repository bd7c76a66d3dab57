/** Rooms that people govern, over real sockets: what each may do, what everybody sees of it, and what binds whom. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Talk from "../support/AccountTalk.ts"
import type { Line, RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const room = "dev"
const say = (content: string) => ({ _tag: "RoomMessage", room, content })
const tagOf = (line: Line) => (line._tag === "Rejected" ? Reflect.get(reasonOf(line), "_tag") : line._tag)
const ask = (client: RawClient, message: object) => Effect.map(client.ask(message), tagOf)

/** Ada owns the room and is in it; ben, an account, and gus, a guest, are in it too. */
const start = Effect.gen(function* () {
  const server = yield* TestServer.start()
  const ada = yield* Talk.register(server, "ada")
  const ben = yield* Talk.register(server, "ben")
  const gus = yield* server.join("gus", { localAddress: "127.0.0.9" })
  yield* ada.client.ask({ _tag: "CreateRoom", room })
  for (const client of [ada.client, ben.client, gus]) yield* client.ask({ _tag: "JoinRoom", room })
  return { server, ada: ada.client, ben: ben.client, gus }
})

const entries = (client: RawClient, ...tags: ReadonlyArray<string>) =>
  Effect.map(client.soFar, (lines) => lines.filter(({ _tag }) => tags.includes(_tag)))

describe("A room that somebody owns", () => {
  it.live("tells all members of its topic, in its order, and who joins or asks for rooms", () =>
    Effect.gen(function* () {
      const { ada, ben, gus, server } = yield* start
      assert.strictEqual(yield* ask(ben, { _tag: "SetTopic", room, topic: "mine" }), "NotAllowed")
      const sent = yield* ada.ask({ _tag: "SetTopic", room, topic: "Plans" })
      assert.strictEqual(sent._tag, "Sent")
      for (const client of [ada, ben, gus]) {
        const { at: _, ...entry } = yield* client.find("TopicSet")
        assert.deepStrictEqual(entry, { _tag: "TopicSet", room, seq: sent["seq"], from: "ada", topic: "Plans" })
      }
      const newcomer = yield* server.join("nia")
      assert.deepInclude(yield* newcomer.ask({ _tag: "JoinRoom", room }), { topic: "Plans", role: "member" })
      const rooms = Talk.listIn(yield* newcomer.ask({ _tag: "ListRooms" }), "rooms")
      assert.deepStrictEqual<unknown>(rooms, [{ room, users: 4, topic: "Plans" }])
      const info = yield* newcomer.ask({ _tag: "GetRoom", room })
      assert.deepInclude(info, { topic: "Plans", private: false, owner: "ada", moderators: [], members: 4 })
      assert.notProperty(info, "bans")
    })
  )

  it.live("shows the owner's moderators, who may kick members but not each other", () =>
    Effect.gen(function* () {
      const { ada, ben, gus, server } = yield* start
      const cyd = (yield* Talk.register(server, "cyd")).client
      yield* cyd.ask({ _tag: "JoinRoom", room })
      assert.strictEqual(yield* ask(ben, { _tag: "Kick", room, user: "gus" }), "NotAllowed")
      for (const user of ["ben", "cyd"]) yield* ada.ask({ _tag: "SetRole", room, user, role: "moderator" })
      assert.strictEqual(yield* ask(ben, { _tag: "Kick", room, user: "cyd" }), "NotAllowed")
      assert.strictEqual(yield* ask(ben, { _tag: "Kick", room, user: "ada" }), "NotAllowed")
      assert.strictEqual(yield* ask(ben, { _tag: "Kick", room, user: "ben" }), "NotAllowed")
      assert.strictEqual(yield* ask(ben, { _tag: "Kick", room, user: "nobody" }), "UserNotFound")
      assert.strictEqual(yield* ask(ben, { _tag: "Kick", room, user: "gus", reason: "noise" }), "Sent")
      const told = yield* gus.upTo("RoomLeft")
      assert.deepStrictEqual(told.map(({ _tag }) => _tag).slice(-2), ["Kicked", "RoomLeft"])
      assert.deepInclude(told.at(-1), { room, reason: "noise" })
      assert.strictEqual(yield* ask(gus, say("still here?")), "NotInRoom")
      assert.strictEqual(yield* ask(gus, { _tag: "JoinRoom", room }), "RoomJoined")
      const info = yield* ben.ask({ _tag: "GetRoom", room })
      assert.deepInclude(info, { moderators: ["ben", "cyd"], bans: [], mutes: [] })
    })
  )

  it.live("can be handed over, once: who owned it is a moderator then", () =>
    Effect.gen(function* () {
      const { ada, ben, gus } = yield* start
      assert.strictEqual(yield* ask(ada, { _tag: "SetRole", room, user: "gus", role: "owner" }), "AccountRequired")
      assert.strictEqual(yield* ask(ada, { _tag: "SetRole", room, user: "ben", role: "owner" }), "Sent")
      assert.strictEqual(yield* ask(ada, { _tag: "SetRole", room, user: "ben", role: "member" }), "NotAllowed")
      assert.deepInclude(yield* gus.ask({ _tag: "GetRoom", room }), { owner: "ben", moderators: ["ada"] })
      assert.strictEqual(yield* ask(ben, { _tag: "SetAccess", room, private: true }), "Sent")
    })
  )

  it.live("lets moderators delete what others wrote, and keeps a record of it", () =>
    Effect.gen(function* () {
      const { ada, ben, gus } = yield* start
      const { seq } = yield* gus.ask(say("spam"))
      assert.strictEqual(yield* ask(ben, { _tag: "DeleteMessage", room, target: seq }), "NotAllowed")
      assert.strictEqual(yield* ask(ada, { _tag: "DeleteMessage", room, target: seq, reason: "off topic" }), "Sent")
      const own = yield* ben.ask(say("mine"))
      yield* ben.ask({ _tag: "DeleteMessage", room, target: own["seq"] })
      yield* ada.ask({ _tag: "SetTopic", room, topic: "Plans" })
      const record = yield* ben.ask({ _tag: "GetHistory", room, only: "moderation" })
      const shown = Talk.listIn(record, "messages").map(({ _tag, from, target, topic }) => [
        _tag,
        from,
        target ?? topic
      ])
      assert.deepStrictEqual(shown, [
        ["Deleted", "ada", seq],
        ["TopicSet", "ada", "Plans"]
      ])
      const all = Talk.listIn(yield* ben.ask({ _tag: "GetHistory", room }), "messages").map(({ _tag }) => _tag)
      assert.deepStrictEqual(all, ["Tombstone", "Tombstone", "TopicSet"])
      const said = Talk.listIn(yield* ben.ask({ _tag: "GetHistory", room, only: "messages" }), "messages")
      assert.deepStrictEqual(
        said.map(({ _tag }) => _tag),
        ["Tombstone", "Tombstone"]
      )
    })
  )
})

describe("A ban", () => {
  it.live("puts an account out on all its connections, for good, until it is lifted", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* start
      const other = (yield* Talk.logIn(server, "ben")).client
      yield* other.ask({ _tag: "JoinRoom", room })
      assert.strictEqual(yield* ask(ada, { _tag: "Ban", room, user: "BEN", reason: "spam" }), "Sent")
      for (const client of [ben, other]) assert.deepInclude(yield* client.find("RoomLeft"), { room, reason: "spam" })
      assert.deepInclude(yield* ada.find("Banned"), { user: "ben", reason: "spam" })
      const again = yield* Talk.logIn(server, "ben")
      assert.deepStrictEqual(again.welcome["rooms"], [])
      assert.deepStrictEqual(reasonOf(yield* again.client.ask({ _tag: "JoinRoom", room })), {
        _tag: "Banned",
        room,
        reason: "spam"
      })
      assert.strictEqual(yield* ask(ada, { _tag: "Unban", room, user: "ben" }), "Sent")
      assert.strictEqual(yield* ask(ada, { _tag: "Unban", room, user: "ben" }), "UserNotFound")
      assert.strictEqual(yield* ask(again.client, { _tag: "JoinRoom", room }), "RoomJoined")
    })
  )

  it.live("binds a guest by name and by address, and no account from there", () =>
    Effect.gen(function* () {
      const { ada, gus, server } = yield* start
      assert.strictEqual(yield* ask(ada, { _tag: "Ban", room, user: "gus", seconds: 3600 }), "Sent")
      yield* gus.find("RoomLeft")
      assert.strictEqual(yield* ask(gus, { _tag: "JoinRoom", room }), "Banned")
      yield* gus.ask({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "gus")
      const renamed = yield* server.join("gustav", { localAddress: "127.0.0.9" })
      assert.strictEqual(yield* ask(renamed, { _tag: "JoinRoom", room }), "Banned")
      const elsewhere = yield* server.join("gus", { localAddress: "127.0.0.10" })
      assert.strictEqual(yield* ask(elsewhere, { _tag: "JoinRoom", room }), "Banned")
      const nia = yield* server.join("nia", { localAddress: "127.0.0.10" })
      assert.strictEqual(yield* ask(nia, { _tag: "JoinRoom", room }), "RoomJoined")
      const { client } = yield* Talk.enter(
        server,
        { user: "cyd", register: { password: Talk.password } },
        { localAddress: "127.0.0.9" }
      )
      assert.strictEqual(yield* ask(client, { _tag: "JoinRoom", room }), "RoomJoined")
      const bans = Talk.listIn(yield* ada.ask({ _tag: "GetRoom", room }), "bans")
      assert.lengthOf(bans, 1)
      assert.deepInclude(bans[0], { user: "gus", by: "ada" })
    })
  )

  it.live("refuses what waits to be said behind it", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* start
      const burst = Array.from({ length: 20 }, (_, index) => say(`ben ${index}`))
      yield* ada.send({ _tag: "Ban", room, user: "ben", id: "ban" })
      yield* ben.send(...burst)
      yield* ada.find(({ id }) => id === "ban")
      const heard = yield* entries(ada, "Banned", "RoomMessage")
      const place = heard.findIndex(({ _tag }) => _tag === "Banned")
      assert.isTrue(heard.slice(place).every(({ from }) => from !== "ben"))
    })
  )
})

describe("A mute", () => {
  it.live("forbids to write, edit and react but not to delete, until it ends", () =>
    Effect.gen(function* () {
      const { ada, ben, gus } = yield* start
      const { seq } = yield* ben.ask(say("before"))
      const key = "01JZ8Q4X8M7V9T2B3C5D6E7F8G"
      yield* ben.ask({ ...say("with a key"), key })
      assert.strictEqual(yield* ask(ada, { _tag: "Mute", room, user: "ben", reason: "calm down" }), "Sent")
      assert.deepStrictEqual(reasonOf(yield* ben.ask(say("after"))), { _tag: "Muted", room, reason: "calm down" })
      assert.strictEqual(yield* ask(ben, { _tag: "EditMessage", room, target: seq, content: "x" }), "Muted")
      assert.strictEqual(yield* ask(ben, { _tag: "React", room, target: seq, reaction: "x" }), "Muted")
      assert.deepInclude(yield* ben.ask({ ...say("with a key"), key }), { _tag: "Sent", repeated: true })
      assert.strictEqual(yield* ask(ben, { _tag: "DeleteMessage", room, target: seq }), "Sent")
      assert.strictEqual(yield* ask(gus, say("not me")), "Sent")
      assert.strictEqual(yield* ask(ben, { _tag: "GlobalMessage", content: "elsewhere" }), "Sent")
      assert.strictEqual(yield* ask(ada, { _tag: "Unmute", room, user: "ben" }), "Sent")
      assert.strictEqual(yield* ask(ben, say("again")), "Sent")
    })
  )

  it.live("in the lobby is for admins", () =>
    Effect.gen(function* () {
      const { ada, ben, gus, server } = yield* start
      assert.strictEqual(yield* ask(ada, { _tag: "Mute", user: "gus" }), "NotAllowed")
      yield* server.users.setAdmin(UserName.make("ada"), true)
      assert.strictEqual(yield* ask(ada, { _tag: "Mute", user: "gus" }), "Sent")
      assert.strictEqual(yield* ask(gus, { _tag: "GlobalMessage", content: "hello" }), "Muted")
      assert.strictEqual(yield* ask(gus, say("in a room")), "Sent")
      assert.deepInclude(yield* ben.find("Muted"), { user: "gus", from: "ada" })
      yield* server.users.setAdmin(UserName.make("ada"), false)
      assert.strictEqual(yield* ask(ada, { _tag: "Unmute", user: "gus" }), "NotAllowed")
    })
  )
})

describe("A private room", () => {
  it.live("is not there for outsiders, whatever they ask", () =>
    Effect.gen(function* () {
      const { ada, ben, gus } = yield* start
      assert.strictEqual(yield* ask(gus, { _tag: "CreateRoom", room: "mine", private: true }), "AccountRequired")
      assert.strictEqual(
        yield* ask(ada, { _tag: "CreateRoom", room: "den", private: true, topic: "secret" }),
        "RoomCreated"
      )
      yield* ada.ask({ _tag: "JoinRoom", room: "den" })
      for (const outsider of [ben, gus]) {
        for (const message of [
          { _tag: "JoinRoom" },
          { _tag: "LeaveRoom" },
          { _tag: "GetRoom" },
          { _tag: "ListRoomUsers" },
          { _tag: "RoomMessage", content: "hello" },
          { _tag: "GetHistory" },
          { _tag: "Search", query: "hello" },
          { _tag: "SetTopic", topic: "x" },
          { _tag: "Kick", user: "ada" },
          { _tag: "DeleteRoom" }
        ]) {
          const [hidden, missing] = [
            yield* outsider.ask({ ...message, room: "den" }),
            yield* outsider.ask({ ...message, room: "nowhere" })
          ]
          const [one, other] = [hidden, missing].map((line) => JSON.stringify(reasonOf(line)))
          assert.strictEqual(one?.replace("den", "nowhere"), other, JSON.stringify(message))
        }
        assert.strictEqual(
          tagOf(yield* outsider.ask({ _tag: "CreateRoom", room: "DEN" })),
          "RoomExists",
          "its name is the one thing that gives it away"
        )
        const rooms = Talk.listIn(yield* outsider.ask({ _tag: "ListRooms" }), "rooms")
        assert.deepStrictEqual(
          rooms.map((one) => one["room"]),
          [room]
        )
        assert.notInclude(outsider.receivedText(), "secret")
        assert.isFalse((yield* entries(outsider, "RoomCreated")).some((line) => line["room"] === "den"))
      }
      const own = Talk.listIn(yield* ada.ask({ _tag: "ListRooms" }), "rooms")
      assert.deepStrictEqual<unknown>(own, [
        { room: "den", users: 1, member: true, topic: "secret", private: true },
        { room, users: 3, member: true }
      ])
    })
  )

  it.live("lets in whom a moderator invites, at once or at the next Welcome", () =>
    Effect.gen(function* () {
      const { ada, ben, gus, server } = yield* start
      yield* Talk.register(server, "cyd").pipe(Effect.flatMap(({ client }) => client.ask({ _tag: "Disconnect" })))
      yield* ada.ask({ _tag: "SetAccess", room, private: true })
      yield* ben.ask({ _tag: "LeaveRoom", room })
      assert.strictEqual(yield* ask(ben, { _tag: "JoinRoom", room }), "RoomNotFound")
      assert.strictEqual(yield* ask(ada, { _tag: "InviteUser", room, user: "gus" }), "AccountRequired")
      for (const user of ["ben", "cyd"]) assert.strictEqual(yield* ask(ada, { _tag: "InviteUser", room, user }), "Sent")
      assert.deepInclude(yield* ada.ask({ _tag: "InviteUser", room, user: "ben" }), { _tag: "Sent", repeated: true })
      assert.deepStrictEqual(yield* ben.find("Invitation"), { _tag: "Invitation", room, by: "ada" })
      const cyd = yield* Talk.logIn(server, "cyd")
      assert.deepStrictEqual(cyd.welcome["invitations"], [{ room, by: "ada" }])
      assert.strictEqual(yield* ask(cyd.client, { _tag: "GetHistory", room }), "NotInRoom")
      for (const client of [ben, cyd.client]) {
        assert.deepInclude(yield* client.ask({ _tag: "JoinRoom", room }), { private: true, role: "member" })
      }
      const again = yield* Talk.logIn(server, "cyd")
      assert.notProperty(again.welcome, "invitations")
      assert.deepInclude(Talk.listIn(again.welcome, "rooms")[0], { room, role: "member", private: true })
      assert.strictEqual(yield* ask(gus, say("a guest who was in stays in")), "Sent")
      assert.strictEqual(yield* ask(ben, { _tag: "InviteUser", room, user: "nobody" }), "NotAllowed")
    })
  )
})

describe("An admin", () => {
  it.live("may do everywhere what an owner may, without being in", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* start
      const root = (yield* Talk.register(server, "root")).client
      yield* server.users.setAdmin(UserName.make("root"), true)
      yield* ada.ask({ _tag: "SetAccess", room, private: true })
      assert.strictEqual(yield* ask(root, { _tag: "GetRoom", room }), "RoomInfo")
      assert.strictEqual(yield* ask(root, { _tag: "Ban", room, user: "ada" }), "Sent")
      assert.strictEqual(yield* ask(root, { _tag: "SetRole", room, user: "ben", role: "owner" }), "Sent")
      assert.strictEqual(yield* ask(root, say("hello")), "NotInRoom")
      assert.deepInclude(yield* ben.ask({ _tag: "GetRoom", room }), { owner: "ben", moderators: [] })
      assert.strictEqual(yield* ask(ada, { _tag: "JoinRoom", room }), "RoomNotFound")
    })
  )
})

describe("A guest who makes a room", () => {
  it.live("owns it for that connection, and for good once it registers", () =>
    Effect.gen(function* () {
      const { gus, server } = yield* start
      const nia = yield* server.join("nia")
      yield* gus.ask({ _tag: "CreateRoom", room: "pub" })
      for (const client of [gus, nia]) yield* client.ask({ _tag: "JoinRoom", room: "pub" })
      assert.strictEqual(yield* ask(nia, { _tag: "Kick", room: "pub", user: "gus" }), "NotAllowed")
      assert.strictEqual(yield* ask(gus, { _tag: "SetTopic", room: "pub", topic: "beer" }), "Sent")
      assert.deepInclude(yield* nia.ask({ _tag: "GetRoom", room: "pub" }), { owner: "gus", topic: "beer" })
      assert.strictEqual(
        yield* ask(gus, { _tag: "SetRole", room: "pub", user: "ada", role: "owner" }),
        "AccountRequired"
      )
      yield* gus.ask({ _tag: "Register", password: Talk.password })
      yield* gus.ask({ _tag: "Disconnect" })
      yield* TestServer.whenGone(nia, "gus")
      assert.deepInclude(yield* nia.ask({ _tag: "GetRoom", room: "pub" }), { owner: "gus" })
      const pim = yield* server.join("pim")
      yield* pim.ask({ _tag: "CreateRoom", room: "cafe" })
      for (const client of [pim, nia]) yield* client.ask({ _tag: "JoinRoom", room: "cafe" })
      yield* pim.ask({ _tag: "Disconnect" })
      yield* TestServer.whenGone(nia, "pim")
      assert.notProperty(yield* nia.ask({ _tag: "GetRoom", room: "cafe" }), "owner")
    })
  )
})

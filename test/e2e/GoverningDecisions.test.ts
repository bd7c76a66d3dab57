/** What PROTOCOL.md says of rooms where one could have decided otherwise, over real sockets. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Talk from "../support/AccountTalk.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const room = "dev"
const ask = (client: RawClient, message: object) =>
  Effect.map(client.ask(message), (line) =>
    line._tag === "Rejected" ? Reflect.get(reasonOf(line), "_tag") : line._tag
  )

/** Ada owns the room, ben moderates it, and both are in; root is an admin and is not. */
const start = Effect.gen(function* () {
  const server = yield* TestServer.start()
  const [ada, ben, root] = yield* Effect.forEach(["ada", "ben", "root"], (user) =>
    Effect.map(Talk.register(server, user), ({ client }) => client)
  )
  if (ada === undefined || ben === undefined || root === undefined) return assert.fail("not all came in")
  yield* server.users.setAdmin(UserName.make("root"), true)
  yield* ada.ask({ _tag: "CreateRoom", room })
  for (const client of [ada, ben]) yield* client.ask({ _tag: "JoinRoom", room })
  yield* ada.ask({ _tag: "SetRole", room, user: "ben", role: "moderator" })
  const info = root.ask({ _tag: "GetRoom", room })
  return { server, ada, ben, root, info }
})

describe("A role", () => {
  it.live("stays when its holder leaves, who has to come back to use it", () =>
    Effect.gen(function* () {
      const { ada, ben, info } = yield* start
      for (const client of [ada, ben]) yield* client.ask({ _tag: "LeaveRoom", room })
      assert.deepInclude(yield* info, { owner: "ada", moderators: ["ben"], members: 0 })
      assert.strictEqual(yield* ask(ben, { _tag: "SetTopic", room, topic: "tea" }), "NotInRoom")
      assert.deepInclude(yield* ben.ask({ _tag: "JoinRoom", room }), { role: "moderator" })
      assert.strictEqual(yield* ask(ben, { _tag: "SetTopic", room, topic: "tea" }), "Sent")
    })
  )

  it.live("of a moderator ends with a kick, that of the owner does not", () =>
    Effect.gen(function* () {
      const { ada, ben, info, root } = yield* start
      for (const user of ["ben", "ada"]) assert.strictEqual(yield* ask(root, { _tag: "Kick", room, user }), "Sent")
      assert.deepInclude(yield* info, { owner: "ada", moderators: [] })
      assert.deepInclude(yield* ben.ask({ _tag: "JoinRoom", room }), { role: "member" })
      assert.deepInclude(yield* ada.ask({ _tag: "JoinRoom", room }), { role: "owner" })
    })
  )

  it.live("ends with a ban, the owner's too, and is not given back when that is lifted", () =>
    Effect.gen(function* () {
      const { ada, info, root } = yield* start
      for (const _tag of ["Ban", "Unban"]) {
        for (const user of ["ben", "ada"]) assert.strictEqual(yield* ask(root, { _tag, room, user }), "Sent")
      }
      const standing = yield* info
      assert.notProperty(standing, "owner")
      assert.deepInclude(standing, { moderators: [], bans: [] })
      assert.deepInclude(yield* ada.ask({ _tag: "JoinRoom", room }), { role: "member" })
    })
  )

  it.live("ends with its account", () =>
    Effect.gen(function* () {
      const { ada, info } = yield* start
      assert.strictEqual(yield* ask(ada, { _tag: "DeleteAccount", password: Talk.password }), "AccountDeleted")
      const isOwned = Effect.map(info, (line) => Object.hasOwn(line, "owner"))
      // The rooms hear of it behind the reply.
      yield* Effect.repeat(isOwned, { while: (is) => is })
      assert.deepInclude(yield* info, { moderators: ["ben"], members: 1 })
    })
  )

  it.live("may be given to an account that is not in, and to who is away, but not to who is banned", () =>
    Effect.gen(function* () {
      const { ada, info, root } = yield* start
      const give = (user: string) => ask(ada, { _tag: "SetRole", room, user, role: "moderator" })
      assert.strictEqual(yield* give("root"), "Sent")
      assert.deepInclude(yield* info, { moderators: ["ben", "root"] })
      yield* root.ask({ _tag: "Ban", room, user: "ben" })
      assert.strictEqual(yield* give("ben"), "NotAllowed")
      assert.strictEqual(yield* ask(ada, { _tag: "InviteUser", room, user: "ben" }), "NotAllowed")
    })
  )
})

describe("Binding somebody", () => {
  it.live("who is a guest binds its name, also as an account, and its address; who is in from there stays", () =>
    Effect.gen(function* () {
      const { ben, server } = yield* start
      const from = (localAddress: string) => ({ localAddress })
      const eve = yield* server.join("eve", from("127.0.0.9"))
      const mal = yield* server.join("mal", from("127.0.0.9"))
      for (const client of [eve, mal]) yield* client.ask({ _tag: "JoinRoom", room })
      // Also for a time.
      assert.strictEqual(yield* ask(ben, { _tag: "Ban", room, user: "eve", seconds: 3600 }), "Sent")
      assert.strictEqual(yield* ask(eve, { _tag: "JoinRoom", room }), "Banned")
      assert.strictEqual(yield* ask(mal, { _tag: "RoomMessage", room, content: "still here" }), "Sent")
      yield* mal.ask({ _tag: "LeaveRoom", room })
      assert.strictEqual(yield* ask(mal, { _tag: "JoinRoom", room }), "Banned")
      const zoe = yield* server.join("zoe", from("127.0.0.10"))
      assert.strictEqual(yield* ask(zoe, { _tag: "JoinRoom", room }), "RoomJoined")
      yield* eve.ask({ _tag: "Disconnect" })
      const { client } = yield* Talk.register(server, "Eve")
      assert.strictEqual(yield* ask(client, { _tag: "JoinRoom", room }), "Banned")
      assert.strictEqual(yield* ask(ben, { _tag: "Unban", room, user: "EVE" }), "Sent")
      for (const one of [client, mal]) assert.strictEqual(yield* ask(one, { _tag: "JoinRoom", room }), "RoomJoined")
    })
  )

  it.live("takes somebody: an account, here or not, or a guest who is here", () =>
    Effect.gen(function* () {
      const { ben, server } = yield* start
      const gus = yield* server.join("gus")
      const cyd = yield* Talk.register(server, "cyd")
      yield* cyd.client.ask({ _tag: "Disconnect" })
      for (const user of ["gus", "cyd"]) assert.strictEqual(yield* ask(ben, { _tag: "Mute", room, user }), "Sent")
      assert.strictEqual(yield* ask(ben, { _tag: "Mute", room, user: "nobody" }), "UserNotFound")
      yield* gus.ask({ _tag: "Disconnect" })
      // The server hears a moment later that it has gone.
      const ban = ask(ben, { _tag: "Ban", room, user: "gus" })
      assert.strictEqual(yield* Effect.repeat(ban, { while: (tag) => tag === "Sent" }), "UserNotFound")
      // Whom something binds is known as long as it does.
      assert.strictEqual(yield* ask(ben, { _tag: "Unmute", room, user: "gus" }), "Sent")
      assert.strictEqual(yield* ask(ben, { _tag: "Unmute", room, user: "gus" }), "UserNotFound")
    })
  )
})

describe("An invitation", () => {
  it.live("of a member, or of who is invited, is answered with seq 0 and is no entry", () =>
    Effect.gen(function* () {
      const { ada, ben, root } = yield* start
      const invite = (client: RawClient, user: string) => client.ask({ _tag: "InviteUser", room, user })
      assert.deepInclude(yield* invite(ada, "ben"), { _tag: "Sent", seq: 0, repeated: true })
      const first = yield* invite(ben, "root")
      assert.notProperty(first, "repeated")
      assert.deepInclude(yield* invite(ada, "root"), { _tag: "Sent", seq: 0, repeated: true })
      assert.deepInclude(yield* root.find("Invitation"), { room, by: "ben" })
      const next = yield* ada.ask({ _tag: "SetTopic", room, topic: "tea" })
      assert.strictEqual(next["seq"], Number(first["seq"]) + 1)
    })
  )
})

describe("A private room", () => {
  it.live("is made by an account only", () =>
    Effect.gen(function* () {
      const { server } = yield* start
      const gus = yield* server.join("gus")
      const answer = yield* gus.ask({ _tag: "CreateRoom", room: "shed", private: true })
      assert.deepInclude(reasonOf(answer), { _tag: "AccountRequired", action: "CreateRoom" })
    })
  )

  it.live("is governed by an admin from outside, who reads it as a member only", () =>
    Effect.gen(function* () {
      const { ada, root } = yield* start
      yield* ada.ask({ _tag: "SetAccess", room, private: true })
      assert.strictEqual(yield* ask(root, { _tag: "SetTopic", room, topic: "tea" }), "Sent")
      assert.strictEqual(yield* ask(root, { _tag: "GetHistory", room, only: "moderation" }), "NotInRoom")
      assert.strictEqual(yield* ask(root, { _tag: "JoinRoom", room }), "RoomJoined")
      assert.strictEqual(yield* ask(root, { _tag: "GetHistory", room, only: "moderation" }), "History")
    })
  )
})

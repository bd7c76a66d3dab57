/** Who is blocked says nothing to the blocker any more, and cannot tell: on both kinds of stores, and over a restart. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, FileSystem, Scope } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import { maxBlocked } from "../../src/common/wire/AccountMessage.ts"
import * as Database from "../../src/server/store/Database.ts"
import * as Talk from "../support/AccountTalk.ts"
import type { Line, RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

/** A server which can be stopped and started again, on a file or, for as long as it lives, in memory. */
const serverOn = Effect.fnUntraced(function* (database: string) {
  const whole = yield* Effect.scope
  let running: Scope.Closeable | undefined
  const begin = Effect.gen(function* () {
    if (running !== undefined) yield* Scope.close(running, Exit.void)
    running = yield* Scope.fork(whole)
    const settings = { DATABASE: database }
    return yield* Scope.provide(TestServer.start({ settings, stores: Database.layer }), running)
  })
  return { begin }
})
const inMemory = serverOn(":memory:")
const onFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return yield* serverOn(`${yield* files.makeTempDirectoryScoped({ prefix: "parley-blocking-" })}/chat.sqlite`)
})

const pm = (to: string, content: string, more: object = {}) => ({ _tag: "PrivateMessage", to, content, ...more })
const block = (client: RawClient, user: string) => client.ask({ _tag: "Block", user })
const unblock = (client: RawClient, user: string) => client.ask({ _tag: "Unblock", user })

/** What has come to a client that is no reply and no presence, as short as it can be told. */
const heard = (client: RawClient) =>
  Effect.map(Talk.heard(client), (lines) => Talk.outline(lines.filter((line) => line["id"] === undefined)))

/** What stands of the private messages with somebody. */
const inbox = (client: RawClient, other: string) =>
  Effect.map(client.ask({ _tag: "GetHistory", with: other }), (reply) => Talk.outline(Talk.listIn(reply, "messages")))

const sent = (reply: Line) => {
  assert.strictEqual(reply._tag, "Sent", JSON.stringify(reply))
  return Number(reply["seq"])
}

for (const [kind, start] of [
  ["in memory", inMemory],
  ["on a file", onFile]
] as const) {
  describe(`somebody who is blocked, ${kind},`, () => {
    layer(NodeServices.layer, { excludeTestServices: true })((it) => {
      it.effect("says nothing in private that the blocker hears, then or later, and finds it stored as ever", () =>
        Effect.gen(function* () {
          const server = yield* (yield* start).begin
          const [ada, mal] = yield* Effect.all([Talk.register(server, "Ada"), Talk.register(server, "mal")])
          sent(yield* mal.client.ask(pm("ada", "one")))
          assert.deepInclude(yield* block(ada.client, "MAL"), { _tag: "Blocked", users: ["mal"] })
          yield* Effect.all([heard(ada.client), heard(mal.client)])
          const key = "k".repeat(20)
          assert.strictEqual(sent(yield* mal.client.ask(pm("ada", "two", { key }))), 2)
          assert.deepInclude(yield* mal.client.ask(pm("ada", "two", { key })), { seq: 2, repeated: true })
          assert.strictEqual(sent(yield* mal.client.ask(pm("ada", "three", { replyTo: 2 }))), 3)
          // What was said before is changed for its author alone; who reacts is not heard either.
          const toOld = { with: "ada", target: 1 }
          sent(yield* mal.client.ask({ _tag: "EditMessage", ...toOld, content: "ONE" }))
          sent(yield* mal.client.ask({ _tag: "React", ...toOld, reaction: "x" }))
          assert.deepStrictEqual(yield* heard(mal.client), ["2 two", "3 three", "4 ONE", "5 x"])
          assert.deepStrictEqual(yield* heard(ada.client), [])
          assert.deepStrictEqual(yield* inbox(ada.client, "mal"), ["1 one"])
          assert.deepStrictEqual(yield* inbox(mal.client, "ada"), ["1 ONE", "2 two", "3 three"])
          assert.deepStrictEqual(Talk.listIn(yield* ada.client.ask({ _tag: "Search", query: "two" }), "messages"), [])

          // The blocker may write; and when that is over, nothing of it comes, nor an edit of what never came.
          assert.strictEqual(sent(yield* ada.client.ask(pm("mal", "stop"))), 2)
          assert.deepInclude(yield* unblock(ada.client, "Mal"), { _tag: "Blocked", users: [] })
          sent(yield* mal.client.ask({ _tag: "EditMessage", with: "ada", target: 2, content: "TWO" }))
          sent(yield* mal.client.ask({ _tag: "DeleteMessage", with: "ada", target: 3, reason: "never mind" }))
          sent(yield* mal.client.ask(pm("ada", "four")))
          assert.deepStrictEqual(yield* heard(ada.client), ["2 stop", "3 four"])
          assert.deepStrictEqual(yield* inbox(ada.client, "mal"), ["1 one", "2 stop", "3 four"])
          const back = yield* Talk.comeBack(server, "ada", ada.token, { after: { inbox: { epoch: "none", seq: 0 } } })
          assert.deepInclude(back.welcome, { conversations: [{ with: "mal", seq: 3, read: 0, unread: 2 }] })
        })
      )

      it.effect("erases what was said before, wherever it stands, and cannot say why", () =>
        Effect.gen(function* () {
          const server = yield* (yield* start).begin
          const [ada, mal] = yield* Effect.all([Talk.register(server, "Ada"), Talk.register(server, "mal")])
          sent(yield* mal.client.ask(pm("ada", "one")))
          yield* block(ada.client, "mal")
          yield* heard(ada.client)
          sent(yield* mal.client.ask({ _tag: "DeleteMessage", with: "ada", target: 1, reason: "look at me" }))
          const deleted = (yield* Talk.heard(ada.client)).find(({ _tag }) => _tag === "Deleted")
          assert.deepInclude(deleted, { with: "mal", target: 1 })
          assert.isUndefined(deleted?.["reason"])
          assert.deepStrictEqual(yield* inbox(ada.client, "mal"), ["1 Tombstone"])
          const back = yield* Talk.comeBack(server, "ada", ada.token, {
            after: { inbox: Talk.cursorOf(ada.welcome["inbox"]) }
          })
          assert.notInclude(back.client.receivedText() + ada.client.receivedText(), "look at me")
        })
      )

      it.effect("invites and types without being heard, and names nobody", () =>
        Effect.gen(function* () {
          const server = yield* (yield* start).begin
          const [ada, mal] = yield* Effect.all([Talk.register(server, "Ada"), Talk.register(server, "mal")])
          for (const room of ["den", "hall"])
            yield* mal.client.ask({ _tag: "CreateRoom", room, private: room === "den" })
          yield* mal.client.ask({ _tag: "JoinRoom", room: "den" })
          for (const { client } of [ada, mal]) yield* client.ask({ _tag: "JoinRoom", room: "hall" })
          yield* block(ada.client, "mal")
          yield* ada.client.find("RoomCreated")
          yield* heard(ada.client)
          sent(yield* mal.client.ask({ _tag: "InviteUser", room: "den", user: "ada" }))
          for (const where of [{}, { room: "hall" }, { with: "ada" }])
            yield* mal.client.send({ _tag: "Typing", ...where })
          for (const where of [{}, { room: "hall" }, { with: "ada" }])
            yield* mal.client.ask({ _tag: "GetHistory", ...where })
          assert.deepStrictEqual(yield* heard(ada.client), [])
          yield* mal.client.ask({ _tag: "RoomMessage", room: "hall", content: "hey @ada" })
          const back = yield* Talk.comeBack(server, "ada", ada.token)
          assert.isUndefined(back.welcome["invitations"])
          const hall = Talk.listIn(back.welcome, "rooms").find(({ room }) => room === "hall")
          assert.deepInclude(hall, { unread: 1, mentions: 0 })
          // The room's entry stands, and lets nobody in.
          assert.deepInclude(yield* unblock(back.client, "mal"), { users: [] })
          const again = yield* Talk.comeBack(server, "ada", back.token)
          assert.isUndefined(again.welcome["invitations"])
          assert.deepInclude(
            Talk.listIn(again.welcome, "rooms").find(({ room }) => room === "hall"),
            { mentions: 1 }
          )
          const refused = yield* again.client.ask({ _tag: "JoinRoom", room: "den" })
          assert.deepInclude(reasonOf(refused), { _tag: "RoomNotFound" })
        })
      )

      it.effect("as a guest is answered as ever, and is blocked while a guest has the name", () =>
        Effect.gen(function* () {
          const server = yield* (yield* start).begin
          const ada = yield* Talk.register(server, "Ada")
          const mal = yield* server.join("mal")
          assert.deepInclude(yield* block(ada.client, "mal"), { users: ["mal"] })
          yield* heard(ada.client)
          const key = "g".repeat(20)
          assert.strictEqual(sent(yield* mal.ask(pm("ada", "one", { key }))), 1)
          assert.deepInclude(yield* mal.ask(pm("ada", "one", { key })), { seq: 1, repeated: true })
          assert.strictEqual(sent(yield* mal.ask(pm("ada", "two", { replyTo: 1 }))), 2)
          assert.deepStrictEqual(reasonOf(yield* mal.ask(pm("ada", "no", { replyTo: 9 }))), {
            _tag: "MessageNotFound",
            seq: 9
          })
          assert.deepStrictEqual(yield* heard(mal), ["1 one", "2 two"])
          yield* mal.ask({ _tag: "GlobalMessage", content: "everybody hears this" })
          yield* mal.ask({ _tag: "Disconnect" })
          yield* TestServer.whenGone(ada.client, "mal")
          const other = yield* server.join("MAL")
          yield* other.ask(pm("ada", "three"))
          assert.deepStrictEqual(yield* heard(ada.client), ["1 everybody hears this"])
          assert.deepStrictEqual(yield* inbox(ada.client, "mal"), [])
          yield* unblock(ada.client, "mal")
          yield* other.ask(pm("ada", "four", { replyTo: 1 }))
          assert.deepStrictEqual(yield* heard(ada.client), ["1 four"])
        })
      )
    })
  })
}

describe("an account", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("keeps whom it has blocked over a restart, and its other connections hear of it", () =>
      Effect.gen(function* () {
        const { begin: restart } = yield* onFile
        let server = yield* restart
        const ada = yield* Talk.register(server, "Ada")
        const other = yield* Talk.comeBack(server, "ada", ada.token)
        const mal = yield* Talk.register(server, "mal")
        const guest = yield* server.join("Zed")
        yield* block(ada.client, "zed")
        yield* block(ada.client, "mal")
        yield* block(ada.client, "mal")
        const news = (yield* Talk.heard(other.client)).filter(({ _tag }) => _tag === "Blocked")
        assert.deepStrictEqual(news, [
          { _tag: "Blocked", users: ["Zed"] },
          { _tag: "Blocked", users: ["mal", "Zed"] }
        ])
        assert.deepStrictEqual(
          (yield* Talk.heard(guest)).filter(({ _tag }) => _tag === "Blocked"),
          []
        )
        server = yield* restart
        const back = yield* Talk.comeBack(server, "ada", other.token)
        assert.deepInclude(yield* back.client.ask({ _tag: "ListBlocked" }), { _tag: "Blocked", users: ["mal", "Zed"] })
        const malBack = yield* Talk.comeBack(server, "mal", mal.token)
        sent(yield* malBack.client.ask(pm("ada", "psst")))
        assert.deepStrictEqual(yield* heard(back.client), [])
        // An account is itself alone: whoever has the name later is somebody else.
        yield* server.users.delete(UserName.make("mal"))
        yield* server.users.free(UserName.make("mal"))
        const next = yield* Talk.register(server, "mal")
        sent(yield* next.client.ask(pm("ada", "hello")))
        assert.deepStrictEqual(yield* heard(back.client), ["1 hello"])
        assert.deepInclude(yield* block(back.client, "mal"), { users: ["mal", "Zed"] })
        assert.deepInclude(yield* unblock(back.client, "mal"), { users: ["Zed"] })
      })
    )

    it.effect("does not hear a guest that it has blocked as an account either, nor is let into a room by it", () =>
      Effect.gen(function* () {
        const server = yield* (yield* onFile).begin
        const ada = yield* Talk.register(server, "Ada")
        const mal = yield* server.join("mal")
        yield* block(ada.client, "mal")
        assert.strictEqual((yield* mal.ask({ _tag: "Register", password: Talk.password }))._tag, "Registered")
        sent(yield* mal.ask(pm("ada", "still me")))
        yield* mal.ask({ _tag: "CreateRoom", room: "ada_is_a_fool", private: true })
        yield* mal.ask({ _tag: "JoinRoom", room: "ada_is_a_fool" })
        const invite = mal.ask({ _tag: "InviteUser", room: "ada_is_a_fool", user: "ada" })
        sent(yield* invite)
        // Answered as with everybody else.
        assert.deepInclude(yield* invite, { _tag: "Sent", repeated: true })
        assert.deepStrictEqual(yield* heard(ada.client), [])
        const rooms = Effect.map(ada.client.ask({ _tag: "ListRooms" }), (reply) => Talk.listIn(reply, "rooms"))
        assert.deepStrictEqual(yield* rooms, [])
        const refused = yield* ada.client.ask({ _tag: "JoinRoom", room: "ada_is_a_fool" })
        assert.deepInclude(reasonOf(refused), { _tag: "RoomNotFound" })
        // Nor does it name it.
        yield* mal.ask({ _tag: "CreateRoom", room: "hall" })
        for (const client of [mal, ada.client]) yield* client.ask({ _tag: "JoinRoom", room: "hall" })
        yield* mal.ask({ _tag: "RoomMessage", room: "hall", content: "hey @ada" })
        const back = yield* Talk.comeBack(server, "ada", ada.token)
        assert.deepInclude(Talk.listIn(back.welcome, "rooms")[0], { room: "hall", unread: 1, mentions: 0 })
        // What was done meanwhile stays undone.
        yield* unblock(ada.client, "mal")
        const isListed = Effect.map(rooms, (all) => all.some(({ room }) => room === "ada_is_a_fool"))
        assert.isFalse(yield* isListed)
        sent(yield* invite)
        assert.isTrue(yield* isListed)
      })
    )

    it.effect("blocks neither itself nor who is nobody, nor more than it may; and no guest blocks", () =>
      Effect.gen(function* () {
        const server = yield* (yield* inMemory).begin
        const ada = yield* Talk.register(server, "Ada")
        const guest = yield* server.join("guest")
        assert.deepInclude(reasonOf(yield* block(ada.client, "ADA")), { _tag: "NotAllowed", action: "Block" })
        assert.deepStrictEqual(reasonOf(yield* block(ada.client, "nobody")), { _tag: "UserNotFound", user: "nobody" })
        for (const request of [
          { _tag: "Block", user: "ada" },
          { _tag: "Unblock", user: "ada" },
          { _tag: "ListBlocked" }
        ]) {
          assert.deepStrictEqual(reasonOf(yield* guest.ask(request)), { _tag: "AccountRequired", action: request._tag })
        }
        const users = Array.from({ length: maxBlocked }, (_, count) => `guest${count}`)
        yield* Effect.forEach(users, (user) => server.join(user), { concurrency: 20, discard: true })
        yield* ada.client.send(...users.map((user) => ({ _tag: "Block", user })))
        const refused = yield* block(ada.client, "guest")
        assert.deepInclude(reasonOf(refused), { _tag: "NotAllowed", action: "Block" })
        assert.include(String(refused["message"]), `${maxBlocked} users at most`)
        assert.strictEqual(Talk.listIn(yield* unblock(ada.client, "guest7"), "users").length, maxBlocked - 1)
        assert.strictEqual((yield* block(ada.client, "guest"))._tag, "Blocked")
      })
    )
  })
})

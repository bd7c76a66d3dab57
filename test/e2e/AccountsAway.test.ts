/** Who was away finds everything: once, in order, by what it saw last; also if the server was stopped and started meanwhile. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, FileSystem, Scope } from "effect"
import * as Database from "../../src/server/store/Database.ts"
import * as Talk from "../support/AccountTalk.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

/** A server on a file, which can be stopped and started again. */
const onFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  const whole = yield* Effect.scope
  const settings = { DATABASE: `${folder}/chat.sqlite` }
  let running: Scope.Closeable | undefined
  const start = Effect.gen(function* () {
    if (running !== undefined) yield* Scope.close(running, Exit.void)
    running = yield* Scope.fork(whole)
    return yield* Scope.provide(TestServer.start({ settings, stores: Database.layer }), running)
  })
  return { start }
})

/** Waits for so many lines with a place, and sees to it that there are no more. */
const entries = Effect.fnUntraced(function* (client: RawClient, count: number) {
  const isEntry = ({ _tag, seq }: { readonly _tag: string; readonly seq?: unknown }) =>
    seq !== undefined && !["Sent", "RoomJoined", "ReadMarked"].includes(_tag)
  const found = yield* client.findMany(isEntry, count)
  assert.deepStrictEqual((yield* client.soFar).filter(isEntry), [])
  return Talk.outline(found)
})

const privately = (client: RawClient, to: string, contents: ReadonlyArray<string>) =>
  Effect.forEach(contents, (content) => client.ask({ _tag: "PrivateMessage", to, content }))

describe("an account that was away", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("is given its private messages behind the cursor, and its rooms behind theirs, over a restart", () =>
      Effect.gen(function* () {
        const { start } = yield* onFile
        let server = yield* start
        const ben = yield* Talk.register(server, "ben")
        const ada = yield* Talk.register(server, "ada")
        yield* ben.client.ask({ _tag: "CreateRoom", room: "garden" })
        for (const { client } of [ben, ada]) yield* client.ask({ _tag: "JoinRoom", room: "garden" })
        yield* privately(ben.client, "ada", ["one"])
        yield* ben.client.ask({ _tag: "RoomMessage", room: "garden", content: "leaf one" })
        yield* ada.client.ask({ _tag: "MarkRead", room: "garden", seq: 1 })
        yield* ada.client.ask({ _tag: "MarkRead", with: "ben", seq: 1 })
        yield* ada.client.ask({ _tag: "GlobalMessage", content: "so long" })
        yield* ada.client.ask({ _tag: "MarkRead", seq: 1 })
        yield* ada.client.ask({ _tag: "Disconnect" })
        yield* TestServer.whenGone(ben.client, "ada")

        yield* privately(ben.client, "ada", ["two", "three"])
        yield* ben.client.ask({ _tag: "RoomMessage", room: "garden", content: "leaf two, @Ada" })
        server = yield* start
        const benBack = yield* Talk.comeBack(server, "ben", ben.token)
        const joined = yield* benBack.client.ask({ _tag: "JoinRoom", room: "garden" })
        assert.deepInclude(joined, { users: ["ben"] })
        yield* privately(benBack.client, "ada", ["four"])
        yield* benBack.client.ask({ _tag: "EditMessage", with: "ada", target: 2, content: "TWO" })
        yield* benBack.client.ask({ _tag: "RoomMessage", room: "garden", content: "leaf three" })
        server = yield* start

        const inbox = { ...Talk.cursorOf(ada.welcome["inbox"]), seq: 1 }
        const back = yield* Talk.comeBack(server, "ada", ada.token, { after: { inbox } })
        assert.deepInclude(back.welcome, {
          rooms: [{ room: "garden", seq: 3, read: 1, unread: 2, mentions: 1, role: "member" }],
          conversations: [{ with: "ben", seq: 4, read: 1, unread: 3 }],
          lobbyRead: 1,
          inbox: { epoch: inbox.epoch, seq: 5, missed: 4, truncated: false }
        })
        assert.deepStrictEqual(yield* entries(back.client, 4), ["2 two", "3 three", "4 four", "5 TWO"])
        const epoch = joined["epoch"]
        const again = yield* back.client.ask({ _tag: "JoinRoom", room: "garden", after: { epoch, seq: 1 } })
        assert.deepInclude(again, { seq: 3, missed: 2, truncated: false })
        assert.deepStrictEqual(yield* entries(back.client, 2), ["2 leaf two, @Ada", "3 leaf three"])
        yield* back.client.ask({ _tag: "MarkRead", room: "garden", seq: 2 })

        const standing = yield* Talk.comeBack(server, "ada", back.token)
        assert.deepInclude(standing.welcome, {
          rooms: [{ room: "garden", seq: 3, read: 2, unread: 1, mentions: 0, role: "member" }]
        })
        assert.deepStrictEqual(yield* entries(standing.client, 0), [])
        // What another log's cursor stood for is not known: nothing follows.
        const other = yield* Talk.comeBack(server, "ada", standing.token, {
          after: { inbox: { epoch: "another", seq: 1 } }
        })
        assert.deepInclude(other.welcome["inbox"], { seq: 5, missed: 0, truncated: true })
        assert.deepStrictEqual(yield* entries(other.client, 0), [])
      })
    )

    it.effect("looks back and searches in what was said with somebody, as it stands", () =>
      Effect.gen(function* () {
        const { start } = yield* onFile
        let server = yield* start
        const ben = yield* Talk.register(server, "ben")
        const ada = yield* Talk.register(server, "ada")
        const guest = yield* server.join("guest")
        yield* privately(ben.client, "ada", ["red apple", "green apple"])
        yield* privately(guest, "ada", ["an apple from a guest"])
        yield* privately(ada.client, "guest", ["thanks for the apple"])
        yield* privately(ada.client, "ben", ["no apple"])
        yield* ben.client.ask({ _tag: "DeleteMessage", with: "ada", target: 1 })
        yield* ben.client.ask({ _tag: "React", with: "ada", target: 2, reaction: "🍏" })
        const refused = yield* guest.ask({ _tag: "React", with: "ada", target: 1, reaction: "🍏" })
        assert.deepStrictEqual(reasonOf(refused), { _tag: "AccountRequired", action: "React" })
        server = yield* start
        const { client } = yield* Talk.comeBack(server, "ada", ada.token)
        const history = (user: string, more: object = {}) =>
          Effect.map(client.ask({ _tag: "GetHistory", with: user, ...more }), (line) => Talk.listIn(line, "messages"))
        const withBen = yield* history("BEN")
        assert.deepStrictEqual(Talk.outline(withBen), ["1 Tombstone", "2 green apple", "5 no apple"])
        assert.deepPropertyVal(withBen[1], "reactions", [{ reaction: "🍏", users: ["ben"], count: 1 }])
        assert.deepStrictEqual(Talk.outline(yield* history("ben", { before: 5, limit: 1 })), ["2 green apple"])
        assert.deepStrictEqual(Talk.outline(yield* history("guest")), [
          "3 an apple from a guest",
          "4 thanks for the apple"
        ])
        assert.deepStrictEqual(yield* history("nobody"), [])
        const search = (more: object) =>
          Effect.map(client.ask({ _tag: "Search", query: "apple", ...more }), (line) => Talk.listIn(line, "messages"))
        assert.deepStrictEqual(Talk.outline(yield* search({ with: "ben" })), ["5 no apple", "2 green apple"])
        assert.lengthOf(yield* search({}), 4)
        // Somebody else has that name now, and has said nothing.
        const other = yield* Talk.register(server, "guest")
        assert.deepStrictEqual(
          Talk.listIn(yield* other.client.ask({ _tag: "GetHistory", with: "ada" }), "messages"),
          []
        )
        assert.deepStrictEqual(yield* history("guest"), [])
      })
    )

    it.effect("may send again under the same keys what it does not know to be sent, over a restart", () =>
      Effect.gen(function* () {
        const { start } = yield* onFile
        let server = yield* start
        const ben = yield* Talk.register(server, "ben")
        const ada = yield* Talk.register(server, "ada")
        yield* ben.client.ask({ _tag: "Disconnect" })
        yield* ben.client.closed
        const key = (word: string) => word.padStart(16, "-")
        const all = [
          { _tag: "PrivateMessage", to: "ben", content: "hello", key: key("one") },
          { _tag: "EditMessage", with: "ben", target: 1, content: "hello!", key: key("two") },
          { _tag: "React", with: "ben", target: 1, reaction: "👋", key: key("three") },
          { _tag: "PrivateMessage", to: "ben", content: "still there?", replyTo: 1, key: key("four") },
          { _tag: "DeleteMessage", with: "ben", target: 1, key: key("five") }
        ]
        const first = yield* Effect.forEach(all, (one) => ada.client.ask(one))
        assert.deepStrictEqual(
          first.map(({ seq }) => seq),
          [1, 2, 3, 4, 5]
        )
        server = yield* start
        const again = yield* Talk.comeBack(server, "ada", ada.token)
        for (const [index, one] of all.entries()) {
          const { at, seq } = first[index] ?? { at: 0, seq: 0 }
          assert.deepInclude(yield* again.client.ask(one), { _tag: "Sent", at, seq, repeated: true })
        }
        const inbox = { ...Talk.cursorOf(ben.welcome["inbox"]), seq: 0 }
        const back = yield* Talk.comeBack(server, "ben", ben.token, { after: { inbox } })
        assert.deepStrictEqual(yield* entries(back.client, 5), [
          "1 Tombstone",
          "2 Tombstone",
          "3 👋",
          "4 still there?",
          "5 Deleted"
        ])
      })
    )

    it.effect("has its password, devices, keys and name over a restart, and a guest who registered has its rooms", () =>
      Effect.gen(function* () {
        const { start } = yield* onFile
        let server = yield* start
        const guest = yield* server.join("Ada")
        yield* guest.ask({ _tag: "CreateRoom", room: "garden" })
        yield* guest.ask({ _tag: "JoinRoom", room: "garden" })
        const { device, token } = yield* guest.ask({ _tag: "Register", password: Talk.password })
        // Whose the room is is stored a moment later, and before whatever is done there next.
        assert.propertyVal(yield* guest.ask({ _tag: "SetTopic", room: "garden", topic: "beans" }), "seq", 1)
        server = yield* start
        assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada" }), { _tag: "PasswordRequired", user: "Ada" })
        const look = "\u0410da"
        assert.deepStrictEqual(yield* Talk.refusal(server, { user: look }), {
          _tag: "NameTooSimilar",
          user: look,
          to: "Ada"
        })
        const back = yield* Talk.comeBack(server, "ada", String(token))
        assert.strictEqual(back.device, device)
        assert.deepPropertyVal(back.welcome, "rooms", [
          { room: "garden", seq: 1, read: 0, unread: 0, mentions: 0, role: "owner", topic: "beans" }
        ])
        yield* Talk.logIn(server, "ada")
        assert.deepInclude(yield* back.client.ask({ _tag: "JoinRoom", room: "garden" }), { users: ["Ada"] })
      })
    )
  })
})

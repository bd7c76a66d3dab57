/** What a guest who registers keeps, and what begins anew. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Talk from "../support/AccountTalk.ts"
import { issueOf, reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const { password } = Talk

describe("a guest who registers", () => {
  it.effect("is told a device and a token, with which it comes back", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const registered = yield* ada.ask({ _tag: "Register", password })
      const { device, token } = registered
      assert.deepStrictEqual(registered, { _tag: "Registered", token, device, id: registered["id"] })
      assert.propertyVal(yield* ada.ask({ _tag: "GetUser", user: "ada" }), "account", true)
      const again = yield* Talk.comeBack(server, "ada", String(token))
      assert.deepInclude(again.welcome, { user: "Ada", account: true, device })
      yield* Talk.logIn(server, "ada")
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada"])
    })
  )

  it.effect("hears Registered behind the replies to all it asked before, whatever that was", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "garden" })
      yield* ada.send(
        { _tag: "JoinRoom", room: "garden", id: "1" },
        { _tag: "RoomMessage", room: "garden", content: "one", id: "2" },
        { _tag: "PrivateMessage", to: "Ben", content: "two", id: "3" },
        { _tag: "Search", query: "one", id: "4" },
        { _tag: "GlobalMessage", content: "three", id: "5" },
        { _tag: "ListRooms", id: "6" },
        { _tag: "Register", password, id: "7" },
        { _tag: "GlobalMessage", content: "four", id: "8" }
      )
      yield* ben.find("PrivateMessage")
      const lines = yield* ada.upTo((line) => line["id"] === "8")
      const replies = lines.flatMap(({ id }) => (id === undefined ? [] : [id]))
      assert.deepStrictEqual(replies.slice(-2), ["7", "8"])
      assert.sameMembers([...replies], ["1", "2", "3", "4", "5", "6", "7", "8"])
    })
  )

  it.effect("stays in its rooms, of which it is a member from then on", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "Garden" })
      yield* ada.ask({ _tag: "JoinRoom", room: "garden" })
      yield* ben.ask({ _tag: "JoinRoom", room: "garden" })
      yield* ada.ask({ _tag: "RoomMessage", room: "garden", content: "as a guest" })
      const { token } = yield* ada.ask({ _tag: "Register", password })
      yield* ben.ask({ _tag: "RoomMessage", room: "garden", content: "welcome" })
      yield* ada.find(({ content }) => content === "welcome")
      yield* ada.ask({ _tag: "RoomMessage", room: "garden", content: "as an account" })
      yield* ada.ask({ _tag: "Disconnect" })

      yield* TestServer.whenGone(ben, "Ada")
      yield* ben.ask({ _tag: "RoomMessage", room: "garden", content: "while away, @ada" })
      assert.deepInclude(yield* ben.ask({ _tag: "ListRoomUsers", room: "garden" }), {
        users: ["Ben"],
        away: ["Ada"],
        count: 2
      })
      const { welcome } = yield* Talk.comeBack(server, "ada", String(token))
      assert.deepStrictEqual(welcome["rooms"], [
        { room: "Garden", seq: 4, read: 1, unread: 2, mentions: 1, role: "owner" }
      ])
    })
  )

  it.effect("has an inbox that counts from 1 again, and is kept from then on", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ben.ask({ _tag: "PrivateMessage", to: "Ada", content: "to a guest" })
      yield* ada.find("PrivateMessage")
      const { token } = yield* ada.ask({ _tag: "Register", password })
      yield* ben.ask({ _tag: "PrivateMessage", to: "Ada", content: "to an account" })
      assert.deepInclude(yield* ada.find("PrivateMessage"), { seq: 1, content: "to an account" })
      const sent = yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "an answer", replyTo: 1 })
      assert.propertyVal(sent, "seq", 2)
      // Of Ben's inbox it is the fourth: what was said before Register stands there.
      assert.deepInclude(yield* ben.find(({ content }) => content === "an answer"), { seq: 3, replyTo: 2 })
      const history = yield* ada.ask({ _tag: "GetHistory", with: "ben" })
      assert.deepStrictEqual(Talk.outline(Talk.listIn(history, "messages")), ["1 to an account", "2 an answer"])
      const { welcome } = yield* Talk.comeBack(server, "ada", String(token))
      assert.propertyVal(welcome["inbox"], "seq", 2)
    })
  )

  it.effect("stays a guest when it is refused, and may try again", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      assert.match(issueOf(yield* ada.ask({ _tag: "Register", password: "password123" })), /^password: .*common/)
      assert.match(issueOf(yield* ada.ask({ _tag: "Register", password: "short" })), /^password: must have/)
      assert.deepStrictEqual(reasonOf(yield* ada.ask({ _tag: "ListDevices" })), {
        _tag: "AccountRequired",
        action: "ListDevices"
      })
      assert.propertyVal(yield* ada.ask({ _tag: "Register", password }), "_tag", "Registered")
      assert.deepStrictEqual(reasonOf(yield* ada.ask({ _tag: "Register", password })), {
        _tag: "AccountExists",
        user: "Ada"
      })
      assert.lengthOf(Talk.listIn(yield* ada.ask({ _tag: "ListDevices" }), "devices"), 1)
    })
  )

  it.effect("may still change what it wrote on this connection as a guest", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const { seq } = yield* ada.ask({ _tag: "GlobalMessage", content: "a gest" })
      yield* ada.ask({ _tag: "Register", password })
      assert.propertyVal(yield* ada.ask({ _tag: "EditMessage", target: seq, content: "a guest" }), "_tag", "Sent")
    })
  )

  it.effect("is one user to others, who hear of no coming and going", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ben = yield* server.join("Ben")
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "Register", password })
      yield* Talk.logIn(server, "Ada")
      assert.deepInclude(yield* ben.ask({ _tag: "ListUsers" }), { users: ["Ada", "Ben"], count: 2 })
      assert.deepInclude(yield* ben.ask({ _tag: "GetUser", user: "ADA" }), {
        user: "Ada",
        account: true,
        connected: true
      })
    })
  )
})

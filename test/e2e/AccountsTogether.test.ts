/** One person on several connections: each sees what the others do, and everybody else sees one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Talk from "../support/AccountTalk.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

/** An account on a laptop and a phone, and somebody else with one. */
const startThree = Effect.gen(function* () {
  const server = yield* TestServer.start()
  const laptop = yield* Talk.register(server, "ada", { device: "laptop" })
  const phone = yield* Talk.logIn(server, "ada", { device: "phone" })
  const ben = yield* Talk.register(server, "ben")
  return { server, laptop: laptop.client, phone: phone.client, ben: ben.client, token: phone.token }
})

const contentsOf = (client: RawClient) => Effect.map(Talk.heard(client), Talk.outline)

describe("what one connection says", () => {
  it.live("in the lobby and in private reaches the account's others, at the same places", () =>
    Effect.gen(function* () {
      const { ben, laptop, phone } = yield* startThree
      yield* laptop.ask({ _tag: "GlobalMessage", content: "to all" })
      yield* laptop.ask({ _tag: "PrivateMessage", to: "ben", content: "to ben" })
      yield* ben.ask({ _tag: "PrivateMessage", to: "ada", content: "to ada", replyTo: 1 })
      yield* phone.ask({ _tag: "EditMessage", with: "ben", target: 1, content: "to Ben" })
      yield* ben.ask({ _tag: "React", with: "ada", target: 2, reaction: "👍" })
      yield* phone.ask({ _tag: "DeleteMessage", with: "ben", target: 1 })
      const lobby = "1 to all"
      const inbox = ["1 to ben", "2 to ada", "3 to Ben", "4 👍"]
      for (const client of [laptop, phone, ben]) {
        assert.propertyVal(yield* client.find("Deleted"), "seq", 5)
        const lines = (yield* contentsOf(client)).filter((line) => !line.endsWith("Sent"))
        assert.deepStrictEqual(
          lines.filter((line) => line === lobby),
          [lobby]
        )
        assert.deepStrictEqual(
          lines.filter((line) => line !== lobby),
          inbox
        )
      }
    })
  )

  it.live("in a room reaches those that have joined it, and no others", () =>
    Effect.gen(function* () {
      const { ben, laptop, phone } = yield* startThree
      yield* laptop.ask({ _tag: "CreateRoom", room: "garden" })
      yield* laptop.ask({ _tag: "JoinRoom", room: "garden" })
      yield* ben.ask({ _tag: "JoinRoom", room: "garden" })
      yield* laptop.ask({ _tag: "RoomMessage", room: "garden", content: "one" })
      assert.notInclude(JSON.stringify(yield* Talk.heard(phone)), "one")
      // It may read there, and not write.
      const history = yield* phone.ask({ _tag: "GetHistory", room: "garden" })
      assert.deepStrictEqual(Talk.outline(Talk.listIn(history, "messages")), ["1 one"])
      const refused = yield* phone.ask({ _tag: "RoomMessage", room: "garden", content: "no" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "NotInRoom", room: "garden" })
      const joined = yield* phone.ask({ _tag: "JoinRoom", room: "garden" })
      assert.deepInclude(joined, { users: ["ada", "ben"], count: 2 })
      yield* phone.ask({ _tag: "RoomMessage", room: "garden", content: "two" })
      assert.deepInclude(yield* laptop.find(({ content }) => content === "two"), { from: "ada", seq: 2 })
    })
  )

  it.live("LeaveRoom on one takes the others out, who are told so once", () =>
    Effect.gen(function* () {
      const { ben, laptop, phone } = yield* startThree
      yield* ben.ask({ _tag: "CreateRoom", room: "garden" })
      for (const client of [laptop, phone, ben]) yield* client.ask({ _tag: "JoinRoom", room: "garden" })
      const left = yield* laptop.ask({ _tag: "LeaveRoom", room: "GARDEN" })
      assert.deepInclude(left, { _tag: "RoomLeft", room: "garden" })
      assert.deepStrictEqual(yield* phone.find("RoomLeft"), { _tag: "RoomLeft", room: "garden" })
      yield* ben.ask({ _tag: "RoomMessage", room: "garden", content: "without them" })
      for (const client of [laptop, phone]) {
        const lines = yield* Talk.heard(client)
        assert.notInclude(JSON.stringify(lines), "without them")
        assert.isFalse(lines.some(({ _tag }) => _tag === "RoomLeft"))
        const again = yield* client.ask({ _tag: "LeaveRoom", room: "garden" })
        assert.deepStrictEqual(reasonOf(again), { _tag: "NotInRoom", room: "garden" })
      }
      assert.deepInclude(yield* ben.ask({ _tag: "ListRoomUsers", room: "garden" }), { users: ["ben"], count: 1 })
    })
  )
})

describe("to others an account", () => {
  it.live("comes with its first connection and leaves with its last, in the lobby and in a room", () =>
    Effect.gen(function* () {
      const { ben, laptop, phone, server, token } = yield* startThree
      yield* ben.ask({ _tag: "CreateRoom", room: "garden" })
      for (const client of [ben, laptop, phone]) yield* client.ask({ _tag: "JoinRoom", room: "garden" })
      assert.deepInclude(yield* ben.ask({ _tag: "ListUsers" }), { users: ["ada", "ben"], count: 2 })
      assert.deepInclude(yield* ben.ask({ _tag: "ListRoomUsers", room: "garden" }), {
        users: ["ada", "ben"],
        count: 2
      })
      assert.deepInclude(Talk.listIn(yield* ben.ask({ _tag: "ListRooms" }), "rooms")[0], { room: "garden", users: 2 })
      yield* ben.find((line) => line._tag === "RoomPresence" && JSON.stringify(line["joined"]).includes("ada"))

      yield* laptop.ask({ _tag: "Disconnect" })
      yield* laptop.closed
      // Somebody else who comes ends the window in which one who left would be told of.
      const cyd = yield* server.join("cyd")
      yield* cyd.ask({ _tag: "JoinRoom", room: "garden" })
      const isOfCyd = (line: { readonly [field: string]: unknown }) => JSON.stringify(line["joined"]).includes("cyd")
      assert.deepPropertyVal(yield* ben.find((line) => line._tag === "Presence" && isOfCyd(line)), "left", [])
      assert.deepPropertyVal(yield* ben.find((line) => line._tag === "RoomPresence" && isOfCyd(line)), "left", [])
      assert.deepInclude(yield* ben.ask({ _tag: "GetUser", user: "ada" }), { connected: true })

      yield* phone.ask({ _tag: "Disconnect" })
      const gone = (tag: string) => (line: { readonly [field: string]: unknown }) =>
        line["_tag"] === tag && JSON.stringify(line["left"]) === `["ada"]`
      yield* ben.find(gone("Presence"))
      yield* ben.find(gone("RoomPresence"))
      assert.deepInclude(yield* ben.ask({ _tag: "GetUser", user: "ada" }), { account: true, connected: false })
      assert.deepInclude(yield* ben.ask({ _tag: "ListRoomUsers", room: "garden" }), {
        users: ["ben", "cyd"],
        away: ["ada"],
        count: 3
      })

      const back = yield* Talk.comeBack(server, "ada", token)
      yield* ben.find((line) => line._tag === "Presence" && JSON.stringify(line["joined"]) === `["ada"]`)
      const rooms = yield* back.client.ask({ _tag: "ListRooms" })
      assert.deepInclude(Talk.listIn(rooms, "rooms")[0], { room: "garden", users: 2, member: true })
    })
  )
})

describe("a read mark", () => {
  it.live("is told to the account's others and nobody else, never goes back, nor beyond the log", () =>
    Effect.gen(function* () {
      const { ben, laptop, phone } = yield* startThree
      yield* ben.ask({ _tag: "CreateRoom", room: "Garden" })
      for (const client of [ben, laptop, phone]) yield* client.ask({ _tag: "JoinRoom", room: "Garden" })
      for (const content of ["one", "two", "three"]) {
        yield* ben.ask({ _tag: "RoomMessage", room: "Garden", content })
        yield* ben.ask({ _tag: "PrivateMessage", to: "ada", content })
        yield* ben.ask({ _tag: "GlobalMessage", content })
      }
      const places = [
        { asked: { room: "gARDEN" }, told: { room: "Garden" } },
        { asked: { with: "BEN" }, told: { with: "ben" } },
        { asked: {}, told: {} }
      ]
      for (const { asked, told } of places) {
        for (const [seq, marked] of [
          [2, 2],
          [1, 2],
          [99, 3]
        ]) {
          const reply = yield* laptop.ask({ _tag: "MarkRead", ...asked, seq })
          assert.deepStrictEqual(reply, { _tag: "ReadMarked", ...told, seq: marked, id: reply["id"] })
          assert.deepStrictEqual(yield* phone.find("ReadMarked"), { _tag: "ReadMarked", ...told, seq: marked })
        }
      }
      for (const client of [ben, laptop]) {
        assert.isFalse((yield* client.soFar).some(({ _tag }) => _tag === "ReadMarked"))
      }
    })
  )

  it.live("is for accounts, in rooms they are members of, and with somebody they ever spoke to", () =>
    Effect.gen(function* () {
      const { ben, laptop, server } = yield* startThree
      const guest = yield* server.join("guest")
      assert.deepStrictEqual(reasonOf(yield* guest.ask({ _tag: "MarkRead", seq: 1 })), {
        _tag: "AccountRequired",
        action: "MarkRead"
      })
      yield* ben.ask({ _tag: "CreateRoom", room: "garden" })
      const room = yield* laptop.ask({ _tag: "MarkRead", room: "garden", seq: 1 })
      assert.deepStrictEqual(reasonOf(room), { _tag: "NotInRoom", room: "garden" })
      for (const user of ["nobody", "ben"]) {
        const reply = yield* laptop.ask({ _tag: "MarkRead", with: user, seq: 1 })
        assert.deepStrictEqual(reasonOf(reply), { _tag: "UserNotFound", user })
      }
      const both = yield* laptop.ask({ _tag: "MarkRead", with: "ben", room: "garden", seq: 1 })
      assert.propertyVal(reasonOf(both), "_tag", "InvalidMessage")
      yield* guest.ask({ _tag: "PrivateMessage", to: "ada", content: "hello" })
      assert.deepInclude(yield* laptop.ask({ _tag: "MarkRead", with: "guest", seq: 1 }), { with: "guest", seq: 1 })
    })
  )
})

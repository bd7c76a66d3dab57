/** What a login and a registration come to when the disk fails in the middle, and that they may be tried again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Memberships } from "../../src/server/accounts/Memberships.ts"
import { StorageUnavailable } from "../../src/server/history/History.ts"
import * as Talk from "../support/AccountTalk.ts"
import { historyBehind } from "../support/FaultyServer.ts"
import { reasonOf } from "../support/Rejections.ts"
import { stores } from "../support/Stores.ts"
import * as TestServer from "../support/TestServer.ts"

/** A server whose logs cannot be read while the test says so. */
const startFailing = Effect.gen(function* () {
  let isFailing = false
  const history = historyBehind(() =>
    isFailing ? Effect.fail(new StorageUnavailable({ cause: "a test" })) : Effect.void
  )
  const server = yield* TestServer.start({ history })
  return {
    server,
    fail: (fails: boolean) => {
      isFailing = fails
    }
  }
})

const unavailable = { _tag: "StorageUnavailable" }

describe("while logs cannot be read", () => {
  it.live("a login is refused, and may be tried again on the same connection, with the same token", () =>
    Effect.gen(function* () {
      const { fail, server } = yield* startFailing
      const ada = yield* Talk.register(server, "ada")
      yield* ada.client.ask({ _tag: "GlobalMessage", content: "before" })
      yield* ada.client.ask({ _tag: "Disconnect" })
      yield* ada.client.closed
      const after = { lobby: { ...Talk.cursorOf(ada.welcome["lobby"]), seq: 0 } }
      const client = yield* server.connect()
      const hello = { _tag: "Handshake", user: "ada", credentials: Talk.byToken(ada.token), after }
      fail(true)
      assert.deepStrictEqual(reasonOf(yield* client.ask(hello)), unavailable)
      assert.deepStrictEqual(reasonOf(yield* client.ask(hello)), unavailable)
      fail(false)
      const welcome = yield* client.ask(hello)
      assert.deepInclude(welcome, { _tag: "Welcome", user: "ada" })
      assert.propertyVal(yield* client.find("GlobalMessage"), "content", "before")
      const devices = Talk.listIn(yield* client.ask({ _tag: "ListDevices" }), "devices")
      assert.lengthOf(devices, 1)
    })
  )

  it.live("who was refused as an account may come as a guest, and what the guest writes is no account's", () =>
    Effect.gen(function* () {
      const { fail, server } = yield* startFailing
      const ada = yield* Talk.register(server, "ada")
      yield* ada.client.ask({ _tag: "GlobalMessage", content: "before" })
      const after = { lobby: { ...Talk.cursorOf(ada.welcome["lobby"]), seq: 0 } }
      const client = yield* server.connect()
      fail(true)
      const refused = yield* client.ask({
        _tag: "Handshake",
        user: "ada",
        credentials: Talk.byPassword(Talk.password),
        after
      })
      assert.deepStrictEqual(reasonOf(refused), unavailable)
      fail(false)
      assert.propertyVal(yield* client.ask({ _tag: "Handshake", user: "ben" }), "account", false)
      const { seq } = yield* client.ask({ _tag: "GlobalMessage", content: "as a guest" })
      assert.deepStrictEqual(reasonOf(yield* ada.client.ask({ _tag: "EditMessage", target: seq, content: "mine" })), {
        _tag: "NotAllowed",
        action: "EditMessage"
      })
      assert.deepStrictEqual(reasonOf(yield* client.ask({ _tag: "EditMessage", target: 1, content: "mine" })), {
        _tag: "NotAllowed",
        action: "EditMessage"
      })
      assert.propertyVal(yield* client.ask({ _tag: "EditMessage", target: seq, content: "a guest" }), "_tag", "Sent")
      assert.deepStrictEqual(reasonOf(yield* client.ask({ _tag: "ListDevices" })), {
        _tag: "AccountRequired",
        action: "ListDevices"
      })
      // The device of the refused one is not connected any more, and ends nobody when it is removed.
      const devices = Talk.listIn(yield* ada.client.ask({ _tag: "ListDevices" }), "devices")
      for (const { connected, device } of devices) {
        if (connected === false) yield* ada.client.ask({ _tag: "RemoveDevice", device })
      }
      assert.propertyVal(yield* client.ask({ _tag: "Ping", nonce: 1 }), "nonce", 1)
    })
  )

  it.live("a name that was registered is the account's, also if its owner could not be welcomed", () =>
    Effect.gen(function* () {
      const { fail, server } = yield* startFailing
      const ben = yield* server.join("ben")
      yield* ben.ask({ _tag: "GlobalMessage", content: "before" })
      const { lobby } = yield* ben.ask({ _tag: "Ping", nonce: 1 }).pipe(
        Effect.andThen(server.connect()),
        Effect.flatMap((other) => other.ask({ _tag: "Handshake", user: "cyd" }))
      )
      const client = yield* server.connect()
      fail(true)
      const register = { password: Talk.password }
      const after = { lobby: { ...Talk.cursorOf(lobby), seq: 0 } }
      const refused = yield* client.ask({ _tag: "Handshake", user: "ada", register, after })
      assert.deepStrictEqual(reasonOf(refused), unavailable)
      fail(false)
      const again = yield* client.ask({ _tag: "Handshake", user: "ada", register })
      assert.deepStrictEqual(reasonOf(again), { _tag: "AccountExists", user: "ada" })
      const welcome = yield* client.ask({ _tag: "Handshake", user: "ada", credentials: Talk.byPassword(Talk.password) })
      assert.deepInclude(welcome, { _tag: "Welcome", account: true })
    })
  )
})

/** A server whose memberships are stored, but said not to be while the test says so. */
const startLying = Effect.gen(function* () {
  let isLying = false
  const lie = <A>(stored: Effect.Effect<A, StorageUnavailable>) =>
    Effect.tap(stored, () => (isLying ? Effect.fail(new StorageUnavailable({ cause: "a test" })) : Effect.void))
  const lying = Layer.effect(
    Memberships,
    Effect.map(Memberships, (memory) =>
      Memberships.of({
        ...memory,
        join: (member, room, newest) => lie(memory.join(member, room, newest)),
        leave: (account, room) => lie(memory.leave(account, room))
      })
    )
  )
  const server = yield* TestServer.start({ stores: Layer.provideMerge(lying, stores) })
  const ada = yield* Talk.register(server, "ada")
  yield* ada.client.ask({ _tag: "CreateRoom", room: "dev" })
  return {
    ada,
    server,
    lie: (lies: boolean) => {
      isLying = lies
    },
    /** The rooms that a device finds when it comes. */
    rooms: Effect.gen(function* () {
      const { client, welcome } = yield* Talk.logIn(server, "ada")
      yield* client.ask({ _tag: "Disconnect" })
      return Talk.listIn(welcome, "rooms").map(({ room }) => room)
    })
  }
})

describe("while what is stored of memberships is taken for lost", () => {
  it.live("who leaves a room in vain and comes again is a member", () =>
    Effect.gen(function* () {
      const { ada, lie, rooms, server } = yield* startLying
      const { client: other } = yield* Talk.logIn(server, "ada")
      yield* ada.client.ask({ _tag: "JoinRoom", room: "dev" })
      lie(true)
      assert.deepStrictEqual(reasonOf(yield* ada.client.ask({ _tag: "LeaveRoom", room: "dev" })), unavailable)
      lie(false)
      assert.propertyVal(yield* other.ask({ _tag: "JoinRoom", room: "dev" }), "_tag", "RoomJoined")
      assert.deepStrictEqual(yield* rooms, ["dev"])
    })
  )

  it.live("who comes into a room in vain may leave it, and is no member", () =>
    Effect.gen(function* () {
      const { ada, lie, rooms } = yield* startLying
      lie(true)
      assert.deepStrictEqual(reasonOf(yield* ada.client.ask({ _tag: "JoinRoom", room: "dev" })), unavailable)
      lie(false)
      assert.deepStrictEqual(yield* rooms, ["dev"])
      assert.propertyVal(yield* ada.client.ask({ _tag: "LeaveRoom", room: "dev" }), "_tag", "RoomLeft")
      assert.deepStrictEqual(yield* rooms, [])
    })
  )
})

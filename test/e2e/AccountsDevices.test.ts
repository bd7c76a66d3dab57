/** The connections and devices of one account: how many there may be, and how each ends. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Talk from "../support/AccountTalk.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const { password } = Talk
const next = "seven green bicycles"

const goodbyeOf = (client: RawClient) =>
  Effect.map(client.closed, (lines) => {
    const last = lines.at(-1)
    assert.strictEqual(last?._tag, "Goodbye", JSON.stringify(lines))
    assert.notProperty(last, "id")
    return String(last?.["reason"])
  })

const isThere = (client: RawClient) =>
  Effect.map(client.ask({ _tag: "Ping", nonce: 1 }), (pong) => assert.propertyVal(pong, "nonce", 1))

const devicesOf = (client: RawClient) =>
  Effect.map(client.ask({ _tag: "ListDevices" }), (line) => Talk.listIn(line, "devices"))

describe("an account", () => {
  it.live("is connected 16 times at most; one more is TooManyConnections and makes no device", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const first = yield* Talk.register(server, "ada")
      let { token } = first
      for (let count = 1; count < 16; count++) token = (yield* Talk.comeBack(server, "ada", token)).token
      for (const credentials of [Talk.byToken(token), Talk.byPassword(password)]) {
        const { hasEnded, reply } = yield* Talk.attempt(server, { user: "ada", credentials })
        assert.deepStrictEqual(reasonOf(reply), { _tag: "TooManyConnections" })
        assert.isTrue(hasEnded)
      }
      assert.lengthOf(yield* devicesOf(first.client), 1)
      assert.deepInclude(yield* first.client.ask({ _tag: "ListUsers" }), { users: ["ada"], count: 1 })
      yield* first.client.ask({ _tag: "Disconnect" })
      yield* first.client.closed
      // The token that was refused stays good: nobody was told the next.
      yield* Talk.comeBack(server, "ada", token)
    })
  )

  it.live("has 32 devices at most; then the same connection may come in otherwise", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const first = yield* Talk.register(server, "ada", { device: "first" })
      for (let count = 1; count < 32; count++) {
        const { client } = yield* Talk.logIn(server, "ada", { device: `device ${count}` })
        yield* client.ask({ _tag: "Disconnect" })
        yield* client.closed
      }
      const { client, hasEnded, reply } = yield* Talk.attempt(server, {
        user: "ada",
        credentials: Talk.byPassword(password)
      })
      assert.deepStrictEqual(reasonOf(reply), { _tag: "TooManyDevices", limit: 32 })
      assert.isFalse(hasEnded)
      const devices = yield* devicesOf(first.client)
      assert.deepStrictEqual(
        devices.map(({ name }) => name),
        ["first", ...Array.from({ length: 31 }, (_, index) => `device ${index + 1}`)]
      )
      assert.deepStrictEqual(
        devices.map(({ connected }) => connected),
        devices.map((_, index) => index === 0)
      )
      const back = yield* client.ask({ _tag: "Handshake", user: "ada", credentials: Talk.byToken(first.token) })
      assert.deepInclude(back, { _tag: "Welcome", device: first.device })
      yield* client.ask({ _tag: "RemoveDevice", device: devices[5]?.["device"] })
      yield* Talk.logIn(server, "ada")
    })
  )

  it.live("is told of its devices what they are called, since when they are there and which one asks", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const laptop = yield* Talk.register(server, "ada", { device: "laptop" })
      const phone = yield* Talk.logIn(server, "ada")
      const [first, second] = yield* devicesOf(phone.client)
      assert.deepInclude(first, { device: laptop.device, name: "laptop", connected: true })
      assert.notProperty(first, "here")
      assert.deepInclude(second, { device: phone.device, name: "unnamed", connected: true, here: true })
      assert.isAtLeast(Number(second?.["lastSeen"]), Number(second?.["since"]))
    })
  )
})

describe("ListDevices", () => {
  it.live("says which one asks also if that has disconnected meanwhile", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const laptop = yield* Talk.register(server, "ada")
      // What is behind a password waits until that has been looked at.
      const slow = { _tag: "ChangePassword", current: "wrong horse", next }
      yield* laptop.client.send(slow, { _tag: "ListDevices", id: "d" }, { _tag: "Disconnect" })
      const line = yield* laptop.client.find(({ id }) => id === "d")
      const expected = { device: laptop.device, connected: true, here: true }
      assert.deepInclude(Talk.listIn(line, "devices")[0], expected)
    })
  )
})

describe("RemoveDevice", () => {
  it.live("ends the device's token and connections at once, and no other's", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const laptop = yield* Talk.register(server, "ada")
      const phone = yield* Talk.logIn(server, "ada")
      const again = yield* Talk.comeBack(server, "ada", phone.token)
      const removed = yield* laptop.client.ask({ _tag: "RemoveDevice", device: phone.device })
      assert.deepInclude(removed, { _tag: "DeviceRemoved", device: phone.device })
      for (const { client } of [phone, again]) assert.match(yield* goodbyeOf(client), /device was removed/)
      for (const token of [phone.token, again.token]) {
        assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials: Talk.byToken(token) }), {
          _tag: "InvalidCredentials"
        })
      }
      yield* isThere(laptop.client)
      assert.deepStrictEqual(reasonOf(yield* laptop.client.ask({ _tag: "RemoveDevice", device: phone.device })), {
        _tag: "DeviceNotFound",
        device: phone.device
      })
    })
  )

  it.live("of the device that asks is answered first", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { client, device } = yield* Talk.register(server, "ada")
      yield* client.send({ _tag: "RemoveDevice", device, id: "r" })
      const lines = (yield* client.closed).slice(-2)
      assert.deepInclude(lines[0], { _tag: "DeviceRemoved", id: "r" })
      assert.deepInclude(lines[1], { _tag: "Goodbye" })
    })
  )

  it.live("knows no device of another account", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { client } = yield* Talk.register(server, "ada")
      const ben = yield* Talk.register(server, "ben")
      const refused = yield* client.ask({ _tag: "RemoveDevice", device: ben.device })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "DeviceNotFound", device: ben.device })
      yield* isThere(ben.client)
    })
  )
})

describe("ChangePassword", () => {
  it.live("ends the other devices and their connections, and keeps the one that asks", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const laptop = yield* Talk.register(server, "ada")
      const phone = yield* Talk.logIn(server, "ada")
      const sibling = yield* Talk.comeBack(server, "ada", laptop.token)
      const changed = yield* laptop.client.ask({ _tag: "ChangePassword", current: password, next })
      assert.strictEqual(changed._tag, "PasswordChanged")
      assert.match(yield* goodbyeOf(phone.client), /password of this account was changed/)
      yield* isThere(laptop.client)
      yield* isThere(sibling.client)
      for (const credentials of [Talk.byToken(phone.token), Talk.byPassword(password)]) {
        assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials }), {
          _tag: "InvalidCredentials"
        })
      }
      yield* Talk.comeBack(server, "ada", sibling.token)
      yield* Talk.enter(server, { user: "ada", credentials: Talk.byPassword(next) })
    })
  )

  it.live("keeps the device that asks also if that has disconnected meanwhile", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const laptop = yield* Talk.register(server, "ada")
      yield* laptop.client.send({ _tag: "ChangePassword", current: password, next, id: "p" }, { _tag: "Disconnect" })
      const lines = yield* laptop.client.closed
      assert.deepInclude(lines.at(-2), { _tag: "PasswordChanged", id: "p" })
      yield* Talk.comeBack(server, "ada", laptop.token)
    })
  )

  it.live("with a wrong password or a weak new one changes nothing, and ends nothing", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const laptop = yield* Talk.register(server, "ada")
      const phone = yield* Talk.logIn(server, "ada")
      const wrong = yield* laptop.client.ask({ _tag: "ChangePassword", current: "wrong horse", next })
      assert.deepStrictEqual(reasonOf(wrong), { _tag: "InvalidCredentials" })
      const weak = yield* laptop.client.ask({ _tag: "ChangePassword", current: password, next: "password123" })
      assert.propertyVal(reasonOf(weak), "_tag", "InvalidMessage")
      yield* isThere(phone.client)
      yield* Talk.logIn(server, "ada")
    })
  )
})

describe("DeleteAccount", () => {
  it.live("takes the account out of its rooms, ends its connections and leaves what it wrote", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ben = yield* Talk.register(server, "ben")
      const laptop = yield* Talk.register(server, "ada")
      const phone = yield* Talk.logIn(server, "ada")
      yield* ben.client.ask({ _tag: "CreateRoom", room: "garden" })
      for (const { client } of [ben, laptop]) yield* client.ask({ _tag: "JoinRoom", room: "garden" })
      yield* laptop.client.ask({ _tag: "RoomMessage", room: "garden", content: "I was here" })
      yield* laptop.client.ask({ _tag: "PrivateMessage", to: "ben", content: "farewell" })
      const wrong = yield* phone.client.ask({ _tag: "DeleteAccount", password: "wrong horse" })
      assert.deepStrictEqual(reasonOf(wrong), { _tag: "InvalidCredentials" })

      yield* phone.client.send({ _tag: "DeleteAccount", password, id: "d" })
      // That there is a room may be announced at any moment.
      const lines = (yield* phone.client.closed).filter(({ _tag }) => _tag !== "RoomCreated").slice(-2)
      assert.deepInclude(lines[0], { _tag: "AccountDeleted", id: "d" })
      assert.strictEqual(lines[1]?._tag, "Goodbye")
      assert.match(yield* goodbyeOf(laptop.client), /deleted/)
      yield* TestServer.whenGone(ben.client, "ada")
      const listed = yield* ben.client.ask({ _tag: "ListRoomUsers", room: "garden" })
      assert.deepInclude(listed, { users: ["ben"], count: 1 })
      assert.notInclude(JSON.stringify(listed["away"] ?? []), "ada")
      assert.deepStrictEqual(reasonOf(yield* ben.client.ask({ _tag: "GetUser", user: "ada" })), {
        _tag: "UserNotFound",
        user: "ada"
      })
      const room = yield* ben.client.ask({ _tag: "GetHistory", room: "garden" })
      assert.deepStrictEqual(Talk.outline(Talk.listIn(room, "messages")), ["1 I was here"])
      const inbox = yield* ben.client.ask({ _tag: "GetHistory", with: "ada" })
      assert.deepStrictEqual(Talk.outline(Talk.listIn(inbox, "messages")), ["1 farewell"])
      const late = yield* ben.client.ask({ _tag: "PrivateMessage", to: "ada", content: "too late" })
      assert.deepStrictEqual(reasonOf(late), { _tag: "UserNotFound", user: "ada" })
    })
  )
})

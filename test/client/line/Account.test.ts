/** What a person does about their account, from the line to the wire and back. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue, Redacted } from "effect"
import { chat } from "../../../src/client/line/Chat.ts"
import { Client } from "../../../src/client/link/Client.ts"
import { Screen } from "../../../src/client/screen/Screen.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import type { ServerMessage, ServerMessageOf } from "../../../src/common/wire/ServerMessage.ts"
import { dev, joined, rejected } from "../ClientTalk.ts"
import * as FakeScreen from "../FakeScreen.ts"
import { ada, epoch, idOf, make, start, welcome } from "../FakeServer.ts"

const bob = UserName.make("bob")
const at = FakeScreen.noon
const secret = "correct horse battery"

const inRoom = (seq: number): ServerMessageOf<"RoomMessage"> => ({
  _tag: "RoomMessage",
  room: dev,
  seq,
  at,
  from: bob,
  content: `${seq}`
})
const inPrivate = (seq: number): ServerMessageOf<"PrivateMessage"> => ({
  _tag: "PrivateMessage",
  seq,
  at,
  from: bob,
  to: ada,
  content: `${seq}`
})

const byAccount: Partial<ServerMessageOf<"Welcome">> = { account: true, inbox: { epoch, seq: 9 }, rooms: [] }

/** Ada's sitting; what every sitting asks is answered, whatever else is asked is taken. */
const sit = Effect.fnUntraced(function* (
  more: Partial<ServerMessageOf<"Welcome">>,
  isInteractive = true,
  blocked: ReadonlyArray<UserName> = []
) {
  const server = yield* make
  const { screen, ...person } = yield* FakeScreen.make({ isInteractive })
  const starting = yield* start(server)
  const peer = yield* server.accept
  yield* peer.take
  yield* peer.say({ ...welcome(0), ...more })
  const sitting = yield* chat.pipe(
    Effect.provideService(Client, yield* Fiber.join(starting)),
    Effect.provideService(Screen, screen),
    Effect.provide(NodeFileSystem.layer),
    Effect.forkScoped
  )
  const asked = yield* Queue.unbounded<ClientMessage>()
  const answer = Effect.flatMap(peer.take, (message) => {
    if (message._tag === "ListUsers") return peer.say({ _tag: "UserList", ...idOf(message), users: [ada], count: 1 })
    if (message._tag === "ListRooms") return peer.say({ _tag: "RoomList", ...idOf(message), rooms: [], count: 0 })
    if (message._tag === "ListBlocked") return peer.say({ _tag: "Blocked", ...idOf(message), users: blocked })
    if (message._tag === "Ping") return peer.say({ _tag: "Pong", ...idOf(message), nonce: message.nonce })
    if (message._tag === "JoinRoom") return peer.say(joined(message, 7, 0))
    return Queue.offer(asked, message)
  })
  yield* Effect.forkScoped(Effect.forever(answer))
  return { ...person, peer, sitting, take: Queue.take(asked) }
})

describe("a person with an account", () => {
  it.live("is not rung for by whom they have blocked, here or on another device", () =>
    Effect.gen(function* () {
      const { peer, take, type, until } = yield* sit(byAccount, true, [bob])
      yield* type(":whois bob")
      yield* peer.say({ _tag: "UserInfo", ...idOf(yield* take), user: bob, account: false, connected: true })
      yield* until("bob: a guest, here now")
      const call = (seq: number) =>
        peer.say({ _tag: "GlobalMessage", seq, at, from: UserName.make("BOB"), content: `${seq} @ada` })
      yield* call(1)
      assert.include(yield* until("1 @ada"), "12:04 #1 BOB: 1 @ada")
      yield* peer.say({ _tag: "Blocked", users: [] })
      yield* call(2)
      assert.include(yield* until("2 @ada"), "12:04 * #2 BOB: 2 @ada")
      yield* peer.say({ _tag: "Blocked", users: [bob] })
      yield* call(3)
      assert.include(yield* until("3 @ada"), "12:04 #3 BOB: 3 @ada")
    })
  )

  it.live("removes the device that they name, if there is one", () =>
    Effect.gen(function* () {
      const { peer, take, type, until } = yield* sit(byAccount)
      const device = (id: string) => ({
        device: DeviceId.make(id),
        name: id,
        since: at,
        lastSeen: at,
        connected: false
      })
      const list = Effect.flatMap(take, (asked) =>
        peer.say({ _tag: "Devices", ...idOf(asked), devices: [device("7"), device("2")] })
      )
      yield* type(":devices remove 1")
      yield* list
      yield* until(":devices: there is no device 1. :devices shows those there are.")
      yield* type(":devices remove")
      yield* list
      yield* until("as :devices shows it: :devices remove 2.")
      yield* type(":devices remove 2")
      yield* list
      const removing = yield* take
      assert.deepInclude<object>(removing, { _tag: "RemoveDevice", device: "2" })
      yield* peer.say({ _tag: "DeviceRemoved", ...idOf(removing), device: DeviceId.make("2") })
      yield* until("the device is removed, and its connections with it")
    })
  )

  it.live("logs out by removing the device they are on", () =>
    Effect.gen(function* () {
      const { peer, sitting, take, type, until } = yield* sit(byAccount)
      const device = DeviceId.make("1")
      const devices = [{ device, name: "laptop", since: at, lastSeen: at, connected: true, here: true as const }]
      yield* type(":devices remove 1")
      yield* peer.say({ _tag: "Devices", ...idOf(yield* take), devices })
      yield* peer.say({ _tag: "Devices", ...idOf(yield* take), devices })
      const removing = yield* take
      assert.deepInclude<object>(removing, { _tag: "RemoveDevice", device })
      yield* peer.say({ _tag: "DeviceRemoved", ...idOf(removing), device })
      yield* until("logged out; this device is forgotten")
      assert.deepStrictEqual(yield* Fiber.join(sitting), { _tag: "Quit" })
    })
  )

  it.live("stays when the account is not deleted, and may leave while nobody knows whether it is", () =>
    Effect.gen(function* () {
      const { answer, endInput, peer, sitting, take, type, until } = yield* sit(byAccount)
      const unregister = Effect.gen(function* () {
        yield* type(":unregister")
        yield* answer("yes")
        yield* answer(secret)
        return yield* take
      })
      const first = yield* unregister
      assert.strictEqual(first._tag === "DeleteAccount" && Redacted.value(first.password), secret)
      yield* peer.say(rejected(first, { _tag: "InvalidCredentials" }))
      yield* until("no: InvalidCredentials")
      yield* type(":whois bob")
      yield* peer.say({ _tag: "UserInfo", ...idOf(yield* take), user: bob, account: false, connected: true })
      yield* until("bob: a guest, here now")
      assert.strictEqual((yield* unregister)._tag, "DeleteAccount")
      yield* endInput
      yield* until("Not sent: :unregister")
      assert.deepStrictEqual(yield* Fiber.join(sitting), { _tag: "Quit" })
    })
  )

  it.live("registers with an invite where the server wants one", () =>
    Effect.gen(function* () {
      const { answer, peer, take, type, until } = yield* sit({})
      yield* type(":register")
      yield* until("asked: New password")
      // Nobody is back at the prompt before a password is taken: typed once more there, it would be a message.
      yield* answer("too short")
      yield* until("asked: New password (a password has 10 characters at least)")
      yield* answer(secret)
      yield* answer("correct horse batterie")
      yield* until("asked: New password (the two were not the same)")
      yield* answer(secret)
      yield* answer(secret)
      const common = yield* take
      yield* peer.say(rejected(common, { _tag: "InvalidMessage", issue: "password: must be none of the commonest" }))
      yield* until("asked: New password (the server takes none of the commonest)")
      yield* answer(secret)
      yield* answer(secret)
      const first = yield* take
      assert.isTrue(first._tag === "Register" && first.invite === undefined)
      yield* peer.say(rejected(first, { _tag: "InvalidInvite" }))
      yield* until("asked: Invite, without which this server makes no account")
      yield* answer("abc")
      const second = yield* take
      assert.strictEqual(second._tag === "Register" && second.invite && Redacted.value(second.invite), "abc")
      yield* peer.say({ _tag: "Registered", ...idOf(second), token: "t", device: DeviceId.make("d") })
      yield* until(":login NAME and your password let you in")
    })
  )

  it.live("is shown what was said in private meanwhile, and has read it then; of a room, what history shows", () =>
    Effect.gen(function* () {
      const { peer, take, type, until } = yield* sit({
        ...byAccount,
        rooms: [{ room: dev, seq: 7, read: 5, unread: 2, mentions: 0, role: "member" }],
        conversations: [{ with: bob, seq: 9, read: 4, unread: 1 }]
      })
      const asked = yield* take
      assert.deepInclude<object>(asked, { _tag: "GetHistory", with: "bob", limit: 3 })
      yield* peer.say({
        _tag: "History",
        ...idOf(asked),
        messages: [inPrivate(2), inPrivate(3), inPrivate(9)],
        more: true
      })
      yield* until("3 messages of history; :more shows older ones")
      const mark = yield* take
      assert.deepInclude<object>(mark, { _tag: "MarkRead", with: "bob", seq: 9 })
      yield* peer.say({ _tag: "ReadMarked", ...idOf(mark), with: bob, seq: 9 }, inRoom(8))
      yield* until("[dev] bob: 8")
      yield* type(":unread")
      yield* until("unread: 3 in dev; :history dev shows them")
      yield* type(":history dev 3")
      const page = yield* take
      yield* peer.say({ _tag: "History", ...idOf(page), messages: [inRoom(6), inRoom(7), inRoom(8)], more: true })
      assert.deepInclude<object>(yield* take, { _tag: "MarkRead", room: "dev", seq: 8 })
      yield* type(":unread")
      yield* until("nothing is unread")
    })
  )

  it.live("goes on as who they are when :login comes to nothing", () =>
    Effect.gen(function* () {
      const { take, type, until } = yield* sit(byAccount)
      yield* type(":login")
      yield* until("<name> is missing. Type :login <name>, for example :login ada")
      yield* type(":login Ada")
      yield* until(":login: you are logged in as ada already.")
      yield* type(":login bob")
      yield* until(":login: start again to log in.")
      yield* type("hello")
      assert.deepInclude<object>(yield* take, { _tag: "GlobalMessage", content: "hello" })
    })
  )
})

describe("a script with an account", () => {
  it.live("is asked nothing, reads for nobody, and is told how it logs in", () =>
    Effect.gen(function* () {
      const { endInput, peer, sitting, type, until } = yield* sit(byAccount, false)
      yield* type(":passwd")
      yield* until("there is nobody to ask.")
      yield* type(":login bob")
      yield* until("--key.")
      const said: ServerMessage = { _tag: "GlobalMessage", seq: 1, at, from: bob, content: "hello" }
      yield* peer.say(said)
      yield* until("bob: hello")
      yield* endInput
      const error = yield* Effect.flip(Fiber.join(sitting))
      assert.strictEqual(error._tag, "ScriptFailed")
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Queue, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Client } from "../../src/client/Client.ts"
import type { ClientEvent } from "../../src/client/ClientEvent.ts"
import type { ClientMessage } from "../../src/common/ClientMessage.ts"
import { RoomName } from "../../src/common/RoomName.ts"
import type { ServerMessage } from "../../src/common/ServerMessage.ts"
import { UserName } from "../../src/common/UserName.ts"
import { ada, connect, epoch, greet, idOf, make, start, welcome } from "./FakeServer.ts"

const bob = UserName.make("bob")
const dev = RoomName.make("dev")

const sent = (message: ClientMessage, seq: number): ServerMessage => ({ _tag: "Sent", ...idOf(message), seq, at: 0 })
const inLobby = (seq: number, content = `${seq}`): ServerMessage => ({
  _tag: "GlobalMessage",
  seq,
  at: 0,
  from: bob,
  content
})
const inRoom = (seq: number): ServerMessage => ({
  _tag: "RoomMessage",
  room: dev,
  seq,
  at: 0,
  from: bob,
  content: `${seq}`
})

const joined = (message: ClientMessage, seq: number, missed: number): ServerMessage => ({
  _tag: "RoomJoined",
  ...idOf(message),
  room: dev,
  epoch,
  seq,
  missed,
  truncated: false,
  users: [ada, bob],
  count: 2
})

const rejected = (message: ClientMessage, reason: Extract<ServerMessage, { _tag: "Rejected" }>["reason"]) => ({
  _tag: "Rejected" as const,
  ...idOf(message),
  reason,
  message: `no: ${reason._tag}`
})

/** What the events say, in short. */
const brief = (event: ClientEvent): string => {
  switch (event._tag) {
    case "Received":
      return "seq" in event.message ? `${event.message._tag} ${event.message.seq}` : event.message._tag
    case "Reconnected":
      return `Reconnected ${event.missed}`
    case "Rejoined":
      return `Rejoined ${event.joined.missed}`
    default:
      return event._tag
  }
}

/** A reader of the events that can be asked for the next few. */
const listen = Effect.fnUntraced(function* (client: Client["Service"]) {
  const heard = yield* Queue.unbounded<ClientEvent>()
  yield* client.events.pipe(
    Stream.runForEach((event) => Queue.offer(heard, event)),
    Effect.forkScoped
  )
  return (count: number) => Effect.map(Queue.takeN(heard, count), (events) => events.map(brief))
})

describe("a client", () => {
  it.effect("greets the server with its name", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { handshake } = yield* connect(server)
      assert.deepInclude(handshake, { _tag: "Handshake", user: ada, after: {} })
    })
  )

  it.effect("sends a message under a key of its own and is told its place", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const sending = yield* Effect.forkChild(client.send({ _tag: "GlobalMessage", content: "hi" }))
      const message = yield* peer.take
      yield* peer.say(sent(message, 8))
      assert.deepInclude(message, { _tag: "GlobalMessage", content: "hi" })
      assert.match(message._tag === "GlobalMessage" ? (message.key ?? "") : "", /^[0-9a-f-]{36}$/)
      assert.strictEqual((yield* Fiber.join(sending)).seq, 8)
    })
  )

  it.effect("gives each of many requests its own reply, whatever their order", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const users = yield* Effect.forkChild(client.request({ _tag: "ListUsers" }))
      const rooms = yield* Effect.forkChild(client.request({ _tag: "ListRooms" }))
      const [first, second] = [yield* peer.take, yield* peer.take]
      yield* peer.say(
        { _tag: "RoomList", ...idOf(second), rooms: [], count: 0 },
        { _tag: "UserList", ...idOf(first), users: [ada], count: 1 }
      )
      assert.deepStrictEqual((yield* Fiber.join(users)).users, [ada])
      assert.deepStrictEqual((yield* Fiber.join(rooms)).rooms, [])
    })
  )

  it.effect("fails a refused request with the server's reason", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const asking = yield* Effect.forkChild(Effect.flip(client.request({ _tag: "JoinRoom", room: dev })))
      const message = yield* peer.take
      yield* peer.say(rejected(message, { _tag: "RoomNotFound", room: dev }))
      assert.deepInclude(yield* Fiber.join(asking), {
        _tag: "RequestRejected",
        reason: { _tag: "RoomNotFound", room: dev },
        message: "no: RoomNotFound"
      })
    })
  )

  it.effect("fails a request whose reply it cannot read, and goes on", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const asking = yield* Effect.forkChild(Effect.flip(client.request({ _tag: "ListUsers" })))
      const { id } = idOf(yield* peer.take)
      yield* peer.sayText(`{"_tag":"UserList","id":"${id}","users":"everybody"}\n`)
      assert.strictEqual((yield* Fiber.join(asking))._tag, "UnexpectedReply")
      const pinging = yield* Effect.forkChild(client.request({ _tag: "Ping", nonce: 5 }))
      const ping = yield* peer.take
      yield* peer.say({ _tag: "Pong", ...idOf(ping), nonce: 5 })
      assert.strictEqual((yield* Fiber.join(pinging)).nonce, 5)
    })
  )

  it.effect("ignores what it does not know", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const next = yield* listen(client)
      yield* peer.sayText('{"_tag":"Weather","sunny":true}\n')
      yield* peer.say(inLobby(8))
      assert.deepStrictEqual(yield* next(2), ["Connected", "GlobalMessage 8"])
    })
  )

  it.effect("says goodbye when it leaves, and its events end", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const leaving = yield* Effect.forkChild(client.leave)
      const message = yield* peer.take
      yield* Fiber.join(leaving)
      yield* peer.gone
      assert.strictEqual(message._tag, "Disconnect")
      const events = yield* Stream.runCollect(client.events)
      assert.deepStrictEqual(events.map(brief), ["Connected", "Goodbye"])
      assert.strictEqual(
        (yield* Effect.flip(client.request({ _tag: "ListUsers" }))).message,
        "This client has left the server."
      )
    })
  )

  it.effect("says goodbye when its scope closes", () =>
    Effect.gen(function* () {
      const server = yield* make
      const scope = yield* Scope.make()
      yield* connect(server).pipe(
        Effect.flatMap(({ peer }) => Effect.forkChild(peer.take)),
        Effect.tap(() => Effect.forkChild(Scope.close(scope, Exit.void))),
        Effect.flatMap(Fiber.join),
        Effect.tap((message) => Effect.sync(() => assert.strictEqual(message._tag, "Disconnect"))),
        Scope.provide(scope)
      )
    })
  )

  it.effect("pings a quiet server, and takes one that stays silent for gone", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const next = yield* listen(client)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* peer.take)._tag, "Ping")
      yield* peer.say({ _tag: "Pong", nonce: 0 }, inLobby(8))
      assert.deepStrictEqual(yield* next(2), ["Connected", "GlobalMessage 8"])
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual((yield* peer.take)._tag, "Ping")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* next(1), ["Disconnected"])
    })
  )

  it.effect("hears replies also while nobody reads its events, and tells how many it threw away", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const long = "x".repeat(8192)
      const flood = Array.from({ length: 2500 }, (_, index) => inLobby(8 + index, long))
      yield* peer.say(...flood)
      const pinging = yield* Effect.forkChild(client.request({ _tag: "Ping", nonce: 1 }))
      const ping = yield* peer.take
      yield* peer.say({ _tag: "Pong", ...idOf(ping), nonce: 1 })
      yield* Fiber.join(pinging)
      const events = yield* client.events.pipe(
        Stream.takeUntil(({ _tag }) => _tag === "Skipped"),
        Stream.runCollect
      )
      const last = events.at(-1)
      assert.isTrue(last?._tag === "Skipped" && last.events + events.length - 1 === 1 + flood.length + 1)
    })
  )
})

describe("a client whose server lies", () => {
  it.effect("is welcomed once, and asks nothing again", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const next = yield* listen(client)
      yield* Effect.forkChild(client.request({ _tag: "ListUsers" }))
      yield* peer.take
      yield* peer.say(welcome(7), welcome(9), inLobby(8))
      assert.deepStrictEqual(yield* next(2), ["Connected", "GlobalMessage 8"])
      yield* Effect.forkChild(client.request({ _tag: "Ping", nonce: 1 }))
      assert.strictEqual((yield* peer.take)._tag, "Ping")
    })
  )

  it.effect("does not take the joining of another room for a reply", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const asking = yield* Effect.forkChild(Effect.flip(client.request({ _tag: "JoinRoom", room: dev })))
      const join = yield* peer.take
      yield* peer.sayText(`${JSON.stringify({ ...joined(join, 1, 0), room: "other" })}\n`)
      assert.strictEqual((yield* Fiber.join(asking))._tag, "UnexpectedReply")
    })
  )

  it.live("leaves it at a line of more than 4 MiB", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      yield* Effect.forkScoped(Effect.ignore(peer.sayText("x".repeat(4 * 1024 * 1024 + 1))))
      const error = yield* Effect.flip(Stream.runDrain(client.events))
      assert.strictEqual(error.reason._tag, "NotParley")
    })
  )

  it.live("enters a room again that it was kept out of for a while", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const next = yield* listen(client)
      const joining = yield* Effect.forkChild(client.request({ _tag: "JoinRoom", room: dev }))
      yield* peer.say(joined(yield* peer.take, 3, 0))
      yield* Fiber.join(joining)
      yield* peer.cut
      const again = yield* greet(server, 7)
      yield* again.peer.say(rejected(yield* again.peer.take, { _tag: "StorageUnavailable" }))
      const rejoin = yield* again.peer.take
      assert.deepInclude(rejoin, { _tag: "JoinRoom", room: dev, after: { epoch, seq: 3 } })
      yield* again.peer.say(joined(rejoin, 4, 1), inRoom(4))
      assert.deepStrictEqual((yield* next(7)).slice(3), ["Reconnected 0", "Retrying", "Rejoined 1", "RoomMessage 4"])
    })
  )
})

describe("a client that cannot get in", () => {
  it.effect("fails with the refusal", () =>
    Effect.gen(function* () {
      const server = yield* make
      const starting = yield* start(server)
      const peer = yield* server.accept
      const handshake = yield* peer.take
      yield* peer.say(rejected(handshake, { _tag: "UserNameTaken", user: ada }))
      const error = yield* Effect.flip(Fiber.join(starting))
      assert.deepInclude(error.reason, { _tag: "Refused", reason: { _tag: "UserNameTaken", user: ada } })
    })
  )

  it.effect("fails if nobody listens, and says so", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(make, scope)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(Layer.build(Client.layerTcp({ host: "127.0.0.1", port, user: ada })))
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.include(error.message, "nothing listens there")
    })
  )

  it.effect("fails if the server speaks something else, and says so", () =>
    Effect.gen(function* () {
      const server = yield* make
      const starting = yield* start(server)
      const peer = yield* server.accept
      yield* peer.sayText("HTTP/1.1 400 Bad Request\r\n")
      const error = yield* Effect.flip(Fiber.join(starting))
      assert.strictEqual(error.reason._tag, "NotParley")
    })
  )
})

describe("a client whose connection breaks", () => {
  it.live("comes back to its places, asks again under the same key, and hears every message once", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const next = yield* listen(client)
      const joining = yield* Effect.forkChild(client.request({ _tag: "JoinRoom", room: dev }))
      const join = yield* peer.take
      yield* peer.say(joined(join, 3, 0), inRoom(4), inLobby(8))
      yield* Fiber.join(joining)
      const sending = yield* Effect.forkChild(client.send({ _tag: "RoomMessage", room: dev, content: "hi" }))
      const message = yield* peer.take
      assert.deepStrictEqual(yield* next(4), ["Connected", "RoomJoined 3", "RoomMessage 4", "GlobalMessage 8"])

      yield* peer.cut
      const again = yield* greet(server, 9)
      assert.deepInclude(again.handshake, { after: { lobby: { epoch, seq: 8 } } })
      yield* again.peer.say(inLobby(8), inLobby(9))
      const rejoin = yield* again.peer.take
      assert.deepInclude(rejoin, { _tag: "JoinRoom", room: dev, after: { epoch, seq: 4 } })
      yield* again.peer.say(joined(rejoin, 5, 1), inRoom(5))
      const repeated = yield* again.peer.take
      assert.deepStrictEqual(repeated, message)
      yield* again.peer.say(sent(repeated, 6))
      assert.strictEqual((yield* Fiber.join(sending)).seq, 6)
      assert.deepStrictEqual(yield* next(6), [
        "Disconnected",
        "Reconnected 1",
        "GlobalMessage 9",
        "Rejoined 1",
        "RoomMessage 5",
        "Sent 6"
      ])
    })
  )

  it.live("takes what is asked meanwhile along, and forgets what nobody waits for any more", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const next = yield* listen(client)
      const given = yield* Effect.forkChild(client.send({ _tag: "GlobalMessage", content: "given up" }))
      yield* peer.take
      yield* peer.cut
      assert.deepStrictEqual(yield* next(2), ["Connected", "Disconnected"])
      yield* Fiber.interrupt(given)
      const asking = yield* Effect.forkChild(client.request({ _tag: "ListUsers" }), { startImmediately: true })
      const again = yield* greet(server, 7)
      const message = yield* again.peer.take
      assert.strictEqual(message._tag, "ListUsers")
      yield* again.peer.say({ _tag: "UserList", ...idOf(message), users: [ada], count: 1 })
      yield* Fiber.join(asking)
    })
  )

  it.live("tells the asker if what was asked may have happened and cannot be repeated", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const creating = yield* Effect.forkChild(Effect.flip(client.request({ _tag: "CreateRoom", room: dev })))
      yield* peer.take
      yield* peer.cut
      assert.strictEqual((yield* Fiber.join(creating))._tag, "ReplyLost")
    })
  )

  it.live("tries again while its name is still taken by the connection that broke", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const next = yield* listen(client)
      yield* peer.say({ _tag: "Goodbye", reason: "restarting" })
      yield* peer.cut
      const early = yield* server.accept
      yield* early.say(rejected(yield* early.take, { _tag: "UserNameTaken", user: ada }))
      yield* greet(server, 7)
      assert.deepStrictEqual(yield* next(5), ["Connected", "Goodbye", "Disconnected", "Retrying", "Reconnected 0"])
    })
  )

  it.live("tries again if the server says goodbye before it says welcome", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const next = yield* listen(client)
      yield* peer.cut
      const early = yield* server.accept
      yield* early.take
      yield* early.say({ _tag: "Goodbye", reason: "The server is stopping." })
      yield* early.cut
      yield* greet(server, 7)
      assert.deepStrictEqual(yield* next(3), ["Connected", "Disconnected", "Reconnected 0"])
    })
  )

  it.live("ends if waiting will not help, and everybody waiting is told", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const asking = yield* Effect.forkChild(Effect.flip(client.request({ _tag: "ListUsers" })))
      yield* peer.take
      yield* peer.cut
      const later = yield* server.accept
      yield* later.say(rejected(yield* later.take, { _tag: "InvalidCredentials" }))
      const error = yield* Fiber.join(asking)
      assert.strictEqual(error._tag, "SessionError")
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(client.events)), error)
      assert.strictEqual(yield* Effect.flip(client.send({ _tag: "GlobalMessage", content: "hi" })), error)
    })
  )

  it.live("gives up after the time it was given", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const server = yield* Scope.provide(make, scope)
      const building = yield* Effect.forkChild(
        Layer.build(Client.layerTcp({ host: "127.0.0.1", port: server.port, user: ada, giveUpAfter: "1 millis" }))
      )
      yield* greet(server, 7)
      const context = yield* Fiber.join(building)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(
        Effect.provide(
          Client.use(({ events }) => Stream.runDrain(events)),
          context
        )
      )
      assert.strictEqual(error.reason._tag, "Unreachable")
    })
  )
})

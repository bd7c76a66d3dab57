import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Client } from "../../../src/client/link/Client.ts"
import { brief, dev, inLobby, inRoom, joined, listen, rejected, sent } from "../ClientTalk.ts"
import { ada, connect, epoch, greet, idOf, make, start, welcome } from "../FakeServer.ts"

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

  it.effect("asks at once where what was said has no answer, and waits no longer than 15 seconds for one", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const next = yield* listen(client)
      const sending = yield* Effect.forkChild(client.send({ _tag: "GlobalMessage", content: "Hello" }))
      yield* peer.say(sent(yield* peer.take, 8))
      yield* Fiber.join(sending)
      assert.deepStrictEqual(yield* next(2), ["Connected", "Sent 8"])
      yield* TestClock.adjust("6 seconds")
      yield* Effect.forkChild(Effect.exit(client.send({ _tag: "GlobalMessage", content: "Hello?" })))
      assert.strictEqual((yield* peer.take)._tag, "GlobalMessage")
      yield* TestClock.adjust("5 seconds")
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

  it.effect("takes a list of the shortest names, but does not parse what is little but brackets", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const users = Array.from({ length: 1000 }, () => "a")
      const listed = (id: string | undefined, count: number, more: object = {}) =>
        `${JSON.stringify({ _tag: "UserList", id, users, count, ...more })}\n`
      const nested = `${"[".repeat(9000)}${"]".repeat(9000)}`
      const asking = yield* Effect.forkChild(client.request({ _tag: "ListUsers" }))
      const { id } = yield* peer.take
      yield* peer.sayText(listed(id, 1001, { extra: "nested" }).replace('"nested"', nested))
      yield* peer.sayText(listed(id, 1000))
      assert.deepInclude(yield* Fiber.join(asking), { _tag: "UserList", count: 1000 })
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
      const error = yield* Effect.flip(Layer.build(Client.layerDialled({ host: "127.0.0.1", port, user: ada })))
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

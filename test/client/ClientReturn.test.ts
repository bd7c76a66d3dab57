/** A client whose connection breaks: what it asks again, what it hears, and when it gives up. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { Client } from "../../src/client/link/Client.ts"
import type { Rejection } from "../../src/common/wire/Rejection.ts"
import { dev, inLobby, inRoom, joined, listen, rejected, sent } from "./ClientTalk.ts"
import { ada, connect, epoch, greet, idOf, make } from "./FakeServer.ts"

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

  it.live("counts the entries of a later protocol, live and replayed, and misses nothing because of them", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const next = yield* listen(client)
      const later = (seq: number) => `{"_tag":"PollOpened","seq":${seq},"at":0,"from":"bob","topic":"x"}\n`
      yield* peer.sayText(later(8))
      yield* peer.say(inLobby(9))
      assert.deepStrictEqual(yield* next(2), ["Connected", "GlobalMessage 9"])
      yield* peer.sayText(later(10))
      yield* peer.say({ _tag: "Presence", joined: [ada], left: [] })
      assert.deepStrictEqual(yield* next(1), ["Presence"])
      yield* peer.cut
      const again = yield* greet(server, 12)
      assert.deepInclude(again.handshake, { after: { lobby: { epoch, seq: 10 } } })
      yield* again.peer.sayText(later(11))
      yield* again.peer.say(inLobby(12))
      assert.deepStrictEqual(yield* next(3), ["Disconnected", "Reconnected 2", "GlobalMessage 12"])
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

  it.live.each<Rejection>([{ _tag: "TooManyConnections" }, { _tag: "SlowConsumer" }])(
    "tries again after it was refused with %j",
    (reason) =>
      Effect.gen(function* () {
        const server = yield* make
        const { client, peer } = yield* connect(server)
        const next = yield* listen(client)
        yield* peer.cut
        const early = yield* server.accept
        yield* early.say(rejected(yield* early.take, reason))
        yield* greet(server, 7)
        assert.deepStrictEqual(yield* next(4), ["Connected", "Disconnected", "Retrying", "Reconnected 0"])
      })
  )

  it.live("comes back after it was told that it reads too slowly", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { client, peer } = yield* connect(server)
      const next = yield* listen(client)
      yield* peer.say({ _tag: "Rejected", reason: { _tag: "SlowConsumer" }, message: "too slow" })
      yield* peer.cut
      yield* greet(server, 7)
      assert.deepStrictEqual(yield* next(4), ["Connected", "Rejected", "Disconnected", "Reconnected 0"])
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
        Layer.build(Client.layerDialled({ host: "127.0.0.1", port: server.port, user: ada, giveUpAfter: "1 millis" }))
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

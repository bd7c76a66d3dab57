import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { maxLeaving } from "../../src/server/dialogue/Places.ts"
import * as AcceptedSockets from "../support/AcceptedSockets.ts"
import * as Talk from "../support/AccountTalk.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const files = resolve(import.meta.dirname, "../support/tls")
const tls = { TLS_CERT: resolve(files, "localhost.cert.pem"), TLS_KEY: resolve(files, "localhost.key.pem") }
const trusting = { certificate: readFileSync(tls.TLS_CERT, "utf8") }

describe("MAX_ROOMS_PER_USER", () => {
  const settings = { MAX_ROOMS_PER_USER: "2" }

  it.effect("is how many rooms an account may own, whichever of its connections made them", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_ROOMS_PER_USER: "2" } })
      const first = yield* Talk.register(server, "ada")
      for (const room of ["one", "two"]) {
        assert.strictEqual((yield* first.client.ask({ _tag: "CreateRoom", room }))._tag, "RoomCreated")
        // Said something in, it stays when its maker is gone.
        yield* first.client.ask({ _tag: "JoinRoom", room })
        yield* first.client.ask({ _tag: "RoomMessage", room, content: "mine" })
        yield* first.client.ask({ _tag: "LeaveRoom", room })
      }
      yield* first.client.ask({ _tag: "Disconnect" })
      const again = yield* Talk.comeBack(server, "ada", first.token)
      const refused = yield* again.client.ask({ _tag: "CreateRoom", room: "three" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyRooms", limit: 2 })
      yield* again.client.ask({ _tag: "DeleteRoom", room: "one" })
      assert.strictEqual((yield* again.client.ask({ _tag: "CreateRoom", room: "three" }))._tag, "RoomCreated")
    })
  )

  it.effect("is how many rooms a user may own: one more is refused with TooManyRooms", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "one" })
      yield* ada.ask({ _tag: "CreateRoom", room: "two" })
      const refused = yield* ada.ask({ _tag: "CreateRoom", room: "three" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyRooms", limit: 2 })
      assert.strictEqual((yield* ben.ask({ _tag: "CreateRoom", room: "three" }))._tag, "RoomCreated")
    })
  )

  it.effect("is how many rooms a user may be in, and leaving one makes place", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const makers = yield* Effect.forEach(["one", "two", "three"], (room) =>
        Effect.tap(server.join(`maker-of-${room}`), (maker) => maker.ask({ _tag: "CreateRoom", room }))
      )
      assert.lengthOf(makers, 3)
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "JoinRoom", room: "one" })
      yield* ada.ask({ _tag: "JoinRoom", room: "two" })
      const refused = yield* ada.ask({ _tag: "JoinRoom", room: "three" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyRooms", limit: 2 })
      yield* ada.ask({ _tag: "LeaveRoom", room: "one" })
      assert.strictEqual((yield* ada.ask({ _tag: "JoinRoom", room: "three" }))._tag, "RoomJoined")
    })
  )

  it.effect("does not count rooms that are gone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada")
      for (let round = 0; round < 5; round++) {
        for (const _tag of ["CreateRoom", "JoinRoom", "LeaveRoom", "ListRooms"]) yield* ada.ask({ _tag, room: "dev" })
      }
      assert.strictEqual((yield* ada.ask({ _tag: "CreateRoom", room: "dev" }))._tag, "RoomCreated")
    })
  )
})

describe("MAX_ROOMS", () => {
  it.effect("is how many rooms there may be in all", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_ROOMS: "2" } })
      for (const room of ["one", "two"]) {
        const maker = yield* server.join(`maker-of-${room}`)
        assert.strictEqual((yield* maker.ask({ _tag: "CreateRoom", room }))._tag, "RoomCreated")
      }
      const ada = yield* server.join("Ada")
      const refused = yield* ada.ask({ _tag: "CreateRoom", room: "three" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyRooms", limit: 2 })
    })
  )
})

describe("MAX_CONNECTIONS", () => {
  it.effect("is how many connections there may be: one more is told TooManyConnections and closed", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_CONNECTIONS: "2" } })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      const [refused, ...rest] = yield* Effect.flatMap(server.connect(), ({ closed }) => closed)
      assert.deepStrictEqual(reasonOf(refused), { _tag: "TooManyConnections" })
      assert.deepStrictEqual(rest, [])
      // It took nobody's place away.
      yield* ada.ask({ _tag: "GlobalMessage", content: "hi" })
      yield* ben.find("GlobalMessage")
    })
  )

  it.effect("lets the next one in when somebody has gone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_CONNECTIONS: "2" } })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ben.send({ _tag: "Disconnect" })
      yield* ben.closed
      yield* TestServer.whenGone(ada, "Ben")
      const come = Effect.gen(function* () {
        const cyd = yield* server.connect()
        yield* cyd.send({ _tag: "Handshake", user: "Cyd" })
        return (yield* cyd.next)._tag === "Welcome"
      })
      // The name is free a little before the place is.
      yield* Effect.repeat(Effect.scoped(come), { until: (isWelcome) => isWelcome })
    })
  )
})

describe("connections that are turned away", () => {
  it.live("take no place while they keep their sockets: who comes when one is free gets it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_CONNECTIONS: "3" } })
      const ada = yield* server.join("Ada")
      yield* server.join("Ben")
      for (let round = 0; round < 20; round++) {
        const stranger = yield* server.connect({ keepsSocket: true })
        yield* stranger.send({ _tag: "Ping", nonce: 1 })
        assert.deepStrictEqual(reasonOf(yield* stranger.next), { _tag: "HandshakeRequired" })
      }
      yield* server.join("Cyd")
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada", "Ben", "Cyd"])
    })
  )

  it.live("are told why, and are cut where the way out is crowded, those first that were told first", () =>
    Effect.gen(function* () {
      const sockets = yield* AcceptedSockets.watch
      const server = yield* TestServer.start({ settings: { MAX_CONNECTIONS: "2" } })
      const ada = yield* server.join("Ada")
      yield* server.join("Ben")
      const comeAndStay = Effect.flatMap(server.connect({ keepsSocket: true }), ({ find }) => find("Rejected"))
      for (let round = 0; round < 4; round++) {
        const told = yield* Effect.replicateEffect(comeAndStay, maxLeaving / 2, { concurrency: "unbounded" })
        for (const line of told) assert.deepStrictEqual(reasonOf(line), { _tag: "TooManyConnections" })
        assert.isAtMost(sockets.open(), 2 + maxLeaving)
      }
      yield* ada.soFar
    })
  )

  it.live("before their TLS handshake are bounded, too, and a handshake takes a place", () =>
    Effect.gen(function* () {
      const sockets = yield* AcceptedSockets.watch
      const server = yield* TestServer.start({ settings: { ...tls, MAX_CONNECTIONS: "10" } })
      const ada = yield* server.join("Ada", trusting)
      const silent = yield* Effect.replicateEffect(server.connect(), 200, { concurrency: 20 })
      // Several listening sockets accept them, in an order of their own: which of them are cut nobody can say.
      const cut = yield* Queue.unbounded<unknown>()
      yield* Effect.forEach(silent, ({ closed }) =>
        Effect.forkScoped(Effect.flatMap(closed, (_) => Queue.offer(cut, _)))
      )
      yield* Queue.takeBetween(cut, silent.length - 9 - maxLeaving, silent.length)
      assert.isAtMost(sockets.open(), 10 + maxLeaving)
      const late = yield* server.connect(trusting)
      assert.deepStrictEqual(reasonOf((yield* late.closed)[0]), { _tag: "TooManyConnections" })
      yield* ada.soFar
      // The places of those that are gone are free again.
      yield* Effect.forEach(silent, ({ reset }) => reset)
      yield* Effect.scoped(Effect.flatMap(server.connect(trusting), joins)).pipe(
        Effect.repeat({ until: (isWelcome) => isWelcome })
      )
    })
  )
})

const joins = Effect.fnUntraced(function* (client: RawClient) {
  yield* client.send({ _tag: "Handshake", user: "Cyd" })
  return (yield* client.next)._tag === "Welcome"
})

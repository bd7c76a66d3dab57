import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import type { Line, RawClient } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"

const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

const seqsOf = (lines: ReadonlyArray<Line>, _tag: string) =>
  lines.filter((line) => line._tag === _tag).map(({ seq }) => Number(seq))

const say = (client: RawClient, message: object, count: number) =>
  Effect.andThen(
    client.send(...Array.from(range(1, count), (number) => ({ ...message, content: `m${number}` }))),
    client.findMany("Sent", count)
  )

/** Starts to write one message after the other; gives what stops that, and the place of the last one. */
const keepSaying = Effect.fnUntraced(function* (client: RawClient, message: object) {
  const enough = yield* Deferred.make<void>()
  const saying = yield* client
    .ask({ ...message, content: "live" })
    .pipe(Effect.repeat({ until: () => Deferred.isDone(enough) }), Effect.forkChild)
  const finish = Effect.andThen(
    Deferred.succeed(enough, undefined),
    Effect.map(Fiber.join(saying), ({ seq }) => Number(seq))
  )
  return { finish }
})

const inDev = { _tag: "RoomMessage", room: "dev" }
const inLobby = { _tag: "GlobalMessage" }

/** A room with so many messages, the one who wrote them, and the epoch of its log. */
const written = Effect.fnUntraced(function* (count: number) {
  const server = yield* TestServer.start({ settings: { MAILBOX_BYTES: "16 MiB" } })
  const ada = yield* server.join("Ada")
  yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
  const { epoch } = yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
  yield* say(ada, inDev, count)
  return { server, ada, epoch }
})

/** Everything a request brings, its reply and what follows that, up to a later barrier. */
const answered = Effect.fnUntraced(function* (client: RawClient, message: object, reply: string) {
  yield* client.send(message)
  return [...(yield* client.upTo(reply)), ...(yield* client.soFar)]
})

describe("JoinRoom with a cursor", () => {
  it.effect.each([
    { seq: 0, missed: range(1, 7) },
    { seq: 3, missed: range(4, 7) },
    { seq: 6, missed: [7] },
    { seq: 7, missed: [] }
  ])("at $seq of 7 is answered with RoomJoined and then exactly $missed", ({ missed, seq }) =>
    Effect.gen(function* () {
      const { epoch, server } = yield* written(7)
      const ben = yield* server.join("Ben")
      const lines = yield* answered(
        ben,
        { _tag: "JoinRoom", room: "dev", after: { epoch, seq }, id: "j" },
        "RoomJoined"
      )
      assert.deepStrictEqual(lines[0], {
        _tag: "RoomJoined",
        role: "member",
        room: "dev",
        epoch,
        seq: 7,
        missed: missed.length,
        truncated: false,
        users: ["Ada", "Ben"],
        count: 2,
        id: "j"
      })
      assert.deepStrictEqual(seqsOf(lines.slice(1), "RoomMessage"), missed)
      assert.lengthOf(lines, 1 + missed.length)
    })
  )

  it.effect("replays messages exactly as they were heard, without an id", () =>
    Effect.gen(function* () {
      const { ada, epoch, server } = yield* written(3)
      const heard = yield* ada.findMany("RoomMessage", 3)
      const ben = yield* server.join("Ben")
      yield* ben.send({ _tag: "JoinRoom", room: "dev", after: { epoch, seq: 0 }, id: "j" })
      assert.deepStrictEqual(yield* ben.findMany("RoomMessage", 3), heard)
    })
  )

  it.effect.each([
    { called: "of another epoch", after: { epoch: "another", seq: 2 } },
    { called: "ahead of the log", after: { seq: 8 } }
  ])("$called is answered as if there were none, truncated", ({ after }) =>
    Effect.gen(function* () {
      const { epoch, server } = yield* written(7)
      const ben = yield* server.join("Ben")
      const request = { _tag: "JoinRoom", room: "dev", after: { epoch, ...after } }
      const [joined, ...rest] = yield* answered(ben, request, "RoomJoined")
      assert.deepStrictEqual([joined?.["seq"], joined?.["missed"], joined?.["truncated"]], [7, 0, true])
      assert.deepStrictEqual(rest, [])
    })
  )

  it.effect("without one is answered with none of the old messages, not truncated", () =>
    Effect.gen(function* () {
      const { server } = yield* written(7)
      const ben = yield* server.join("Ben")
      const [joined, ...rest] = yield* answered(ben, { _tag: "JoinRoom", room: "dev" }, "RoomJoined")
      assert.deepStrictEqual([joined?.["seq"], joined?.["missed"], joined?.["truncated"]], [7, 0, false])
      assert.deepStrictEqual(rest, [])
    })
  )

  it.live.each([
    { count: 1000, first: 1, truncated: false },
    { count: 1001, first: 2, truncated: true },
    { count: 2345, first: 1346, truncated: true }
  ])("at 0 of $count is answered with the newest 1000, truncated: $truncated", ({ count, first, truncated }) =>
    Effect.gen(function* () {
      const { epoch, server } = yield* written(count)
      const ben = yield* server.join("Ben")
      const joined = yield* ben.ask({ _tag: "JoinRoom", room: "dev", after: { epoch, seq: 0 } })
      assert.deepStrictEqual([joined["seq"], joined["missed"], joined["truncated"]], [count, 1000, truncated])
      assert.deepStrictEqual(seqsOf(yield* ben.soFar, "RoomMessage"), range(first, count))
    })
  )

  it.live("while others are writing leaves no gap and repeats nothing", () =>
    Effect.gen(function* () {
      const { ada, epoch, server } = yield* written(50)
      const readers = yield* Effect.forEach(range(1, 5), (number) => server.join(`reader-${number}`))
      const { finish } = yield* keepSaying(ada, inDev)
      for (const [index, reader] of readers.entries()) {
        const joined = yield* reader.ask({ _tag: "JoinRoom", room: "dev", after: { epoch, seq: index * 10 } })
        assert.strictEqual(Number(joined["seq"]) - Number(joined["missed"]), index * 10)
      }
      const last = yield* finish
      for (const [index, reader] of readers.entries()) {
        const lines = yield* reader.upTo(({ _tag, seq }) => _tag === "RoomMessage" && seq === last)
        assert.deepStrictEqual(seqsOf(lines, "RoomMessage"), range(index * 10 + 1, last))
      }
    })
  )

  it.live("again and again in the midst of writing has in the end seen everything once", () =>
    Effect.gen(function* () {
      const { ada, epoch, server } = yield* written(1)
      const all = 600
      yield* Effect.forkChild(Effect.forEach(range(2, all), (number) => ada.send({ ...inDev, content: `m${number}` })))
      const seen: Array<number> = []
      while (seen.length < all) {
        const wanted = Math.min(all, seen.length + 50)
        yield* Effect.gen(function* () {
          const ben = yield* server.connect()
          yield* ben.send(
            { _tag: "Handshake", user: `ben-${seen.length}` },
            { _tag: "JoinRoom", room: "dev", after: { epoch, seq: seen.length } }
          )
          const lines = yield* ben.upTo(({ _tag, seq }) => _tag === "RoomMessage" && Number(seq) >= wanted)
          seen.push(...seqsOf(lines, "RoomMessage"))
          yield* ben.reset
        }).pipe(Effect.scoped)
      }
      assert.deepStrictEqual(seen, range(1, all))
    })
  )
})

describe("Handshake with a cursor of the lobby", () => {
  it.effect("is answered with Welcome and then exactly the missed messages, then live ones", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada" })
      const { lobby } = yield* ada.next
      yield* say(ada, inLobby, 5)

      const ben = yield* server.connect()
      yield* ben.send({ _tag: "Handshake", user: "Ben", after: { lobby: { ...Object(lobby), seq: 2 } }, id: "h" })
      const [welcome, ...missed] = yield* ben.nextLines(4)
      assert.deepStrictEqual(welcome?.["lobby"], { ...Object(lobby), seq: 5, missed: 3, truncated: false })
      assert.strictEqual(welcome?.["id"], "h")
      assert.deepStrictEqual(seqsOf(missed, "GlobalMessage"), [3, 4, 5])
      yield* ada.send({ ...inLobby, content: "live" })
      assert.strictEqual((yield* ben.next)["seq"], 6)
    })
  )

  it.effect.each([
    { called: "ahead of the log", after: { seq: 6 } },
    { called: "of another epoch", after: { seq: 2, epoch: "another" } }
  ])("$called is answered as if there were none", ({ after }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada" })
      const { lobby } = yield* ada.next
      yield* say(ada, inLobby, 5)
      const ben = yield* server.connect()
      const request = { _tag: "Handshake", user: "Ben", after: { lobby: { ...Object(lobby), ...after } } }
      assert.deepStrictEqual(
        (yield* answered(ben, request, "Welcome")).map(({ _tag }) => _tag),
        ["Welcome"]
      )
    })
  )

  it.live("while others are writing leaves no gap and repeats nothing", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada" })
      const { lobby } = yield* ada.next
      yield* say(ada, inLobby, 50)
      const readers = yield* Effect.replicateEffect(server.connect(), 5)
      const { finish } = yield* keepSaying(ada, inLobby)
      for (const [index, reader] of readers.entries()) {
        const after = { lobby: { ...Object(lobby), seq: index * 10 } }
        yield* reader.ask({ _tag: "Handshake", user: `r${index}`, after })
      }
      const last = yield* finish
      for (const [index, reader] of readers.entries()) {
        const lines = yield* reader.upTo(({ _tag, seq }) => _tag === "GlobalMessage" && seq === last)
        assert.deepStrictEqual(seqsOf(lines, "GlobalMessage"), range(index * 10 + 1, last))
      }
    })
  )
})

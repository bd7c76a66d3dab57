import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { reasonOf } from "../support/Rejections.ts"
import type { TestServer as Server } from "../support/TestServer.ts"
import * as TestServer from "../support/TestServer.ts"

/** A connection that the server has accepted: whoever connects after it has been welcomed. */
const accepted = Effect.fnUntraced(function* (server: Server, name: string) {
  const stranger = yield* server.connect()
  const witness = yield* server.join(name)
  return [stranger, witness] as const
})

describe("a connection that says nothing", () => {
  it.effect("is told HandshakeTimeout and closed after 5 s, and not before", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const [stranger, ada] = yield* accepted(server, "Ada")
      yield* TestClock.adjust("4900 millis")
      yield* ada.soFar
      assert.deepStrictEqual([stranger.receivedText(), stranger.isClosed()], ["", false])
      yield* TestClock.adjust("100 millis")
      const [rejected, ...rest] = yield* stranger.closed
      assert.deepStrictEqual(reasonOf(rejected), { _tag: "HandshakeTimeout" })
      assert.deepStrictEqual(rest, [])
    })
  )

  it.effect(
    "is heard first if the whole server has paused meanwhile, and told so only if it has still said nothing",
    () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const [stranger] = yield* accepted(server, "Ada")
        const [silent] = yield* accepted(server, "Ben")
        // Nothing is read until the clock stands two minutes later.
        yield* stranger.send({ _tag: "Handshake", user: "Cyd" })
        yield* TestClock.setTime((yield* Clock.currentTimeMillis) + 120_000)
        yield* stranger.find("Welcome")
        yield* TestClock.adjust("50 millis")
        assert.deepStrictEqual(reasonOf((yield* silent.closed)[0]), { _tag: "HandshakeTimeout" })
      })
  )

  it.effect("is closed just the same if it has sent half a line, or lines that are no messages", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const talker = yield* server.connect()
      yield* talker.write("nonsense\n", '{"_tag":"Handsh')
      yield* talker.find("Rejected")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(reasonOf((yield* talker.closed)[0]), { _tag: "HandshakeTimeout" })
    })
  )

  it.effect("is given HANDSHAKE_TIMEOUT, where that is set", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { HANDSHAKE_TIMEOUT: "30 seconds" } })
      const [stranger, ada] = yield* accepted(server, "Ada")
      yield* TestClock.adjust("29 seconds")
      yield* ada.soFar
      assert.isFalse(stranger.isClosed())
      yield* TestClock.adjust("1 seconds")
      yield* stranger.closed
    })
  )

  it.effect("delays nobody else, and the timeout is not for those who have been welcomed", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const strangers = yield* Effect.replicateEffect(server.connect(), 50)
      yield* Effect.forEach(strangers, (stranger) => stranger.write("{"))
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "GlobalMessage", content: "hi" })
      yield* ben.find("GlobalMessage")
      yield* TestClock.adjust("10 seconds")
      yield* Effect.forEach(strangers, (stranger) => stranger.closed)
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada", "Ben"])
    })
  )
})

describe("a connection that sends nothing for IDLE_TIMEOUT", () => {
  it.effect("is told goodbye and closed, 5 minutes by default", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const quiet = yield* server.join("Quiet")
      yield* TestClock.adjust("4 minutes")
      const ada = yield* server.join("Ada")
      yield* TestClock.adjust("55 seconds")
      yield* ada.soFar
      assert.isFalse(quiet.isClosed())
      // It looks once a second.
      yield* TestClock.adjust("7 seconds")
      const lines = yield* quiet.closed
      assert.strictEqual(lines.at(-1)?._tag, "Goodbye")
      assert.notProperty(lines.at(-1), "id")
      yield* TestServer.whenGone(ada, "Quiet")
    })
  )

  it.effect("is not closed while it sends anything, a ping for instance", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { IDLE_TIMEOUT: "10 seconds" } })
      const ada = yield* server.join("Ada")
      for (let round = 0; round < 5; round++) {
        yield* TestClock.adjust("9 seconds")
        yield* ada.soFar
      }
      yield* TestClock.adjust("12 seconds")
      yield* ada.closed
    })
  )

  it.effect("is closed however much it is sent", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { IDLE_TIMEOUT: "10 seconds" } })
      const quiet = yield* server.join("Quiet")
      const ada = yield* server.join("Ada")
      for (let second = 0; second < 12; second++) {
        yield* TestClock.adjust("1 second")
        yield* ada.ask({ _tag: "GlobalMessage", content: "still here" })
      }
      yield* quiet.closed
    })
  )
})

describe("a clock that is not steady", () => {
  /** A clock that a test can set, and a machine it can put to sleep: by so many milliseconds. */
  const unsteady = Effect.map(Clock.Clock, (clock) => {
    const ahead = { wall: 0, monotonic: 0 }
    return {
      ahead,
      clock: {
        ...clock,
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + ahead.wall,
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe() + BigInt(ahead.monotonic) * 1_000_000n
      }
    }
  })
  const hour = 3_600_000

  it.effect.each([hour, -hour])("throws nobody out when it is set, and keeps nobody in (by %i ms)", (step) =>
    Effect.gen(function* () {
      const { ahead, clock } = yield* unsteady
      const settings = { IDLE_TIMEOUT: "10 seconds" }
      const server = yield* Effect.provideService(TestServer.start({ settings }), Clock.Clock, clock)
      const ada = yield* server.join("Ada")
      ahead.wall = step
      yield* TestClock.adjust("8 seconds")
      yield* ada.soFar
      assert.isFalse(ada.isClosed())
      yield* TestClock.adjust("12 seconds")
      yield* ada.closed
    })
  )

  it.effect("throws nobody out after a pause of the machine, whose time counts as two seconds", () =>
    Effect.gen(function* () {
      const { ahead, clock } = yield* unsteady
      const settings = { IDLE_TIMEOUT: "10 seconds" }
      const server = yield* Effect.provideService(TestServer.start({ settings }), Clock.Clock, clock)
      const quiet = yield* server.join("Quiet")
      const ada = yield* server.join("Ada")
      yield* TestClock.adjust("5 seconds")
      ahead.monotonic = hour
      yield* TestClock.adjust("1 second")
      yield* ada.soFar
      yield* TestClock.adjust("1 second")
      yield* ada.soFar
      assert.isFalse(quiet.isClosed())
      // Seven of its ten seconds are over.
      yield* TestClock.adjust("4 seconds")
      yield* quiet.closed
      yield* ada.soFar
    })
  )
})

describe("a connection that sends too fast", () => {
  const settings = { MESSAGE_RATE: "10", MESSAGE_BURST: "5" }
  const ping = (id: number) => ({ _tag: "Ping", nonce: id, id: `${id}` })

  it.effect("may send MESSAGE_BURST messages at once; those over it are refused with RateLimited", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada" }, ...[1, 2, 3, 4, 5, 6, 7].map(ping))
      const [, ...replies] = yield* ada.nextLines(8)
      assert.deepStrictEqual(
        replies.map(({ _tag, id }) => `${_tag} ${String(id)}`),
        ["Pong 1", "Pong 2", "Pong 3", "Pong 4", "Pong 5", "Rejected 6", "Rejected 7"]
      )
      // At 10 a second the next one is a tenth of a second away.
      assert.deepStrictEqual(reasonOf(replies[5]), { _tag: "RateLimited", retryAfter: 100 })
    })
  )

  it.effect("is heard again after retryAfter", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada" }, ...[1, 2, 3, 4, 5, 6].map(ping))
      yield* ada.nextLines(7)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* ada.ask(ping(7)))._tag, "Pong")
      assert.deepStrictEqual(reasonOf(yield* ada.ask(ping(8))), { _tag: "RateLimited", retryAfter: 100 })
    })
  )

  it.effect("has what it was refused neither stored nor passed on", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MESSAGE_RATE: "10", MESSAGE_BURST: "2" } })
      const ben = yield* server.connect()
      yield* ben.send({ _tag: "Handshake", user: "Ben" })
      const ada = yield* server.connect()
      yield* ada.send(
        { _tag: "Handshake", user: "Ada" },
        ...["one", "two", "three"].map((content) => ({ _tag: "GlobalMessage", content, id: content }))
      )
      const refused = yield* ada.find(({ id }) => id === "three")
      assert.deepStrictEqual(reasonOf(refused), { _tag: "RateLimited", retryAfter: 100 })
      yield* ada.findMany("Sent", 2)
      assert.deepStrictEqual(
        (yield* ben.soFar).filter(({ _tag }) => _tag === "GlobalMessage").map(({ content }) => content),
        ["one", "two"]
      )
    })
  )

  it.effect("uses up its own allowance only", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.connect()
      const ben = yield* server.connect()
      yield* ben.send({ _tag: "Handshake", user: "Ben" })
      yield* ada.send({ _tag: "Handshake", user: "Ada" }, ...Array.from({ length: 20 }, (_, index) => ping(index)))
      yield* ada.findMany("Rejected", 15)
      assert.strictEqual((yield* ben.ask({ _tag: "GlobalMessage", content: "hi" }))._tag, "Sent")
    })
  )

  it.effect("has its bad lines counted like any others", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada" })
      yield* ada.write("nonsense\n".repeat(5))
      assert.deepStrictEqual(reasonOf(yield* ada.ask(ping(1))), { _tag: "RateLimited", retryAfter: 100 })
    })
  )

  it.effect("is read no further for as long as it was too fast, which delays nobody else", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.connect()
      const ben = yield* server.connect()
      yield* ben.send({ _tag: "Handshake", user: "Ben" })
      yield* ada.send({ _tag: "Handshake", user: "Ada" }, ...Array.from({ length: 10 }, (_, index) => ping(index)))
      yield* ada.findMany("Rejected", 5)
      yield* ada.send(ping(99))
      yield* TestClock.adjust("499 millis")
      yield* ben.ask(ping(1))
      assert.notInclude(ada.receivedText(), '"99"')
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* ada.find(({ id }) => id === "99"))._tag, "Pong")
    })
  )

  it.effect("may do so for ever where MESSAGE_RATE is 0", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MESSAGE_RATE: "0", MESSAGE_BURST: "1" } })
      const ada = yield* server.join("Ada")
      yield* ada.send(...Array.from({ length: 5000 }, (_, index) => ping(index)))
      yield* ada.findMany("Pong", 5000)
    })
  )
})

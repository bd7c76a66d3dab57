import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Talk from "../support/AccountTalk.ts"
import type { Line, RawClient } from "../support/RawClient.ts"
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
  const pings = (from: number, to: number) => Arr.range(from, to).map(ping)
  const told = (lines: ReadonlyArray<Line>) => lines.map(({ _tag, id }) => `${_tag} ${String(id)}`)

  /** A guest that says all this in one write, after its Handshake. */
  const saying = Effect.fnUntraced(function* (server: Server, user: string, ...messages: ReadonlyArray<object>) {
    const client = yield* server.connect()
    yield* client.send({ _tag: "Handshake", user }, ...messages)
    yield* client.find("Welcome")
    return client
  })

  it.effect(
    "may send MESSAGE_BURST messages at once; those behind are heard when the rate allows, in their order",
    () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start({ settings })
        const ada = yield* saying(server, "Ada", ...pings(1, 7))
        assert.deepStrictEqual(told(yield* ada.nextLines(5)), ["Pong 1", "Pong 2", "Pong 3", "Pong 4", "Pong 5"])
        const ben = yield* server.join("Ben")
        yield* TestClock.adjust("99 millis")
        yield* ben.soFar
        assert.notInclude(ada.receivedText(), '"6"')
        yield* TestClock.adjust("1 millis")
        yield* ada.find(({ id }) => id === "6")
        yield* TestClock.adjust("99 millis")
        yield* ben.soFar
        assert.notInclude(ada.receivedText(), '"7"')
        yield* TestClock.adjust("1 millis")
        yield* ada.find(({ id }) => id === "7")
      })
  )

  it.effect("is refused what would wait for more than 2 s, and gets all of it through if it does as it is told", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* saying(server, "Ada", ...pings(1, 30))
      yield* ada.nextLines(5)
      for (const id of Arr.range(6, 25)) {
        yield* TestClock.adjust("100 millis")
        assert.deepStrictEqual(told([yield* ada.next]), [`Pong ${id}`])
      }
      const refused = yield* ada.nextLines(5)
      assert.deepStrictEqual(
        refused.map((line) => [line["id"], reasonOf(line)]),
        Arr.range(1, 5).map((place) => [`${25 + place}`, { _tag: "RateLimited", retryAfter: place * 100 }])
      )
      for (const id of Arr.range(26, 30)) {
        yield* TestClock.adjust("100 millis")
        assert.deepStrictEqual(
          told([yield* ada.ask({ _tag: "Ping", nonce: id })]).map((line) => line.slice(0, 4)),
          ["Pong"]
        )
      }
    })
  )

  it.effect("has what it was refused neither stored nor passed on", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MESSAGE_RATE: "1", MESSAGE_BURST: "1" } })
      const ben = yield* saying(server, "Ben")
      const contents = ["one", "two", "three", "four"]
      const ada = yield* saying(
        server,
        "Ada",
        ...contents.map((content) => ({ _tag: "GlobalMessage", content, id: content }))
      )
      for (const content of contents.slice(0, 3)) {
        assert.strictEqual((yield* ada.find(({ id }) => id === content))._tag, "Sent")
        yield* TestClock.adjust("1 second")
      }
      const refused = yield* ada.find(({ id }) => id === "four")
      assert.deepStrictEqual(reasonOf(refused), { _tag: "RateLimited", retryAfter: 1000 })
      assert.deepStrictEqual(
        (yield* ben.soFar).filter(({ _tag }) => _tag === "GlobalMessage").map(({ content }) => content),
        ["one", "two", "three"]
      )
    })
  )

  it.effect("uses up its own allowance only, and delays nobody else", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ben = yield* saying(server, "Ben")
      const ada = yield* saying(server, "Ada", ...pings(1, 20))
      yield* ada.findMany("Pong", 5)
      assert.strictEqual((yield* ben.ask({ _tag: "GlobalMessage", content: "hi" }))._tag, "Sent")
    })
  )

  it.effect("has its bad lines counted like any others", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* saying(server, "Ada")
      yield* ada.write("nonsense\n".repeat(5))
      yield* ada.findMany("Rejected", 5)
      const ben = yield* server.join("Ben")
      yield* ada.send(ping(1))
      yield* ben.soFar
      assert.notInclude(ada.receivedText(), "Pong")
      yield* TestClock.adjust("100 millis")
      yield* ada.find("Pong")
    })
  )

  it.effect("is not taken for idle while it is not read, and is afterwards", () =>
    Effect.gen(function* () {
      const slow = { MESSAGE_RATE: "1", MESSAGE_BURST: "1", IDLE_TIMEOUT: "500 ms" }
      const server = yield* TestServer.start({ settings: slow })
      const ada = yield* saying(server, "Ada", ...pings(1, 3))
      yield* ada.find(({ id }) => id === "1")
      for (const id of ["2", "3"]) {
        yield* TestClock.adjust("1 second")
        yield* ada.find((line) => line["id"] === id)
      }
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* ada.closed).at(-1)?._tag, "Goodbye")
    })
  )

  it.effect("can be ended while it waits", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MESSAGE_RATE: "1", MESSAGE_BURST: "1" } })
      const ada = yield* saying(server, "Ada", ...pings(1, 3))
      yield* ada.find("Pong")
      yield* ada.reset
      const ben = yield* server.connect()
      yield* ben.send({ _tag: "Handshake", user: "Ben" })
      yield* ben.find("Welcome")
      yield* Effect.repeat(
        Effect.andThen(
          TestClock.adjust("1 second"),
          Effect.suspend(() => ben.ask({ _tag: "ListUsers" }))
        ),
        { until: ({ users }) => Array.isArray(users) && !users.includes("Ada") }
      )
    })
  )

  it.effect("may do so for ever where MESSAGE_RATE is 0", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MESSAGE_RATE: "0", MESSAGE_BURST: "1" } })
      const ada = yield* server.join("Ada")
      yield* ada.send(...pings(1, 5000))
      yield* ada.findMany("Pong", 5000)
    })
  )
})

describe("the connections of an account", () => {
  const settings = { MESSAGE_RATE: "10", MESSAGE_BURST: "20" }
  const pings = (count: number) => Arr.makeBy(count, (nonce) => ({ _tag: "Ping", nonce }))

  /** Nothing came to it, as somebody else shows whom the server has heard since. */
  const heardNothing = Effect.fnUntraced(function* (client: RawClient, witness: RawClient) {
    yield* witness.soFar
    const before = client.receivedText()
    return () => client.receivedText().slice(before.length)
  })

  it.effect("share one rate, and wait one behind the other; a guest beside them has its own", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const first = yield* Talk.register(server, "ada")
      const second = yield* Talk.logIn(server, "ada")
      const guest = yield* server.join("Guest")
      // Each has asked for the list of users.
      yield* first.client.send(...pings(18))
      yield* first.client.findMany("Pong", 18)
      const since = yield* heardNothing(second.client, guest)
      yield* second.client.send({ _tag: "Ping", nonce: 2 })
      yield* guest.soFar
      yield* first.client.send({ _tag: "Ping", nonce: 1 })
      yield* guest.soFar
      yield* TestClock.adjust("99 millis")
      yield* guest.soFar
      assert.notInclude(since(), "Pong")
      yield* TestClock.adjust("101 millis")
      yield* first.client.find("Pong")
      yield* second.client.find("Pong")
    })
  )

  it.effect("gain nothing by going and coming back", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const first = yield* Talk.register(server, "ada")
      const guest = yield* server.join("Guest")
      yield* first.client.send(...pings(19))
      yield* first.client.findMany("Pong", 19)
      yield* first.client.send({ _tag: "Disconnect" })
      yield* first.client.closed
      yield* TestServer.whenGone(guest, "ada")
      const again = yield* server.connect()
      yield* again.send({ _tag: "Handshake", user: "ada", credentials: Talk.byToken(first.token) })
      yield* again.find("Welcome")
      yield* again.send({ _tag: "Ping", nonce: 1 })
      yield* guest.soFar
      assert.notInclude(again.receivedText(), "Pong")
      yield* TestClock.adjust("100 millis")
      yield* again.find("Pong")
    })
  )

  it.effect("are those of a guest that registers, too", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("ada")
      yield* ada.ask({ _tag: "Register", password: Talk.password })
      yield* ada.send(...pings(20))
      yield* ada.findMany("Pong", 20)
      const guest = yield* server.join("Guest")
      const second = yield* server.connect()
      yield* second.send({ _tag: "Handshake", user: "ada", credentials: Talk.byPassword(Talk.password) })
      yield* second.find("Welcome")
      yield* second.send({ _tag: "Ping", nonce: 1 })
      yield* guest.soFar
      assert.notInclude(second.receivedText(), "Pong")
      yield* TestClock.adjust("100 millis")
      yield* second.find("Pong")
    })
  )
})

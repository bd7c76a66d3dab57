/** Guessing does not work: who is wrong too often waits, and nobody else does. Each of `127.0.0.0/8` is another address. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Talk from "../support/AccountTalk.ts"
import { loginText, makeKey } from "../support/Ed25519.ts"
import { reasonOf } from "../support/Rejections.ts"
import { longer } from "../support/SignedRank.ts"
import * as TestServer from "../support/TestServer.ts"

const { password } = Talk
const invalid = { _tag: "InvalidCredentials" }
const from = (localAddress: string) => ({ localAddress })
const wrong = Talk.byPassword("wrong horse battery")
const right = Talk.byPassword(password)

/** So many wrong tries, one after the other. */
const guess = Effect.fnUntraced(function* (
  server: TestServer.TestServer,
  user: string,
  localAddress: string,
  times: number
) {
  for (let time = 0; time < times; time++) {
    const refusal = yield* Talk.refusal(server, { user, credentials: wrong }, from(localAddress))
    assert.deepStrictEqual(refusal, invalid)
  }
})

describe("the sixth wrong password in a minute", () => {
  it.effect("waits, even a right one, as long as it is told, and the wait doubles", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      yield* Talk.register(server, "ada")
      yield* guess(server, "ada", "127.0.0.2", 5)
      const sixth = { user: "ada", credentials: right }
      assert.deepStrictEqual(yield* Talk.refusal(server, sixth, from("127.0.0.2")), {
        _tag: "TooManyAttempts",
        retryAfter: 5000
      })
      yield* TestClock.adjust(4999)
      assert.deepStrictEqual(yield* Talk.refusal(server, sixth, from("127.0.0.2")), {
        _tag: "TooManyAttempts",
        retryAfter: 1
      })
      yield* TestClock.adjust(1)
      yield* guess(server, "ada", "127.0.0.2", 1)
      assert.deepStrictEqual(yield* Talk.refusal(server, sixth, from("127.0.0.2")), {
        _tag: "TooManyAttempts",
        retryAfter: 10_000
      })
      yield* TestClock.adjust(10_000)
      yield* Talk.enter(server, sixth, from("127.0.0.2"))
    })
  )

  it.effect("waits for a name of nobody as for any other", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      yield* guess(server, "nobody", "127.0.0.2", 5)
      assert.deepStrictEqual(yield* Talk.refusal(server, { user: "nobody", credentials: wrong }, from("127.0.0.2")), {
        _tag: "TooManyAttempts",
        retryAfter: 5000
      })
    })
  )

  it.effect("keeps out neither the owner at another address, nor a token, nor another account at the same one", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { token } = yield* Talk.register(server, "ada")
      yield* Talk.register(server, "ben")
      yield* guess(server, "ada", "127.0.0.2", 5)
      yield* Talk.logIn(server, "ada", {}, from("127.0.0.3"))
      yield* Talk.enter(server, { user: "ada", credentials: Talk.byToken(token) }, from("127.0.0.2"))
      yield* Talk.logIn(server, "ben", {}, from("127.0.0.2"))
    })
  )

  it.effect("is counted for the address, too: ten for whatever names", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      yield* Talk.register(server, "ada")
      for (let name = 0; name < 5; name++) yield* guess(server, `name${name}`, "127.0.0.2", 2)
      assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials: right }, from("127.0.0.2")), {
        _tag: "TooManyAttempts",
        retryAfter: 5000
      })
      yield* Talk.logIn(server, "ada", {}, from("127.0.0.3"))
    })
  )

  it.effect("counts signatures, too, and what ChangePassword and DeleteAccount say, which end no connection", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { client } = yield* Talk.register(server, "ada")
      const key = makeKey()
      for (let time = 0; time < 3; time++) {
        const stranger = yield* server.connect()
        const { nonce } = yield* stranger.ask({
          _tag: "Handshake",
          user: "ada",
          credentials: { _tag: "Key", publicKey: key.publicKey }
        })
        const signature = key.sign(loginText("chat.example", "ada", nonce))
        const credentials = { _tag: "KeyProof", publicKey: key.publicKey, host: "chat.example", signature }
        assert.deepStrictEqual(reasonOf(yield* stranger.ask({ _tag: "Handshake", user: "ada", credentials })), invalid)
      }
      const change = { _tag: "ChangePassword", current: "wrong horse battery", next: "seven green bicycles" }
      const end = { _tag: "DeleteAccount", password: "wrong horse battery" }
      for (const one of [change, end]) assert.deepStrictEqual(reasonOf(yield* client.ask(one)), invalid)
      const tooMany = { _tag: "TooManyAttempts", retryAfter: 5000 }
      for (const one of [
        { ...change, current: password },
        { ...end, password }
      ]) {
        assert.deepStrictEqual(reasonOf(yield* client.ask(one)), tooMany)
      }
      assert.propertyVal(yield* client.ask({ _tag: "Ping", nonce: 1 }), "nonce", 1)
    })
  )

  it.effect("counts twenty at once as twenty: no more than five are looked at", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      yield* Talk.register(server, "ada")
      const tried = yield* Effect.replicateEffect(
        Talk.refusal(server, { user: "ada", credentials: wrong }, from("127.0.0.2")),
        20,
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        tried.filter((refusal) => "_tag" in refusal && refusal._tag === "InvalidCredentials"),
        5
      )
    })
  )
})

describe("from many addresses at once", () => {
  it.effect("an account's passwords only get slower: its owner still comes in, and its tokens at once", () =>
    Effect.gen(function* () {
      // The clock of the test is moved while hashes take their real time.
      const server = yield* TestServer.start({ settings: { HANDSHAKE_TIMEOUT: "10 days", IDLE_TIMEOUT: "10 days" } })
      const { token } = yield* Talk.register(server, "ada")
      const storm = yield* Effect.forEach(
        Array.from({ length: 40 }, (_, index) => `127.0.1.${index + 1}`),
        (address) => Effect.forkScoped(Effect.exit(guess(server, "ada", address, 1))),
        { concurrency: "unbounded" }
      )
      // Ten are answered without any wait.
      yield* Effect.raceAll(storm.map(Fiber.join))
      yield* Talk.enter(server, { user: "ada", credentials: Talk.byToken(token) })
      const owner = yield* Effect.forkScoped(Talk.logIn(server, "ada", {}, from("127.0.0.3")))
      yield* TestClock.adjust("2 seconds").pipe(
        Effect.andThen(Effect.yieldNow),
        Effect.repeat({ until: () => owner.pollUnsafe() !== undefined })
      )
      assert.propertyVal((yield* Fiber.join(owner)).welcome, "user", "ada")
    })
  )
})

/** In milliseconds of the real clock. */
const timed = <E>(effect: Effect.Effect<unknown, E>) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const before = clock.monotonicTimeNanosUnsafe()
    yield* Effect.orDie(effect)
    return Number(clock.monotonicTimeNanosUnsafe() - before) / 1e6
  })

/** In a round: 2 s on a machine of one's own. */
const triples = 24
/** So that in two rounds each has fewer wrong logins than are free. */
const names = 6

describe("how long a refusal takes", () => {
  // Each is timed beside the others, so that what else the machine does is done to all. What seems to differ is measured again,
  // and differs if it does so twice: by chance once in some millions of times.
  it.live("is the same for a name of nobody as for an account: one that skips the hash would be told apart", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ passwordsCostAsEver: true })
      for (let number = 0; number < names; number++) yield* Talk.register(server, `ada${number}`)
      let address = 0
      const refusal = Effect.fnUntraced(function* (handshake: object) {
        const client = yield* server.connect(from(`127.0.${2 + (address >> 6)}.${1 + (address++ & 63)}`))
        let answer = {}
        const millis = yield* timed(
          Effect.map(client.ask({ _tag: "Handshake", ...handshake }), (line) => (answer = line))
        )
        assert.nestedInclude(answer, { "reason._tag": "InvalidCredentials" })
        return millis
      })
      let first = 0
      const round = Effect.gen(function* () {
        const rows: Array<{ readonly known: number; readonly unknown: number; readonly unhashed: number }> = []
        for (let index = 0; index < triples; index++) {
          const number = first++ % names
          const row = { known: 0, unknown: 0, unhashed: 0 }
          const steps = [
            ["known", { user: `ada${number}`, credentials: wrong }],
            ["unknown", { user: `nobody${number}`, credentials: wrong }],
            // As it would be without a hash: tokens have none.
            ["unhashed", { user: `nobody${number}`, credentials: Talk.byToken("no such token") }]
          ] as const
          for (const [what, handshake] of index % 2 === 0 ? steps : steps.toReversed()) {
            row[what] = yield* refusal(handshake)
          }
          rows.push(row)
        }
        return {
          unknown: longer(rows.map(({ known, unknown }) => [known, unknown])),
          unhashed: longer(rows.map(({ known, unhashed }) => [known, unhashed]))
        }
      })
      const one = yield* round
      const again = one.unknown === 0 && one.unhashed === 1 ? one : yield* round
      assert.isTrue(one.unhashed === 1 || again.unhashed === 1, "What is not hashed has to be told apart")
      assert.isFalse(
        one.unknown !== 0 && one.unknown === again.unknown,
        `A name of nobody is told apart: a known one takes ${one.unknown > 0 ? "longer" : "less long"}`
      )
    })
  )
})

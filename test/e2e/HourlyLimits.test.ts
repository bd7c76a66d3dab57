/** How many accounts and rooms somebody may make in an hour. Each of `127.0.0.0/8` is another address. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Talk from "../support/AccountTalk.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const from = (localAddress: string) => ({ localAddress })
const applying = (user: string) => ({ user, register: { password: Talk.password } })
const hour = 3_600_000

describe("ACCOUNTS_PER_HOUR", () => {
  it.effect("is how many an address may make, by Handshake and by Register, of which one that is refused is none", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { ACCOUNTS_PER_HOUR: "2", IDLE_TIMEOUT: "2 days" } })
      yield* Talk.enter(server, applying("ada"), from("127.0.0.2"))
      assert.include(yield* Talk.refusal(server, applying("ADA"), from("127.0.0.2")), { _tag: "AccountExists" })
      const weak = { user: "weak", register: { password: "password123" } }
      assert.include(yield* Talk.refusal(server, weak, from("127.0.0.2")), { _tag: "InvalidMessage" })
      const ben = yield* server.join("ben", from("127.0.0.2"))
      assert.strictEqual((yield* ben.ask({ _tag: "Register", password: Talk.password }))._tag, "Registered")

      const limited = { _tag: "RateLimited", retryAfter: hour }
      assert.deepStrictEqual(yield* Talk.refusal(server, applying("cyd"), from("127.0.0.2")), limited)
      const dan = yield* server.join("dan", from("127.0.0.2"))
      const refused = yield* dan.ask({ _tag: "Register", password: Talk.password })
      assert.deepStrictEqual(reasonOf(refused), limited)
      assert.strictEqual(refused["message"], "That was done too often in an hour. Try again in 60 minutes.")
      yield* Talk.enter(server, applying("eve"), from("127.0.0.3"))

      yield* TestClock.adjust(hour)
      assert.strictEqual((yield* dan.ask({ _tag: "Register", password: Talk.password }))._tag, "Registered")
    })
  )
})

describe("A limit per hour of 0", () => {
  it.effect("lets nobody, not even once", () =>
    Effect.gen(function* () {
      const settings = { ACCOUNTS_PER_HOUR: "0", ROOMS_PER_HOUR: "0", IDLE_TIMEOUT: "2 days" }
      const server = yield* TestServer.start({ settings })
      const limited = { _tag: "RateLimited", retryAfter: hour }
      assert.deepStrictEqual(yield* Talk.refusal(server, applying("ada"), from("127.0.0.2")), limited)
      const ben = yield* server.join("ben", from("127.0.0.2"))
      assert.deepStrictEqual(reasonOf(yield* ben.ask({ _tag: "CreateRoom", room: "a1" })), limited)
    })
  )
})

describe("ROOMS_PER_HOUR", () => {
  it.effect("is how many an account may make, or the guests of an address", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { ROOMS_PER_HOUR: "2", IDLE_TIMEOUT: "2 days" } })
      const limited = { _tag: "RateLimited", retryAfter: hour }
      const first = yield* Talk.register(server, "ada")
      const second = yield* Talk.logIn(server, "ada", {}, from("127.0.0.2"))
      yield* first.client.ask({ _tag: "CreateRoom", room: "a1" })
      assert.strictEqual((yield* second.client.ask({ _tag: "CreateRoom", room: "A1" }))._tag, "Rejected")
      yield* second.client.ask({ _tag: "CreateRoom", room: "a2" })
      const third = { _tag: "CreateRoom", room: "a3" }
      for (const { client } of [first, second]) assert.deepStrictEqual(reasonOf(yield* client.ask(third)), limited)

      const guests = yield* Effect.forEach(["ben", "cyd", "dan"], (user) => server.join(user, from("127.0.0.2")))
      const replies = yield* Effect.forEach(guests, (guest, index) =>
        guest.ask({ _tag: "CreateRoom", room: `g${index}` })
      )
      assert.deepStrictEqual(
        replies.map(({ _tag }) => _tag),
        ["RoomCreated", "RoomCreated", "Rejected"]
      )
      assert.deepStrictEqual(reasonOf(replies[2]), limited)
      const other = yield* server.join("eve", from("127.0.0.3"))
      assert.strictEqual((yield* other.ask({ _tag: "CreateRoom", room: "e1" }))._tag, "RoomCreated")

      yield* TestClock.adjust(hour)
      assert.strictEqual((yield* first.client.ask(third))._tag, "RoomCreated")
    })
  )
})

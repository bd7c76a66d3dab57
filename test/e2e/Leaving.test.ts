import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const endings: ReadonlyArray<{ readonly how: string; readonly end: (client: RawClient) => Effect.Effect<void> }> = [
  { how: "Disconnect", end: (client) => client.send({ _tag: "Disconnect" }) },
  { how: "half-closing", end: (client) => client.halfClose },
  { how: "a reset", end: (client) => client.reset },
  { how: "an oversized line", end: (client) => client.write("x".repeat(70_000)) },
  { how: "twenty bad lines", end: (client) => client.write("nonsense\n".repeat(20)) }
]

describe("a connection that ends", () => {
  it.live.each(endings)("by $how leaves its rooms and frees its name", ({ end }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      for (const room of ["dev", "ops"]) {
        yield* ada.ask({ _tag: "CreateRoom", room })
        yield* ada.ask({ _tag: "JoinRoom", room })
        yield* ben.ask({ _tag: "JoinRoom", room })
      }
      yield* end(ben)
      yield* ada.find(({ _tag, left }) => _tag === "Presence" && Array.isArray(left) && left.includes("Ben"))
      for (const room of ["dev", "ops"]) {
        yield* ada.find(
          (line) => line._tag === "RoomPresence" && String(line["left"]) === "Ben" && line["room"] === room
        )
        assert.deepStrictEqual((yield* ada.ask({ _tag: "ListRoomUsers", room }))["users"], ["Ada"])
      }
      const refused = yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "hi" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "UserNotFound", user: "Ben" })

      const again = yield* server.join("BEN")
      assert.strictEqual((yield* again.ask({ _tag: "JoinRoom", room: "dev" }))["_tag"], "RoomJoined")
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada", "BEN"])
    })
  )

  it.live("gives its name away once only: a newcomer under that name is not thrown out when the old one is gone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      for (let round = 0; round < 20; round++) {
        yield* Effect.gen(function* () {
          const ben = yield* server.join("Ben")
          yield* ben.send({ _tag: "Disconnect" })
          yield* ben.closed
          yield* TestServer.whenGone(ada, "Ben")
        }).pipe(Effect.scoped)
      }
      yield* server.join("Ben")
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada", "Ben"])
      assert.strictEqual((yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "hi" }))["_tag"], "Sent")
    })
  )

  it.live("in the middle of a Handshake keeps no name", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      for (let round = 0; round < 20; round++) {
        const ben = yield* server.connect()
        yield* ben.send({ _tag: "Handshake", user: "Ben" })
        yield* ben.reset
        yield* TestServer.whenGone(ada, "Ben")
      }
      const come = Effect.gen(function* () {
        const ben = yield* server.connect()
        yield* ben.send({ _tag: "Handshake", user: "Ben" })
        return (yield* ben.next)["_tag"] === "Welcome"
      })
      yield* Effect.repeat(Effect.scoped(come), { until: (isWelcome) => isWelcome })
    })
  )

  it.live("has a guest's inbox count from 1 again the next time", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "one" })
      yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "two" })
      assert.strictEqual((yield* ben.findMany("PrivateMessage", 2))[1]?.["seq"], 2)
      yield* ben.send({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "Ben")
      const again = yield* server.join("Ben")
      assert.strictEqual((yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "three" }))["seq"], 3)
      assert.strictEqual((yield* again.find("PrivateMessage"))["seq"], 1)
    })
  )
})

describe("a half-closed connection", () => {
  it.live("still gets every reply before the server closes it too", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const script = yield* server.connect()
      const count = 300
      const pings = Array.from({ length: count }, (_, nonce) => ({ _tag: "Ping", nonce }))
      const messages = Array.from({ length: count }, (_, index) => ({ _tag: "GlobalMessage", content: `m${index}` }))
      yield* script.send({ _tag: "Handshake", user: "Script" }, ...pings, ...messages)
      yield* script.halfClose
      const lines = yield* script.closed
      const counted = (tag: string) => lines.filter(({ _tag }) => _tag === tag).length
      assert.deepStrictEqual(["Welcome", "Pong", "GlobalMessage", "Sent"].map(counted), [1, count, count, count])
    })
  )

  it.live("has a last line without a newline ignored", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const script = yield* server.connect()
      yield* script.write(
        `${JSON.stringify({ _tag: "Handshake", user: "Script" })}\n${JSON.stringify({ _tag: "Ping", nonce: 1 })}`
      )
      yield* script.halfClose
      const lines = yield* script.closed
      assert.deepStrictEqual(
        lines.map(({ _tag }) => _tag),
        ["Welcome"]
      )
    })
  )
})

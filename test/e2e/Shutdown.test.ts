import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch, Scope } from "effect"
import { historyBehind } from "../support/FaultyServer.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

/** A server and what stops it. */
const stoppable = Effect.fnUntraced(function* (options: TestServer.TestServerOptions = {}) {
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const server = yield* Scope.provide(TestServer.start(options), scope)
  return { server, stop: Scope.close(scope, Exit.void) }
})

describe("a server that stops", () => {
  it.live("says Goodbye to everyone, welcomed or not, and closes", () =>
    Effect.gen(function* () {
      const { server, stop } = yield* stoppable()
      const ada = yield* server.join("Ada")
      const stranger = yield* server.connect()
      yield* server.join("Ben")
      yield* stop
      for (const client of [ada, stranger]) {
        assert.deepStrictEqual((yield* client.closed).at(-1), { _tag: "Goodbye", reason: "The server is stopping." })
      }
    })
  )

  it.live("accepts nobody any more", () =>
    Effect.gen(function* () {
      const { server, stop } = yield* stoppable()
      yield* server.join("Ada")
      yield* stop
      const refused = yield* Effect.exit(server.connect())
      assert.isTrue(Exit.isFailure(refused))
    })
  )

  it.live("delivers what is in the mailboxes, the Goodbye behind it", () =>
    Effect.gen(function* () {
      const { server, stop } = yield* stoppable({ settings: { MAILBOX_BYTES: "64 MiB" } })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ben.pause
      const count = 1000
      yield* ada.send(...Array.from({ length: count }, () => ({ _tag: "GlobalMessage", content: "x".repeat(8000) })))
      yield* ada.findMany("Sent", count)
      const stopping = yield* Effect.forkChild(stop)
      yield* ada.closed
      yield* ben.resume
      const lines = yield* ben.closed
      assert.lengthOf(
        lines.filter(({ _tag }) => _tag === "GlobalMessage"),
        count
      )
      assert.strictEqual(lines.at(-1)?._tag, "Goodbye")
      yield* Fiber.join(stopping)
    })
  )

  it.live("answers requests under way before the Goodbye", () =>
    Effect.gen(function* () {
      const latch = yield* Latch.make(false)
      const history = historyBehind((operation) => (operation === "append" ? latch.await : Effect.void))
      const { server, stop } = yield* stoppable({ history })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.send({ _tag: "GlobalMessage", content: "one", id: "1" })
      yield* ada.soFar
      const stopping = yield* Effect.forkChild(stop)
      // Ben has nothing under way and is gone at once; Ada still waits for her reply.
      yield* ben.closed
      assert.isFalse(ada.isClosed())
      yield* latch.open
      const lines = yield* ada.closed
      assert.deepStrictEqual(
        lines.map(({ _tag }) => _tag).filter((tag) => tag !== "Presence"),
        ["GlobalMessage", "Sent", "Goodbye"]
      )
      yield* Fiber.join(stopping)
    })
  )

  it.live("tells who connects while others are still being said goodbye to: ServerStopping", () =>
    Effect.gen(function* () {
      const latch = yield* Latch.make(false)
      const history = historyBehind((operation) => (operation === "append" ? latch.await : Effect.void))
      const { server, stop } = yield* stoppable({ history })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.send({ _tag: "GlobalMessage", content: "one" })
      yield* ada.soFar
      const stopping = yield* Effect.forkChild(stop)
      yield* ben.closed
      const late = yield* server.connect()
      const [rejected, ...rest] = yield* late.closed
      assert.deepStrictEqual(reasonOf(rejected), { _tag: "ServerStopping" })
      assert.deepStrictEqual(rest, [])
      yield* latch.open
      yield* Fiber.join(stopping)
    })
  )

  it.live("does not wait for ever for who does not read", () =>
    Effect.gen(function* () {
      const { server, stop } = yield* stoppable({ settings: { MAILBOX_BYTES: "64 MiB" } })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ben.pause
      yield* ada.send(...Array.from({ length: 2000 }, () => ({ _tag: "GlobalMessage", content: "x".repeat(8000) })))
      yield* ada.findMany("Sent", 2000)
      yield* stop
      yield* ada.closed
    })
  )
})

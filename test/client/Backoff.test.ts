import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Fiber, Layer, Scope, Stream } from "effect"
import { Socket } from "effect/socket"
import { TestClock } from "effect/testing"
import { Client } from "../../src/client/link/Client.ts"
import { encodeLine } from "../../src/connection/Line.ts"
import { makePair } from "../support/MemorySocket.ts"
import { ada, welcome } from "./FakeServer.ts"

/** A network whose server welcomes everybody and closes each connection after a while; it notes when they come. */
const makeNetwork = (standing: number) => {
  const arrivals: Array<number> = []
  const serve = Effect.fnUntraced(function* (socket: Socket.Socket) {
    const writer = yield* socket.writer
    yield* writer.write(encodeLine(welcome(7)))
    yield* Effect.sleep(standing)
    yield* writer.write(new Socket.CloseEvent(1000))
  }, Effect.scoped)
  const connect = Effect.gen(function* () {
    const [near, far] = makePair()
    arrivals.push(yield* Clock.currentTimeMillis)
    yield* Effect.forkScoped(Effect.ignore(serve(far.socket)))
    return near.socket
  })
  let current: Socket.Socket | undefined
  const socket = Socket.make({
    reader: Effect.gen(function* () {
      current = yield* connect
      return yield* current.reader
    }),
    writer: Effect.suspend(() => current?.writer ?? Effect.never)
  })
  return { arrivals, socket }
}

/** A client whose connections stand for so long each, until its first connection is made. */
const start = Effect.fnUntraced(function* (standing: number, giveUpAfter?: number) {
  const { arrivals, socket } = makeNetwork(standing)
  const layer = Layer.provide(Client.layer({ user: ada, giveUpAfter }), Layer.succeed(Socket.Socket, socket))
  const client = Context.get(yield* Layer.buildWithScope(layer, yield* Scope.Scope), Client)
  return { arrivals, client }
})

/**
 * Ends the client, which may happen to be connected. This network answers no goodbye, so that the client waits for one
 * until its patience is over; and no clock runs any more once the test's scope closes.
 */
const leave = Effect.fnUntraced(function* (client: Client["Service"]) {
  const leaving = yield* Effect.forkChild(client.leave)
  yield* TestClock.adjust("3 seconds")
  yield* Fiber.join(leaving)
})

describe("a client whose connections stand only briefly", () => {
  it.effect("comes back ever more slowly, up to 10 s", () =>
    Effect.gen(function* () {
      const { arrivals, client } = yield* start(100)
      yield* TestClock.adjust("10 minutes")
      yield* leave(client)
      const pauses = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? 0))
      assert.isAtMost(arrivals.length, 85)
      assert.isAbove(arrivals.length, 45)
      assert.isBelow(pauses[0] ?? Infinity, 1000)
      for (const pause of pauses.slice(8)) assert.isAtLeast(pause, 8000)
    })
  )

  it.effect("gives up after the time it was given", () =>
    Effect.gen(function* () {
      const { client } = yield* start(100, 30_000)
      const ending = yield* Effect.forkChild(Effect.flip(Stream.runDrain(client.events)))
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(ending)
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.include(error.message, "it ends each connection at once")
    })
  )
})

describe("a client whose connections stand for a while", () => {
  it.effect("comes back at once after each, and does not give up", () =>
    Effect.gen(function* () {
      const { arrivals, client } = yield* start(11_000, 30_000)
      yield* TestClock.adjust("10 minutes")
      yield* leave(client)
      const pauses = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? 0))
      assert.isAbove(arrivals.length, 50)
      for (const pause of pauses) assert.isBelow(pause, 11_300)
    })
  )
})

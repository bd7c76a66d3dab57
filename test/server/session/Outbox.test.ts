import { assert, describe, it } from "@effect/vitest"
import { type Array as Arr, Effect, Fiber, FiberSet, Latch, Option } from "effect"
import type { ConnectionError } from "../../../src/connection/Connection.ts"
import * as Outbox from "../../../src/server/session/Outbox.ts"
import type { WriteNow } from "../../../src/server/session/WriteNow.ts"

/** An outbox over a socket that takes nothing while the latch is closed, and what was written to it, write by write. */
const makeOutbox = Effect.fnUntraced(function* (maxBytes: number, writeNow?: WriteNow) {
  const run = yield* FiberSet.makeRuntime<never, void, ConnectionError>()
  const socket = yield* Latch.make(true)
  const writes: Array<ReadonlyArray<number>> = []
  let overflows = 0
  const outbox = new Outbox.Outbox({
    run,
    writeNow,
    maxBytes,
    write: (frames: Arr.NonEmptyReadonlyArray<Uint8Array>) =>
      Effect.andThen(
        Effect.sync(() => writes.push(frames.map((frame) => frame[0] ?? -1))),
        socket.await
      ),
    onOverflow: () => {
      overflows++
    },
    onLost: () => {}
  })
  return { outbox, socket, writes, overflows: () => overflows }
})

/** A frame that is told by its first byte. */
const frame = (mark: number, bytes = 10) => new Uint8Array(bytes).fill(mark)

describe("Outbox", () => {
  it.effect("writes a frame at once when nothing is waiting", () =>
    Effect.gen(function* () {
      const { outbox, writes } = yield* makeOutbox(100)
      outbox.offerUnsafe(frame(1), "live")
      assert.deepStrictEqual(writes, [[1]])
      outbox.offerUnsafe(frame(2), "asked")
      assert.deepStrictEqual(writes, [[1], [2]])
    })
  )

  it.effect("asks first whether the socket takes a frame at once, but not while others are waiting", () =>
    Effect.gen(function* () {
      const taken: Array<number> = []
      let isFull = false
      const { outbox, socket, writes } = yield* makeOutbox(100, (bytes) => !isFull && taken.push(bytes[0] ?? -1) > 0)
      outbox.offerUnsafe(frame(1), "live")
      yield* socket.close
      isFull = true
      outbox.offerUnsafe(frame(2), "live")
      isFull = false
      outbox.offerUnsafe(frame(3), "live")
      assert.deepStrictEqual({ taken, writes }, { taken: [1], writes: [[2]] })
      yield* socket.open
      yield* outbox.drained()
      outbox.offerUnsafe(frame(4), "asked")
      assert.deepStrictEqual({ taken, writes }, { taken: [1, 4], writes: [[2], [3]] })
    })
  )

  it.effect("drops what is fleeting while anything waits, which cuts nobody, and takes it where nothing does", () =>
    Effect.gen(function* () {
      const { outbox, overflows, socket, writes } = yield* makeOutbox(20)
      outbox.offerUnsafe(frame(1), "fleeting")
      yield* socket.close
      outbox.offerUnsafe(frame(2), "asked")
      for (let count = 0; count < 10; count++) outbox.offerUnsafe(frame(3), "fleeting")
      assert.strictEqual(outbox.waitingBytes(), 10)
      yield* socket.open
      yield* outbox.drained()
      yield* Effect.yieldNow
      outbox.offerUnsafe(frame(4), "fleeting")
      yield* outbox.drained()
      assert.deepStrictEqual({ writes, overflows: overflows() }, { writes: [[1], [2], [4]], overflows: 0 })
    })
  )

  it.effect("gathers what comes while the socket pushes back, and writes it in order with one write", () =>
    Effect.gen(function* () {
      const { outbox, socket, writes } = yield* makeOutbox(100)
      yield* socket.close
      for (const mark of [1, 2, 3, 4]) outbox.offerUnsafe(frame(mark), mark % 2 === 0 ? "live" : "asked")
      assert.deepStrictEqual(writes, [[1]])
      yield* socket.open
      yield* outbox.drained()
      assert.deepStrictEqual(writes, [[1], [2, 3, 4]])
    })
  )

  it.effect("overflows when a live frame comes that would make more than its limit wait, and not before", () =>
    Effect.gen(function* () {
      const { outbox, overflows, socket } = yield* makeOutbox(100)
      yield* socket.close
      outbox.offerUnsafe(frame(1, 60), "live")
      outbox.offerUnsafe(frame(2, 40), "live")
      assert.strictEqual(overflows(), 0)
      outbox.offerUnsafe(frame(3, 1), "live")
      assert.strictEqual(overflows(), 1)
    })
  )

  it.effect("takes one frame of any size where nothing waits, and cuts nobody for what was asked for", () =>
    Effect.gen(function* () {
      const { outbox, overflows, socket, writes } = yield* makeOutbox(100)
      yield* socket.close
      outbox.offerUnsafe(frame(1, 5000), "asked")
      for (const mark of [2, 3, 4, 5]) outbox.offerUnsafe(frame(mark, 20), "live")
      assert.strictEqual(overflows(), 0)
      outbox.offerUnsafe(frame(6, 5000), "asked")
      assert.strictEqual(overflows(), 0)
      yield* socket.open
      yield* outbox.drained()
      assert.deepStrictEqual(writes, [[1], [2, 3, 4, 5, 6]])
      yield* socket.close
      outbox.offerUnsafe(frame(7, 5000), "live")
      assert.strictEqual(overflows(), 0)
      outbox.offerUnsafe(frame(8, 1), "live")
      assert.strictEqual(overflows(), 1)
    })
  )

  it.effect("tells when the socket has taken what was asked for, whatever else is waiting", () =>
    Effect.gen(function* () {
      const { outbox, socket } = yield* makeOutbox(100)
      yield* socket.close
      outbox.offerUnsafe(frame(1), "live")
      yield* outbox.taken()
      outbox.offerUnsafe(frame(2), "asked")
      const waiting = yield* Effect.forkChild(outbox.taken(), { startImmediately: true })
      assert.isUndefined(waiting.pollUnsafe())
      yield* socket.open
      yield* Fiber.join(waiting)
    })
  )

  it.effect("lets go of a write that a dead socket would keep for ever, and of who waits for it", () =>
    Effect.gen(function* () {
      const { outbox, socket } = yield* makeOutbox(100)
      yield* socket.close
      outbox.offerUnsafe(frame(1, 90), "asked")
      const waiting = yield* Effect.forkChild(outbox.drained(), { startImmediately: true })
      outbox.abandonUnsafe()
      yield* Fiber.join(waiting)
      yield* outbox.taken()
    })
  )

  it.effect("forgets what waited when it is discarded, takes the last words, and nothing after them", () =>
    Effect.gen(function* () {
      const { outbox, socket, writes } = yield* makeOutbox(100)
      yield* socket.close
      for (const mark of [1, 2, 3]) outbox.offerUnsafe(frame(mark), "live")
      outbox.closeUnsafe(frame(9), true)
      outbox.offerUnsafe(frame(4), "live")
      outbox.closeUnsafe(frame(8), false)
      yield* socket.open
      yield* outbox.drained()
      assert.deepStrictEqual(writes, [[1], [9]])
    })
  )

  it.effect("forgets what waited behind the last words too, once its connection is gone", () =>
    Effect.gen(function* () {
      const { outbox, socket, writes } = yield* makeOutbox(100)
      yield* socket.close
      outbox.offerUnsafe(frame(1), "live")
      outbox.offerUnsafe(frame(2), "live")
      outbox.closeUnsafe(frame(9), false)
      outbox.closeUnsafe(undefined, true)
      yield* socket.open
      yield* outbox.drained()
      assert.deepStrictEqual(writes, [[1]])
    })
  )

  it.effect("is behind while more than half its limit is waiting, and says when it has caught up", () =>
    Effect.gen(function* () {
      const { outbox, socket } = yield* makeOutbox(100)
      yield* socket.close
      outbox.offerUnsafe(frame(1, 30), "live")
      assert.isFalse(outbox.isBehind())
      outbox.offerUnsafe(frame(2, 30), "asked")
      assert.isTrue(outbox.isBehind())
      const waiting = yield* Effect.forkChild(outbox.caughtUp(), { startImmediately: true })
      assert.isUndefined(waiting.pollUnsafe())
      yield* socket.open
      yield* outbox.caughtUp()
      yield* outbox.drained()
      assert.isFalse(outbox.isBehind())
      assert.isTrue(Option.isSome(Option.fromUndefinedOr(waiting.pollUnsafe())))
    })
  )

  it.effect("stops waiting for a socket that failed, and says so", () =>
    Effect.gen(function* () {
      const run = yield* FiberSet.makeRuntime<never, void, ConnectionError>()
      let lost = 0
      const outbox = new Outbox.Outbox({
        run,
        maxBytes: 10,
        write: () => Effect.interrupt,
        onOverflow: () => {},
        onLost: () => lost++
      })
      outbox.offerUnsafe(frame(1, 50), "live")
      yield* outbox.caughtUp()
      yield* outbox.drained()
      assert.isFalse(outbox.isBehind())
      assert.strictEqual(lost, 1)
    })
  )

  it.effect("finishes the line it is in the middle of, when it lets go of what waits", () =>
    Effect.gen(function* () {
      const { outbox, socket, writes } = yield* makeOutbox(100)
      const line = (mark: number) => Uint8Array.of(mark, 10)
      yield* socket.close
      outbox.offerUnsafe(frame(1), "asked")
      outbox.offerUnsafe(frame(2), "asked")
      outbox.offerUnsafe(line(3), "asked")
      outbox.offerUnsafe(line(4), "live")
      outbox.closeUnsafe(line(5), true)
      yield* socket.open
      yield* outbox.drained()
      assert.deepStrictEqual(writes, [[1], [2, 3, 5]])
    })
  )
})

/** Whose search goes on next. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as SearchTurns from "../../../src/server/search/SearchTurns.ts"
import { SessionId } from "../../../src/server/session/Asker.ts"

/** Turns of which it is written down who got them, each piece so many milliseconds long. */
const noted = Effect.gen(function* () {
  const gone = new Set<number>()
  const order: Array<string> = []
  const turns = yield* SearchTurns.make((session) => !gone.has(session))
  const search = Effect.fnUntraced(function* (session: number, name: string, pieces: ReadonlyArray<number>) {
    for (const millis of pieces) {
      const piece = Effect.andThen(
        Effect.sync(() => order.push(name)),
        Effect.sleep(millis)
      )
      yield* turns.of(SessionId.make(session))(piece)
    }
  })
  const start = (...search_: Parameters<typeof search>) =>
    Effect.forkChild(search(...search_), { startImmediately: true })
  return { gone, order, start, turns }
})

describe("The turns of searches", () => {
  it.effect("go to the connection that has used least, so that a cheap search waits for one piece only", () =>
    Effect.gen(function* () {
      const { order, start } = yield* noted
      for (let session = 1; session <= 40; session++) yield* start(session, "dear", [20, 20, 20])
      yield* TestClock.adjust("1810 millis")
      const before = order.length
      const cheap = yield* start(41, "cheap", [1, 1, 1, 1, 1])
      yield* TestClock.adjust("25 millis")
      assert.isDefined(cheap.pollUnsafe())
      assert.deepStrictEqual(
        order.slice(before, before + 5),
        Array.from({ length: 5 }, () => "cheap")
      )
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(order, 125)
    })
  )

  it.effect("go round among those who have used the same", () =>
    Effect.gen(function* () {
      const { order, start } = yield* noted
      for (const [index, name] of ["a", "b", "c"].entries()) yield* start(index, name, [10, 10])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(order, ["a", "b", "c", "a", "b", "c"])
    })
  )

  it.effect("are not given to who is gone, whose search ends", () =>
    Effect.gen(function* () {
      const { gone, order, start } = yield* noted
      yield* start(1, "a", [10, 10])
      const b = yield* start(2, "b", [10, 10])
      gone.add(2)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(order, ["a", "a"])
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(b)))
    })
  )

  it.effect("pass on what an interrupted or failed piece leaves, and skip who does not wait any more", () =>
    Effect.gen(function* () {
      const { order, start, turns } = yield* noted
      const started = yield* Deferred.make<void>()
      const piece = Effect.andThen(Deferred.succeed(started, undefined), Effect.never)
      const holder = yield* Effect.forkChild(turns.of(SessionId.make(1))(piece), { startImmediately: true })
      yield* Deferred.await(started)
      const waiting = yield* start(2, "b", [10])
      yield* start(3, "c", [10])
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(holder)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(order, ["c"])
      yield* Effect.exit(turns.of(SessionId.make(1))(Effect.die("made by the test")))
      yield* start(4, "d", [10])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(order, ["c", "d"])
    })
  )
})

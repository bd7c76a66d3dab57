import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { Turns } from "../../../src/server/processor/Turns.ts"

const withTurns = <A, E>(use: (turns: Turns["Service"]) => Effect.Effect<A, E>) =>
  Effect.provide(Effect.flatMap(Turns, use), Layer.fresh(Turns.layer))

describe("Turns", () => {
  it.live("go round between groups, and inside a group to who has waited longest", () =>
    withTurns((turns) =>
      Effect.gen(function* () {
        const order: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const piece = (group: string, name: string) =>
          turns.log.take(
            group,
            Effect.sync(() => void order.push(name))
          )
        const first = yield* Effect.forkChild(turns.log.take("a", Deferred.await(gate)), { startImmediately: true })
        const others = yield* Effect.forEach(
          [
            ["a", "a1"],
            ["a", "a2"],
            ["a", "a3"],
            ["b", "b1"],
            ["c", "c1"],
            ["b", "b2"]
          ] as const,
          ([group, name]) => Effect.forkChild(piece(group, name), { startImmediately: true })
        )
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.joinAll([first, ...others])
        assert.deepStrictEqual(order, ["b1", "c1", "a1", "b2", "a2", "a3"])
      })
    )
  )

  it.live("are not taken by who is gone, and a piece that dies costs only itself", () =>
    withTurns((turns) =>
      Effect.gen(function* () {
        const order: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const note = (name: string) => Effect.sync(() => void order.push(name))
        const holding = yield* Effect.forkChild(turns.memory.take("a", Deferred.await(gate)), {
          startImmediately: true
        })
        const gone = yield* Effect.forkChild(turns.memory.take("a", note("gone")), { startImmediately: true })
        const dying = yield* Effect.forkChild(turns.memory.take("a", Effect.die("a bug")), { startImmediately: true })
        const last = yield* Effect.forkChild(turns.memory.take("a", note("last")), { startImmediately: true })
        yield* Fiber.interrupt(gone)
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.joinAll([holding, last])
        assert.strictEqual((yield* Fiber.await(dying))._tag, "Failure")
        assert.deepStrictEqual(order, ["last"])
      })
    )
  )

  it.live("go on when everybody who waited in one group has gone", () =>
    withTurns((turns) =>
      Effect.gen(function* () {
        const order: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const note = (name: string) => Effect.sync(() => void order.push(name))
        const inTurn = (group: string, piece: Effect.Effect<void>) =>
          Effect.forkChild(turns.log.take(group, piece), { startImmediately: true })
        const holding = yield* inTurn("a", Deferred.await(gate))
        const gone = yield* Effect.forEach(["b1", "b2"], (name) => inTurn("b", note(name)))
        const others = yield* Effect.forEach(["c", "d"], (group) => inTurn(group, note(group)))
        yield* Fiber.interruptAll(gone)
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.joinAll([holding, ...others])
        assert.deepStrictEqual(order, ["c", "d"])
      })
    )
  )

  it.live("begin at the back for a group that comes again after everybody in it had gone", () =>
    withTurns((turns) =>
      Effect.gen(function* () {
        const order: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const note = (name: string) => Effect.sync(() => void order.push(name))
        const inTurn = (group: string, piece: Effect.Effect<void>) =>
          Effect.forkChild(turns.log.take(group, piece), { startImmediately: true })
        const holding = yield* inTurn("a", Deferred.await(gate))
        const gone = yield* inTurn("b", note("gone"))
        const other = yield* inTurn("c", note("c"))
        yield* Fiber.interrupt(gone)
        const again = yield* inTurn("b", note("b"))
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.joinAll([holding, other, again])
        assert.deepStrictEqual(order, ["c", "b"])
      })
    )
  )

  it.live("that read a log hold up none that do not", () =>
    withTurns((turns) =>
      Effect.gen(function* () {
        const stuck = yield* Effect.forkChild(turns.log.take("a", Effect.never), { startImmediately: true })
        assert.strictEqual(yield* turns.memory.take("a", Effect.succeed("listed")), "listed")
        assert.isUndefined(stuck.pollUnsafe())
      })
    )
  )

  it.live("let everybody else go first after two milliseconds of pieces", () =>
    withTurns((turns) =>
      Effect.gen(function* () {
        let pieces = 0
        const busy = Effect.sync(() => {
          const until = performance.now() + 1
          while (performance.now() < until) pieces += 0
          pieces++
        })
        const all = yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: 50 }), () => turns.memory.take("a", busy), {
            concurrency: "unbounded",
            discard: true
          }),
          { startImmediately: true }
        )
        yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
        yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
        assert.isBelow(pieces, 25)
        yield* Fiber.join(all)
        assert.strictEqual(pieces, 50)
      })
    )
  )
})

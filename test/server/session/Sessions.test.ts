import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, ConfigProvider, Effect, Exit, Fiber, Latch, Layer, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Connection } from "../../../src/connection/Connection.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import { hintsPerSecond } from "../../../src/server/session/HintPace.ts"
import { Sessions } from "../../../src/server/session/Sessions.ts"
import { withMonotonicNanos } from "../../support/MonotonicClock.ts"

const sessions = Sessions.layer.pipe(
  Layer.provide(ServerConfig.layer),
  Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({})))
)

describe("Sessions", () => {
  it.effect("writes nothing more to a connection whose session is over, whatever was waiting for it", () =>
    Effect.gen(function* () {
      const { deliver, open } = yield* Sessions
      const socket = yield* Latch.make(false)
      let writes = 0
      const connection: Connection<never> = {
        messages: Stream.never,
        write: () =>
          Effect.andThen(
            Effect.sync(() => writes++),
            socket.await
          ),
        close: () => Effect.void
      }
      const scope = yield* Scope.make()
      const session = yield* Scope.provide(open(connection), scope)
      const pong = () => deliver([{ _tag: "Tell", to: [session.id], messages: [{ _tag: "Pong", nonce: 1 }] }])
      pong()
      pong()
      yield* Scope.close(scope, Exit.void)
      pong()
      yield* socket.open
      yield* session.outbox.drained()
      assert.strictEqual(writes, 1)
    }).pipe(Effect.provide(sessions))
  )

  it.live("lets others have their turns while thousands are told, and tells them all the same, in order", () => {
    let now = 0n
    return Effect.gen(function* () {
      const { deliverInTurns, open } = yield* Sessions
      const frames: Array<string> = []
      const connection = (name: number): Connection<never> => ({
        messages: Stream.never,
        write: (given) =>
          Effect.sync(() => {
            frames.push(...given.map((frame) => `${name} ${Buffer.from(frame).toString().trim()}`))
            // Each write takes a tenth of a millisecond.
            now += 100_000n
          }),
        close: () => Effect.void
      })
      const members = yield* Effect.forEach(Arr.range(1, 2000), (name) =>
        Effect.map(open(connection(name)), ({ id }) => id)
      )
      let turns = 0
      const others = yield* Effect.forkChild(Effect.forever(Effect.sync(() => turns++)))
      const pong = (nonce: number) => ({ _tag: "Pong", nonce }) as const
      yield* deliverInTurns([
        { _tag: "Tell", to: members, messages: [pong(1)] },
        { _tag: "Tell", to: members, messages: [pong(2)] }
      ])
      yield* Fiber.interrupt(others)
      // 400 ms of writing, and a look at the clock with every 32nd.
      assert.isAtLeast(turns, 400 / 3.2 - 1)
      const expected = Arr.flatMap([1, 2], (nonce) =>
        members.map((_, index) => `${index + 1} {"_tag":"Pong","nonce":${nonce}}`)
      )
      assert.deepStrictEqual(frames, expected)
    }).pipe(
      Effect.scoped,
      Effect.provide(sessions),
      withMonotonicNanos(() => now)
    )
  })

  it.effect("gives so many hints a second and no more, and everything else at once", () =>
    Effect.gen(function* () {
      const { deliver, open } = yield* Sessions
      let lines = 0
      const connection: Connection<never> = {
        messages: Stream.never,
        write: (frames) =>
          Effect.sync(() => {
            lines += Buffer.concat(frames).toString().split("\n").length - 1
          }),
        close: () => Effect.void
      }
      const { id } = yield* open(connection)
      const to = Array.from({ length: hintsPerSecond / 5 }, () => id)
      const told = (count: number) => {
        const before = lines
        for (let hint = 0; hint < count; hint++) {
          deliver([{ _tag: "Hint", to, message: { _tag: "Typing", user: UserName.make("ada") } }])
        }
        return (lines - before) / to.length
      }
      assert.strictEqual(told(20), 5)
      yield* TestClock.adjust("400 millis")
      assert.strictEqual(told(20), 2)
      deliver([{ _tag: "Tell", to, messages: [{ _tag: "Pong", nonce: 1 }] }])
      assert.strictEqual(lines / to.length, 8)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(told(20), 5)
    }).pipe(Effect.scoped, Effect.provide(sessions))
  )

  it.live("takes whoever has taken what it asked for to be there, although it says nothing", () => {
    let now = 0n
    return Effect.gen(function* () {
      const { give, open, taken } = yield* Sessions
      const socket = yield* Latch.make(false)
      const connection: Connection<never> = {
        messages: Stream.never,
        write: () => socket.await,
        close: () => Effect.void
      }
      const session = yield* open(connection)
      give(session.id, Buffer.from("what was asked for"))
      const waiting = yield* Effect.forkChild(taken(session.id), { startImmediately: true })
      now = 5_000_000_000n
      yield* socket.open
      yield* Fiber.join(waiting)
      assert.strictEqual(session.lastHeardAt, 5000)
    }).pipe(
      Effect.scoped,
      Effect.provide(sessions),
      withMonotonicNanos(() => now)
    )
  })
})

/** How many who connect at once are let in: node accepts one connection for each listening socket and turn of its loop. */
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect } from "effect"
import * as AcceptedSockets from "../support/AcceptedSockets.ts"
import * as TestServer from "../support/TestServer.ts"

const count = 96

const connectAll = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      Arr.makeBy(count, () => {
        const socket = Net.connect({ port, host: "127.0.0.1" })
        socket.on("error", () => {})
        return socket
      })
    ),
    (sockets) => Effect.sync(() => sockets.forEach((socket) => socket.destroy()))
  )

/** How many turns of the event loop pass until it is so. */
const turnsUntil = (isSo: () => boolean) =>
  Effect.callback<number>((resume) => {
    let turns = 0
    const look = () => {
      if (isSo()) return resume(Effect.succeed(turns))
      turns++
      setImmediate(look)
    }
    look()
  })

const isShared = process.platform === "linux" || process.platform === "freebsd"

describe("A server", () => {
  it.live.skipIf(!isShared)("accepts several of those who wait in each turn of its event loop", () =>
    Effect.gen(function* () {
      const sockets = yield* AcceptedSockets.watch
      const server = yield* TestServer.start()
      yield* connectAll(server.port)
      yield* turnsUntil(() => sockets.accepted() > 0)
      const before = sockets.accepted()
      const turns = yield* turnsUntil(() => sockets.accepted() === count)
      assert.isBelow(turns, (count - before) / 2)
    })
  )

  it.live("leaves a port alone that another parley listens on", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const second = yield* Effect.flip(TestServer.start({ settings: { PORT: String(port) } }))
      assert.strictEqual(second._tag, "CannotListen")
    })
  )
})

/** How many who connect at once are let in: node accepts one connection for each listening socket and turn of its loop. */
import * as Net from "node:net"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, ConfigProvider, Effect, Layer } from "effect"
import { SocketServer } from "effect/socket"
import { ServerConfig } from "../../src/server/config/ServerConfig.ts"
import * as TcpServer from "../../src/server/doors/TcpServer.ts"
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

  it.live("serves nobody who has gone again without a word, and whoever says or waits for something", () =>
    Effect.gen(function* () {
      const server = yield* SocketServer.SocketServer
      let served = 0
      const gone: Array<Net.Socket> = []
      yield* Effect.forkScoped(
        server.run(() =>
          Effect.andThen(
            Effect.sync(() => served++),
            Effect.never
          )
        )
      )
      const port = TcpServer.portOf(server)
      const connect = (then: (socket: Net.Socket) => void) =>
        Effect.callback<void>((resume) => {
          const socket = Net.connect({ port, host: "127.0.0.1" })
          socket.on("error", () => {})
          socket.once("connect", () => {
            then(socket)
            resume(Effect.void)
          })
          gone.push(socket)
        })
      yield* Effect.addFinalizer(() => Effect.sync(() => gone.forEach((socket) => socket.destroy())))
      for (let index = 0; index < 100; index++) {
        yield* connect((socket) => (index % 2 === 0 ? socket.destroy() : socket.end()))
      }
      yield* connect((socket) => socket.write("x"))
      yield* connect((socket) => socket.end("x"))
      yield* connect(() => {})
      yield* turnsUntil(() => served >= 3)
      assert.strictEqual(served, 3)
    }).pipe(
      Effect.scoped,
      Effect.provide(
        TcpServer.layer.pipe(
          Layer.provide(ServerConfig.layer),
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({ HOST: "127.0.0.1", PORT: "0" }))),
          Layer.provide(NodeServices.layer)
        )
      )
    )
  )

  it.live("leaves a port alone that another parley listens on", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const second = yield* Effect.flip(TestServer.start({ settings: { PORT: String(port) } }))
      assert.strictEqual(second._tag, "CannotListen")
    })
  )
})

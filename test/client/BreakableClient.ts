/** A client whose connection the test can break, as a pulled cable would, but noticed at once; it comes back at once. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Context, Effect, Exit, Latch, Layer, Scope } from "effect"
import { Socket } from "effect/socket"
import { Client } from "../../src/client/link/Client.ts"
import { UserName } from "../../src/common/name/UserName.ts"

export const start = Effect.fnUntraced(function* (port: number, user: string) {
  const socket = yield* NodeSocket.makeNet({ host: "127.0.0.1", port, noDelay: true })
  const network = yield* Latch.make(true)
  let connection: Scope.Closeable | undefined
  const breakable = Socket.make({
    writer: socket.writer,
    reader: Effect.gen(function* () {
      yield* network.await
      const scope = yield* Scope.fork(yield* Effect.scope)
      connection = scope
      return yield* Scope.provide(socket.reader, scope)
    })
  })
  const layer = Layer.provide(
    Client.layer({ user: UserName.make(user), settledAfter: 0 }),
    Layer.succeed(Socket.Socket, breakable)
  )
  const client = Context.get(yield* Layer.build(layer), Client)
  const cut = Effect.suspend(() => (connection === undefined ? Effect.void : Scope.close(connection, Exit.void)))
  /** Carries something out while the client cannot connect. */
  const whileAway = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    network.close.pipe(Effect.andThen(cut), Effect.andThen(effect), Effect.ensuring(network.open))
  return { client, cut, whileAway }
})

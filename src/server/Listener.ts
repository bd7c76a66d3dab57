/**
 * Hands every connection to the ClientHandler, and on the way out lets everyone hear goodbye.
 *
 * Closing its scope ends each conversation with a Goodbye and waits for the handlers, each of which takes 5 s at most for
 * what is in its outbox. Who connects meanwhile is told that the server is stopping: the listening socket is closed only
 * afterwards, and a connection that nobody hears would be left guessing until then.
 */
import { Effect, Layer } from "effect"
import { SocketServer } from "effect/socket"
import { ClientHandler } from "./ClientHandler.ts"

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const handler = yield* ClientHandler
    const server = yield* SocketServer.SocketServer
    yield* Effect.forkScoped(server.run(handler.handle))
    yield* Effect.addFinalizer(() => handler.stop)
  })
)

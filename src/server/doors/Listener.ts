/**
 * Hands every connection to the ClientHandler, and on the way out lets everyone hear goodbye.
 *
 * Closing its scope ends each conversation with a Goodbye and waits for the handlers, each of which takes 5 s at most for
 * what is in its outbox. Who connects meanwhile is told that the server is stopping: the listening socket is closed only
 * afterwards, and a connection that nobody hears would be left guessing until then.
 */
import { Clock, Context, Effect, Layer, Logger, Random, References } from "effect"
import { SocketServer } from "effect/socket"
import { ClientHandler } from "../dialogue/ClientHandler.ts"

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const handler = yield* ClientHandler
    const server = yield* SocketServer.SocketServer
    yield* server.run(handler.handle).pipe(Effect.updateContext(whatConnectionsNeed), Effect.forkScoped)
    yield* Effect.addFinalizer(() => handler.stop)
  })
)

/**
 * The platform's socket copies the services it was made with, twice for each connection. A handler has its services in
 * its closure, so all but the runtime's own settings are left out: 2 KiB less for each connection.
 */
const whatConnectionsNeed = (context: Context.Context<never>): Context.Context<never> =>
  Context.pick(
    Clock.Clock,
    Random.Random,
    Logger.CurrentLoggers,
    References.MinimumLogLevel,
    References.Scheduler
  )(context)

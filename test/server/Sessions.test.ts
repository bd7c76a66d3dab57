import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Latch, Layer, Scope, Stream } from "effect"
import type { Connection } from "../../src/connection/Connection.ts"
import { ServerConfig } from "../../src/server/ServerConfig.ts"
import { Sessions } from "../../src/server/Sessions.ts"

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
})

/** A server on a file that is killed and comes back, behind a network whose ports stay. */
import { Effect, Exit, Latch, Scope } from "effect"
import * as FileServer from "../../durability/FileServer.ts"
import * as Wire from "../../support/Wire.ts"

export interface ChaosServer {
  readonly file: string
  readonly wire: Wire.Wire
  /** Open while it is there. */
  readonly isUp: Latch.Latch
  /** SIGKILL, and after so many milliseconds another life; done when it listens again. */
  readonly restart: (pause: number) => Effect.Effect<void>
  readonly lives: () => number
}

/** For the scope. */
export const start = Effect.fnUntraced(function* (folder: string) {
  const file = `${folder}/chat.sqlite`
  const whole = yield* Effect.scope
  const wire = Wire.make()
  const isUp = yield* Latch.make(false)
  let lives = 0

  const begin = Effect.gen(function* () {
    const scope = yield* Scope.fork(whole)
    const server = yield* Scope.provide(FileServer.start(file, { LOG_LEVEL: "error" }), scope)
    lives += 1
    wire.lead(server.port)
    yield* isUp.open
    return { scope, server }
  }).pipe(Effect.orDie)

  let life = yield* begin
  const services = yield* Effect.context<Effect.Services<typeof begin>>()
  const restart = Effect.fnUntraced(function* (pause: number) {
    const { scope, server } = life
    yield* isUp.close
    wire.lead(undefined)
    yield* Effect.orDie(server.kill("SIGKILL"))
    yield* Scope.close(scope, Exit.void)
    yield* Effect.sleep(pause)
    life = yield* begin
  }, Effect.provide(services))

  return { file, wire, isUp, restart, lives: () => lives } satisfies ChaosServer
})

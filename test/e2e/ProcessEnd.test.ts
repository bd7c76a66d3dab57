/** How the server's process ends when something stands in the way: a thread that does not, or nobody to tell it. */
import { spawn } from "node:child_process"
import * as process from "node:process"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, Stream } from "effect"
import { root } from "../client/Processes.ts"
import * as Eventually from "../durability/Eventually.ts"
import { compileCache } from "../support/CompileCache.ts"
import { connect } from "../support/RawClient.ts"
import * as ServerProcess from "../support/ServerProcess.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

realTime("a process with a thread that is inside a statement of SQLite", (it) => {
  const program = fileURLToPath(new URL("../support/StuckProgram.ts", import.meta.url))
  const hasSaid = (server: { readonly stdout: () => ReadonlyArray<string> }) =>
    Eventually.isSo("it was about to end", () => server.stdout().includes("ending"))

  it.effect("has ended 5 s after SIGTERM, with 0", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ program })
      const told = Effect.sync(() => process.kill(server.pid, "SIGTERM"))
      const [took, { exitCode }] = yield* Effect.timed(Effect.andThen(told, server.exited))
      assert.include(server.stdout(), "ending")
      assert.strictEqual(exitCode, 0)
      // From before the signal on, it is never less; more only by what a busy machine adds.
      assert.isTrue(
        Duration.between(took, { minimum: Duration.millis(4900), maximum: Duration.seconds(30) }),
        Duration.format(took)
      )
    })
  )

  const tellTwice = Effect.gen(function* () {
    const server = yield* ServerProcess.start({ program })
    const exited = yield* Effect.forkChild(Effect.timed(server.exited), { startImmediately: true })
    // Two that are not taken for one, and so close that they are told as one, however busy the machine is.
    process.kill(server.pid, "SIGINT")
    process.kill(server.pid, "SIGTERM")
    yield* hasSaid(server)
    yield* Effect.sleep("600 millis")
    assert.isTrue(yield* server.isRunning)
    process.kill(server.pid, "SIGTERM")
    const [took, { exitCode }] = yield* Fiber.join(exited)
    assert.strictEqual(exitCode, 0)
    return took
  }).pipe(Effect.scoped)

  it.effect("ends at once when it is told again, but not by a signal that was only passed on", () =>
    Effect.gen(function* () {
      // By itself it ends after five seconds: a machine that is too busy to tell the two apart is asked again.
      const took = yield* Effect.repeat(tellTwice, { until: Duration.isLessThan(Duration.millis(4900)), times: 2 })
      assert.isTrue(Duration.isLessThan(took, Duration.millis(4900)), Duration.format(took))
    })
  )
})

/** `pnpm dev` as a person starts it, in a group of its own, which is killed when the scope closes. */
const startByScript = Effect.gen(function* () {
  const environment = { ...compileCache, PORT: "0", HOST: "127.0.0.1", DATABASE: ":memory:" }
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("npx", ["--yes", "pnpm", "dev"], {
        cwd: root,
        detached: true,
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "ignore"]
      })
    ),
    ({ pid = 0 }) => Effect.ignore(Effect.try(() => process.kill(-pid, "SIGKILL")))
  )
  const line = yield* Stream.fromAsyncIterable(child.stdout, (cause) => cause).pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.filter((text) => text.includes("listening on ")),
    Stream.runHead,
    Effect.orDie
  )
  const port = Number(/:(\d+)$/.exec(Option.getOrElse(line, () => ""))?.[1])
  return { port, kill: (signal: NodeJS.Signals) => child.kill(signal) }
})

realTime("a server started with `npx pnpm dev`", (it) => {
  const endsOn = Effect.fnUntraced(function* (signal: NodeJS.Signals) {
    const { kill, port } = yield* startByScript
    const ada = yield* connect({ port })
    yield* ada.send({ _tag: "Handshake", user: "Ada" })
    yield* ada.find("Welcome")
    kill(signal)
    assert.strictEqual((yield* ada.closed).at(-1)?._tag, "Goodbye", signal)
  })

  it.effect("ends with it, in good order, whether that is asked to end or killed", () =>
    Effect.forEach(["SIGTERM", "SIGKILL"] as const, endsOn, { concurrency: "unbounded" })
  )
})

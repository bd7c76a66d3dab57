/** How the server's process ends when something stands in the way: a disk, or nobody there any more to tell it. */
import { spawn } from "node:child_process"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Option, Stream } from "effect"
import { root } from "../client/Processes.ts"
import * as FileServer from "../durability/FileServer.ts"
import * as StoredLog from "../durability/StoredLog.ts"
import * as Strace from "../durability/Strace.ts"
import { compileCache } from "../support/CompileCache.ts"
import { connect } from "../support/RawClient.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

/** A server whose disk takes half a minute for a commit, and that one is under way. */
const stuck = Effect.gen(function* () {
  const file = yield* FileServer.newFile
  const server = yield* FileServer.start(file)
  const ada = yield* FileServer.join(server.port, "ada")
  yield* ada.ask({ _tag: "GlobalMessage", content: "stored" })
  const calls = ["fsync", "fdatasync"]
  const fault = { pid: server.pid, files: [file, `${file}-wal`], calls, inject: "delay_enter=30000000" }
  const during = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Strace.during(
      fault,
      ada.send({ _tag: "GlobalMessage", content: "stuck" }).pipe(Effect.andThen(ada.soFar), Effect.andThen(effect))
    )
  const stored = () => [...StoredLog.read(file)].map(([place, entries]) => [place, FileServer.outline(entries)])
  return { ada, during, server, stored }
})

realTime("a server whose disk does not answer", (it) => {
  const traced = it.effect.skipIf(Strace.missing !== undefined)

  traced(`says Goodbye on SIGTERM, and has ended with 0 in 5 s; what it had answered is stored${Strace.note}`, () =>
    Effect.gen(function* () {
      const { ada, during, server, stored } = yield* stuck
      const [took, { exitCode }] = yield* during(
        Effect.gen(function* () {
          const exited = yield* Effect.forkChild(Effect.timed(server.exited))
          process.kill(server.pid, "SIGTERM")
          assert.strictEqual((yield* ada.closed).at(-1)?._tag, "Goodbye")
          return yield* Fiber.join(exited)
        })
      )
      assert.strictEqual(exitCode, 0)
      // With what a busy machine needs to start a program that does nothing.
      assert.isBelow(Number(took) / 1e6, 9000)
      assert.deepStrictEqual(stored()[0]?.[1]?.[0], "1 stored")
    })
  )

  traced(`ends at once when it is told a second time${Strace.note}`, () =>
    Effect.gen(function* () {
      const { ada, during, server } = yield* stuck
      const { exitCode } = yield* during(
        Effect.gen(function* () {
          const exited = yield* Effect.forkChild(server.exited)
          process.kill(server.pid, "SIGINT")
          // By the time it has said so, a repeated signal is not one that was passed on.
          yield* ada.closed
          process.kill(server.pid, "SIGTERM")
          return yield* Fiber.join(exited)
        })
      )
      assert.strictEqual(exitCode, 0)
    })
  )
})

/** `pnpm dev` as a person starts it, in a group of its own, which is killed when the scope closes. */
const startByScript = Effect.gen(function* () {
  const environment = { ...compileCache, PORT: "0", HOST: "127.0.0.1", DATABASE: ":memory:" }
  const { HOME, PATH } = process.env
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("npx", ["--yes", "pnpm", "dev"], {
        cwd: root,
        detached: true,
        env: { HOME, PATH, ...environment },
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
  it.effect.each(["SIGTERM", "SIGKILL"] as const)("ends with it, in good order, also on %s", (signal) =>
    Effect.gen(function* () {
      const { kill, port } = yield* startByScript
      const ada = yield* connect({ port })
      yield* ada.send({ _tag: "Handshake", user: "Ada" })
      yield* ada.find("Welcome")
      kill(signal)
      assert.strictEqual((yield* ada.closed).at(-1)?._tag, "Goodbye")
    })
  )
})

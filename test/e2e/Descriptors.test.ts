/** A server that cannot accept: it has no file descriptor left for one connection more, or the system says something else. */
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Effect, Fiber } from "effect"
import * as Strace from "../durability/Strace.ts"
import { connect } from "../support/RawClient.ts"
import * as ServerProcess from "../support/ServerProcess.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const prlimit = "/usr/bin/prlimit"
const isPossible = process.platform === "linux" && existsSync(prlimit)

/** So many more than it has open now: what it opens next gets the least number that is free, which must be below the limit. */
const leave = (pid: number, more: number) =>
  Effect.sync(() => {
    const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
    let limit = 0
    for (let free = more; free > 0; limit++) if (!taken.has(limit)) free--
    execFileSync(prlimit, ["--pid", `${pid}`, `--nofile=${limit}:${limit}`])
  })

const joined = Effect.fnUntraced(function* (port: number, user: string) {
  const client = yield* connect({ port })
  yield* client.send({ _tag: "Handshake", user })
  yield* client.find("Welcome")
  return client
})

/** Whether somebody gets in. */
const getsIn = (port: number, user: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const client = yield* connect({ port })
      yield* client.send({ _tag: "Handshake", user })
      const first = yield* Effect.raceFirst(Effect.asSome(client.find("Welcome")), Effect.as(client.closed, undefined))
      return first !== undefined
    })
  ).pipe(Effect.orElseSucceed(() => false))

realTime("A server without a file descriptor left", (it) => {
  it.effect.skipIf(!isPossible)("goes on for those who are there, and lets others in once there is one again", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ env: { PORT: "0", HOST: "127.0.0.1", MESSAGE_RATE: "0" } })
      const ada = yield* joined(server.port, "Ada")
      const ben = yield* joined(server.port, "Ben")
      yield* leave(server.pid, 8)
      // Those that get one keep it, for as long as they may say nothing.
      const crowd = yield* Effect.forkScoped(
        Effect.scoped(
          Effect.andThen(
            Effect.forEach(Arr.range(1, 100), () => Effect.ignore(connect({ port: server.port })), {
              concurrency: 10
            }),
            Effect.never
          )
        )
      )
      yield* Effect.repeat(getsIn(server.port, "Late"), { until: (isIn) => !isIn })
      for (let round = 0; round < 20; round++) {
        yield* getsIn(server.port, "Late")
        const reply = yield* ada.ask({ _tag: "GlobalMessage", content: `message ${round}` })
        assert.strictEqual(reply._tag, "Sent", JSON.stringify(reply))
        assert.strictEqual((yield* ben.find("GlobalMessage"))["content"], `message ${round}`)
      }
      yield* Fiber.interrupt(crowd)
      yield* Effect.repeat(getsIn(server.port, "Late"), { until: (isIn) => isIn })
      yield* server.kill("SIGTERM")
      const { exitCode, stderr } = yield* server.exited
      assert.deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" })
    })
  )
})

realTime(`A server that cannot accept a connection just now${Strace.note}`, (it) => {
  const errors = Strace.missing === undefined ? ["ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED"] : []
  it.effect.each(errors)("goes on, and accepts others a little later (%s)", (error) =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ env: { PORT: "0", HOST: "127.0.0.1" } })
      const first = yield* joined(server.port, "First")
      // Each second call fails: of one and the same listening socket, too.
      const fault = { pid: server.pid, files: [], calls: ["accept", "accept4"], inject: `error=${error}:when=1+2` }
      const coming = Effect.forEach(Arr.range(1, 60), (number) =>
        Effect.repeat(getsIn(server.port, `user${number}`), { until: (isIn) => isIn })
      )
      yield* Strace.during(fault, coming)
      yield* first.ask({ _tag: "GlobalMessage", content: "still here" })
      assert.isTrue(yield* server.isRunning)
    })
  )
})

import { networkInterfaces } from "node:os"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { sources } from "../support/Programs.ts"
import { connect } from "../support/RawClient.ts"
import * as ServerProcess from "../support/ServerProcess.ts"

/** Processes take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1")
)

const join = Effect.fnUntraced(function* (port: number, user: string, host = "127.0.0.1") {
  const client = yield* connect({ port, host })
  yield* client.send({ _tag: "Handshake", user })
  yield* client.find("Welcome")
  return client
})

realTime("the server's process", (it) => {
  it.effect.each(["SIGTERM", "SIGINT"] as const)("says Goodbye to everyone and exits with 0 on %s", (signal) =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ env: { PORT: "0", HOST: "127.0.0.1" } })
      assert.match(server.line, /listening on 127\.0\.0\.1:\d+$/)
      const ada = yield* join(server.port, "Ada")
      const stranger = yield* connect({ port: server.port })
      yield* ada.ask({ _tag: "GlobalMessage", content: "hi" })
      const exited = yield* Effect.forkChild(server.exited)
      yield* server.kill(signal)
      for (const client of [ada, stranger]) assert.strictEqual((yield* client.closed).at(-1)?._tag, "Goodbye")
      const { exitCode, stderr, stdout } = yield* Fiber.join(exited)
      assert.deepStrictEqual({ exitCode, stdout }, { exitCode: 0, stdout: [server.line] })
      assert.notInclude(stderr, "ERROR")
    })
  )

  it.effect("delivers what it has taken before it exits", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ env: { PORT: "0", MESSAGE_RATE: "0", MAILBOX_BYTES: "64 MiB" } })
      const ada = yield* join(server.port, "Ada")
      const ben = yield* join(server.port, "Ben")
      yield* ben.pause
      yield* ada.send(...Array.from({ length: 1000 }, () => ({ _tag: "GlobalMessage", content: "x".repeat(8000) })))
      yield* ada.findMany("Sent", 1000)
      const exited = yield* Effect.forkChild(server.exited)
      const killed = yield* Effect.forkChild(server.kill("SIGTERM"))
      yield* ada.closed
      yield* ben.resume
      const lines = yield* ben.closed
      assert.lengthOf(
        lines.filter(({ _tag }) => _tag === "GlobalMessage"),
        1000
      )
      assert.strictEqual(lines.at(-1)?._tag, "Goodbye")
      yield* Fiber.join(killed)
      assert.strictEqual((yield* Fiber.join(exited)).exitCode, 0)
    })
  )
})

realTime("a process that is stopped for longer than IDLE_TIMEOUT", (it) => {
  it.effect("has thrown nobody out when it goes on, while they are heard again", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ env: { PORT: "0", IDLE_TIMEOUT: "4 seconds" } })
      // So long that a busy machine does not stop this process, too, for that time.
      const ada = yield* join(server.port, "Ada")
      process.kill(server.pid, "SIGSTOP")
      yield* Effect.sleep("4500 millis")
      process.kill(server.pid, "SIGCONT")
      yield* ada.soFar
      yield* ada.soFar
    })
  )
})

realTime("settings", (it) => {
  it.effect("have flags of the same name in kebab case, which may be mixed with the others", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({
        dotEnv: "MAX_CONNECTIONS=1\nMAX_FRAME_BYTES=nonsense\n",
        env: { HOST: "127.0.0.1" },
        flags: ["--port", "0", "--max-frame-bytes", "2 KiB"]
      })
      const ada = yield* join(server.port, "Ada")
      const second = yield* connect({ port: server.port })
      assert.nestedPropertyVal(yield* second.next, "reason._tag", "TooManyConnections")
      yield* ada.write("x".repeat(2049))
      assert.nestedPropertyVal(yield* ada.next, "reason.limit", 2048)
    })
  )
})

realTime("a server that is told nothing but its port", (it) => {
  class Started extends Context.Service<Started, Effect.Success<ReturnType<typeof ServerProcess.start>>>()(
    "parley/test/e2e/Process.test/Started"
  ) {
    static readonly layer = Layer.effect(Started, ServerProcess.start({ program: sources.server, env: { PORT: "0" } }))
  }

  it.layer(Started.layer)((it) => {
    it.effect("prints one line with `listening on HOST:PORT`, the real port included, and serves there", () =>
      Effect.gen(function* () {
        const server = yield* Started
        assert.match(server.line, /listening on localhost:\d+$/)
        assert.isAbove(server.port, 0)
        const ada = yield* join(server.port, "Ada")
        assert.strictEqual((yield* ada.ask({ _tag: "GlobalMessage", content: "hi" }))["seq"], 1)
      })
    )

    it.effect.skipIf(!hasIPv6)("listens on 127.0.0.1 and ::1", () =>
      Effect.gen(function* () {
        const { port } = yield* Started
        const four = yield* join(port, "Four")
        const six = yield* join(port, "Six", "::1")
        yield* six.ask({ _tag: "PrivateMessage", to: "Four", content: "hi" })
        yield* four.find("PrivateMessage")
      })
    )

    it.effect("has its port for itself: another server is told in one line that it is taken", () =>
      Effect.gen(function* () {
        const { port } = yield* Started
        const second = yield* ServerProcess.run({ env: { PORT: `${port}` } })
        assert.strictEqual(second.exitCode, 1)
        assert.strictEqual(second.stderr.trimEnd().split("\n").length, 1, second.stderr)
        assert.include(second.stderr, `${port}`)
      })
    )
  })
})

realTime("the other programs", (it) => {
  it.effect.each(["admin", "client"] as const)("start as they are in src/bin: %s", (name) =>
    Effect.gen(function* () {
      const { exitCode, stderr, stdout } = yield* ServerProcess.run({ program: sources[name], flags: ["--version"] })
      assert.deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" })
      assert.match(stdout, /^parley\S* v\d/)
    })
  )
})

realTime("what cannot be started with", (it) => {
  // Each setting and file has its turn in Settings.test.ts, without a process.
  it.effect.each([
    {
      what: "a setting",
      options: { env: { PORT: "70000" } },
      parts: ["PORT", "70000", "a whole number from 0 to 65535"]
    },
    { what: "a .env file", options: { dotEnv: "MAX_CONECTIONS=5\n" }, parts: [".env", "MAX_CONNECTIONS"] }
  ])("stops the process with one line and exit code 1: $what", ({ options, parts }) =>
    Effect.gen(function* () {
      const ended = yield* ServerProcess.run(options)
      assert.deepStrictEqual({ exitCode: ended.exitCode, stdout: ended.stdout }, { exitCode: 1, stdout: "" })
      assert.strictEqual(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr)
      for (const part of parts) assert.include(ended.stderr, part)
    })
  )
})

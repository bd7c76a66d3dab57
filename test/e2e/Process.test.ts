import { networkInterfaces } from "node:os"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
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
  it.effect("prints one line with `listening on HOST:PORT`, the real port included, and serves there", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ env: { PORT: "0" } })
      assert.match(server.line, /listening on localhost:\d+$/)
      assert.isAbove(server.port, 0)
      const ada = yield* join(server.port, "Ada")
      assert.strictEqual((yield* ada.ask({ _tag: "GlobalMessage", content: "hi" }))["seq"], 1)
    })
  )

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
      const server = yield* ServerProcess.start({ env: { PORT: "0", IDLE_TIMEOUT: "1 second" } })
      const ada = yield* join(server.port, "Ada")
      process.kill(server.pid, "SIGSTOP")
      yield* Effect.sleep("1500 millis")
      process.kill(server.pid, "SIGCONT")
      yield* ada.soFar
      yield* ada.soFar
    })
  )
})

realTime("a setting that does not parse", (it) => {
  it.effect.each([
    { name: "PORT", value: "70000", allowed: "a whole number from 0 to 65535" },
    { name: "MAX_FRAME_BYTES", value: "12", allowed: "a size from 1024 to 16777216 bytes" },
    { name: "HANDSHAKE_TIMEOUT", value: "soon", allowed: "a duration" },
    { name: "LOG_LEVEL", value: "loud", allowed: "one of" }
  ])("stops the start with one line that names it, its value and what is allowed: $name=$value", (setting) =>
    Effect.gen(function* () {
      const { allowed, name, value } = setting
      const ended = yield* ServerProcess.run({ env: { PORT: "0", [name]: value } })
      assert.deepStrictEqual({ exitCode: ended.exitCode, stdout: ended.stdout }, { exitCode: 1, stdout: "" })
      assert.strictEqual(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr)
      for (const part of [name, value, allowed]) assert.include(ended.stderr, part)
    })
  )

  it.effect("does so for TLS_CERT without TLS_KEY, and for files that cannot be read", () =>
    Effect.gen(function* () {
      const half = yield* ServerProcess.run({ env: { PORT: "0", TLS_CERT: "cert.pem" } })
      const missing = yield* ServerProcess.run({ env: { PORT: "0", TLS_CERT: "cert.pem", TLS_KEY: "key.pem" } })
      for (const { exitCode, stderr } of [half, missing]) {
        assert.strictEqual(exitCode, 1)
        assert.strictEqual(stderr.trimEnd().split("\n").length, 1, stderr)
        assert.match(stderr, /TLS_(CERT|KEY)/)
      }
    })
  )

  it.effect("and a port that is taken is told in one line, too", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ env: { PORT: "0" } })
      const second = yield* ServerProcess.run({ env: { PORT: `${server.port}` } })
      assert.strictEqual(second.exitCode, 1)
      assert.strictEqual(second.stderr.trimEnd().split("\n").length, 1, second.stderr)
      assert.include(second.stderr, `${server.port}`)
    })
  )
})

realTime("settings", (it) => {
  /** Which value was taken: the one that the server complains of. */
  const complaint = (options: ServerProcess.ServerProcessOptions) =>
    Effect.map(ServerProcess.run(options), ({ stderr }) => /"(\w+)"/.exec(stderr)?.[1])

  it.effect("come from a flag, else from the environment, else from .env", () =>
    Effect.gen(function* () {
      const dotEnv = "PORT=file\n"
      const env = { PORT: "environment" }
      const flags = ["--port", "flag"]
      assert.strictEqual(yield* complaint({ dotEnv, env, flags }), "flag")
      assert.strictEqual(yield* complaint({ dotEnv, env }), "environment")
      assert.strictEqual(yield* complaint({ dotEnv }), "file")
    })
  )

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

realTime("a .env file", (it) => {
  const utf16 = (text: string) => Uint8Array.from([0xff, 0xfe, ...Buffer.from(text, "utf16le")])

  it.effect.each([
    { what: "a name that is nearly a setting's", dotEnv: "MAX_CONECTIONS=5\n", says: "MAX_CONNECTIONS" },
    { what: "a setting's name in small letters", dotEnv: "export port=0\n", says: "PORT" },
    { what: "UTF-16 with the mark of its byte order", dotEnv: utf16("PORT=0\n"), says: "UTF-8" },
    { what: "UTF-16 without it", dotEnv: utf16("PORT=0\n").slice(2), says: "UTF-8" }
  ])("with $what stops the start with one line", ({ dotEnv, says }) =>
    Effect.gen(function* () {
      const ended = yield* ServerProcess.run({ dotEnv })
      assert.deepStrictEqual({ exitCode: ended.exitCode, stdout: ended.stdout }, { exitCode: 1, stdout: "" })
      assert.strictEqual(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr)
      for (const part of [".env", says]) assert.include(ended.stderr, part)
    })
  )

  it.effect("that is a folder does so, too", () =>
    Effect.gen(function* () {
      const { exitCode, stderr } = yield* ServerProcess.run({ dotEnv: ServerProcess.folder })
      assert.strictEqual(exitCode, 1)
      assert.match(stderr, /^\.env is a folder.*\n$/)
    })
  )

  it.effect("has names that resemble no setting told and ignored, and none of those that the client knows", () =>
    Effect.gen(function* () {
      const { stderr } = yield* ServerProcess.run({ dotEnv: "\uFEFFPORT=nonsense\nUSER_NAME=ada\nAPI_TOKEN=1\n" })
      const [told, ...rest] = stderr.trimEnd().split("\n")
      assert.match(told ?? "", /^\.env sets API_TOKEN, /)
      assert.lengthOf(rest, 1)
      assert.match(rest[0] ?? "", /^PORT is "nonsense"/)
    })
  )
})

realTime("localhost", (it) => {
  it.effect.skipIf(!hasIPv6)("is 127.0.0.1 and ::1", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({ env: { PORT: "0" } })
      const four = yield* join(server.port, "Four")
      const six = yield* join(server.port, "Six", "::1")
      yield* six.ask({ _tag: "PrivateMessage", to: "Four", content: "hi" })
      yield* four.find("PrivateMessage")
    })
  )
})

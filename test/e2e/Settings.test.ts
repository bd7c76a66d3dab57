/** What a server is started with, and what it says of what it cannot be started with. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as ServerHere from "../support/ServerHere.ts"
import * as ServerProcess from "../support/ServerProcess.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

realTime("a setting that does not parse", (it) => {
  it.effect.each([
    { name: "PORT", value: "70000", allowed: "a whole number from 0 to 65535" },
    { name: "MAX_FRAME_BYTES", value: "12", allowed: "a size from 1024 to 16777216 bytes" },
    { name: "HANDSHAKE_TIMEOUT", value: "soon", allowed: "a duration" },
    { name: "LOG_LEVEL", value: "loud", allowed: "one of" }
  ])("stops the start with one line that names it, its value and what is allowed: $name=$value", (setting) =>
    Effect.gen(function* () {
      const { allowed, name, value } = setting
      const ended = yield* ServerHere.run({ env: { PORT: "0", [name]: value } })
      assert.deepStrictEqual({ exitCode: ended.exitCode, stdout: ended.stdout }, { exitCode: 1, stdout: "" })
      assert.strictEqual(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr)
      for (const part of [name, value, allowed]) assert.include(ended.stderr, part)
    })
  )

  it.effect("does so for TLS_CERT without TLS_KEY, and for files that cannot be read", () =>
    Effect.gen(function* () {
      const half = yield* ServerHere.run({ env: { PORT: "0", TLS_CERT: "cert.pem" } })
      const missing = yield* ServerHere.run({ env: { PORT: "0", TLS_CERT: "cert.pem", TLS_KEY: "key.pem" } })
      for (const { exitCode, stderr } of [half, missing]) {
        assert.strictEqual(exitCode, 1)
        assert.strictEqual(stderr.trimEnd().split("\n").length, 1, stderr)
        assert.match(stderr, /TLS_(CERT|KEY)/)
      }
    })
  )
})

realTime("settings", (it) => {
  /** Which value was taken: the one that the server complains of. */
  const complaint = (options: ServerProcess.ServerProcessOptions) =>
    Effect.map(ServerHere.run(options), ({ stderr }) => /"(\w+)"/.exec(stderr)?.[1])

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
})

realTime("a .env file", (it) => {
  const utf16 = (text: string) => Uint8Array.from([0xff, 0xfe, ...Buffer.from(text, "utf16le")])

  it.effect.each([
    { what: "a name that is nearly a setting's", dotEnv: "MAX_CONECTIONS=5\n", says: "MAX_CONNECTIONS" },
    { what: "a setting's name in small letters", dotEnv: "export port=0\n", says: "PORT" },
    { what: "a line without an equals sign", dotEnv: "# ports\nPORT 9\n", says: 'line 2, "PORT' },
    {
      what: "a line in another notation",
      dotEnv: "LOG_FORMAT='a\nb'\nMESSAGE_RATE: 5\n",
      says: 'line 3, "MESSAGE_RATE'
    },
    { what: "UTF-16 with the mark of its byte order", dotEnv: utf16("PORT=0\n"), says: "UTF-8" },
    { what: "UTF-16 without it", dotEnv: utf16("PORT=0\n").slice(2), says: "UTF-8" }
  ])("with $what stops the start with one line", ({ dotEnv, says }) =>
    Effect.gen(function* () {
      const ended = yield* ServerHere.run({ dotEnv })
      assert.deepStrictEqual({ exitCode: ended.exitCode, stdout: ended.stdout }, { exitCode: 1, stdout: "" })
      assert.strictEqual(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr)
      for (const part of [".env", says]) assert.include(ended.stderr, part)
    })
  )

  it.effect("that is a folder does so, too", () =>
    Effect.gen(function* () {
      const { exitCode, stderr } = yield* ServerHere.run({ dotEnv: ServerProcess.folder })
      assert.strictEqual(exitCode, 1)
      assert.match(stderr, /^\.env is a folder.*\n$/)
    })
  )

  it.effect("that is a pipe does so without waiting for its writer", () =>
    Effect.gen(function* () {
      const { exitCode, stderr } = yield* ServerHere.run({ dotEnv: ServerProcess.pipe })
      assert.strictEqual(exitCode, 1)
      assert.match(stderr, /^\.env is no regular file.*\n$/)
    })
  )

  it.effect("has names that resemble no setting told and ignored, and none of those that the client knows", () =>
    Effect.gen(function* () {
      const { stderr } = yield* ServerHere.run({ dotEnv: "\uFEFFPORT=nonsense\nUSER_NAME=ada\nAPI_TOKEN=1\n" })
      const [told, ...rest] = stderr.trimEnd().split("\n")
      assert.match(told ?? "", /^\.env sets API_TOKEN, /)
      assert.lengthOf(rest, 1)
      assert.match(rest[0] ?? "", /^PORT is "nonsense"/)
    })
  )
})

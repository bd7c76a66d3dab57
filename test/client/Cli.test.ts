/** The client's command line, for what it says before it connects. ClientProcess.test.ts has it in a process. */
import * as Net from "node:net"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { commands, usage } from "../../src/client/command/Command.ts"
import * as Certificates from "../support/Certificates.ts"
import * as ClientHere from "./ClientHere.ts"

const run = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => ClientHere.run(args, { env })

/** The port of a server that closes every connection at once. */
const closingServer = Effect.acquireRelease(
  Effect.callback<Net.Server>((resume) => {
    const server = Net.createServer((conn) => conn.on("error", () => {}).end())
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close())
).pipe(
  Effect.map((server) => {
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })
)

describe("The command line of the client", () => {
  it.effect.each([
    { args: [], complaint: "No name was given. Start with --user <name>, or set USER_NAME." },
    { args: ["--user", "a b"], complaint: "must start with a letter or digit" },
    { args: ["--user", "x", "--port", "70000"], complaint: "must be a port, from 1 to 65535" },
    { args: ["--user", "x", "--prot", "1"], complaint: "--port" },
    {
      args: ["--user", "x", "--ca", "/nowhere.pem"],
      complaint: 'The file "/nowhere.pem" of --ca, or CHAT_CA, cannot be read'
    },
    {
      args: ["--user", "x", "--ca", "package.json"],
      complaint: 'The file "package.json" of --ca, or CHAT_CA, holds no certificates in PEM form'
    }
  ])("complains about $args", ({ args, complaint }) =>
    Effect.gen(function* () {
      const { exitCode, stderr } = yield* run(args)
      assert.include(stderr, complaint)
      assert.strictEqual(exitCode, 2)
    })
  )

  it.effect("takes the client's own settings before the server's, and those before what it has by itself", () =>
    Effect.gen(function* () {
      const where = (env: Readonly<Record<string, string>>) =>
        Effect.map(run(["--user", "x"], { ...env, CHAT_TLS: "true" }), ({ stderr }) => /on (\S+)\. /.exec(stderr)?.[1])
      const server = { HOST: "one.invalid", PORT: "1" }
      assert.strictEqual(yield* where(server), "one.invalid:1")
      assert.strictEqual(yield* where({ ...server, CHAT_HOST: "127.0.0.1", CHAT_PORT: "2" }), "127.0.0.1:2")
      assert.strictEqual(yield* where({ ...server, CHAT_PORT: "2" }), "one.invalid:2")
    })
  )

  it.live("speaks TLS if it is told to, or whom to trust, unless it is told not to", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
      const { cert } = Certificates.make("an authority")
      yield* files.writeFileString(`${folder}/ca.pem`, `# ours\n${cert}${cert}`)
      const closing = yield* closingServer
      const isTls = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
        Effect.map(run(["--user", "x", "--host", "127.0.0.1", "--port", `${closing}`, ...args], env), ({ stderr }) =>
          stderr.includes("instead of a TLS handshake")
        )
      assert.isFalse(yield* isTls([]))
      assert.isTrue(yield* isTls(["--tls"]))
      assert.isTrue(yield* isTls([], { CHAT_TLS: "on" }))
      assert.isTrue(yield* isTls(["--ca", `${folder}/ca.pem`]))
      assert.isTrue(yield* isTls([], { CHAT_CA: `${folder}/ca.pem` }))
      assert.isFalse(yield* isTls(["--no-tls"], { CHAT_CA: `${folder}/ca.pem` }))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.live("passes over no certificate that is broken", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
      const { cert } = Certificates.make("an authority")
      yield* files.writeFileString(`${folder}/ca.pem`, cert + cert.replace("MII", "MIJ").replace("MIH", "MIJ"))
      const { exitCode, stderr } = yield* run(["--user", "x", "--ca", `${folder}/ca.pem`])
      assert.include(stderr, "or a broken one")
      assert.strictEqual(exitCode, 2)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("teaches every command in its help", () =>
    Effect.gen(function* () {
      const { exitCode, stdout } = yield* run(["--help"])
      for (const command of commands) assert.include(stdout, usage(command))
      assert.strictEqual(exitCode, 0)
    })
  )
})

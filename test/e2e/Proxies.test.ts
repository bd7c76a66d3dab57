/** Connections that a trusted proxy hands on: they come from where it says. */
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import { resolve } from "node:path"
import * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { binaryHeader } from "../support/ProxyHeaders.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const files = resolve(import.meta.dirname, "../support/tls")
const tls = { TLS_CERT: resolve(files, "localhost.cert.pem"), TLS_KEY: resolve(files, "localhost.key.pem") }

const settings = { TRUSTED_PROXIES: "127.0.0.8/30, ::1", MAX_CONNECTIONS_PER_ADDRESS: "2" }
const proxy = { localAddress: "127.0.0.9" }
const handshake = (user: string) => `${JSON.stringify({ _tag: "Handshake", user })}\n`
const line = (source: string) => `PROXY TCP4 ${source} 127.0.0.9 4711 8080\r\n`

/** What a connection of the proxy is answered with, which says these things first. */
const through = Effect.fnUntraced(function* (
  server: TestServer.TestServer,
  ...pieces: ReadonlyArray<string | Uint8Array>
) {
  const client = yield* server.connect(proxy)
  yield* client.write(...pieces)
  return { client, reply: yield* client.next }
})

describe("a connection of one of TRUSTED_PROXIES", () => {
  it.live("comes from where its header says, in either version, in any pieces, before what the client says", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const first = yield* through(server, line("192.0.2.1") + handshake("Ada"))
      const second = yield* through(
        server,
        ...binaryHeader({ source: "192.0.2.1" })
          .toString("latin1")
          .split("")
          .map((byte) => Buffer.from(byte, "latin1")),
        handshake("Ben")
      )
      assert.deepStrictEqual([first.reply._tag, second.reply._tag], ["Welcome", "Welcome"])
      const third = yield* through(
        server,
        Buffer.concat([binaryHeader({ source: "192.0.2.1", more: 40 }), Buffer.from(handshake("Cyd"))])
      )
      assert.deepStrictEqual(reasonOf(third.reply), { _tag: "TooManyConnections" })
      // All come from one proxy, and it has no limit of its own.
      for (const number of [2, 3, 4]) {
        const { reply } = yield* through(server, line(`192.0.2.${number}`), handshake(`user${number}`))
        assert.strictEqual(reply._tag, "Welcome")
      }
      yield* first.client.ask({ _tag: "GlobalMessage", content: "hi" })
      yield* second.client.find("GlobalMessage")
    })
  )

  it.live("shares its rate with the other guests of where it comes from, four times as much as each has", () =>
    Effect.gen(function* () {
      const fast = { TRUSTED_PROXIES: "127.0.0.8/30", MESSAGE_RATE: "1", MESSAGE_BURST: "5" }
      const server = yield* TestServer.start({ settings: fast })
      const pings = Array.from({ length: 5 }, (_, nonce) => ({ _tag: "Ping", nonce }))
      for (const number of [1, 2, 3, 4]) {
        const { client } = yield* through(server, line("192.0.2.1"), handshake(`user${number}`))
        yield* client.send(...pings)
        yield* client.findMany("Pong", 5)
      }
      const { client } = yield* through(server, line("192.0.2.1"), handshake("late"))
      yield* client.send(...Array.from({ length: 60 }, (_, nonce) => ({ _tag: "Ping", nonce })))
      assert.include(reasonOf(yield* client.find("Rejected")), { _tag: "RateLimited" })
      const { client: other } = yield* through(server, line("192.0.2.2"), handshake("other"))
      yield* other.send(...pings)
      yield* other.findMany("Pong", 5)
    })
  )

  it.live("is the proxy's own if it says so, of which there may be any number", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      for (const header of [binaryHeader({ command: 0x20 }), Buffer.from("PROXY UNKNOWN\r\n")]) {
        for (const number of [1, 2, 3]) {
          const { reply } = yield* through(server, header, handshake(`user${header.length}-${number}`))
          assert.strictEqual(reply._tag, "Welcome")
        }
      }
    })
  )

  it.live("is cut without a word if it begins with anything else, or says nothing for HANDSHAKE_TIMEOUT", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { ...settings, HANDSHAKE_TIMEOUT: "500 ms" } })
      for (const said of [handshake("Ada"), "PROXY TCP4 nowhere\r\n", "PROXY TCP4 1", ""]) {
        const client = yield* server.connect(proxy)
        yield* client.write(said)
        assert.deepStrictEqual(yield* client.closed, [])
      }
      yield* server.join("Ben")
    })
  )

  it.live("says its header before TLS begins", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { ...settings, ...tls } })
      const ca = readFileSync(tls.TLS_CERT, "utf8")
      /** The first line that comes; undefined if it is closed first. Header and ClientHello may come in one piece. */
      const first = (header: string | Uint8Array, user: string) =>
        Effect.acquireRelease(
          Effect.sync(() => Net.connect({ port: server.port, host: "127.0.0.1", ...proxy })),
          (tcp) => Effect.sync(() => tcp.destroy())
        ).pipe(
          Effect.flatMap((tcp) =>
            Effect.callback<string | undefined>((resume) => {
              tcp.cork()
              tcp.write(header)
              const socket = Tls.connect({ socket: tcp, ca, servername: "localhost" })
              process.nextTick(() => tcp.uncork())
              socket.on("error", () => {})
              socket.once("secureConnect", () => socket.write(handshake(user)))
              socket.once("data", (bytes: Buffer) => resume(Effect.succeed(bytes.toString())))
              socket.once("close", () => resume(Effect.undefined))
            })
          )
        )
      assert.include(yield* first(line("192.0.2.1"), "Ada"), "Welcome")
      assert.include(yield* first(binaryHeader({ source: "192.0.2.1" }), "Ben"), "Welcome")
      assert.isUndefined(yield* first(line("192.0.2.1"), "Cyd"))
      assert.include(yield* first(line("192.0.2.2"), "Cyd"), "Welcome")
    })
  )
})

describe("a header of anybody else", () => {
  it.live("is no message", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const client = yield* server.connect()
      yield* client.write(line("192.0.2.1"))
      assert.include(reasonOf(yield* client.next), { _tag: "InvalidMessage" })
      yield* client.write(binaryHeader({ source: "192.0.2.1" }), "\n")
      assert.include(reasonOf(yield* client.next), { _tag: "InvalidMessage" })
      yield* client.write(handshake("Ada"))
      yield* client.find("Welcome")
    })
  )
})

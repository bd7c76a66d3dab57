/** The client's TLS, over real sockets: with the real server, and with others that answer as they like. */
import * as Net from "node:net"
import * as process from "node:process"
import * as Tls from "node:tls"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, FileSystem, Layer, Queue, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { Client } from "../../../src/client/link/Client.ts"
import type { Trust } from "../../../src/client/link/Dial.ts"
import { encodeLine } from "../../../src/connection/Line.ts"
import * as Certificates from "../../support/Certificates.ts"
import * as TestServer from "../../support/TestServer.ts"
import { listen } from "../ClientTalk.ts"
import { ada, welcome } from "../FakeServer.ts"

const authority = Certificates.make("An Authority")
const signedByIt = Certificates.make("a server", { hosts: ["localhost", "127.0.0.1"], signedBy: authority })
const selfSigned = Certificates.make("a server", { hosts: ["localhost"] })
const trusting = (...identities: ReadonlyArray<Certificates.Identity>): Trust => ({
  ca: identities.map(({ cert }) => cert).join("")
})

interface Dialled {
  readonly port: number
  readonly host?: string
  readonly tls?: Trust
}

const connect = ({ host = "localhost", port, tls }: Dialled) =>
  Effect.map(Layer.build(Client.layerDialled({ host, port, tls, user: ada, settledAfter: 0 })), (context) =>
    Context.get(context, Client)
  )

/** What a person is told who cannot be connected. */
const told = (dialled: Dialled) => Effect.map(Effect.flip(connect(dialled)), ({ message }) => message)

const listening = (server: Net.Server): Effect.Effect<number, never, Scope.Scope> => {
  const open = new Set<Net.Socket>()
  server.on("connection", (conn: Net.Socket) => {
    open.add(conn)
    conn.on("error", () => {})
  })
  server.on("secureConnection", (conn: Net.Socket) => conn.on("error", () => {}))
  return Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        server.close()
        for (const conn of open) conn.destroy()
      })
  )
}

/** A server that speaks TLS, and whatever else. */
const tlsServer = (options: Tls.TlsOptions, serve: (conn: Tls.TLSSocket) => void = () => {}) =>
  listening(Tls.createServer(options, serve))

type Serve = (conn: Net.Socket) => void

const plainServer = (serve: Serve) => listening(Net.createServer(serve))

/** The real server, with this identity. */
const parley = Effect.fnUntraced(function* ({ cert, key }: Certificates.Identity) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  const [TLS_CERT, TLS_KEY] = [`${folder}/cert.pem`, `${folder}/key.pem`]
  yield* files.writeFileString(TLS_CERT, cert)
  yield* files.writeFileString(TLS_KEY, key)
  return yield* TestServer.start({ settings: { TLS_CERT, TLS_KEY, HANDSHAKE_TIMEOUT: "300 ms" } })
}, Effect.provide(NodeFileSystem.layer))

const acceptAnything = () => {
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0"
}
const acceptNothingElse = () => {
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"]
}

describe("a client that speaks TLS", () => {
  it.live("chats with a server whose certificate was signed by somebody it trusts, by name and by address", () =>
    Effect.gen(function* () {
      const { port } = yield* parley(signedByIt)
      const client = yield* connect({ port, tls: trusting(authority) })
      assert.strictEqual((yield* client.send({ _tag: "GlobalMessage", content: "ü 👋" })).seq, 1)
      yield* client.leave
      yield* connect({ port, host: "127.0.0.1", tls: trusting(authority) })
    })
  )

  it.live("may trust one certificate alone, also one that somebody else signed, among others in its file", () =>
    Effect.gen(function* () {
      const { port } = yield* parley(signedByIt)
      yield* connect({ port, tls: trusting(selfSigned, signedByIt) })
    })
  )

  it.live("says its last word before it closes", () =>
    Effect.gen(function* () {
      const server = yield* parley(signedByIt)
      const ben = yield* server.join("ben", { certificate: authority.cert })
      const client = yield* connect({ port: server.port, tls: trusting(authority) })
      yield* client.leave
      yield* TestServer.whenGone(ben, "ada")
    })
  )

  it.live("does not hold small frames back", () =>
    Effect.gen(function* () {
      const { setNoDelay } = Net.Socket.prototype
      const set: Array<boolean | undefined> = []
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          Net.Socket.prototype.setNoDelay = function (this: Net.Socket, noDelay) {
            set.push(noDelay)
            return setNoDelay.call(this, noDelay)
          }
        }),
        () =>
          Effect.sync(() => {
            Net.Socket.prototype.setNoDelay = setNoDelay
          })
      )
      const port = yield* tlsServer(signedByIt, (conn) => conn.end())
      yield* told({ port, tls: trusting(authority) })
      assert.deepStrictEqual(set, [true])
    })
  )
})

describe("a certificate that does not hold", () => {
  it.live.each([
    ["is self-signed", selfSigned, {}, ["that is self-signed", "start with --ca FILE"]],
    ["has an unknown signer", signedByIt, {}, ["whose signer is not known here", "start with --ca FILE"]],
    [
      "is not the one in the file",
      selfSigned,
      trusting(authority),
      ["that the file given with --ca does not vouch for", "get the right file from whoever runs the server"]
    ],
    [
      "has expired",
      Certificates.make("old", { hosts: ["localhost"], until: "2021", signedBy: authority }),
      trusting(authority),
      ["a certificate that has expired", "renew it"]
    ],
    [
      "is not valid yet",
      Certificates.make("early", { hosts: ["localhost"], from: "2119", signedBy: authority }),
      trusting(authority),
      ["a certificate that is not valid yet", "clock"]
    ],
    [
      "is for another host",
      Certificates.make("other", { hosts: ["chat.example", "10.0.0.7"], signedBy: authority }),
      trusting(authority),
      ["a certificate for chat.example, 10.0.0.7, not for localhost", "check the host"]
    ],
    [
      "is for another host, with names that are none",
      Certificates.make("odd", { hosts: ["\u001b[31m", `${"x".repeat(300)}.example`], signedBy: authority }),
      trusting(authority),
      ["a certificate that is not for localhost"]
    ],
    [
      "is for many other hosts",
      Certificates.make("many", { hosts: Array.from({ length: 9 }, (_, n) => `h${n}.example`), signedBy: authority }),
      trusting(authority),
      ["for h0.example, h1.example, h2.example, …, not for localhost"]
    ]
  ] as const)(
    "that %s is told as that, with what to do, and nothing was said to the server",
    ([, identity, tls, parts]) =>
      Effect.gen(function* () {
        const heard: Array<string> = []
        const { cert, key } = identity
        const port = yield* tlsServer({ cert, key }, (conn) => conn.on("data", (bytes) => heard.push(String(bytes))))
        const error = yield* Effect.flip(connect({ port, tls }))
        assert.strictEqual(error.reason._tag, "TlsFailed")
        for (const part of parts) assert.include(error.message, part)
        assert.notInclude(error.message, "\u001b")
        assert.deepStrictEqual(heard, [])
      })
  )

  it.live("is not accepted because Node's environment says so", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(Effect.sync(acceptAnything), () => Effect.sync(acceptNothingElse))
      const { cert, key } = selfSigned
      const port = yield* tlsServer({ cert, key })
      assert.include(yield* told({ port, tls: {} }), "self-signed")
    })
  )
})

describe("a client that speaks TLS with what does not", () => {
  const tls = trusting(authority)

  it.live("tells of a parley server that speaks plainly", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start({ settings: { HANDSHAKE_TIMEOUT: "300 ms" } })
      assert.include(yield* told({ port, tls }), "does not speak TLS")
    })
  )

  it.live.each<[string, string, string]>([
    ["answers as a web server", "HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"],
    ["answers with garbage", "\0".repeat(70_000), "does not speak TLS"],
    ["answers with garbage in the form of TLS", `\u0016\u0003\u0003@\0${"x".repeat(20_000)}`, "does not speak TLS"],
    ["breaks off", "\u0015\u0003\u0003\0\u0002\u0002(", "broke off the TLS handshake"]
  ])("tells of one that %s", ([, answer, part]) =>
    Effect.gen(function* () {
      const port = yield* plainServer((conn) => void conn.once("data", () => conn.write(answer, "latin1")))
      const message = yield* told({ port, tls })
      assert.include(message, part)
      assert.include(message, "check host and port")
    })
  )

  it.live.each<[string, Serve]>([
    ["closes at once", (conn) => void conn.end()],
    ["closes when it is spoken to", (conn) => void conn.once("data", () => conn.destroy())],
    ["resets", (conn) => void conn.once("data", () => conn.resetAndDestroy())]
  ])("tells of one that %s", ([, serve]) =>
    Effect.gen(function* () {
      const message = yield* told({ port: yield* plainServer(serve), tls })
      assert.include(message, "The server closed the connection instead of a TLS handshake: check host and port")
    })
  )

  it.effect("tells of one that never finishes the handshake, after 10 seconds, and holds it no longer", () =>
    Effect.gen(function* () {
      const spokenTo = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const port = yield* plainServer((conn) => {
        conn.once("data", () => Deferred.doneUnsafe(spokenTo, Effect.void))
        conn.once("close", () => Deferred.doneUnsafe(closed, Effect.void))
      })
      const telling = yield* Effect.forkChild(told({ port, tls }))
      yield* Deferred.await(spokenTo)
      yield* TestClock.adjust("10 seconds")
      assert.include(yield* Fiber.join(telling), "did not finish the TLS handshake within 10 seconds")
      yield* Deferred.await(closed)
    })
  )

  it.live("tells of one whose TLS is older than 1.2", () =>
    Effect.gen(function* () {
      const { cert, key } = signedByIt
      const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const
      const port = yield* tlsServer({ cert, key, ...old })
      assert.include(yield* told({ port, tls }), "speaks no TLS of version 1.2 or later")
    })
  )

  it.live("tells if nobody listens", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(plainServer(() => {}))
      assert.include(yield* told({ port, tls }), "nothing listens there")
    })
  )
})

describe("a client that speaks plainly", () => {
  it.live("asks whether it is TLS when a parley server that speaks TLS closes without a word", () =>
    Effect.gen(function* () {
      const { port } = yield* parley(signedByIt)
      assert.include(
        yield* told({ port }),
        "it closed the connection without a word; it may be full or, if it speaks TLS"
      )
    })
  )

  it.live.each<[string, string]>([
    ["an alert", "\u0015\u0003\u0003\0\u0002\u0002F"],
    ["a handshake", "\u0016\u0003\u0001\0\u0005hello"]
  ])("knows TLS by %s", ([, answer]) =>
    Effect.gen(function* () {
      const port = yield* plainServer((conn) => void conn.once("data", () => conn.end(answer, "latin1")))
      assert.strictEqual(yield* told({ port }), "The server speaks TLS: start again with --tls.")
    })
  )
})

describe("a client whose server comes back with a certificate that does not hold", () => {
  it.live("says so once, tells it nothing, and goes on trying", () =>
    Effect.gen(function* () {
      const { cert, key } = signedByIt
      const server = Tls.createServer({ cert, key })
      /** Connections on which something was said, each once. */
      const spoken = yield* Queue.unbounded<Tls.TLSSocket>()
      server.on("secureConnection", (conn) => conn.once("data", () => Queue.offerUnsafe(spoken, conn)))
      const port = yield* listening(server)
      const connecting = yield* Effect.forkChild(connect({ port, tls: trusting(authority) }))
      const first = yield* Queue.take(spoken)
      first.write(encodeLine(welcome(7)))
      const next = yield* listen(yield* Fiber.join(connecting))
      server.setSecureContext(selfSigned)
      first.destroy()
      assert.deepStrictEqual(yield* next(3), ["Connected", "Disconnected", "Retrying"])
      assert.strictEqual(yield* Queue.size(spoken), 0)
      server.setSecureContext({ cert, key })
      const second = yield* Queue.take(spoken)
      second.write(encodeLine(welcome(7)))
      assert.deepStrictEqual(yield* next(1), ["Reconnected 0"])
      // Nobody here would answer its goodbye.
      second.destroy()
      assert.deepStrictEqual(yield* next(1), ["Disconnected"])
    })
  )
})

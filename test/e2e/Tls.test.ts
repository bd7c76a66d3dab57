import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

/** Made for these tests and nothing else: self-signed for localhost, valid until 2120. */
const files = resolve(import.meta.dirname, "../support/tls")
const TLS_CERT = resolve(files, "localhost.cert.pem")
const TLS_KEY = resolve(files, "localhost.key.pem")
const settings = { TLS_CERT, TLS_KEY }
const trusting = { certificate: readFileSync(TLS_CERT, "utf8") }

describe("over TLS", () => {
  it.live("people talk as they do over TCP", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada", trusting)
      const ben = yield* server.join("Ben", trusting)
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ben.ask({ _tag: "JoinRoom", room: "dev" })
      yield* ada.ask({ _tag: "RoomMessage", room: "dev", content: "ü 👋" })
      assert.strictEqual((yield* ben.find("RoomMessage"))["content"], "ü 👋")
      yield* ben.ask({ _tag: "PrivateMessage", to: "Ada", content: "psst" })
      assert.strictEqual((yield* ada.find("PrivateMessage"))["content"], "psst")
    })
  )

  it.live("a thousand lines may come in one write, and lines in any pieces", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada", trusting)
      yield* ada.send(...Array.from({ length: 1000 }, (_, nonce) => ({ _tag: "Ping", nonce })))
      assert.strictEqual((yield* ada.findMany("Pong", 1000)).at(-1)?.["nonce"], 999)
      yield* ada.write(...Array.from(`${JSON.stringify({ _tag: "Ping", nonce: 7 })}\n`))
      assert.strictEqual((yield* ada.find("Pong"))["nonce"], 7)
    })
  )

  it.live("the last line comes before the connection is closed, whoever closes it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada", trusting)
      const ben = yield* server.join("Ben", trusting)
      yield* ben.send({ _tag: "Disconnect", id: "d" })
      assert.deepStrictEqual((yield* ben.closed).at(-1), { _tag: "Goodbye", id: "d" })
      const again = yield* server.connect(trusting)
      yield* again.send({ _tag: "Handshake", user: "ada" })
      assert.deepStrictEqual(reasonOf((yield* again.closed)[0]), { _tag: "UserNameTaken", user: "ada" })
      const cyd = yield* server.join("Cyd", trusting)
      yield* cyd.reset
      yield* TestServer.whenGone(ada, "Cyd")
    })
  )

  it.live("a client that speaks plain TCP is cut off, and disturbs nobody", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada", trusting)
      const plain = yield* server.connect()
      yield* plain.send({ _tag: "Handshake", user: "Plain" })
      // An alert of TLS may come back, but no line.
      yield* plain.closed
      assert.notInclude(plain.receivedText(), "Welcome")
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada"])
    })
  )

  it.live("a client that opens TCP and starts no TLS delays nobody, and is cut off after HANDSHAKE_TIMEOUT", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { ...settings, HANDSHAKE_TIMEOUT: "300 ms" } })
      const silent = yield* server.connect()
      yield* server.join("Ada", trusting)
      yield* silent.closed
    })
  )
})

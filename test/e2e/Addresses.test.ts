/** What one address may take of a server. Each of `127.0.0.0/8` is another; they are limited where a setting says so. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect } from "effect"
import { TestClock } from "effect/testing"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const files = resolve(import.meta.dirname, "../support/tls")
const tls = { TLS_CERT: resolve(files, "localhost.cert.pem"), TLS_KEY: resolve(files, "localhost.key.pem") }
const certificate = readFileSync(tls.TLS_CERT, "utf8")

const tooMany = { _tag: "TooManyConnections" }
const from = (localAddress: string) => ({ localAddress })

/** What somebody who connects from there hears, who says who it is at once. */
const refusal = Effect.fnUntraced(function* (server: TestServer.TestServer, localAddress: string) {
  const client = yield* server.connect(from(localAddress))
  yield* client.send({ _tag: "Handshake", user: "Late" })
  const [line, ...rest] = yield* client.closed
  assert.deepStrictEqual(rest, [])
  return reasonOf(line)
})

describe("MAX_CONNECTIONS_PER_ADDRESS", () => {
  const settings = { MAX_CONNECTIONS_PER_ADDRESS: "2" }

  it.effect("is how many an address may have: one more is told TooManyConnections, and other addresses are not", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada", from("127.0.0.2"))
      const ben = yield* server.join("Ben", from("127.0.0.2"))
      for (let round = 0; round < 10; round++) {
        assert.deepStrictEqual(yield* Effect.scoped(refusal(server, "127.0.0.2")), tooMany)
      }
      yield* server.join("Cyd", from("127.0.0.3"))
      yield* ada.ask({ _tag: "GlobalMessage", content: "hi" })
      yield* ben.find("GlobalMessage")
    })
  )

  it.effect("lets the next one in when one has gone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const ada = yield* server.join("Ada", from("127.0.0.2"))
      const ben = yield* server.join("Ben", from("127.0.0.2"))
      yield* ben.send({ _tag: "Disconnect" })
      yield* ben.closed
      yield* TestServer.whenGone(ada, "Ben")
      const come = Effect.gen(function* () {
        const cyd = yield* server.connect(from("127.0.0.2"))
        yield* cyd.send({ _tag: "Handshake", user: "Cyd" })
        return (yield* cyd.next)._tag === "Welcome"
      })
      // The name is free a little before the place is.
      yield* Effect.repeat(Effect.scoped(come), { until: (isWelcome) => isWelcome })
    })
  )

  it.live("closes those beyond it before their TLS handshake", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { ...settings, ...tls } })
      const ada = yield* server.join("Ada", { certificate, ...from("127.0.0.2") })
      yield* server.join("Ben", { certificate, ...from("127.0.0.2") })
      // It does not speak TLS, and is closed all the same without having said a word.
      const silent = yield* server.connect(from("127.0.0.2"))
      assert.deepStrictEqual(yield* silent.closed, [])
      assert.strictEqual(silent.receivedText(), "")
      yield* server.join("Cyd", { certificate, ...from("127.0.0.3") })
      yield* ada.soFar
    })
  )

  it.live("is without limit for this machine itself, unless it is set", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const many = yield* Effect.replicateEffect(server.connect(from("127.0.0.2")), 150, { concurrency: 20 })
      yield* Effect.forEach(many, (client, index) => client.send({ _tag: "Handshake", user: `user${index}` }))
      yield* Effect.forEach(many, (client) => client.find("Welcome"))
    })
  )
})

describe("MAX_HANDSHAKES_PER_ADDRESS", () => {
  it.effect("is how many of an address may be without a name", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAX_HANDSHAKES_PER_ADDRESS: "3" } })
      for (const user of ["Ada", "Ben", "Cyd", "Dan"]) yield* server.join(user, from("127.0.0.2"))
      const [first, ...others] = yield* Effect.replicateEffect(server.connect(from("127.0.0.2")), 3)
      assert.deepStrictEqual(yield* refusal(server, "127.0.0.2"), tooMany)
      yield* server.join("Eve", from("127.0.0.3"))
      yield* first?.send({ _tag: "Handshake", user: "Fay" }) ?? Effect.void
      yield* first?.find("Welcome") ?? Effect.void
      yield* server.join("Gus", from("127.0.0.2"))
      assert.lengthOf(others, 2)
      // Those who have no name in time make room as well.
      yield* TestClock.adjust("5 seconds")
      yield* Effect.forEach(others, ({ closed }) => closed)
      yield* server.join("Hal", from("127.0.0.2"))
    })
  )
})

describe("CONNECTION_RATE", () => {
  it.effect(
    "is how many of an address come in a second, after CONNECTION_BURST at once, whether they stay or not",
    () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start({ settings: { CONNECTION_RATE: "10", CONNECTION_BURST: "3" } })
        for (const user of ["Ada", "Ben", "Cyd"]) {
          yield* Effect.scoped(server.join(user, from("127.0.0.2")))
        }
        assert.deepStrictEqual(yield* refusal(server, "127.0.0.2"), tooMany)
        yield* server.join("Dan", from("127.0.0.3"))
        yield* TestClock.adjust("99 millis")
        assert.deepStrictEqual(yield* refusal(server, "127.0.0.2"), tooMany)
        yield* TestClock.adjust("1 millis")
        yield* server.join("Eve", from("127.0.0.2"))
        assert.deepStrictEqual(yield* refusal(server, "127.0.0.2"), tooMany)
      })
  )

  it.effect("does not turn away for good who keeps to it, however many others of its address do not", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { CONNECTION_RATE: "10", CONNECTION_BURST: "3" } })
      yield* server.join("Ada", from("127.0.0.2"))
      for (const round of Arr.range(1, 5)) {
        yield* Effect.replicateEffect(Effect.scoped(server.connect(from("127.0.0.2"))), 10, { concurrency: 10 })
        yield* TestClock.adjust("1 second")
        yield* server.join(`user${round}`, from("127.0.0.2"))
      }
    })
  )
})

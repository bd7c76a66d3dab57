/**
 * After any connections that ended in any way nothing of them is left: counted with real sockets, each of which ends
 * while more is said than the kernel takes for it.
 */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import * as process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, Equal, Layer, Schedule } from "effect"
import { History } from "../../src/server/history/History.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import * as AcceptedSockets from "../support/AcceptedSockets.ts"
import { joinUnread, misbehave, misbehaviours, reset, say, vanish } from "../support/HostileConnections.ts"
import * as TestServer from "../support/TestServer.ts"

const files = resolve(import.meta.dirname, "../support/tls")
const TLS_CERT = resolve(files, "localhost.cert.pem")
const TLS_KEY = resolve(files, "localhost.key.pem")

/** What keeps this process alive: sockets and timers, of the server and of its clients. */
const resources = Effect.sync(() => {
  const kinds = process.getActiveResourcesInfo()
  return {
    sockets: kinds.filter((kind) => kind.startsWith("TCP")).length,
    timers: kinds.filter((kind) => kind === "Timeout").length
  }
})

describe.each([
  { over: "TCP", settings: {}, certificate: {} },
  { over: "TLS", settings: { TLS_CERT, TLS_KEY }, certificate: { certificate: readFileSync(TLS_CERT, "utf8") } }
])("connections over $over that end in every way", ({ certificate, settings }) => {
  it.live("leave no socket, no timer, and nothing that holds one", () =>
    Effect.gen(function* () {
      const sockets = yield* AcceptedSockets.watch
      // A connection that stops in the middle of its TLS is heard out for as long.
      const server = yield* TestServer.start({ settings: { ...settings, HANDSHAKE_TIMEOUT: "1 second" } })
      const ada = yield* server.join("Ada", certificate)
      const talk = ada
        .send(...Array.from({ length: 2 }, () => ({ _tag: "GlobalMessage", content: "x".repeat(1000) })))
        .pipe(Effect.andThen(ada.soFar), Effect.forever)
      const before = yield* resources

      const count = misbehaviours.length * 10
      yield* Effect.raceFirst(misbehave({ ...certificate, port: server.port }, count, 60), talk)
      yield* ada.soFar
      assert.isAtLeast(sockets.accepted(), count)

      // Ada's own socket, and what the runtime remembers of the last ones; and the timer of the question itself.
      const most = { held: 3, sockets: before.sockets, timers: before.timers + 1 }
      const left = yield* Effect.all([sockets.held, resources]).pipe(
        Effect.map(([held, { sockets, timers }]) => ({
          held: Math.max(held, most.held),
          sockets,
          timers: Math.max(timers, most.timers)
        })),
        Effect.repeat({
          schedule: Schedule.max([Schedule.spaced("50 millis"), Schedule.recurs(100)]),
          until: (now) => Equal.equals(now, most)
        })
      )
      assert.deepStrictEqual(left, most)
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada"])
    })
  )
})

/** A log that counts how often it is read. */
const countedHistory = () => {
  let reads = 0
  const layer = Layer.effect(
    History,
    Effect.map(History, (history) =>
      History.of({
        ...history,
        read: (...args) =>
          Effect.andThen(
            Effect.sync(() => reads++),
            history.read(...args)
          )
      })
    )
  ).pipe(Layer.provide(MemoryHistory.layer))
  return { layer, reads: () => reads }
}

describe("Connections that read nothing", () => {
  it.live("are let go when they end while replies wait for them, and nothing more is read for them", () =>
    Effect.gen(function* () {
      const sockets = yield* AcceptedSockets.watch
      const history = countedHistory()
      const server = yield* TestServer.start({ history: history.layer })
      const ada = yield* server.join("Ada")
      const texts = Array.from({ length: 150 }, () => ({ _tag: "GlobalMessage", content: "x".repeat(8000) }))
      yield* ada.send(...texts)
      yield* ada.findMany("Sent", texts.length)

      // Each asks for far more than the kernel keeps for it.
      const ask = `${JSON.stringify({ _tag: "GetHistory", limit: 500 })}\n`.repeat(200)
      const readers = yield* Effect.forEach(Arr.makeBy(8, String), (name) =>
        Effect.tap(joinUnread(server, `reader-${name}`), (line) => say(line, ask))
      )
      const settled = { schedule: Schedule.max([Schedule.spaced("20 millis"), Schedule.recurs(500)]) }
      yield* Effect.sync(sockets.full).pipe(Effect.repeat({ ...settled, until: (full) => full === readers.length }))
      assert.strictEqual(sockets.full(), readers.length)
      const readBefore = history.reads()
      yield* Effect.forEach(readers, (line, index) => (index % 2 === 0 ? reset(line) : vanish(line)))

      const held = yield* sockets.held.pipe(Effect.repeat({ ...settled, until: (held) => held <= 3 }))
      assert.isAtMost(held, 3)
      // One page of 1 MiB at most for each, in pieces of 64 KiB.
      assert.isAtMost(history.reads() - readBefore, readers.length * 17)
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada"])
    })
  )
})

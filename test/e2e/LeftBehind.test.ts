/**
 * After any connections that ended in any way nothing of them is left: counted with real sockets, each of which ends
 * while more is said than the kernel takes for it.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { readFileSync } from "node:fs"
import { Socket } from "node:net"
import { resolve } from "node:path"
import * as process from "node:process"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Predicate, Schedule } from "effect"
import { misbehave, misbehaviours } from "../support/HostileConnections.ts"
import * as TestServer from "../support/TestServer.ts"

const files = resolve(import.meta.dirname, "../support/tls")
const TLS_CERT = resolve(files, "localhost.cert.pem")
const TLS_KEY = resolve(files, "localhost.key.pem")

setFlagsFromString("--expose-gc")
const collectGarbage: unknown = runInNewContext("gc")

const channel = "net.server.socket"

/** The sockets that servers of this process have accepted: whoever keeps one keeps its session or its fibers, too. */
const watchSockets = Effect.gen(function* () {
  const accepted: Array<WeakRef<Socket>> = []
  const note = (message: unknown) => {
    if (Predicate.hasProperty(message, "socket") && message.socket instanceof Socket) {
      accepted.push(new WeakRef(message.socket))
    }
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => subscribe(channel, note)),
    () => Effect.sync(() => unsubscribe(channel, note))
  )
  return {
    accepted: () => accepted.length,
    /** How many are still held by somebody, closed or not. */
    held: Effect.sync(() => {
      if (Predicate.isFunction(collectGarbage)) collectGarbage()
      return accepted.filter((socket) => socket.deref() !== undefined).length
    })
  }
})

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
      const sockets = yield* watchSockets
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

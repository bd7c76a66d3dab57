/**
 * Looks into a server that was started with `--inspect`: what it holds after a collection, and how many of its sockets
 * are still reachable. Nothing is attached while something is measured.
 *
 * https://chromedevtools.github.io/devtools-protocol/v8/
 */
import { Effect, Schema } from "effect"
import { residentBytesOf } from "../Machine.ts"

/** The port is any that is free. */
export const inspectFlags: ReadonlyArray<string> = ["--inspect=127.0.0.1:0"]

/** After a collection; NaN where the server did not answer in time. */
export interface Held {
  readonly residentBytes: number
  /** Of the heap and outside of it: buffers are there. */
  readonly heldBytes: number
  readonly sockets: number
}

const patience = "20 seconds"

const Reply = Schema.fromJsonString(
  Schema.Struct({
    id: Schema.optionalKey(Schema.Int),
    result: Schema.optionalKey(
      Schema.Struct({
        result: Schema.optionalKey(
          Schema.Struct({ value: Schema.optionalKey(Schema.Unknown), objectId: Schema.optionalKey(Schema.String) })
        ),
        objects: Schema.optionalKey(Schema.Struct({ objectId: Schema.String }))
      })
    )
  })
)
type Result = NonNullable<(typeof Reply.Type)["result"]>

/** Where a server has its inspector, from what it says when it starts. */
export const urlOf = (output: string) => /Debugger listening on (ws:\S+)/.exec(output)?.[1]

const connected = Effect.fnUntraced(function* (url: string) {
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => new WebSocket(url)),
    (socket) => Effect.sync(() => socket.close())
  )
  const waiting = new Map<number, (result: Result) => void>()
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = Schema.decodeUnknownSync(Reply)(data)
    if (id !== undefined) waiting.get(id)?.(result ?? {})
  })
  yield* Effect.callback<void>((resume) => {
    socket.addEventListener("open", () => resume(Effect.void))
  })
  let asked = 0
  return (method: string, params: object = {}) =>
    Effect.callback<Result>((resume) => {
      const id = ++asked
      waiting.set(id, (result) => resume(Effect.succeed(result)))
      socket.send(JSON.stringify({ id, method, params }))
    })
})

const look = Effect.fnUntraced(function* (url: string) {
  const call = yield* connected(url)
  yield* call("HeapProfiler.collectGarbage")
  const memory = yield* call("Runtime.evaluate", {
    expression: "process.memoryUsage().heapUsed + process.memoryUsage().external"
  })
  const prototype = yield* call("Runtime.evaluate", {
    expression: 'process.getBuiltinModule("node:net").Socket.prototype'
  })
  const found = yield* call("Runtime.queryObjects", { prototypeObjectId: prototype.result?.objectId })
  const sockets = yield* call("Runtime.callFunctionOn", {
    functionDeclaration:
      "function () { return this.filter((socket) => socket.remoteFamily !== undefined || socket.destroyed).length }",
    objectId: found.objects?.objectId
  })
  return { heldBytes: Number(memory.result?.value), sockets: Number(sockets.result?.value) }
}, Effect.scoped)

/** Has the server collect its garbage, and looks at what is left. */
export const held = (pid: number, url: string | undefined): Effect.Effect<Held> => {
  const nothing = { heldBytes: Number.NaN, sockets: Number.NaN }
  const looked =
    url === undefined
      ? Effect.succeed(nothing)
      : Effect.timeoutOrElse(look(url), { duration: patience, orElse: () => Effect.succeed(nothing) })
  return Effect.map(looked, (inside) => ({ ...inside, residentBytes: residentBytesOf(pid) }))
}

/**
 * The sockets that the servers of this process accept, seen from outside the servers: node tells of each. They are held
 * weakly, so that those can be counted which are closed and still held by somebody, with a session or fibers of theirs.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { Socket } from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Effect, Predicate } from "effect"

setFlagsFromString("--expose-gc")
const collectGarbage: unknown = runInNewContext("gc")

const channel = "net.server.socket"

/** Watches for the scope. */
export const watch = Effect.gen(function* () {
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
    /** How many there have been. */
    accepted: () => accepted.length,
    /** How many are not closed. */
    open: () => accepted.filter((socket) => socket.deref()?.destroyed === false).length,
    /** How many have more to write than the kernel takes. */
    full: () => accepted.filter((socket) => socket.deref()?.writableNeedDrain === true).length,
    /** How many are still held by somebody, closed or not. */
    held: Effect.sync(() => {
      if (Predicate.isFunction(collectGarbage)) collectGarbage()
      return accepted.filter((socket) => socket.deref() !== undefined).length
    })
  }
})

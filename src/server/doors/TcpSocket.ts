/**
 * An accepted socket, TCP or TLS, as an Effect `Socket`: the platform's, and two things that it leaves to its user.
 *
 * A write fails at once where the socket takes nothing any more: the platform would wait for a `drain` that never comes,
 * and keep the writer with all it holds. And once nobody holds the socket any more it is closed, at the latest after
 * `flushTime`: node would wait for ever for its peer to take the last bytes.
 */
import type * as Net from "node:net"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Effect } from "effect"
import { Socket } from "effect/socket"

/** How long a socket that was let go may take to get rid of what was written to it, in milliseconds. */
const flushTime = 1000

export const make = (conn: Net.Socket): Effect.Effect<Socket.Socket> => {
  const closed = Effect.callback<never, Socket.SocketError>((resume) => {
    const fail = () => resume(notWritable)
    conn.once("close", fail)
    return Effect.sync(() => conn.off("close", fail))
  })
  const whileItTakes = <A>(write: Effect.Effect<A, Socket.SocketError>) =>
    Effect.suspend(() => (conn.writable ? Effect.raceFirst(write, closed) : notWritable))
  return Effect.map(NodeSocket.fromDuplex(open(conn)), ({ reader, writer }) =>
    Socket.make({
      reader,
      writer: Effect.map(writer, ({ write, writeAll }) => ({
        write: (chunk) =>
          Socket.isCloseEvent(chunk) ? Effect.sync(() => void conn.destroy()) : whileItTakes(write(chunk)),
        writeAll: (chunks) => whileItTakes(writeAll(chunks))
      }))
    })
  )
}

const open = (conn: Net.Socket) =>
  Effect.acquireRelease(
    Effect.suspend(() =>
      conn.destroyed
        ? Effect.fail(new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1006 }) }))
        : Effect.succeed(conn)
    ),
    () => Effect.sync(() => letGo(conn))
  )

const letGo = (conn: Net.Socket) => {
  if (conn.writableLength === 0) return void conn.destroy()
  // Not the socket's own timeout, which starts anew with every byte that a slow peer takes.
  const timer = setTimeout(() => conn.destroy(), flushTime)
  conn.once("close", () => clearTimeout(timer))
  conn.destroySoon()
}

const notWritable = Effect.suspend(() =>
  Effect.fail(
    new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause: new Error("the socket is closed") }) })
  )
)

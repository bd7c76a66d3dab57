/**
 * Sockets that need no network: two ends of a pipe, and a server whose clients connect by a function call.
 *
 * An end keeps the contract of `effect/socket` as the TCP sockets of `@effect/platform-node` do: `pull` gives all that
 * has come and is not read yet; the last bytes go before the end; closing the writer's scope says that no more will
 * come (FIN), closing the reader's scope closes the socket and fails a pull that waits; a write waits while the other
 * end has more than `highWaterBytes` unread. Time plays no part: everything happens as soon as the fibers involved run.
 *
 * `random` in the options makes a link behave like a bad network: a pull gives a random part of what has come, cut at random places.
 */
import { Context, Effect, Layer, Queue } from "effect"
import { NetAddress } from "effect/net"
import { Socket, SocketServer } from "effect/socket"
import { type Link, type LinkOptions, makeLink } from "./MemorySocketLink.ts"

/** One end of a connection: the socket, and what a cable and its plug can do. */
export interface End {
  readonly socket: Socket.Socket
  /** Cuts the connection so that both ends see a reset; what was not read is lost. */
  readonly reset: () => void
}

/** Two sockets that are connected to each other. */
export const makePair = (options: LinkOptions = {}): readonly [End, End] => {
  const there = makeLink(options)
  const back = makeLink(options)
  const reset = () => {
    there.reset()
    back.reset()
  }
  return [
    { socket: makeSocket(back, there), reset },
    { socket: makeSocket(there, back), reset }
  ]
}

const makeSocket = (incoming: Link, outgoing: Link): Socket.Socket => {
  const reset = Effect.sync(() => {
    incoming.reset()
    outgoing.reset()
  })
  // A socket that is closed while bytes wait to be read resets its connection (RFC 1122, 4.2.2.13).
  const close = Effect.suspend(() => {
    if (incoming.hasUnread()) return reset
    incoming.stopReading()
    outgoing.end()
    return Effect.void
  })
  const write = (chunk: Uint8Array | string | Socket.CloseEvent): Effect.Effect<void, Socket.SocketError> => {
    if (!Socket.isCloseEvent(chunk)) return outgoing.write([chunk])
    return chunk.code > 1000 ? reset : close
  }
  return Socket.make({
    reader: Effect.as(
      Effect.addFinalizer(() => close),
      { pull: incoming.pull, upgrade: Socket.SocketUpgradeError.unsupported }
    ),
    writer: Effect.acquireRelease(Effect.succeed({ write, writeAll: outgoing.write }), () => Effect.sync(outgoing.end))
  })
}

/** A `SocketServer` without a network: whoever has this service connects to it. */
export class MemorySocketServer extends Context.Service<
  MemorySocketServer,
  {
    /** Connects, and gives the client's end. A server that has stopped accepting resets it at once. */
    readonly connect: (options?: LinkOptions) => End
  }
>()("parley/test/support/MemorySocket/MemorySocketServer") {
  /** The service, and the `SocketServer` that serves its connections. */
  static readonly layer: Layer.Layer<MemorySocketServer | SocketServer.SocketServer> = Layer.effectContext(
    Effect.gen(function* () {
      const arriving = yield* Queue.unbounded<End>()
      let closed = false

      const connect = (options: LinkOptions = {}): End => {
        const [client, server] = makePair(options)
        if (closed) client.reset()
        else Queue.offerUnsafe(arriving, server)
        return client
      }

      const run = <R, E, _>(handler: (socket: Socket.Socket) => Effect.Effect<_, E, R>) =>
        Effect.scoped(
          Effect.flatMap(Effect.scope, (scope) =>
            Queue.take(arriving).pipe(
              Effect.flatMap(({ socket }) =>
                handler(socket).pipe(
                  Effect.ignoreCause({ log: "Error", message: "Unhandled error in a connection's handler" }),
                  Effect.forkIn(scope, { startImmediately: true })
                )
              ),
              Effect.forever,
              Effect.ensuring(
                Effect.sync(() => {
                  closed = true
                })
              )
            )
          )
        )

      return Context.make(MemorySocketServer, { connect }).pipe(
        Context.add(
          SocketServer.SocketServer,
          SocketServer.SocketServer.of({
            address: NetAddress.inetAddressUnsafe(NetAddress.ipv4Loopback, 1),
            run
          })
        )
      )
    })
  )
}

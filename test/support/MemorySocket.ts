/**
 * Sockets that need no network: two ends of a pipe, and a server whose clients connect by a function call.
 *
 * An end keeps the contract of `effect/socket` as the TCP sockets of `@effect/platform-node` do: `pull` gives all that
 * has come and is not read yet; the last bytes go before the end; closing the writer's scope says that no more will
 * come (FIN), closing the reader's scope closes the socket and fails a pull that waits; a write waits while the other
 * end has more than `highWaterBytes` unread. Everything happens as soon as the fibers involved run, unless the options
 * say otherwise.
 *
 * The options make a link behave like a bad network: with `random` a pull gives a random part of what has come, cut at
 * random places; with `carry` what is written arrives when the test says so.
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
  /** This end alone sees a reset: what it wrote still arrives, and the other end knows nothing. */
  readonly lose: () => void
  /** Says that no more will come from this end, which goes on reading. */
  readonly halfClose: () => void
  /** While paused, this end does not read what comes. */
  readonly setPaused: (isPaused: boolean) => void
}

/** Two sockets that are connected to each other. The second's options are for what it writes, the first's if missing. */
export const makePair = (options: LinkOptions = {}, backOptions = options): readonly [End, End] => {
  const there = makeLink(options)
  const back = makeLink(backOptions)
  return [makeEnd(back, there), makeEnd(there, back)]
}

const makeEnd = (incoming: Link, outgoing: Link): End => ({
  socket: makeSocket(incoming, outgoing),
  reset: () => {
    incoming.reset()
    outgoing.reset()
  },
  lose: () => {
    incoming.resetReader()
    outgoing.resetWriter()
  },
  halfClose: outgoing.end,
  setPaused: incoming.setPaused
})

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
    /** Connects, and gives the client's end and the server's. A server that has stopped accepting resets it at once. */
    readonly plugIn: (toServer?: LinkOptions, toClient?: LinkOptions) => readonly [End, End]
    /** Connects, and gives the client's end. */
    readonly connect: (options?: LinkOptions) => End
  }
>()("parley/test/support/MemorySocket/MemorySocketServer") {
  /** The service, and the `SocketServer` that serves its connections. */
  static readonly layer: Layer.Layer<MemorySocketServer | SocketServer.SocketServer> = Layer.effectContext(
    Effect.gen(function* () {
      const arriving = yield* Queue.unbounded<End>()
      let closed = false

      const plugIn = (toServer?: LinkOptions, toClient?: LinkOptions) => {
        const pair = makePair(toServer, toClient)
        const [client, server] = pair
        if (closed) client.reset()
        else Queue.offerUnsafe(arriving, server)
        return pair
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

      return Context.make(MemorySocketServer, { plugIn, connect: (options) => plugIn(options)[0] }).pipe(
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

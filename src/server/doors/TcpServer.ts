/**
 * The listening sockets, TCP or TLS, as one of Effect's `SocketServer`s.
 *
 * Every socket takes a place when it is accepted, and is counted for its address (see Places), before TLS has said a word. What
 * an address has too much of is turned away here, unheard: that takes no fiber and no session. `noDelay`: without it Nagle's algorithm holds small frames back for up to 40 ms.
 * `allowHalfOpen`: a script that has sent its last line still gets its replies. `localhost` is both loopback addresses,
 * since which of the two a client tries is up to its system.
 *
 * The platform's NodeSocketServer is not used because it shows a TLS socket only after its handshake, and counts none.
 */
import * as Net from "node:net"
import * as Tls from "node:tls"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Clock, Context, Duration, Effect, FiberSet, FileSystem, Layer, Runtime, Schema, type Scope } from "effect"
import { NetAddress } from "effect/net"
import { type Socket, SocketServer } from "effect/socket"
import { InvalidSetting, ServerConfig } from "../config/ServerConfig.ts"
import { Place, type PlaceHeld, Places } from "../dialogue/Places.ts"
import { makeTrustedProxies } from "../limits/TrustedProxies.ts"
import { LogOnce } from "../notices/LogOnce.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { HandedOn } from "../session/Origin.ts"
import { hearProxy } from "./ProxyLine.ts"
import * as TcpSocket from "./TcpSocket.ts"
import * as TurnAway from "./TurnAway.ts"

/** The server cannot listen. Its message is the one line the operator sees. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  host: Schema.String,
  port: Schema.Natural,
  cause: Schema.Defect()
}) {
  override readonly [Runtime.errorReported] = false
  override get message() {
    const reason = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `Cannot listen on ${this.host}:${this.port} (${reason}). Choose another HOST or PORT.`
  }
}

/** Connections the kernel keeps while the server is busy accepting others. */
const backlog = 4096

export const portOf = (server: SocketServer.SocketServer["Service"]): number =>
  NetAddress.isInetAddress(server.address) ? server.address.port : 0

/** Hears a connection out. */
type Serve = (conn: Net.Socket, place: PlaceHeld) => void

export const layer = Layer.effect(
  SocketServer.SocketServer,
  Effect.gen(function* () {
    const { handshakeTimeout, host, port, tlsCert, tlsKey, trustedProxies } = yield* ServerConfig
    const places = yield* Places
    const identity = tlsCert === undefined || tlsKey === undefined ? undefined : yield* readIdentity(tlsCert, tlsKey)
    const proxies = makeTrustedProxies(trustedProxies)
    const onNoHeader = yield* makeOnNoHeader
    /** Where those come from that a proxy has handed on. */
    const handedOn = new WeakMap<PlaceHeld, string>()
    const waiting = new Map<Net.Socket, PlaceHeld>()
    /** Until it is said who serves them, connections wait. */
    const wait: Serve = (conn, place) => waiting.set(conn, place)
    let serve = wait

    // A client that wants TLS would not understand words, and a handshake is what a flood of them is not to cost.
    const turnAway = identity === undefined ? TurnAway.say : TurnAway.cut
    const greet: Serve =
      identity === undefined
        ? ifItStays((conn, place) => serve(conn, place))
        : yield* greetTls({ ...identity, handshakeTimeout }, (conn, place) => serve(conn, place))

    const accept = (conn: Net.Socket) => {
      // Whoever reads or writes it hears of its errors, and nobody has to when it waits.
      conn.on("error", () => {})
      const { remoteAddress } = conn
      // It has been reset already.
      if (remoteAddress === undefined) return void conn.destroy()
      const place = places.takeUnsafe(() => conn.destroy())
      conn.once("close", () => {
        place.releaseUnsafe()
        waiting.delete(conn)
      })
      const admit = (address: string) => {
        if (place.comeFromUnsafe(address)) greet(conn, place)
        else turnAway(conn)
      }
      if (!proxies.isTrusted(remoteAddress)) return admit(remoteAddress)
      hearProxy(
        conn,
        Duration.toMillis(handshakeTimeout),
        (source) => {
          // What a proxy says of itself, to see whether anybody answers, is counted for nobody.
          if (source === undefined) return greet(conn, place)
          handedOn.set(place, source)
          admit(source)
        },
        () => onNoHeader(remoteAddress)
      )
    }

    const accepting = { accept, onAcceptFailed: yield* makeOnAcceptFailed(places) }
    const first = yield* Effect.mapError(
      listen(host === "localhost" ? "127.0.0.1" : host, port, accepting),
      ({ cause }) => new CannotListen({ host, port, cause })
    )
    // A machine without IPv6 has no second address, and that is no reason not to start.
    if (host === "localhost") yield* Effect.option(listen("::1", first.port, accepting))

    const run = Effect.fnUntraced(
      function* <R, E, A>(handler: (socket: Socket.Socket) => Effect.Effect<A, E, R>) {
        const context = yield* Effect.context<R>()
        const fibers = yield* FiberSet.make<void>()
        serve = (conn, place) => {
          const handled = Effect.flatMap(TcpSocket.make(conn), handler).pipe(
            Effect.ignoreCause({ log: "Error", message: "A connection's handler failed" }),
            Effect.runForkWith(
              handedOnFrom(
                handedOn.get(place),
                Context.add(context, NodeSocket.NetSocket, conn).pipe(Context.add(Place, place))
              )
            )
          )
          FiberSet.addUnsafe(fibers, handled)
        }
        for (const [conn, place] of waiting) {
          waiting.delete(conn)
          serve(conn, place)
        }
        return yield* Effect.never
      },
      Effect.ensuring(
        Effect.sync(() => {
          serve = wait
        })
      ),
      Effect.scoped
    )
    return SocketServer.SocketServer.of({ address: first, run })
  })
).pipe(Layer.provide(Places.layer))

/**
 * Whoever has gone two turns of the event loop later without having said a word is not served: that takes 0.7 ms, and one
 * client that connects and closes 2,000 times a second would make everybody wait for it.
 */
const ifItStays =
  (serve: Serve): Serve =>
  (conn, place) => {
    // Reads what has come, and at the end of it that there is no more.
    conn.read(0)
    setImmediate(() => {
      conn.read(0)
      setImmediate(() => {
        if (conn.readableEnded) conn.destroy()
        else if (!conn.destroyed) serve(conn, place)
      })
    })
  }

interface Accepting {
  readonly accept: (conn: Net.Socket) => void
  readonly onAcceptFailed: (cause: Error) => void
}

/** The operator has a proxy that speaks plainly, or trusts somebody who is none: each is told of once. */
const makeOnNoHeader = Effect.gen(function* () {
  const told = new LogOnce("Connections of other proxies do not begin with the PROXY protocol either.")
  const run = Effect.runForkWith(yield* Effect.context())
  return (address: string) =>
    run(
      told.error(
        address,
        `A connection from ${address}, one of TRUSTED_PROXIES, was cut: it did not begin with the PROXY protocol.`
      )
    )
})

const handedOnFrom = <R>(source: string | undefined, context: Context.Context<R>) =>
  source === undefined ? context : Context.add(context, HandedOn, source)

/** How long the log says nothing of it again, in milliseconds. */
const quietMillis = 60_000

/**
 * A connection could not be accepted. Node may make that an error of its server, which ends the process if nobody hears it. The
 * libuv of Node 26 says nothing: it tries again in the next turn (ENOBUFS, ENOMEM, ECONNABORTED), or closes who waits where no file
 * descriptor is left (EMFILE, ENFILE). Whoever is on the way out makes room.
 */
const makeOnAcceptFailed = Effect.fnUntraced(function* (places: Places["Service"]) {
  const run = Effect.runForkWith(yield* Effect.context())
  const clock = yield* Clock.Clock
  let quietUntil = 0
  return ({ message }: Error) => {
    places.hurryUnsafe()
    const now = monotonicMillis(clock)
    if (now < quietUntil) return
    quietUntil = now + quietMillis
    run(Effect.logWarning(`A connection could not be accepted: ${message}.`))
  }
})

/**
 * Sockets that listen on one address, where the system shares a port out among them. libuv accepts one connection for
 * each turn of the event loop and listening socket: with 5,000 clients coming back and turns of 10 ms, an honest login
 * waited 6 s in the kernel's queue.
 */
const listeners = 16
const sharesPorts = process.platform === "linux" || process.platform === "freebsd"

/** Listens for the scope; what is still connected when it closes is cut. */
const listen = Effect.fnUntraced(function* (
  host: string,
  port: number,
  accepting: Accepting
): Effect.fn.Return<NetAddress.InetAddress, CannotListen, Scope.Scope> {
  // Sockets that share a port would share it with another server's: this one would not, so it finds that one.
  if (sharesPorts && port !== 0)
    yield* Effect.scoped(listenOnce({ host, port }, { accept: () => {}, onAcceptFailed: () => {} }))
  const first = yield* listenOnce({ host, port, reusePort: sharesPorts }, accepting)
  if (sharesPorts) {
    yield* Effect.repeat(listenOnce({ host, port: first.port, reusePort: true }, accepting), { times: listeners - 2 })
  }
  return first
})

const listenOnce = Effect.fnUntraced(function* (
  options: Net.ListenOptions,
  { accept, onAcceptFailed }: Accepting
): Effect.fn.Return<NetAddress.InetAddress, CannotListen, Scope.Scope> {
  const open = new Set<Net.Socket>()
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => Net.createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true, pauseOnConnect: true })),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const conn of open) conn.destroy()
      })
  )
  server.on("connection", (conn) => {
    open.add(conn)
    conn.once("close", () => open.delete(conn))
    accept(conn)
  })
  yield* Effect.callback<void, CannotListen>((resume) => {
    const { host = "", port = 0 } = options
    const cannot = (cause: Error) => resume(Effect.fail(new CannotListen({ host, port, cause })))
    server.once("error", cannot)
    server.listen({ ...options, backlog }, () => {
      server.off("error", cannot)
      server.on("error", onAcceptFailed)
      resume(Effect.void)
    })
  })
  return yield* addressOf(server)
})

const addressOf = (server: Net.Server) => {
  const address = server.address()
  return address === null || typeof address === "string"
    ? Effect.die(new Error("A server that listens on TCP has an address"))
    : Effect.orDie(Effect.fromResult(NetAddress.inetAddressFromIpString(address.address, address.port)))
}

/**
 * Has TLS say hello first. A connection that fails at it, or takes longer than the handshake may, is closed.
 *
 * `tls.Server` is handed the accepted sockets one by one and gives others for them, without saying which is whose: they
 * have the same two ends.
 */
const greetTls = Effect.fnUntraced(function* (
  { cert, handshakeTimeout, key }: Identity & { readonly handshakeTimeout: Duration.Duration },
  serve: Serve
): Effect.fn.Return<Serve> {
  const greeted = new Map<string, PlaceHeld>()
  const server = yield* Effect.sync(() =>
    Tls.createServer({ cert, key, allowHalfOpen: true, handshakeTimeout: Duration.toMillis(handshakeTimeout) })
  )
  server.on("tlsClientError", (_, conn) => conn.destroy())
  server.on("secureConnection", (conn) => {
    conn.on("error", () => {})
    const place = greeted.get(endsOf(conn))
    // Without its ends it has been reset already.
    if (place === undefined) conn.destroy()
    else serve(conn, place)
  })
  return (conn, place) => {
    const ends = endsOf(conn)
    greeted.set(ends, place)
    conn.once("close", () => {
      // Its ends may be another's by now.
      if (greeted.get(ends) === place) greeted.delete(ends)
    })
    server.emit("connection", conn)
  }
})

const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Net.Socket): string =>
  [localAddress, localPort, remoteAddress, remotePort].join(" ")

interface Identity {
  readonly cert: string
  readonly key: string
}

const readPem = Effect.fnUntraced(function* (name: string, path: string) {
  const files = yield* FileSystem.FileSystem
  return yield* Effect.mapError(
    files.readFileString(path),
    () => new InvalidSetting({ name, value: path, allowed: "a PEM file that can be read" })
  )
})

/** Reads certificate and key, and has node:tls look at them before they are needed. */
const readIdentity = Effect.fnUntraced(function* (certPath: string, keyPath: string) {
  const cert = yield* readPem("TLS_CERT", certPath)
  const key = yield* readPem("TLS_KEY", keyPath)
  yield* Effect.try({
    try: () => Tls.createSecureContext({ cert, key }),
    catch: () =>
      new InvalidSetting({ name: "TLS_CERT", value: certPath, allowed: `a PEM certificate for the key in ${keyPath}` })
  })
  return { cert, key }
})

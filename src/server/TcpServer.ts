import { createSecureContext } from "node:tls"
/**
 * The listening socket, TCP or TLS, as Effect's `SocketServer`.
 *
 * `noDelay`: without it Nagle's algorithm holds small frames back for up to 40 ms. `allowHalfOpen`: a script that has
 * sent its last line still gets its replies. `localhost` is both loopback addresses, since which of the two a client
 * tries is up to its system.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Duration, Effect, FileSystem, Layer, Option, Runtime, Schema } from "effect"
import { NetAddress } from "effect/net"
import { SocketServer } from "effect/socket"
import { InvalidSetting, ServerConfig } from "./ServerConfig.ts"

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

/** How long a socket that was closed may take to get rid of what was written to it. */
const flushMillis = 5000

/** Connections the kernel keeps while the server is busy accepting others. */
const backlog = 4096

export const portOf = (server: SocketServer.SocketServer["Service"]): number =>
  NetAddress.isInetAddress(server.address) ? server.address.port : 0

export const layer = Layer.effect(
  SocketServer.SocketServer,
  Effect.gen(function* () {
    const { handshakeTimeout, host, port, tlsCert, tlsKey } = yield* ServerConfig
    const identity = tlsCert === undefined || tlsKey === undefined ? undefined : yield* readIdentity(tlsCert, tlsKey)
    const listen = (address: string, onPort: number) => {
      const options = { host: address, port: onPort, noDelay: true, keepAlive: true, allowHalfOpen: true, backlog }
      const server =
        identity === undefined
          ? NodeSocketServer.make(options)
          : NodeSocketServer.makeTls({
              ...options,
              ...identity,
              handshakeTimeout: Duration.toMillis(handshakeTimeout)
            })
      return Effect.mapError(server, ({ reason }) => new CannotListen({ host, port: onPort, cause: reason.cause }))
    }

    if (host !== "localhost") return guarded([yield* listen(host, port)])
    const first = yield* listen("127.0.0.1", port)
    // A machine without IPv6 has no second address, and that is no reason not to start.
    const second = yield* Effect.option(listen("::1", portOf(first)))
    return guarded([first, ...Option.toArray(second)])
  })
)

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
    try: () => createSecureContext({ cert, key }),
    catch: () =>
      new InvalidSetting({ name: "TLS_CERT", value: certPath, allowed: `a PEM certificate for the key in ${keyPath}` })
  })
  return { cert, key }
})

type Server = SocketServer.SocketServer["Service"]

/** One server over several listening sockets, which lets no closed socket linger. */
const guarded = (servers: readonly [Server, ...ReadonlyArray<Server>]): Server =>
  SocketServer.SocketServer.of({
    address: servers[0].address,
    run: (handler) =>
      Effect.raceAllFirst(
        servers.map((server) => server.run((socket) => Effect.ensuring(handler(socket), destroyIfStuck)))
      )
  })

/** Node waits for ever for a peer to take the last bytes; a peer that never reads would keep its socket for ever. */
const destroyIfStuck = Effect.flatMap(Effect.serviceOption(NodeSocket.NetSocket), (socket) =>
  Effect.sync(() => {
    if (Option.isSome(socket)) socket.value.setTimeout(flushMillis, () => socket.value.destroy())
  })
)

/**
 * The door for whoever runs the server: a Unix socket that nobody else on the machine may open (0600), on which `pnpm admin`
 * asks for what UserRequests has (effect/rpc, NDJSON).
 *
 * There is none where nobody named a path and the one beside the database is too long for a socket: the log says so.
 * What a server that was killed left behind is taken away; a path at which something else stands, or another server listens,
 * stops the start. Bounds: `maxConnections` are heard at once, `maxRequests` carried out; each connection has a minute, lines of
 * 64 KiB, and 1 MiB to ask in. Whoever comes meanwhile waits.
 */
import * as process from "node:process"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Effect, FileSystem, Layer, Option, Runtime, Schema, Semaphore } from "effect"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { Socket, SocketServer } from "effect/socket"
import { answers, UserRequests } from "../accounts/UserRequests.ts"
import { adminPathOf } from "../config/AdminPath.ts"
import { ServerConfig } from "../config/ServerConfig.ts"

const maxLineBytes = 64 * 1024

/** `pnpm admin` has one; a list of a million accounts takes 2,000 requests of 150 bytes. */
const maxConnections = 8
const maxAskedBytes = 1024 * 1024
const longest = "1 minute"
const maxRequests = 4

/** What a Unix socket's path may have, on Linux and on macOS (`sun_path`, less the NUL). */
const maxPathBytes = 103

/** The server cannot be administered. Its message is the one line the operator sees. */
export class CannotAdminister extends Schema.TaggedError<CannotAdminister>()("CannotAdminister", {
  path: Schema.String,
  problem: Schema.String
}) {
  override readonly [Runtime.errorReported] = false
  override get message() {
    return `Cannot listen for pnpm admin at ${this.path}: ${this.problem} Set ADMIN_SOCKET to another path.`
  }
}

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const { adminSocket, database } = yield* ServerConfig
    const path = adminPathOf(database, adminSocket)
    if (path === undefined) return Layer.empty
    const bytes = Buffer.byteLength(path)
    if (bytes > maxPathBytes) {
      const problem = `the path has ${bytes} bytes, and a socket's has ${maxPathBytes} at most.`
      const cannot = new CannotAdminister({ path, problem })
      if (adminSocket !== undefined) return yield* cannot
      // Nobody asked for it: a server in a deep folder is as good without.
      yield* Effect.logWarning(cannot.message)
      return Layer.empty
    }
    yield* makeRoom(path)
    return RpcServer.layer(UserRequests, { concurrency: maxRequests }).pipe(
      Layer.provide(answers),
      Layer.provide(RpcServer.layerProtocolSocketServer),
      Layer.provide([RpcSerialization.layerNdjsonWith({ maxBufferSize: maxLineBytes }), listening(path)])
    )
  })
)

/** The socket is made by the call itself, with the rights that the process gives at that moment. */
const listening = (path: string) =>
  Layer.effect(
    SocketServer.SocketServer,
    Effect.suspend(() => {
      const before = process.umask(0o177)
      return NodeSocketServer.make({ path }).pipe(
        Effect.ensuring(Effect.sync(() => process.umask(before))),
        Effect.mapBoth({
          onSuccess: bounded,
          onFailure: ({ reason }) => new CannotAdminister({ path, problem: `${wordsOf(reason.cause)}.` })
        })
      )
    })
  )

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** The same, which hears so many at once, each for so long. */
const bounded = ({ address, run }: SocketServer.SocketServer["Service"]) => {
  const places = Semaphore.makeUnsafe(maxConnections)
  return SocketServer.SocketServer.of({
    address,
    run: (handler) =>
      run((socket) =>
        places
          .withPermit(
            Effect.timeoutOption(
              Effect.suspend(() => handler(frugal(socket))),
              longest
            )
          )
          .pipe(Effect.ensuring(hangUp))
      )
  })
}

/** One that was never heard, or does not read, would keep the server from ending. */
const hangUp = Effect.map(Effect.serviceOption(NodeSocket.NetSocket), (conn) => {
  if (Option.isSome(conn)) conn.value.destroy()
})

/** The same, which ends once so much has been said on it. */
const frugal = (socket: Socket.Socket) =>
  Socket.make({
    writer: socket.writer,
    reader: Effect.map(socket.reader, ({ pull, upgrade }) => {
      let left = maxAskedBytes
      return {
        upgrade,
        pull: Effect.tap(pull, (pieces) => {
          left -= pieces.reduce((sum, piece) => sum + piece.length, 0)
          return left < 0 ? Effect.fail(tooMuch) : Effect.void
        })
      }
    })
  })

/** As WebSocket's code for what is too big (RFC 6455, section 7.4.1). */
const tooMuch = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1009 }) })

/** Takes away the socket of a server that is gone. */
const makeRoom = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const found = yield* Effect.option(files.stat(path))
  if (found._tag === "None") return
  if (found.value.type !== "Socket") {
    return yield* new CannotAdminister({ path, problem: "something else has that name." })
  }
  if (yield* isListening(path)) {
    return yield* new CannotAdminister({ path, problem: "another server listens there." })
  }
  yield* Effect.mapError(
    files.remove(path, { force: true }),
    ({ reason }) => new CannotAdminister({ path, problem: `${reason.message}.` })
  )
})

const isListening = (path: string) =>
  Effect.scoped(
    Effect.flatMap(NodeSocket.makeNet({ path, openTimeout: "2 seconds" }), ({ reader }) => Effect.scoped(reader))
  ).pipe(Effect.isSuccess)

import * as process from "node:process"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
/**
 * The door for whoever runs the server: a Unix socket that nobody else on the machine may open (0600), on which `pnpm admin`
 * asks for what UserRequests has (effect/rpc, NDJSON).
 *
 * What a server that was killed left behind is taken away; a path at which something else stands, or another server listens,
 * stops the start. Bounds: a line of 64 KiB.
 */
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Effect, FileSystem, Layer, Runtime, Schema } from "effect"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { SocketServer } from "effect/socket"
import { answers, UserRequests } from "../accounts/UserRequests.ts"
import { adminPathOf } from "../config/AdminPath.ts"
import { ServerConfig } from "../config/ServerConfig.ts"

const maxLineBytes = 64 * 1024

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
      return yield* new CannotAdminister({ path, problem })
    }
    yield* makeRoom(path)
    return RpcServer.layer(UserRequests).pipe(
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
        Effect.mapError(({ message }) => new CannotAdminister({ path, problem: `${message}.` }))
      )
    })
  )

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

/** A socket server whose part the test plays itself, message by message; only goodbyes it answers by itself. */
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Context, Deferred, Effect, Fiber, Layer, Queue, type Scope, Stream } from "effect"
import { NetAddress } from "effect/net"
import { Client } from "../../src/client/link/Client.ts"
import type { ClientOptions } from "../../src/client/link/ClientOptions.ts"
import { Epoch } from "../../src/common/log/Cursor.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { ServerMessage, ServerMessageOf } from "../../src/common/wire/ServerMessage.ts"
import * as Connection from "../../src/connection/Connection.ts"
import { encodeLine, encodeText, makeDecoder } from "../../src/connection/Line.ts"

export const ada = UserName.make("ada")
export const epoch = Epoch.make("first")

/** One connection, from the server's side. */
export interface Peer {
  readonly take: Effect.Effect<ClientMessage>
  readonly say: (...messages: ReadonlyArray<ServerMessage>) => Effect.Effect<void>
  readonly sayText: (text: string) => Effect.Effect<void>
  readonly cut: Effect.Effect<void>
  /** The client has closed the connection. */
  readonly gone: Effect.Effect<void>
}

export interface FakeServer {
  readonly port: number
  readonly accept: Effect.Effect<Peer>
}

export const make: Effect.Effect<FakeServer, never, Scope.Scope> = Effect.gen(function* () {
  const server = yield* NodeSocketServer.make({ host: "127.0.0.1", port: 0, noDelay: true })
  const accepted = yield* Queue.unbounded<Peer>()

  const serve = Effect.fnUntraced(function* (connection: Connection.Connection<ClientMessage>) {
    const inbox = yield* Queue.unbounded<ClientMessage>()
    const isCut = yield* Deferred.make<void>()
    const isGone = yield* Deferred.make<void>()
    const write = (bytes: Uint8Array) => Effect.orDie(connection.write([bytes]))
    yield* Queue.offer(accepted, {
      take: Queue.take(inbox),
      say: (...messages) => Effect.forEach(messages, (message) => write(encodeLine(message)), { discard: true }),
      sayText: (text) => write(encodeText(text)),
      cut: Deferred.succeed(isCut, undefined),
      gone: Deferred.await(isGone)
    })
    yield* connection.messages.pipe(
      Stream.runForEach(
        Effect.fnUntraced(function* (incoming) {
          if (incoming._tag !== "Message") return yield* Effect.die(incoming)
          const { message } = incoming
          yield* Queue.offer(inbox, message)
          if (message._tag === "Disconnect") yield* write(encodeLine({ _tag: "Goodbye", ...idOf(message) }))
        })
      ),
      Effect.ignore,
      Effect.raceFirst(Deferred.await(isCut))
    )
    yield* Deferred.succeed(isGone, undefined)
  })

  yield* server
    .run((socket) =>
      Connection.make(socket, { decode: makeDecoder(ClientMessage), maxFrameBytes: 65536 }).pipe(
        Effect.flatMap(serve),
        Effect.scoped
      )
    )
    .pipe(Effect.forkScoped)
  const port = NetAddress.isInetAddress(server.address) ? server.address.port : 0
  return { port, accept: Queue.take(accepted) }
}).pipe(Effect.orDie)

/** The `id` for the reply to a message. */
export const idOf = ({ id }: ClientMessage) => ({ id: id ?? "none" })

/** The reply to a Handshake, in a lobby with so many messages. */
export const welcome = (seq: number): ServerMessageOf<"Welcome"> => ({
  _tag: "Welcome",
  id: "handshake",
  user: ada,
  protocol: 1,
  server: { name: "fake", version: "1" },
  account: false,
  lobby: { epoch, seq }
})

/** Starts a client that has yet to be welcomed. */
export const start = ({ port }: FakeServer, options: Partial<ClientOptions> = {}) =>
  Layer.build(Client.layerDialled({ ...options, host: "127.0.0.1", port, user: ada })).pipe(
    Effect.map((context) => Context.get(context, Client)),
    Effect.forkScoped
  )

/** Lets the next connection in. */
export const greet = Effect.fnUntraced(function* (server: FakeServer, seq: number, now = epoch) {
  const peer = yield* server.accept
  const handshake = yield* peer.take
  yield* peer.say({ ...welcome(seq), lobby: { epoch: now, seq } })
  return { peer, handshake }
})

/** A client that is connected, and the server's end of its connection. */
export const connect = Effect.fnUntraced(function* (server: FakeServer) {
  const starting = yield* start(server)
  const { peer, handshake } = yield* greet(server, 7)
  return { client: yield* Fiber.join(starting), peer, handshake }
})

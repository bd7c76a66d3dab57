/**
 * One connection from its first byte to its last: the only fiber that reads it.
 *
 * In come lines, out go commands to the ServerProcessor. Answers itself what concerns the connection alone: bad lines,
 * the Handshake, Ping, the rate limit. Whatever ends the connection, `farewell` runs once: the name is freed, the rooms
 * are left, the last words are said and the outbox is closed (invariant 7).
 *
 * Waits (invariant 2): for its own Handshake, and for its own requests when `maxInFlight` of them are under way.
 */
import { Clock, Context, Data, Effect, Exit, Fiber, Layer, Option, Stream } from "effect"
import type { Socket } from "effect/socket"
import { ClientMessage } from "../common/ClientMessage.ts"
import type { Rejection } from "../common/Rejection.ts"
import type { ServerMessage } from "../common/ServerMessage.ts"
import type { UserName } from "../common/UserName.ts"
import * as Connection from "../connection/Connection.ts"
import { encodeLine, encodeText, type Incoming, lineText } from "../connection/Line.ts"
import { Lobby } from "./Lobby.ts"
import * as Mailbox from "./Mailbox.ts"
import { rejected } from "./Rejected.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { ServerProcessor } from "./ServerProcessor.ts"
import { maxInFlight, type Session } from "./Session.ts"
import { Sessions } from "./Sessions.ts"
import * as TokenBucket from "./TokenBucket.ts"

/** So many bad lines without a good one, and the peer is taken for something that does not speak this protocol. */
const maxBadLines = 20

/** How long a connection that ends may take to be sent what is waiting for it. */
const farewellTime = "5 seconds"

/** How long the peer is heard out after the last words, so that closing does not reset the connection. */
const lingerTime = "1 second"

/** A connection over its rate is not read for a while, but for no longer than this, in milliseconds. */
const maxPause = 1000

export class ClientHandler extends Context.Service<
  ClientHandler,
  {
    /** Serves one connection until it ends. */
    handle(socket: Socket.Socket): Effect.Effect<void>
    /** Says goodbye to everyone, and turns away who comes now. */
    readonly stop: Effect.Effect<void>
  }
>()("parley/server/ClientHandler") {
  static readonly layer = Layer.effect(
    ClientHandler,
    Effect.gen(function* () {
      const config = yield* ServerConfig
      const lobby = yield* Lobby
      const server = yield* ServerProcessor
      const sessions = yield* Sessions
      const clock = yield* Clock.Clock
      const allowance = { rate: config.messageRate, burst: config.messageBurst }
      let stopping = false

      const refusesEveryone = (): Option.Option<Rejection> => {
        if (stopping) return Option.some({ _tag: "ServerStopping" })
        return sessions.count() > config.maxConnections ? Option.some({ _tag: "TooManyConnections" }) : Option.none()
      }

      /** Takes the name and joins the lobby, whose manager says Welcome; the user's name, or None if that failed. */
      const identify = Effect.fnUntraced(function* (session: Session, handshake: ClientMessageOf<"Handshake">) {
        const { after, credentials, id, user } = handshake
        // Accounts do not exist yet, so no credentials can be right.
        if (credentials !== undefined) return yield* over(rejected({ _tag: "InvalidCredentials" }), id)
        const refusal = yield* Mailbox.ask(server, { _tag: "Claim", session: session.id, user })
        if (Option.isSome(refusal)) return yield* over(rejected(refusal.value), id)
        session.began()
        const from = { session: session.id, user, id }
        const joined = yield* Mailbox.ask(lobby.mailbox, { _tag: "Join", from, after: after?.lobby })
        if (joined) {
          Mailbox.tellUnsafe(server, { _tag: "Arrive", session: session.id })
          return Option.some(user)
        }
        yield* Mailbox.ask(server, { _tag: "Depart", session: session.id })
        return Option.none<UserName>()
      })

      const converse = Effect.fnUntraced(function* (
        session: Session,
        connection: Connection.Connection<ClientMessage>
      ) {
        const refusal = refusesEveryone()
        if (Option.isSome(refusal)) return yield* over(rejected(refusal.value))
        const handshakeTimer = yield* Effect.sleep(config.handshakeTimeout).pipe(
          Effect.andThen(Effect.sync(() => session.endUnsafe(rejected({ _tag: "HandshakeTimeout" })))),
          Effect.forkChild
        )

        let user = Option.none<UserName>()
        let bucket = TokenBucket.full(allowance, clock.currentTimeMillisUnsafe())
        let badLines = 0
        /** Replies of the handler's own, gathered so that a thousand pings are not a thousand system calls. */
        let replies = ""
        const say = (message: ServerMessage, id: string | undefined) => {
          replies += lineText(id === undefined ? message : { ...message, id })
        }
        const flush = Effect.sync(() => {
          if (replies !== "") session.outbox.offerUnsafe(encodeText(replies), "asked")
          replies = ""
        })
        const takeToken = () => {
          const taken = TokenBucket.take(bucket, allowance, clock.currentTimeMillisUnsafe())
          if (typeof taken === "number") return taken
          bucket = taken
          return 0
        }

        const hearMalformed = Effect.fnUntraced(function* ({ id, issue }: IncomingOf<"Malformed">) {
          takeToken()
          say(rejected({ _tag: "InvalidMessage", issue }), id)
          if (++badLines < maxBadLines) return
          return yield* over({ _tag: "Goodbye", reason: `${maxBadLines} lines in a row were no messages.` })
        })

        const hearStranger = Effect.fnUntraced(function* (message: ClientMessage) {
          if (message._tag !== "Handshake") return yield* over(rejected({ _tag: "HandshakeRequired" }), message.id)
          yield* flush
          yield* Fiber.interrupt(handshakeTimer)
          user = yield* identify(session, message)
        })

        const pass = Effect.fnUntraced(function* (message: ClientMessage, name: UserName) {
          if (session.inFlight() >= maxInFlight) {
            yield* flush
            yield* session.fewerInFlight(maxInFlight / 2)
          }
          session.began()
          const from = { session: session.id, user: name, id: message.id }
          Mailbox.tellUnsafe(server, { _tag: "Request", from, message })
        })

        const hearAll = Effect.fnUntraced(
          function* (batch: ReadonlyArray<Incoming<ClientMessage>>) {
            session.lastHeardAt = clock.currentTimeMillisUnsafe()
            let refused = 0
            for (const incoming of batch) {
              if (incoming._tag === "Oversized") {
                return yield* over(rejected({ _tag: "FrameTooLarge", limit: incoming.limit }))
              }
              if (incoming._tag === "Malformed") {
                yield* hearMalformed(incoming)
                continue
              }
              badLines = 0
              const { message } = incoming
              if (Option.isNone(user)) yield* hearStranger(message)
              else if (message._tag === "Disconnect") return yield* over({ _tag: "Goodbye" }, message.id)
              else {
                const retryAfter = takeToken()
                if (retryAfter > 0) {
                  say(rejected({ _tag: "RateLimited", retryAfter }), message.id)
                  refused++
                } else if (message._tag === "Ping") say({ _tag: "Pong", nonce: message.nonce }, message.id)
                else yield* pass(message, user.value)
              }
            }
            yield* flush
            // Refusing costs work too: whoever is refused a lot is read more slowly.
            if (refused > 0) yield* Effect.sleep(Math.min(maxPause, (refused * 1000) / config.messageRate))
          },
          Effect.onError(() => flush)
        )

        yield* Stream.runForEachArray(connection.messages, hearAll)
      })

      const farewell = Effect.fnUntraced(function* (
        session: Session,
        connection: Connection.Connection<ClientMessage>,
        ended: Exit.Exit<void, Over | Connection.ConnectionError>
      ) {
        yield* Effect.exit(Mailbox.ask(server, { _tag: "Depart", session: session.id }))
        const error = Option.getOrUndefined(Exit.findErrorOption(ended))
        if (error?._tag === "ConnectionError") return
        const words = session.lastWords()
        const sayLastWords = Effect.suspend(() => {
          session.outbox.closeUnsafe(error?.lastWords ?? (words && encodeLine(words)), false)
          return session.outbox.drained
        })
        yield* Effect.timeoutOption(session.fewerInFlight(1), farewellTime)
        yield* Effect.timeoutOption(sayLastWords, farewellTime)
        yield* connection.close(lingerTime)
      })

      const serve = Effect.fnUntraced(function* (socket: Socket.Socket) {
        const connection = yield* Connection.make(socket, {
          incoming: ClientMessage,
          maxFrameBytes: config.maxFrameBytes
        })
        yield* Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const session = yield* sessions.open(connection)
            const ended = yield* Effect.exit(restore(converse(session, connection)))
            if (Exit.isFailure(ended) && Exit.hasDies(ended))
              yield* Effect.logError("A connection's handler died", ended.cause)
            yield* farewell(session, connection, ended)
          })
        )
      })

      return ClientHandler.of({
        handle: (socket) => Effect.ignore(Effect.scoped(serve(socket))),
        stop: Effect.sync(() => {
          stopping = true
          for (const session of sessions.all()) {
            session.endUnsafe({ _tag: "Goodbye", reason: "The server is stopping." })
          }
        })
      })
    })
  )
}

type ClientMessageOf<Tag extends ClientMessage["_tag"]> = Extract<ClientMessage, { readonly _tag: Tag }>
type IncomingOf<Tag extends Incoming<ClientMessage>["_tag"]> = Extract<Incoming<ClientMessage>, { readonly _tag: Tag }>

/** The conversation is over, after these last words; `id` is that of the request they reply to. */
class Over extends Data.TaggedError("Over")<{ readonly lastWords: Uint8Array }> {}

const over = (lastWords: ServerMessage, id?: string) =>
  new Over({ lastWords: encodeLine(id === undefined ? lastWords : { ...lastWords, id }) })

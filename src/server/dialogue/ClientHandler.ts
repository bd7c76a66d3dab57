/**
 * One connection from its first byte to its last: the only fiber that reads it.
 *
 * Whatever ends the conversation, `farewell` runs once: the name is freed and the rooms are left, requests under way
 * get their replies, the last words are said, and the outbox and the socket are closed (invariant 7). To end one from
 * outside, its session is given last words, which interrupts the fiber; the farewell itself cannot be interrupted, and
 * takes a limited time.
 */
import { Context, Effect, Exit, Layer, Option } from "effect"
import type { Socket } from "effect/socket"
import { ClientMessage } from "../../common/wire/ClientMessage.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import * as Connection from "../../connection/Connection.ts"
import { encodeLine, makeDecoder } from "../../connection/Line.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { ServerProcessor } from "../routing/ServerProcessor.ts"
import { rejected } from "../session/Rejected.ts"
import type { Session } from "../session/Session.ts"
import { Sessions } from "../session/Sessions.ts"
import * as Dialogue from "./Dialogue.ts"
import { Place, type PlaceHeld, Places } from "./Places.ts"

/** Eight times what the largest message of the protocol has: a Handshake with everything. */
const maxMarks = () => 256

const decode = makeDecoder(ClientMessage, maxMarks)

/** So many bad lines without a good one, and the peer is taken for something that does not speak this protocol. */
const maxBadLines = 20

/** A connection that ends gets 4 s in all: for the requests under way, and for its peer to read what is waiting. */
const answerTime = "2 seconds"
const drainTime = "2 seconds"

/** How long the peer is heard out after the last words, so that closing does not reset the connection. */
const lingerTime = "1 second"

export class ClientHandler extends Context.Service<
  ClientHandler,
  {
    /** Serves one connection until it ends. */
    handle(socket: Socket.Socket): Effect.Effect<void>
    /** Turns away who comes from now on, says goodbye to everyone, and waits until they are gone. */
    readonly stop: Effect.Effect<void>
  }
>()("parley/server/dialogue/ClientHandler") {
  static readonly layer = Layer.effect(
    ClientHandler,
    Effect.gen(function* () {
      const { maxFrameBytes } = yield* ServerConfig
      const places = yield* Places
      const server = yield* ServerProcessor
      const sessions = yield* Sessions
      const hearOut = yield* Dialogue.make
      let stopping = false

      const refusalOf = (place: PlaceHeld): Option.Option<Rejection> => {
        if (stopping) return Option.some({ _tag: "ServerStopping" })
        return place.isRefused ? Option.some({ _tag: "TooManyConnections" }) : Option.none()
      }

      const converse = (session: Session, connection: Connection.Connection<ClientMessage>, place: PlaceHeld) =>
        Option.match(refusalOf(place), {
          onNone: () => hearOut(session, connection, place.welcomeUnsafe),
          onSome: (refusal) => Dialogue.over(rejected(refusal))
        })

      const farewell = Effect.fnUntraced(function* (
        session: Session,
        connection: Connection.Connection<ClientMessage>,
        place: PlaceHeld,
        ended: Exit.Exit<void, Dialogue.Over | Connection.ConnectionError>
      ) {
        yield* Effect.exit(Mailbox.ask(server, { _tag: "Gone", session: session.id }))
        const error = Option.getOrUndefined(Exit.findErrorOption(ended))
        if (error?._tag === "ConnectionError") return
        const words = session.lastWords()
        const sayLastWords = Effect.suspend(() => {
          session.outbox.closeUnsafe(error?.lastWords ?? (words && encodeLine(words)), false)
          return session.outbox.drained()
        })
        yield* Effect.timeoutOption(session.requests.fewerThan(1), answerTime)
        const said = yield* Effect.timeoutOption(sayLastWords, drainTime)
        place.leaveUnsafe()
        // Who has not read until now gets no more time for it.
        yield* connection.close(Option.isSome(said) ? lingerTime : 0)
      })

      /** The door's; a door that counts nobody leaves it to its connections' handlers. */
      const placeOf = Effect.flatMap(
        Effect.serviceOption(Place),
        Option.match({
          onNone: () =>
            Effect.acquireRelease(
              Effect.sync(() => places.takeUnsafe(() => {})),
              (place) => Effect.sync(place.releaseUnsafe)
            ),
          onSome: Effect.succeed
        })
      )

      const serve = Effect.fnUntraced(function* (socket: Socket.Socket) {
        const place = yield* placeOf
        const connection = yield* Connection.make(socket, {
          decode,
          maxFrameBytes,
          maxMalformed: maxBadLines
        })
        yield* Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const session = yield* sessions.open(connection)
            const ended = yield* Effect.exit(restore(converse(session, connection, place)))
            if (Exit.isFailure(ended) && Exit.hasDies(ended)) {
              yield* Effect.logError("A connection's handler died", ended.cause)
            }
            yield* farewell(session, connection, place, ended)
          })
        )
      })

      return ClientHandler.of({
        handle: (socket) => Effect.ignore(Effect.scoped(serve(socket))),
        stop: Effect.suspend(() => {
          stopping = true
          const leaving = [...sessions.all()]
          for (const session of leaving) session.endUnsafe({ _tag: "Goodbye", reason: "The server is stopping." })
          return Effect.forEach(leaving, (session) => session.ended(), { discard: true })
        })
      })
    })
  ).pipe(Layer.provide(Places.layer))
}

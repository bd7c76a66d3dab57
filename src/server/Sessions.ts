/**
 * Who is connected, and the only service that turns a session into a way to reach it.
 *
 * Processors name sessions by number; what they want said comes here as data (`Delivery`) and leaves as bytes. A frame
 * is encoded once, and everyone who gets it gets the same bytes. Nothing here waits.
 */
import { Clock, Context, Effect, FiberSet, Layer, type Scope } from "effect"
import type { Rejection } from "../common/Rejection.ts"
import type { ServerMessage } from "../common/ServerMessage.ts"
import type { Connection, ConnectionError } from "../connection/Connection.ts"
import { lineText } from "../connection/Line.ts"
import { type Asker, SessionId } from "./messages/Asker.ts"
import type { Delivery } from "./messages/Delivery.ts"
import { monotonicMillis } from "./MonotonicTime.ts"
import * as Outbox from "./Outbox.ts"
import { rejected } from "./Rejected.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { Session } from "./Session.ts"
import { writeNow } from "./WriteNow.ts"

export class Sessions extends Context.Service<
  Sessions,
  {
    /** Makes the calling fiber the handler of a new session, known until the scope closes. */
    open<Message>(connection: Connection<Message>): Effect.Effect<Session, never, Scope.Scope>
    /** All sessions, those without a name yet included. */
    all(): Iterable<Session>
    count(): number
    /** How many requests of a session are under way. */
    inFlight(session: SessionId): number
    /** Says each of these, in order. Who is gone by now gets nothing. */
    deliver(deliveries: ReadonlyArray<Delivery>): void
    /** Answers one request. */
    reply(to: Asker, message: ServerMessage): void
    /** Answers one request with a refusal. */
    refuse(to: Asker, reason: Rejection): void
  }
>()("parley/server/Sessions") {
  static readonly layer = Layer.effect(
    Sessions,
    Effect.gen(function* () {
      const { mailboxBytes } = yield* ServerConfig
      const clock = yield* Clock.Clock
      const writes = yield* FiberSet.make<void, ConnectionError>()
      const fork = Effect.runForkWith(yield* Effect.context())
      const run = (write: Effect.Effect<void, ConnectionError>) => {
        const fiber = fork(write)
        if (fiber.pollUnsafe() === undefined) FiberSet.addUnsafe(writes, fiber)
        return fiber
      }
      const sessions = new Map<SessionId, Session>()
      let opened = 0

      const tell = (to: ReadonlyArray<SessionId>, messages: ReadonlyArray<ServerMessage>) => {
        if (messages.length === 0) return
        const frame = bytesOf(linesOf(messages))
        for (const id of to) sessions.get(id)?.outbox.offerUnsafe(frame, "live")
      }

      /** The bytes of old messages, for as long as somebody keeps them to replay them to others too. */
      const replays = new WeakMap<ReadonlyArray<ServerMessage>, Uint8Array>()

      const replay = (to: SessionId, messages: ReadonlyArray<ServerMessage>) => {
        if (messages.length === 0) return
        const frame = replays.get(messages) ?? bytesOf(linesOf(messages))
        replays.set(messages, frame)
        sessions.get(to)?.outbox.offerUnsafe(frame, "asked")
      }

      const sendAll = (gathered: Iterable<readonly [SessionId, Gathered]>) => {
        for (const [id, { kind, replies, text }] of gathered) {
          const session = sessions.get(id)
          if (session === undefined) continue
          session.outbox.offerUnsafe(bytesOf(text), kind)
          session.settled(replies)
        }
      }

      /** What is for one session alone and nothing else comes between is joined to one frame, up to a size. */
      const gather = (gathered: Map<SessionId, Gathered>, to: SessionId, text: string, kind: Outbox.Kind) => {
        const before = gathered.get(to)
        const replies = kind === "asked" ? 1 : 0
        if (before === undefined || before.text.length > maxGatheredCharacters) {
          if (before !== undefined) sendAll([[to, before]])
          gathered.set(to, { text, replies, kind })
          return
        }
        before.text += text
        before.replies += replies
        if (kind === "live") before.kind = kind
      }

      const deliver = (deliveries: ReadonlyArray<Delivery>) => {
        const gathered = new Map<SessionId, Gathered>()
        const flush = () => {
          sendAll(gathered)
          gathered.clear()
        }
        for (const delivery of deliveries) {
          if (delivery._tag === "Reply") {
            const { message, to } = delivery
            gather(gathered, to.session, lineText(to.id === undefined ? message : { ...message, id: to.id }), "asked")
          } else if (delivery._tag === "Replay") {
            flush()
            replay(delivery.to, delivery.messages)
          } else if (delivery.to.length === 1) {
            for (const only of delivery.to) gather(gathered, only, linesOf(delivery.messages), "live")
          } else {
            flush()
            tell(delivery.to, delivery.messages)
          }
        }
        flush()
      }

      const reply = (to: Asker, message: ServerMessage) => deliver([{ _tag: "Reply", to, message }])

      return Sessions.of({
        open: (connection) =>
          Effect.acquireRelease(
            Effect.gen(function* () {
              const handler = yield* Effect.fiber
              const direct = yield* writeNow
              const session = new Session({
                id: SessionId.make(++opened),
                now: monotonicMillis(clock),
                handler,
                outbox: (onOverflow) =>
                  new Outbox.Outbox({
                    write: connection.write,
                    writeNow: direct,
                    run,
                    maxBytes: mailboxBytes,
                    onOverflow
                  })
              })
              sessions.set(session.id, session)
              return session
            }),
            (session) =>
              Effect.sync(() => {
                sessions.delete(session.id)
                // A write to a socket that is gone would wait for ever for it to be opened again, and keep its frames.
                session.outbox.closeUnsafe(undefined, true)
              })
          ),
        all: () => sessions.values(),
        count: () => sessions.size,
        inFlight: (session) => sessions.get(session)?.inFlight() ?? 0,
        deliver,
        reply,
        refuse: (to, reason) => reply(to, rejected(reason))
      })
    })
  )
}

/** A node socket takes a Buffer as it is, and would wrap any other array once for each member. */
const bytesOf = (text: string): Uint8Array => Buffer.from(text)

const linesOf = (messages: ReadonlyArray<ServerMessage>): string => messages.map(lineText).join("")

interface Gathered {
  text: string
  replies: number
  /** Live if any of it is. */
  kind: Outbox.Kind
}

/** So that one frame stays small beside the limit of an outbox, as a room's do. */
const maxGatheredCharacters = 256 * 1024

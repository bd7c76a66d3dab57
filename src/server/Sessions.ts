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
import { encodeText, lineText } from "../connection/Line.ts"
import { type Asker, SessionId } from "./messages/Asker.ts"
import type { Delivery } from "./messages/Delivery.ts"
import * as Outbox from "./Outbox.ts"
import { rejected } from "./Rejected.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { Session } from "./Session.ts"

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

      const tell = (to: ReadonlyArray<SessionId>, messages: ReadonlyArray<ServerMessage>, kind: Outbox.Kind) => {
        if (messages.length === 0) return
        const frame = encodeText(messages.map(lineText).join(""))
        for (const id of to) sessions.get(id)?.outbox.offerUnsafe(frame, kind)
      }

      const replyAll = (replies: Iterable<readonly [SessionId, Replies]>) => {
        for (const [id, { count, text }] of replies) {
          const session = sessions.get(id)
          if (session === undefined) continue
          session.outbox.offerUnsafe(encodeText(text), "asked")
          session.settled(count)
        }
      }

      const deliver = (deliveries: ReadonlyArray<Delivery>) => {
        const replies = new Map<SessionId, Replies>()
        const flush = () => {
          replyAll(replies)
          replies.clear()
        }
        for (const delivery of deliveries) {
          if (delivery._tag === "Reply") {
            gather(replies, delivery.to, delivery.message)
            continue
          }
          flush()
          if (delivery._tag === "Tell") tell(delivery.to, delivery.messages, "live")
          else tell([delivery.to], delivery.messages, "asked")
        }
        flush()
      }

      const reply = (to: Asker, message: ServerMessage) => deliver([{ _tag: "Reply", to, message }])

      return Sessions.of({
        open: (connection) =>
          Effect.acquireRelease(
            Effect.withFiber((handler) => {
              const session = new Session({
                id: SessionId.make(++opened),
                now: clock.currentTimeMillisUnsafe(),
                handler,
                outbox: (onOverflow) =>
                  new Outbox.Outbox({ write: connection.write, run, maxBytes: mailboxBytes, onOverflow })
              })
              sessions.set(session.id, session)
              return Effect.succeed(session)
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

/** Replies to one session that nothing else comes between: joined to one frame. */
interface Replies {
  readonly text: string
  readonly count: number
}

const gather = (replies: Map<SessionId, Replies>, to: Asker, message: ServerMessage) => {
  const line = lineText(to.id === undefined ? message : { ...message, id: to.id })
  const before = replies.get(to.session)
  replies.set(
    to.session,
    before === undefined ? { text: line, count: 1 } : { text: before.text + line, count: before.count + 1 }
  )
}

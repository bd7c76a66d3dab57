/**
 * Who is connected, and the only service that turns a session into a way to reach it.
 *
 * Processors name sessions by number; what they want said comes here as data (`Delivery`) and leaves as bytes. A frame
 * is encoded once, and everyone who gets it gets the same bytes. Nothing here waits.
 */
import { Clock, Context, Effect, FiberSet, Layer, Random, type Scope } from "effect"
import { AuthorId } from "../../common/log/Entry.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { Connection, ConnectionError } from "../../connection/Connection.ts"
import { lineText } from "../../connection/Line.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { authorOfAccount } from "./AccountId.ts"
import { type Asker, SessionId, sessionOf } from "./Asker.ts"
import type { Delivery } from "./Delivery.ts"
import { makeHintPace } from "./HintPace.ts"
import { nowhere, type Origin, originHere } from "./Origin.ts"
import * as Outbox from "./Outbox.ts"
import { networkOf } from "./Peer.ts"
import { rejected } from "./Rejected.ts"
import { Requests } from "./Requests.ts"
import { type Authors, Session } from "./Session.ts"
import { writeNow } from "./WriteNow.ts"

export class Sessions extends Context.Service<
  Sessions,
  {
    /** Makes the calling fiber the handler of a new session, known until the scope closes. */
    open<Message>(connection: Connection<Message>): Effect.Effect<Session, never, Scope.Scope>
    /** All sessions, those without a name yet included. */
    all(): Iterable<Session>
    count(): number
    /** How many requests of a session are under way; none if it is gone. */
    inFlight(session: SessionId): number
    isHere(session: SessionId): boolean
    /** Whose what somebody writes is, also if the connection is gone by now. */
    authorsOf(from: Asker): Authors
    /** Where the guest comes from whose what was written is, while its connection is here (see `networkOf` of Peer). */
    networkOf(author: AuthorId): string | undefined
    /** Where it comes from; nowhere if it is gone. */
    peerOf(session: SessionId): Origin
    /** Ends it with these last words. */
    endUnsafe(session: SessionId, words: ServerMessage): void
    /** Waits until a session's peer has taken all it asked for so far. Whoever made a large piece makes the next then. */
    taken(session: SessionId): Effect.Effect<void>
    /** Says each of these, in order. Who is gone by now gets nothing. */
    deliver(deliveries: ReadonlyArray<Delivery>): void
    /** The same in turns of 2 ms (invariant 10): what thousands are told takes 8 us each. */
    deliverInTurns(deliveries: ReadonlyArray<Delivery>): Effect.Effect<void>
    /** Answers one request. */
    reply(to: Asker, message: ServerMessage): void
    /**
     * Answers one request with a reply that is encoded already but for its beginning, in pieces (see Requests); they are
     * given one behind the other.
     */
    replyEncoded(to: Asker, tag: ServerMessage["_tag"], pieces: ReadonlyArray<Uint8Array>): void
    /** Gives a piece of what a session asked for, encoded already. The same bytes may go to many. */
    give(to: SessionId, piece: Uint8Array): void
    /** Answers one request with a refusal. */
    refuse(to: Asker, reason: Rejection): void
    /** What answers one request; if it fails or dies, the request is refused (invariant 6). */
    orRefuse(to: Asker, answering: Effect.Effect<void, Unavailable>): Effect.Effect<void>
  }
>()("parley/server/session/Sessions") {
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
      /** Sessions count from 1 again after each start. */
      const start = (yield* Random.nextIntBetween(0, 2 ** 52)).toString(36)
      /** Made once for each, as the authors of accounts are: checking it takes 1 µs. */
      const guestOf = (session: SessionId) => AuthorId.make(`${start}.${session}`)
      const mayHint = makeHintPace(() => monotonicMillis(clock))
      let opened = 0

      const tell = function* (
        to: ReadonlyArray<SessionId>,
        messages: ReadonlyArray<ServerMessage>,
        kind: Outbox.Kind = "live"
      ) {
        if (messages.length === 0) return
        const frame = bytesOf(linesOf(messages))
        let told = 0
        for (const id of to) {
          sessions.get(id)?.outbox.offerUnsafe(frame, kind)
          if (++told % toldBetweenLooks === 0) yield
        }
      }

      const say = (session: Session, text: string, kind: Outbox.Kind) => {
        if (text !== "") session.outbox.offerUnsafe(bytesOf(text), kind)
      }

      /** What is for one session alone and nothing else comes between is joined to one frame, up to a size. */
      const gather = (gathered: Map<Session, Gathered>, to: Session, text: string, kind: Outbox.Kind) => {
        const before = gathered.get(to)
        if (before === undefined || before.text.length > maxGatheredCharacters) {
          if (before !== undefined) say(to, before.text, before.kind)
          gathered.set(to, { text, kind })
          return
        }
        before.text += text
        if (kind === "live") before.kind = kind
      }

      /** Stops wherever others may have their turn. */
      const steps = function* (deliveries: ReadonlyArray<Delivery>) {
        const gathered = new Map<Session, Gathered>()
        const flush = () => {
          for (const [session, { kind, text }] of gathered) {
            say(session, text, kind)
            session.requests.release()
          }
          gathered.clear()
        }
        for (const delivery of deliveries) {
          if (delivery._tag === "Hint") {
            if (!mayHint(delivery.to.length)) continue
            flush()
            yield* tell(delivery.to, [delivery.message], "fleeting")
          } else if (delivery._tag !== "Tell") {
            const session = sessions.get(delivery.to.session)
            if (session === undefined) continue
            // What is told to everybody never makes one frame with what may be large.
            const isAlone = delivery._tag === "Begin" || session.requests.isLarge(delivery.to.request)
            if (isAlone) flush()
            gather(gathered, session, linesFor(session.requests, delivery), "asked")
            if (isAlone) flush()
          } else if (delivery.to.length === 1) {
            const session = delivery.to[0] === undefined ? undefined : sessions.get(delivery.to[0])
            if (session !== undefined) gather(gathered, session, linesOf(delivery.messages), "live")
          } else {
            flush()
            yield* tell(delivery.to, delivery.messages)
          }
        }
        flush()
      }

      const deliver = (deliveries: ReadonlyArray<Delivery>) => {
        for (const _ of steps(deliveries));
      }

      const deliverInTurns = Effect.fnUntraced(function* (deliveries: ReadonlyArray<Delivery>) {
        let since = monotonicMillis(clock)
        for (const _ of steps(deliveries)) {
          if (monotonicMillis(clock) - since < maxTurnMillis) continue
          yield* Effect.yieldNow
          since = monotonicMillis(clock)
        }
      })

      const give = (to: SessionId, piece: Uint8Array) => sessions.get(to)?.outbox.offerUnsafe(piece, "asked")

      const reply = (to: Asker, message: ServerMessage) => deliver([{ _tag: "Reply", to, message }])

      return Sessions.of({
        open: (connection) =>
          Effect.acquireRelease(
            Effect.gen(function* () {
              const handler = yield* Effect.fiber
              const direct = yield* writeNow
              const peer = yield* originHere
              const id = sessionOf(thisNode, ++opened)
              const session = new Session({
                id,
                requests: new Requests(
                  (request) => void fork(Effect.logError(`Request ${request} of connection ${id} was replied to twice`))
                ),
                now: monotonicMillis(clock),
                peer,
                handler,
                outbox: (on) =>
                  new Outbox.Outbox({
                    ...on,
                    write: connection.write,
                    writeNow: direct,
                    run,
                    maxBytes: mailboxBytes
                  })
              })
              sessions.set(session.id, session)
              return session
            }),
            (session) =>
              Effect.sync(() => {
                sessions.delete(session.id)
                session.requests.close()
                session.outbox.abandonUnsafe()
              })
          ),
        all: () => sessions.values(),
        count: () => sessions.size,
        inFlight: (session) => sessions.get(session)?.requests.count() ?? 0,
        isHere: (session) => sessions.has(session),
        authorsOf: ({ account, session: id }) => {
          const session = sessions.get(id)
          if (session?.authors !== undefined && session.authors.account === account) return session.authors
          const guest = guestOf(id)
          const address = session?.peer.address
          const network = address === undefined ? undefined : networkOf(address)
          const authors: Authors =
            account === undefined
              ? { account, author: guest, guest: undefined, network }
              : { account, author: authorOfAccount(account), guest, network }
          if (session !== undefined) session.authors = authors
          return authors
        },
        networkOf: (author) => {
          const [, of, session] = /^([^.]*)\.(\d{1,15})$/.exec(author) ?? []
          const address = of === start ? sessions.get(SessionId.make(Number(session)))?.peer.address : undefined
          return address === undefined ? undefined : networkOf(address)
        },
        peerOf: (session) => sessions.get(session)?.peer ?? nowhere,
        endUnsafe: (session, words) => sessions.get(session)?.endUnsafe(words),
        taken: (id) =>
          Effect.suspend(() => {
            const session = sessions.get(id)
            if (session === undefined) return Effect.void
            return Effect.map(session.outbox.taken(), () => {
              // Whoever takes what it asked for is there, although it says nothing.
              session.lastHeardAt = monotonicMillis(clock)
            })
          }),
        deliver,
        deliverInTurns,
        reply,
        replyEncoded: (to, tag, pieces) => {
          const session = sessions.get(to.session)
          if (session === undefined) return
          for (const piece of session.requests.replyEncoded(to.request, tag, pieces)) give(to.session, piece)
          session.requests.release()
        },
        give,
        refuse: (to, reason) => reply(to, rejected(reason)),
        orRefuse: (to, answering) =>
          answering.pipe(
            // Whoever keeps the log says what is wrong with it, once and not for every request.
            Effect.catch(() => Effect.sync(() => reply(to, rejected({ _tag: "StorageUnavailable" })))),
            Effect.catchDefect((defect) => {
              reply(to, rejected({ _tag: "StorageUnavailable" }))
              return Effect.logError("A request could not be answered", defect)
            })
          )
      })
    })
  )
}

/** A node socket takes a Buffer as it is, and would wrap any other array once for each member. */
const bytesOf = (text: string): Uint8Array => Buffer.from(text)

/** What is to be said because of an answer. */
const linesFor = (requests: Requests, delivery: Exclude<Delivery, { readonly _tag: "Hint" | "Tell" }>): string => {
  switch (delivery._tag) {
    case "Reply":
      return requests.reply(delivery.to.request, delivery.message)
    case "Begin":
      return requests.begin(delivery.to.request, delivery.message)
    case "Given":
      return requests.finish(delivery.to.request)
  }
}

const linesOf = (messages: ReadonlyArray<ServerMessage>): string => messages.map(lineText).join("")

/** Whatever keeps something cannot do so just now. */
interface Unavailable {
  readonly _tag: "StorageUnavailable"
}

/** There is one node today. */
const thisNode = 0

/** Telling so many takes 0.3 ms; the clock is not looked at for each. */
const toldBetweenLooks = 32
const maxTurnMillis = 2

interface Gathered {
  text: string
  /** Live if any of it is. */
  kind: Outbox.Kind
}

/** So that one frame stays small beside the limit of an outbox, as a room's do. */
const maxGatheredCharacters = 64 * 1024

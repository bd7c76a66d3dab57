/**
 * A user's dealings with a server, for programs: ask and be answered, hear everything once, in order, through any number
 * of connections.
 *
 * Owns the live `Resumption`, the Deferred of each open request, and the fiber that keeps one `Link` up. That fiber
 * reconnects by itself; only the first connection, and a refusal that waiting cannot mend, end the client.
 *
 * Bounds: 1024 open requests, further ones wait for a reply to come in; of what is yet to be said, each open request and
 * each room to be joined again once; the unread events as `EventBuffer` says.
 */
import {
  Context,
  Deferred,
  type Duration,
  Effect,
  Fiber,
  Layer,
  type Option,
  Queue,
  Random,
  Schedule,
  Semaphore,
  type Stream
} from "effect"
import { SecureRandom } from "effect/crypto"
import { Socket } from "effect/socket"
import type { Cursor, Epoch } from "../../common/log/Cursor.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { ClientMessage } from "../../common/wire/ClientMessage.ts"
import type { RequestId } from "../../common/wire/RequestId.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import {
  HasLeft,
  ReplyLost,
  type RequestError,
  RequestRejected,
  SessionError,
  UnexpectedReply,
  Unreachable
} from "../core/ClientError.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { type Encryption, noKeys } from "../core/Encryption.ts"
import { conversationAt, type Heard, type Whereabouts } from "../core/Heard.ts"
import type { Token } from "../core/Login.ts"
import { type EntryRequest, type HistoryRequest, isReplyTo, type Reply, type Request } from "../core/Request.ts"
import * as Resumption from "../core/Resumption.ts"
import { make as begin, placeOf, type Resumption as Resumed } from "../core/ResumptionState.ts"
import * as Admission from "./Admission.ts"
import type { ClientOptions } from "./ClientOptions.ts"
import { type Address, dial } from "./Dial.ts"
import * as EventBuffer from "./EventBuffer.ts"
import { gather, isAudit, type PagedRequest } from "./Gather.ts"
import * as Link from "./Link.ts"
import * as Passage from "./Passage.ts"
import { backoff, farewell, isPassing, rejoinPause, settling } from "./Patience.ts"
import { whenAllowed } from "./WhenAllowed.ts"

const maxOpenRequests = 1024

export class Client extends Context.Service<
  Client,
  {
    /** Asks for an entry, a message first of all; done when it is stored. Repeated, under one `key`, until it has been. */
    readonly send: (request: EntryRequest) => Effect.Effect<ServerMessageOf<"Sent">, RequestError>
    /** Asks, and waits for the reply. A connection that breaks only prolongs the wait; see `ReplyLost` for exceptions. */
    readonly request: <R extends Request>(request: R) => Effect.Effect<Reply<R>, RequestError>
    /** The same, and no event tells of the reply. */
    readonly quietly: <R extends Request>(request: R) => Effect.Effect<Reply<R>, RequestError>
    /** The same as `request`, in as many requests as the whole list or page takes; the events tell of it once. See `Gather`. */
    readonly gather: <R extends PagedRequest>(request: R) => Effect.Effect<Reply<R>, RequestError>
    /**
     * The newest messages up to a place in a room's log, or in the lobby's: what was said before one came there. No event
     * tells of the reply. Empty if the log is another one by now, or one is not in the room any more.
     */
    readonly backlog: (
      place: { readonly room: RoomName | undefined; readonly cursor: Cursor },
      limit: number
    ) => Effect.Effect<ServerMessageOf<"History">, RequestError>
    /** Everything that happens from the first connection on. For one reader: what it takes is gone. */
    readonly events: Stream.Stream<ClientEvent, SessionError>
    /**
     * Done when the reader of the events has dealt with all that has happened until now; and with this entry, once it
     * has come, or it is certain that it will not. A server that does not tell of it is waited for 10 seconds.
     */
    readonly told: (entry?: Passage.Awaited) => Effect.Effect<void>
    readonly isConnected: Effect.Effect<boolean>
    /** Says that one is about to say something there. Nothing without a connection; no answer. */
    readonly tellTypingUnsafe: (where: Whereabouts) => void
    /** Which incarnation of a log this client is in now, ahead of what the events tell; none where it is not in. */
    readonly epochOf: (where: Whereabouts) => Effect.Effect<Epoch | undefined>
    /**
     * As `leave`, by a request that ends the login. Fails, and stays, if it is refused; gives nothing without an answer.
     */
    readonly leaveBy: <R extends Request>(
      request: R,
      patience?: Duration.Input
    ) => Effect.Effect<Option.Option<Reply<R>>, RequestError>
    readonly encryption: Encryption
    /** Says goodbye and ends the events. Happens by itself when the scope closes. */
    readonly leave: Effect.Effect<void>
  }
>()("parley/client/link/Client") {
  /** Connects, over the socket, and fails if the first connection does. */
  static readonly layer = (options: ClientOptions): Layer.Layer<Client, SessionError, Socket.Socket> =>
    Layer.effect(Client, make(options)).pipe(Layer.provide(SecureRandom.layerWebCrypto))

  /** Connects over TCP or TLS. */
  static readonly layerDialled = (options: ClientOptions & Address): Layer.Layer<Client, SessionError> =>
    Client.layer(options).pipe(Layer.provide(Layer.effect(Socket.Socket, dial(options))))
}

const make = Effect.fnUntraced(function* (options: ClientOptions) {
  const socket = yield* Socket.Socket
  const random = yield* SecureRandom.SecureRandom
  const buffer = yield* EventBuffer.make
  const admission = Admission.make(options)
  const slots = yield* Semaphore.make(maxOpenRequests)
  const connected = yield* Deferred.make<void, SessionError>()
  const replies = new Map<RequestId, Deferred.Deferred<ServerMessage, RequestError>>()
  let resumption = begin(options.user, options)
  /** What the connection that stands has yet to say, in this order. */
  const unsent = new Set<ClientMessage>()
  const hasUnsent = yield* Queue.sliding<void>(1)
  /** At most one for each room that one is in. */
  const toRejoin = yield* Queue.unbounded<RoomName>()
  let isConnected = false
  /** Whether the connection has stood for long enough to be worth a new one at once. */
  let isSettled = false
  let isLeaving = false
  let ending: SessionError | undefined
  let lastBroken: Link.Broken | undefined

  const placeNow = (where: Whereabouts) =>
    ending === undefined ? placeOf(resumption, conversationAt(where, resumption.user)) : undefined
  const passage = Passage.make(placeNow, () => isConnected)

  const settle = (id: RequestId | undefined, outcome: Effect.Effect<ServerMessage, RequestError>) => {
    const reply = replies.get(id ?? "")
    if (reply !== undefined) Deferred.doneUnsafe(reply, outcome)
  }

  const say = (...messages: ReadonlyArray<ClientMessage>) => {
    if (!isConnected) return
    for (const message of messages) unsent.add(message)
    Queue.offerUnsafe(hasUnsent, undefined)
  }

  const hear = (message: Heard) => {
    const step = Resumption.receive(resumption, message)
    resumption = step.resumption
    if (step.rejoinLater !== undefined) Queue.offerUnsafe(toRejoin, step.rejoinLater)
    for (const event of step.events) buffer.offer(event)
    passage.look()
    if (step.resend !== undefined) say(...step.resend)
    if (step.isHeld === true) return
    if (message._tag === "Rejected") {
      settle(message.id, Effect.fail(new RequestRejected({ reason: message.reason, message: message.message })))
    } else if ("id" in message) {
      settle(message.id, Effect.succeed(message))
    }
  }

  const disconnect = () => {
    isConnected = false
    unsent.clear()
  }

  const outgoing = Effect.map(Queue.take(hasUnsent), () => {
    const messages = [...unsent]
    unsent.clear()
    return messages
  })

  /** One connection, shown this proof. */
  const enter = (proof: Admission.Proof, welcomed: Deferred.Deferred<void>) => {
    const handshake = Admission.show(Resumption.handshake(resumption), proof, options)
    const welcome = () => {
      const resumed = Resumption.resume(resumption)
      resumption = resumed.resumption
      isConnected = true
      say(...resumed.messages)
      Deferred.doneUnsafe(welcomed, Effect.void)
      Deferred.doneUnsafe(connected, Effect.void)
    }
    const keep = (token: Token) =>
      Effect.catch(admission.keep(token, proof), ({ message }) =>
        Effect.sync(() => buffer.offer({ _tag: "NotKept", message }))
      )
    return Effect.scoped(
      Link.run(socket, {
        handshake,
        outgoing,
        prove: proof._tag === "Key" ? (nonce) => Admission.answer(handshake, proof.key, nonce, options) : undefined,
        hear: (message) => {
          const [token, rest] = Admission.tokenIn(message)
          const take = () => {
            hear(rest)
            if (rest._tag === "Welcome") welcome()
          }
          if (token !== undefined) return Effect.andThen(keep(token), Effect.sync(take))
          take()
          return undefined
        },
        mishear: (issue, id) => settle(id, Effect.fail(new UnexpectedReply({ issue })))
      })
    )
  }

  const connect = Effect.gen(function* () {
    isSettled = false
    const welcomed = yield* Deferred.make<void>()
    yield* Deferred.await(welcomed).pipe(
      Effect.andThen(Effect.sleep(options.settledAfter ?? settling)),
      Effect.map(() => {
        isSettled = true
      }),
      Effect.forkScoped
    )
    return yield* Admission.tryEach(yield* admission.proofs, (proof) => enter(proof, welcomed))
  }).pipe(Effect.scoped)

  const rejoin = Effect.gen(function* () {
    const rooms = yield* Queue.takeAll(toRejoin)
    yield* Effect.sleep(rejoinPause)
    for (const room of rooms) {
      const opened = isConnected ? Resumption.rejoin(resumption, room) : undefined
      if (opened === undefined) continue
      resumption = opened.resumption
      say(opened.message)
    }
  })

  const mayPass = (error: SessionError["reason"]) => Deferred.isDoneUnsafe(connected) && isPassing(error)

  let toldRefusal = ""
  /** That no server is there is to be expected while it restarts; that it is there and not to be talked to is news, once. */
  const tellRefusal = (error: SessionError["reason"]) =>
    Effect.sync(() => {
      if (error._tag === "Unreachable" || !mayPass(error) || error.message === toldRefusal) return
      toldRefusal = error.message
      buffer.offer({ _tag: "Retrying", cause: error.message })
    })

  const pause = Effect.flatMap(Random.nextBetween(50, 250), (millis) => Effect.sleep(millis))

  const recover = (broken: Link.Broken) =>
    Effect.suspend(() => {
      disconnect()
      if (isLeaving) return Effect.never
      toldRefusal = ""
      const interrupted = Resumption.interrupt(resumption)
      resumption = interrupted.resumption
      for (const { _tag, id } of interrupted.lost) settle(id, Effect.fail(new ReplyLost({ request: _tag })))
      lastBroken = broken
      buffer.offer({ _tag: "Disconnected", cause: broken.cause })
      if (isSettled) return pause
      return Effect.fail(new Unreachable({ cause: `it ends each connection at once (${broken.cause})` }))
    })

  const end = (error: SessionError, streamError?: SessionError) =>
    Effect.sync(() => {
      ending = error
      disconnect()
      passage.look()
      for (const id of replies.keys()) settle(id, Effect.fail(error))
      Deferred.doneUnsafe(connected, Effect.fail(error))
      buffer.end(streamError)
    })

  yield* Effect.forkScoped(Effect.forever(rejoin))

  const stayConnected = yield* connect.pipe(
    Effect.catchTag("Broken", recover),
    Effect.tapError(tellRefusal),
    Effect.retry({
      schedule: Schedule.upTo(backoff, { duration: options.giveUpAfter }),
      while: mayPass
    }),
    Effect.forever,
    Effect.catch((reason) => {
      const error = new SessionError({ reason, farewell: lastBroken?.farewell })
      return end(error, error)
    }),
    Effect.forkScoped
  )

  type Asked = ReturnType<typeof Resumption.ask>
  const register = (ask: (resumption: Resumed) => Asked) =>
    Effect.suspend(() => {
      if (ending !== undefined) return Effect.fail(ending)
      const asked = ask(resumption)
      const reply = Deferred.makeUnsafe<ServerMessage, RequestError>()
      resumption = asked.resumption
      replies.set(asked.id, reply)
      say(asked.message)
      return Effect.succeed({ ...asked, reply })
    })

  const answer = (ask: (resumption: Resumed) => Asked) =>
    Effect.acquireUseRelease(
      register(ask),
      ({ reply }) => Deferred.await(reply),
      ({ id, message }) =>
        Effect.sync(() => {
          replies.delete(id)
          unsent.delete(message)
          resumption = Resumption.forget(resumption, id)
        })
    )

  const replyTo = Effect.fnUntraced(function* <R extends Request>(
    request: R,
    ask: (resumption: Resumed, request: R) => Asked
  ): Effect.fn.Return<Reply<R>, RequestError> {
    const reply = yield* slots.withPermit(answer((resumption) => ask(resumption, request)))
    if (isReplyTo(request)(reply)) return reply
    return yield* new UnexpectedReply({ issue: `${reply._tag} is no answer to ${request._tag}` })
  })

  const request = Effect.fn("Client.request")(function* <R extends Request>(
    request: R
  ): Effect.fn.Return<Reply<R>, RequestError> {
    return yield* replyTo(request, Resumption.ask)
  })

  const askQuietly = (request: PagedRequest) => whenAllowed<ServerMessage>(replyTo(request, Resumption.askQuietly))

  const gatherAll = Effect.fn("Client.gather")(function* <R extends PagedRequest>(
    request: R
  ): Effect.fn.Return<Reply<R>, RequestError> {
    const whole = yield* gather(request, askQuietly)
    buffer.offer({ _tag: "Received", message: whole, ...(isAudit(request) && { isAudit: true }) })
    return whole
  })

  const backlog: Client["Service"]["backlog"] = Effect.fn("Client.backlog")(function* ({ room, cursor }, limit) {
    const range = { before: cursor.seq + 1, limit }
    const request: HistoryRequest = { _tag: "GetHistory", ...(room && { room }), ...range }
    const reply = yield* gather(request, askQuietly)
    // Asked again on another connection, it may have been answered from another log.
    return Resumption.epochOf(resumption, room) === cursor.epoch ? reply : { ...reply, messages: [], more: false }
  })

  const send = Effect.fn("Client.send")(function* (message: EntryRequest) {
    const key = message.key ?? (yield* random.uuidV7())
    return yield* request({ ...message, key })
  })

  const told: Client["Service"]["told"] = (entry) =>
    Effect.andThen(entry === undefined ? Effect.void : passage.passes(entry), buffer.caughtUp)

  const depart = Effect.suspend(() =>
    Effect.andThen(end(new SessionError({ reason: new HasLeft() })), Fiber.interrupt(stayConnected))
  )

  const leave = Effect.gen(function* () {
    if (isLeaving || ending !== undefined) return
    isLeaving = true
    // A finalizer runs uninterruptibly, and what cannot be interrupted cannot be timed out.
    const goodbye = Effect.interruptible(answer((resumption) => Resumption.ask(resumption, { _tag: "Disconnect" })))
    if (isConnected) yield* goodbye.pipe(Effect.timeoutOption(farewell), Effect.ignore)
    yield* depart
  })

  const leaveBy = Effect.fn("Client.leaveBy")(function* <R extends Request>(
    request: R,
    patience: Duration.Input = farewell
  ): Effect.fn.Return<Option.Option<Reply<R>>, RequestError> {
    if (!isConnected) return yield* new ReplyLost({ request: request._tag })
    isLeaving = true
    const stay = Effect.sync(() => {
      isLeaving = false
    })
    const asked = Effect.timeoutOption(replyTo(request, Resumption.askQuietly), patience)
    const reply = yield* Effect.onError(asked, () => stay)
    yield* depart
    return reply
  })

  yield* Effect.addFinalizer(() => leave)
  yield* Deferred.await(connected)
  return Client.of({
    send,
    request,
    quietly: (request) => replyTo(request, Resumption.askQuietly),
    gather: gatherAll,
    backlog,
    events: buffer.events,
    told,
    isConnected: Effect.sync(() => isConnected),
    tellTypingUnsafe: (where) => say({ _tag: "Typing", ...where }),
    epochOf: (where) => Effect.sync(() => placeNow(where)?.epoch),
    leaveBy,
    encryption: noKeys,
    leave
  })
})

/**
 * One connection to the server: opened, greeted, kept alive. It has no memory; what has to outlive it is in `Resumption`.
 *
 * In come the socket, a Handshake and what to say; out goes everything the server says, in order. It runs until the
 * connection is over and then fails with the reason, which tells apart what can pass and what cannot. A second Welcome
 * is passed over: nothing asked for it.
 *
 * Bounds: what `outgoing` gives at once; of what comes, one line of 4 MiB, and nothing that was handed on.
 */
import { Array, Deferred, Effect, Predicate, Queue, Schema, type Scope, Stream } from "effect"
import type { Socket } from "effect/socket"
import { type ClientMessage, written } from "../../common/wire/ClientMessage.ts"
import { endsConnection } from "../../common/wire/Rejection.ts"
import * as Connection from "../../connection/Connection.ts"
import { encodeLine, type Incoming, makeDecoder } from "../../connection/Line.ts"
import { NotParley, type NotSigned, Refused, TlsFailed, Unreachable } from "../core/ClientError.ts"
import { Heard } from "../core/Heard.ts"

/** The largest line a server may send: a reply has at most its MAILBOX_BYTES, 1 MiB unless they were set. */
const maxFrameBytes = 4 * 1024 * 1024

/**
 * A list of names of one letter has one mark in four bytes. Brackets alone, nested four million deep, took 755 MB to parse.
 */
const maxMarks = (bytes: number) => 256 + Math.floor(bytes / 4)

const decode = makeDecoder(Heard, maxMarks)

/** How long a server may take to answer a Handshake, or to say anything at all after a Ping. */
const patience = "10 seconds"

/**
 * How long from one Ping to the next. They find a connection that died without a word; and a server that closes what
 * says nothing for minutes hears from a client whose user only reads.
 */
const heartbeat = "30 seconds"

/** Whoever said something and hears nothing for so long asks at once: a person who waits for an answer is to know that none comes. */
const uneasiness = "5 seconds"

/** The connection stood, and is over. */
export class Broken extends Schema.TaggedError<Broken>()("Broken", {
  cause: Schema.String,
  /** The server's own words on it, if there were any. */
  farewell: Schema.optionalKey(Schema.String)
}) {}

export type LinkError = Broken | Unreachable | TlsFailed | Refused | NotParley | NotSigned

export interface Conversant {
  readonly handshake: ClientMessage
  /** Waits until there is something to say. May be empty: what was to be said is not to be said any more. */
  readonly outgoing: Effect.Effect<ReadonlyArray<ClientMessage>>
  /** The answer to a Challenge with this nonce; there if the Handshake is one to be challenged. */
  readonly prove?: ((nonce: string) => Effect.Effect<ClientMessage, NotSigned>) | undefined
  /** What it gives, if anything, is done before the next message is heard. */
  readonly hear: (message: Heard) => Effect.Effect<void> | undefined
  /** A line that is no message this client knows; if it was a reply, it will get no better one. */
  readonly mishear: (issue: string, id: string | undefined) => void
}

export const run = Effect.fnUntraced(function* (
  socket: Socket.Socket,
  { handshake, outgoing, prove, hear, mishear }: Conversant
): Effect.fn.Return<never, LinkError, Scope.Scope> {
  const connection = yield* Connection.make(socket, { decode, maxFrameBytes }).pipe(
    Effect.mapError((error) => toldBy(error) ?? new Unreachable({ cause: explain(error) }))
  )
  const welcomed = yield* Deferred.make<void>()
  /** Done with the first that is heard since it was made. */
  let heard = Deferred.makeUnsafe<void>()
  let isChallenged = false
  /** The server's own word on why it closes the connection. */
  let farewell: string | undefined

  const over = (why: string) => {
    const cause = farewell ?? why
    if (!Deferred.isDoneUnsafe(welcomed)) return new Unreachable({ cause })
    return new Broken({ cause, ...(farewell !== undefined && { farewell }) })
  }

  // A failed write tells less than what can still be read, which may be the reason: so reading decides on the end.
  const say = (messages: Array.NonEmptyReadonlyArray<ClientMessage>) =>
    connection
      .write(Array.map(messages, (message) => encodeLine(written(message))))
      .pipe(Effect.catch(() => Effect.never))

  const greet = Effect.fnUntraced(function* (message: Heard): Effect.fn.Return<void, LinkError> {
    if (message._tag === "Rejected") return yield* new Refused({ reason: message.reason, message: message.message })
    if (message._tag === "Goodbye")
      return yield* new Unreachable({ cause: message.reason ?? "the server said goodbye" })
    if (message._tag === "Challenge" && prove !== undefined && !isChallenged) {
      isChallenged = true
      return yield* say([yield* prove(message.nonce)])
    }
    if (message._tag !== "Welcome") return yield* new NotParley({ issue: "it did not answer the Handshake" })
    Deferred.doneUnsafe(welcomed, Effect.void)
    yield* hear(message) ?? Effect.void
  })

  /** Gives what is yet to be done before the next is taken. */
  const take = (incoming: Incoming<Heard>): Effect.Effect<void, LinkError> | undefined => {
    const isWelcomed = Deferred.isDoneUnsafe(welcomed)
    switch (incoming._tag) {
      case "Oversized":
        return new NotParley({ issue: `it sent a line of over ${incoming.limit} bytes` })
      case "Garbage":
        return new NotParley({ issue: `it sent ${incoming.lines} lines that are no messages` })
      case "Malformed":
        if (!isWelcomed) return new NotParley({ issue: incoming.issue })
        mishear(incoming.issue, incoming.id)
        return undefined
      case "Message": {
        const { message } = incoming
        if (!isWelcomed) return greet(message)
        if (message._tag === "Rejected" && endsConnection(message.reason)) farewell = message.message
        if (message._tag === "Goodbye") farewell = message.reason ?? "the server said goodbye"
        const isOwnPong = message._tag === "Pong" && message.id === undefined
        return isOwnPong || message._tag === "Welcome" ? undefined : hear(message)
      }
    }
  }

  const takeAll = Effect.fnUntraced(function* (batch: ReadonlyArray<Incoming<Heard>>) {
    Deferred.doneUnsafe(heard, Effect.void)
    for (const incoming of batch) {
      const rest = take(incoming)
      if (rest !== undefined) yield* rest
    }
  })

  const read = connection.messages.pipe(
    Stream.mapError((error) => toldBy(error) ?? over(explain(error))),
    Stream.runForEachArray(takeAll),
    Effect.andThen(Effect.suspend(() => Effect.fail(over("the server closed it"))))
  )

  const said = yield* Queue.sliding<void>(1)
  const sayAll = (messages: ReadonlyArray<ClientMessage>) => {
    if (!Array.isReadonlyArrayNonEmpty(messages)) return Effect.void
    Queue.offerUnsafe(said, undefined)
    return say(messages)
  }
  const write = Effect.forever(Effect.flatMap(outgoing, sayAll))

  /** Ends when what was said has met with silence. */
  const unanswered = Effect.gen(function* () {
    do {
      yield* Queue.take(said)
      heard = Deferred.makeUnsafe()
      yield* Effect.sleep(uneasiness)
    } while (Deferred.isDoneUnsafe(heard))
  })

  const beat = Effect.gen(function* () {
    yield* Effect.timeoutOption(unanswered, heartbeat)
    heard = Deferred.makeUnsafe()
    yield* Effect.timeoutOption(say([{ _tag: "Ping", nonce: 0 }]), patience)
    yield* Effect.timeoutOrElse(Deferred.await(heard), {
      duration: patience,
      orElse: () => Effect.fail(over("it went silent"))
    })
  })

  const keepAlive = Deferred.await(welcomed).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(new Unreachable({ cause: `no answer to the Handshake within ${patience}` }))
    }),
    Effect.andThen(Effect.forever(beat))
  )

  return yield* Effect.raceAllFirst([read, keepAlive, Effect.andThen(say([handshake]), write)])
}, Effect.scoped)

/** What whoever dialled has said of it; see `Dial`. */
const toldBy = ({ reason }: Connection.ConnectionError): TlsFailed | Unreachable | undefined =>
  "cause" in reason && isTold(reason.cause) ? reason.cause : undefined
const isTold = Schema.is(Schema.Union([TlsFailed, Unreachable]))

/** The cause of a socket's failure, for a person: what happened, and what to look at. */
const explain = ({ reason }: Connection.ConnectionError): string => {
  if (reason._tag === "SocketCloseError") return "the connection was cut"
  if (reason._tag === "SocketOpenError" && reason.kind === "Timeout") return "it did not answer in time"
  const { cause } = reason
  const code = Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : undefined
  if (code?.startsWith("ERR_SSL_") === true) return `the encryption was disturbed on the way (${code})`
  if (code !== undefined && code in causes) return `${causes[code]} (${code})`
  return Predicate.isError(cause) && cause.message !== "" ? cause.message : (code ?? reason.message)
}

const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there; start the server, or check host and port",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "there is no host of that name; check its spelling",
  EAI_AGAIN: "the host's name could not be looked up; check the network",
  EHOSTUNREACH: "there is no way to that host; check the network",
  ENETUNREACH: "there is no network to that host; check the network",
  ETIMEDOUT: "the host did not answer; check host and port, or a firewall in between",
  EPIPE: "the connection was closed"
}

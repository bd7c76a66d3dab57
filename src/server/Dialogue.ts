/**
 * What one connection says, line by line, until it is over.
 *
 * Answers itself what concerns the connection alone: bad lines, the Handshake, Ping, the rate limit. Everything else is
 * a request, and handed to the ServerProcessor. Ends with `Over`, which carries the last words, or with the stream.
 *
 * Waits (invariant 2): for its own Handshake; for its own requests when `maxInFlight` of them are under way; and for its
 * own peer to read when half of what its outbox may hold is waiting there, so that whoever floods a room and reads along
 * is slowed down to what it can read, instead of being cut.
 */
import { Clock, Data, Effect, Fiber, Option, Stream } from "effect"
import type { ClientMessage } from "../common/ClientMessage.ts"
import type { ServerMessage } from "../common/ServerMessage.ts"
import type { UserName } from "../common/UserName.ts"
import type { Connection } from "../connection/Connection.ts"
import { encodeLine, encodeText, type Incoming, lineText } from "../connection/Line.ts"
import { Lobby } from "./Lobby.ts"
import * as Mailbox from "./Mailbox.ts"
import { rejected } from "./Rejected.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { ServerProcessor } from "./ServerProcessor.ts"
import { maxInFlight, type Session } from "./Session.ts"
import * as TokenBucket from "./TokenBucket.ts"

/** Refusing costs work too: who goes over the rate is not read for as long as it was over it, up to this, in ms. */
const maxPause = 2000

/** The conversation is over, after these last words. */
export class Over extends Data.TaggedError("Over")<{ readonly lastWords: Uint8Array }> {}

/** `id` is that of the request the last words reply to, if they do. */
export const over = (lastWords: ServerMessage, id?: string) =>
  new Over({ lastWords: encodeLine(withId(lastWords, id)) })

/** Gives what it takes to hear a connection out. */
export const make = Effect.gen(function* () {
  const config = yield* ServerConfig
  const lobby = yield* Lobby
  const server = yield* ServerProcessor
  const clock = yield* Clock.Clock
  const allowance = { rate: config.messageRate, burst: config.messageBurst }

  /** Takes the name and joins the lobby, whose manager says Welcome; the user's name, or none if that failed. */
  const identify = Effect.fnUntraced(function* (session: Session, handshake: MessageOf<"Handshake">) {
    const { after, credentials, id, user } = handshake
    // There are no accounts yet, so no credentials can be right.
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

  return Effect.fnUntraced(function* (session: Session, connection: Connection<ClientMessage>) {
    const startHandshakeTimer = Effect.sleep(config.handshakeTimeout).pipe(
      Effect.andThen(Effect.sync(() => session.endUnsafe(rejected({ _tag: "HandshakeTimeout" })))),
      Effect.forkChild
    )
    let handshakeTimer = yield* startHandshakeTimer
    let user = Option.none<UserName>()
    let bucket = TokenBucket.full(allowance, clock.currentTimeMillisUnsafe())
    /** Messages of the lines being heard that came too fast. */
    let tooFast = 0
    /** Replies of its own, gathered so that a thousand pings are not a thousand system calls. */
    let replies = ""

    const say = (message: ServerMessage, id: string | undefined) => {
      replies += lineText(withId(message, id))
    }
    const flush = Effect.sync(() => {
      if (replies !== "") session.outbox.offerUnsafe(encodeText(replies), "asked")
      replies = ""
    })

    /** 0 if one more message is within the rate; otherwise in how many milliseconds it would be. */
    const takeToken = (): number => {
      const taken = TokenBucket.take(bucket, allowance, clock.currentTimeMillisUnsafe())
      if (typeof taken === "number") {
        tooFast++
        return taken
      }
      bucket = taken
      return 0
    }

    const hearStranger = Effect.fnUntraced(function* (message: ClientMessage) {
      if (message._tag !== "Handshake") return yield* over(rejected({ _tag: "HandshakeRequired" }), message.id)
      yield* flush
      yield* Fiber.interrupt(handshakeTimer)
      user = yield* identify(session, message)
      if (Option.isNone(user)) handshakeTimer = yield* startHandshakeTimer
    })

    const request = Effect.fnUntraced(function* (message: ClientMessage, name: UserName) {
      if (session.inFlight() >= maxInFlight) {
        yield* flush
        yield* session.fewerInFlight(maxInFlight / 2)
      }
      if (session.outbox.isBehind()) yield* session.outbox.caughtUp
      session.began()
      const from = { session: session.id, user: name, id: message.id }
      Mailbox.tellUnsafe(server, { _tag: "Request", from, message })
    })

    const hear = (message: ClientMessage): Effect.Effect<void, Over> | undefined => {
      if (Option.isNone(user)) return hearStranger(message)
      if (message._tag === "Disconnect") return over({ _tag: "Goodbye" }, message.id)
      const retryAfter = takeToken()
      if (retryAfter > 0) return void say(rejected({ _tag: "RateLimited", retryAfter }), message.id)
      if (message._tag === "Ping") return void say({ _tag: "Pong", nonce: message.nonce }, message.id)
      return request(message, user.value)
    }

    const hearAll = Effect.fnUntraced(
      function* (batch: ReadonlyArray<Incoming<ClientMessage>>) {
        session.lastHeardAt = clock.currentTimeMillisUnsafe()
        tooFast = 0
        for (const said of batch) {
          if (said._tag === "Message") {
            const heard = hear(said.message)
            if (heard !== undefined) yield* heard
          } else if (said._tag === "Malformed") {
            takeToken()
            say(rejected({ _tag: "InvalidMessage", issue: said.issue }), said.id)
          } else if (said._tag === "Oversized") {
            return yield* over(rejected({ _tag: "FrameTooLarge", limit: said.limit }))
          } else {
            return yield* over({ _tag: "Goodbye", reason: `${said.lines} lines in a row were no messages.` })
          }
        }
        yield* flush
        yield* session.outbox.caughtUp
        if (tooFast > 0) yield* Effect.sleep(Math.min(maxPause, (tooFast * 1000) / config.messageRate))
      },
      Effect.onError(() => flush)
    )

    yield* Stream.runForEachArray(connection.messages, hearAll)
  })
})

type MessageOf<Tag extends ClientMessage["_tag"]> = Extract<ClientMessage, { readonly _tag: Tag }>

const withId = (message: ServerMessage, id: string | undefined): object =>
  id === undefined ? message : { ...message, id }

/**
 * What one connection says, line by line, until it is over.
 *
 * Answers itself what concerns the connection alone: bad lines, who it is, Ping, the rate limit. Everything else is
 * a request, and handed to the ServerProcessor. Ends with `Over`, which carries the last words, or with the stream.
 *
 * Waits (invariants 2 and 10): for its own Handshake; for its own requests when too many or too long ones are under way; for
 * its own peer to read when half of what its outbox may hold is waiting there, so that whoever floods a room and reads along
 * is slowed down to what it can read, instead of being cut; and around each request whose reply may be large: before it,
 * until the peer has taken all it asked for so far, and behind it, until all of the reply has been made. So one connection
 * has one large reply at a time, however many it asks for and however slowly it reads.
 *
 * Who talks faster than the rate is read more slowly, each message when there is a token for it; refused is what would wait
 * longer than `maxDelay` for one. The connections of an account share its tokens, a guest's are its connection's.
 */
import { Clock, Data, Duration, Effect, Exit, Fiber, Option, Redacted, Result, Stream } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { type DeviceId, type DeviceName, isAccountRequest } from "../../common/wire/AccountRequest.ts"
import { ClientMessage, type HandedOn } from "../../common/wire/ClientMessage.ts"
import { endsHandshake } from "../../common/wire/Rejection.ts"
import { isDeviceRequest } from "../../common/wire/SealingRequest.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { Connection } from "../../connection/Connection.ts"
import { encodeText, type Incoming } from "../../connection/Line.ts"
import { AccountProcessor } from "../accounts/AccountProcessor.ts"
import { Login } from "../accounts/Login.ts"
import { Registering } from "../accounts/Registering.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { Inboxes } from "../inbox/Inboxes.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { ServerProcessor } from "../routing/ServerProcessor.ts"
import type { AccountId } from "../session/AccountId.ts"
import { rejected } from "../session/Rejected.ts"
import { answerAtOnce } from "../session/Requests.ts"
import type { Session } from "../session/Session.ts"
import * as Handshake from "./Handshake.ts"
import { makeRates, type Rate } from "./Rates.ts"

/** How long what was read may wait for a token, in ms. Refusing costs work too: who is refused anything has waited so long. */
const maxDelay = 2000

/** Replies of its own are handed on when they are so long, and nothing more is answered while too much is waiting. */
const maxOwnReplies = 16 * 1024

/** A timer that is so late, in ms, waits once more: sockets are read before the next timer is due. */
const latenessMillis = 100
const readingTime = "50 millis"

/**
 * What may have a large reply: lists, pages, and what was missed. Searches wait for the reader where they are made. A room
 * has a small one and takes 0.3 ms to make, so a burst of 200 would hold up everybody's requests for 60 ms.
 */
const isLarge = ClientMessage.isAnyOf([
  "ListUsers",
  "ListRooms",
  "ListRoomUsers",
  "JoinRoom",
  "GetRoom",
  "GetHistory",
  "CreateRoom",
  "OpenConversation",
  "GetDevices",
  "GetWelcomes",
  "ClaimKeyPackages",
  "Block",
  "Unblock",
  "ListBlocked"
])

/** The conversation is over, after these last words. */
export class Over extends Data.TaggedError("Over")<{ readonly lastWords: Uint8Array }> {}

/** `id` is that of the request the last words reply to, if they do. */
export const over = (lastWords: ServerMessage, id?: string) =>
  new Over({ lastWords: encodeText(answerAtOnce(id, lastWords)) })

/** Gives what it takes to hear a connection out. */
export const make = Effect.gen(function* () {
  const config = yield* ServerConfig
  const handshake = yield* Handshake.make
  const accounts = yield* AccountProcessor
  const inboxes = yield* Inboxes
  const login = yield* Login
  const registering = yield* Registering
  const server = yield* ServerProcessor
  const clock = yield* Clock.Clock
  const handshakeMillis = Duration.toMillis(config.handshakeTimeout)
  const rateOf = makeRates({ rate: config.messageRate, burst: config.messageBurst })

  /** After a pause of the whole process it is due before what has come meanwhile was read: that is read first. */
  const startHandshakeTimer = Effect.fnUntraced(function* (session: Session, millis: number) {
    const due = monotonicMillis(clock) + millis
    const fiber = yield* Effect.sleep(Duration.millis(millis)).pipe(
      Effect.andThen(
        Effect.suspend(() => (monotonicMillis(clock) > due + latenessMillis ? Effect.sleep(readingTime) : Effect.void))
      ),
      Effect.andThen(Effect.sync(() => session.endUnsafe(rejected({ _tag: "HandshakeTimeout" })))),
      Effect.forkChild
    )
    return { due, fiber }
  })

  const say = (talk: Talk, message: ServerMessage, id: string | undefined) => {
    talk.replies += answerAtOnce(id, message)
  }
  const flush = (talk: Talk) =>
    Effect.sync(() => {
      if (talk.replies !== "") talk.session.outbox.offerUnsafe(encodeText(talk.replies), "asked")
      talk.replies = ""
    })

  /** Whether one more message is within the rate. */
  const takeToken = ({ rate }: Talk): boolean => rate.take(monotonicMillis(clock))

  /** Waits for a token and gives 0, or gives in how many milliseconds to ask again: behind all that were refused before. */
  const waitForToken = Effect.fnUntraced(function* (talk: Talk) {
    const { heardAt, rate, session } = talk
    const now = monotonicMillis(clock)
    const wait = rate.waitFor(1, now)
    if (now + wait > heardAt + maxDelay) return rate.waitFor(++talk.refused, now)
    // Borrowed, so that the other connections of the account come behind this one.
    rate.borrow(now)
    // The replies before it do not wait, and what stays unread meanwhile is no silence.
    yield* flush(talk)
    session.lastHeardAt = now + wait
    yield* Effect.sleep(wait)
    return 0
  })

  /** From now on it shares the tokens of its account. */
  const shareTokens = (talk: Talk, account: AccountId, device: DeviceId | undefined) => {
    talk.account = account
    talk.enrolled = device
    talk.rate.asAccount(account, monotonicMillis(clock))
  }

  /** Gives the milliseconds that were left. */
  const stopHandshakeTimer = Effect.fnUntraced(function* (talk: Talk) {
    const timer = talk.handshakeTimer
    if (timer === undefined) return 0
    talk.handshakeTimer = undefined
    const left = Math.max(0, timer.due - monotonicMillis(clock))
    yield* Fiber.interrupt(timer.fiber)
    return left
  })

  const hearStranger = Effect.fnUntraced(function* (talk: Talk, message: ClientMessage) {
    const { id } = message
    if (message._tag !== "Handshake") return yield* over(rejected({ _tag: "HandshakeRequired" }), id)
    // The time that the server takes is not the client's.
    const left = yield* stopHandshakeTimer(talk)
    const retryAfter = talk.hasTried && !takeToken(talk) ? yield* waitForToken(talk) : 0
    if (retryAfter > 0) {
      talk.handshakeTimer = yield* startHandshakeTimer(talk.session, left)
      return say(talk, rejected({ _tag: "RateLimited", retryAfter }), id)
    }
    talk.hasTried = true
    yield* flush(talk)
    const { challenge } = talk
    talk.challenge = undefined
    const outcome = yield* handshake(talk.session, message, challenge)
    switch (outcome._tag) {
      case "Welcomed":
        talk.user = outcome.user
        if (outcome.account !== undefined) shareTokens(talk, outcome.account, outcome.device)
        else talk.rate.asGuest(talk.session.peer.address, monotonicMillis(clock))
        talk.device = message.device
        talk.onWelcome()
        return yield* outcome.follow
      case "Challenged":
        talk.challenge = outcome.nonce
        say(talk, { _tag: "Challenge", nonce: outcome.nonce }, id)
        break
      case "Refused":
        if (endsHandshake(outcome.reason)) return yield* over(rejected(outcome.reason), id)
        say(talk, rejected(outcome.reason), id)
        break
      case "Failed":
    }
    // It may try again, in as much time; a challenge gives it once, and then leaves what is left.
    const goesOn = outcome._tag === "Challenged" && talk.wasChallenged
    talk.wasChallenged ||= outcome._tag === "Challenged"
    talk.handshakeTimer = yield* startHandshakeTimer(talk.session, goesOn ? left : handshakeMillis)
  })

  /** A guest's name becomes an account, once nothing that the guest asked for is under way any more. */
  const register = Effect.fnUntraced(function* (
    talk: Talk,
    { id, invite, password }: Extract<ClientMessage, { readonly _tag: "Register" }>,
    user: UserName
  ) {
    const { session } = talk
    yield* flush(talk)
    yield* session.requests.fewerThan(1)
    if (talk.account !== undefined) return say(talk, rejected({ _tag: "AccountExists", user }), id)
    const made = yield* registering.register({
      user,
      password,
      invite,
      device: talk.device,
      peer: session.peer,
      action: "Register"
    })
    if (Result.isFailure(made)) return say(talk, rejected(made.failure), id)
    const { account, enrolled } = made.success
    const owner = { account: account.id, device: enrolled.device }
    const ended = yield* Mailbox.ask(accounts, { _tag: "Connect", session: session.id, ...owner })
    if (Option.isSome(ended)) return yield* over(rejected(yield* login.whyNot(account.id)), id)
    Mailbox.tellUnsafe(accounts, { _tag: "Welcomed", session: session.id, marks: [], invitations: [] })
    yield* Mailbox.ask(server, { _tag: "Own", session: session.id, account: account.id, user: account.user })
    shareTokens(talk, account.id, enrolled.device)
    const letIn = yield* Effect.exit(
      inboxes.catchUp({ session: session.id, user, account: account.id, request: 0 }, undefined)
    )
    if (Exit.isSuccess(letIn)) yield* letIn.value.follow
    say(talk, { _tag: "Registered", token: Redacted.value(enrolled.token), device: enrolled.device }, id)
  })

  const request = Effect.fnUntraced(function* (talk: Talk, message: HandedOn, user: UserName) {
    const { account } = talk
    const { outbox, requests } = talk.session
    const large = isLarge(message)
    if (large || requests.isBusy()) yield* flush(talk)
    if (requests.isBusy()) yield* requests.lessBusy()
    if (outbox.isBehind()) yield* outbox.caughtUp()
    if (large) yield* outbox.taken()
    const characters = charactersIn(message)
    const request = requests.add({ id: message.id, about: conversationOf(message), characters, isLarge: large })
    const from = {
      session: talk.session.id,
      user,
      request,
      ...(account !== undefined && { account }),
      ...(talk.enrolled !== undefined && { device: talk.enrolled })
    }
    Mailbox.tellUnsafe(server, { _tag: "Request", from, message })
    if (large) yield* requests.largeGiven()
  })

  const carryOut = (talk: Talk, message: HandedOn | PingOrRegister, user: UserName) => {
    if (message._tag === "Ping") return void say(talk, { _tag: "Pong", nonce: message.nonce }, message.id)
    return message._tag === "Register" ? register(talk, message, user) : request(talk, message, user)
  }

  const carryOutLater = Effect.fnUntraced(function* (talk: Talk, message: HandedOn | PingOrRegister, user: UserName) {
    const retryAfter = yield* waitForToken(talk)
    if (retryAfter > 0) return say(talk, rejected({ _tag: "RateLimited", retryAfter }), message.id)
    const carriedOut = carryOut(talk, message, user)
    if (carriedOut !== undefined) yield* carriedOut
  })

  const hear = (talk: Talk, message: ClientMessage): Effect.Effect<void, Over> | undefined => {
    if (talk.user === undefined) return hearStranger(talk, message)
    if (message._tag === "Disconnect") return over({ _tag: "Goodbye" }, message.id)
    return takeToken(talk) ? carryOut(talk, message, talk.user) : carryOutLater(talk, message, talk.user)
  }

  const hearAll = Effect.fnUntraced(
    function* (talk: Talk, batch: ReadonlyArray<Incoming<ClientMessage>>) {
      const { session } = talk
      session.lastHeardAt = talk.heardAt = monotonicMillis(clock)
      talk.refused = 0
      for (const said of batch) {
        if (said._tag === "Message") {
          const heard = hear(talk, said.message)
          if (heard !== undefined) yield* heard
        } else if (said._tag === "Malformed") {
          if (!takeToken(talk)) yield* waitForToken(talk)
          say(talk, rejected({ _tag: "InvalidMessage", issue: said.issue }), said.id)
        } else if (said._tag === "Oversized") {
          return yield* over(rejected({ _tag: "FrameTooLarge", limit: said.limit }))
        } else {
          return yield* over({ _tag: "Goodbye", reason: `${said.lines} lines in a row were no messages.` })
        }
        if (talk.replies.length > maxOwnReplies) {
          yield* flush(talk)
          yield* session.outbox.caughtUp()
        }
      }
      yield* flush(talk)
      yield* session.outbox.caughtUp()
    },
    (effect, talk) => Effect.onError(effect, () => flush(talk))
  )

  /** `onWelcome`: it has a name. */
  return Effect.fnUntraced(function* (session: Session, connection: Connection<ClientMessage>, onWelcome: () => void) {
    const now = monotonicMillis(clock)
    const talk: Talk = {
      session,
      onWelcome,
      handshakeTimer: yield* startHandshakeTimer(session, handshakeMillis),
      user: undefined,
      account: undefined,
      enrolled: undefined,
      device: undefined,
      challenge: undefined,
      wasChallenged: false,
      hasTried: false,
      rate: rateOf(now),
      heardAt: now,
      refused: 0,
      replies: ""
    }
    yield* Effect.ensuring(
      Stream.runForEachArray(connection.messages, (batch) => hearAll(talk, batch)),
      Effect.sync(() => talk.rate.end(monotonicMillis(clock)))
    )
  })
})

type PingOrRegister = Extract<ClientMessage, { readonly _tag: "Ping" | "Register" }>

/** Where one connection's talk stands. */
interface Talk {
  readonly session: Session
  readonly onWelcome: () => void
  /** Runs while a Handshake is waited for, until `due`, in monotonic milliseconds. */
  handshakeTimer: { readonly due: number; readonly fiber: Fiber.Fiber<void> } | undefined
  /** Its name, once it has said so. */
  user: UserName | undefined
  /** The account it is, if it is no guest. */
  account: AccountId | undefined
  /** On which of its devices. */
  enrolled: DeviceId | undefined
  /** What its device is to be called, should it register. */
  device: DeviceName | undefined
  /** What a key is to sign in the next Handshake, and whether there was one before. */
  challenge: string | undefined
  wasChallenged: boolean
  /** There was a Handshake before: each further one counts against the rate. */
  hasTried: boolean
  /** How fast it may speak. */
  readonly rate: Rate
  /** When the lines being heard were read, in monotonic milliseconds, and how many of them were refused. */
  heardAt: number
  refused: number
  /** Replies of its own, gathered so that a thousand pings are not a thousand system calls. */
  replies: string
}

const waitsForNothing = ClientMessage.isAnyOf(["Search", "ListRooms", "Handshake", "GetUser"])

/** Of what it holds that may be long. */
const charactersIn = (message: HandedOn): number => {
  if ("content" in message) return message.content.length
  if ("data" in message) return message.data.length + ("welcome" in message ? message.welcome.length : 0)
  return "packages" in message ? message.packages.reduce((sum, one) => sum + one.length, 0) : 0
}

/** Which conversation's order its reply keeps, by a name no other has; none of a request that waits for nothing. */
const conversationOf = (message: HandedOn): string | undefined => {
  if (waitsForNothing(message)) return undefined
  if ((isAccountRequest(message) && message._tag !== "MarkRead") || isDeviceRequest(message)) return "account"
  if ("room" in message && message.room !== undefined) return `room:${nameKey(message.room)}`
  const partner = "to" in message ? message.to : "with" in message ? message.with : undefined
  return partner === undefined ? "lobby" : `user:${nameKey(partner)}`
}

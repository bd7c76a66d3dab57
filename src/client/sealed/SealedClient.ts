/**
 * A client that seals: what screens and scripts ask for and hear is what they would in the open, and what goes over the connection in
 * encrypted rooms is sealed. Nobody above it knows more of encryption than a padlock and a few commands (see core/Encryption.ts).
 *
 * 1. Entries of encrypted rooms never go up as the server sent them: see Telling.ts.
 * 2. What is said, edited or reacted there is sealed, whatever the server says of the room by now. A room that was encrypted once is.
 * 3. History and search of such a room are this device's own.
 * 4. The keys are opened on arrival for a person, and when they are first needed for a script.
 *
 * Owns the state from then on, and a Deferred for each message on its way.
 */
import { Deferred, Effect, Exit, Scope, Semaphore, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { nameKey } from "../../common/name/Name.ts"
import { conversationRoom } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import { type RequestError, UnexpectedReply } from "../core/ClientError.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { type Encryption, NotDone } from "../core/Encryption.ts"
import { isReplyTo, type Reply, type Request } from "../core/Request.ts"
import type { Client } from "../link/Client.ts"
import * as EventBuffer from "../link/EventBuffer.ts"
import * as Answers from "./Answers.ts"
import type { Keeping } from "./Keeping.ts"
import type { SealedNews } from "./News.ts"
import * as Places from "./Places.ts"
import type * as SealedRooms from "./SealedRooms.ts"
import * as Telling from "./Telling.ts"
import * as Watch from "./Watch.ts"
import {
  asNotDone,
  neverMet,
  noFreshKeys,
  notSent,
  notThere,
  onlyAccounts,
  refused,
  saidInTheOpen,
  slow,
  stoppedThere,
  takenOut
} from "./Words.ts"

type Service = Client["Service"]

const readyPatience = "10 seconds"
/** As long as the server is waited for otherwise, see link/Passage.ts. */
const lateness = "10 seconds"

/** For the scope. */
export const over = Effect.fnUntraced(function* (
  raw: Service,
  keeping: Keeping,
  options: SealedRooms.SealedOptions = {}
) {
  const scope = yield* Effect.scope
  const random = yield* SecureRandom.SecureRandom
  const buffer = yield* EventBuffer.make
  const turn = yield* Semaphore.make(1)
  const watch = Watch.make()
  const arrived = yield* Deferred.make<ServerMessageOf<"Welcome">>()
  const joins = new Map<string, ServerMessageOf<"RoomJoined">>()
  const underway = new Map<MessageKey, Answers.Underway>()
  let welcome: ServerMessageOf<"Welcome"> | undefined
  let opened: Answers.Opened | undefined
  /** Who one is by now: a guest may have become an account. */
  const oneself = Effect.map(Deferred.await(arrived), (first) => welcome ?? first)

  const telling = Telling.make({
    offer: buffer.offer,
    keeping,
    user: () => welcome?.user ?? nobody,
    device: () => welcome?.device,
    store: () => opened?.store,
    isVerified: (user) => opened?.rooms.pinned(user)?.isVerified === true
  })

  const settle = (news: SealedNews) => {
    if (news._tag === "Refused") {
      const one = underway.get(news.key)
      if (one !== undefined) Deferred.doneUnsafe(one.done, Effect.fail(refused(news.room, news.message)))
      // It was said before a restart: nobody waits for it, and it is not lost without a word.
      else buffer.offer({ _tag: "EncryptionTold", room: news.room, message: notSent(news), isAlarm: true })
    }
    if (news._tag === "Stopped") {
      for (const { done, room } of underway.values()) {
        if (room === news.room) Deferred.doneUnsafe(done, Effect.fail(refused(room, stoppedThere(news))))
      }
    }
    if (news._tag !== "Rows") return
    for (const [key, { at, seq }] of news.echoes) {
      const one = underway.get(key)
      if (one !== undefined) Deferred.doneUnsafe(one.done, Effect.succeed({ _tag: "Sent", seq, at }))
    }
  }

  const complain = ({ message }: { readonly message: string }) =>
    buffer.offer({ _tag: "EncryptionTold", message, isAlarm: false })

  const open = Effect.gen(function* () {
    const { account, device } = yield* oneself
    if (!account || device === undefined) return yield* new NotDone({ message: onlyAccounts })
    if (opened !== undefined) return opened
    // Of what cannot be opened nothing stays open: a second try would find the first one's lock.
    const own = yield* Scope.fork(scope)
    const store = yield* Scope.provide(keeping.open, own).pipe(Effect.onError(() => Scope.close(own, Exit.void)))
    // What seals is loaded by who needs it: 40 ms of the processor, of 250, and 6 MiB.
    const { make } = yield* Effect.promise(() => import("./SealedRooms.ts"))
    const rooms = yield* make(raw, store, options).pipe(
      Effect.mapError(({ message }) => new NotDone({ message })),
      Scope.provide(scope),
      Effect.provideService(SecureRandom.SecureRandom, random)
    )
    opened = { rooms, store }
    yield* keeping.remember(yield* asNotDone(store.rooms), "own")
    yield* rooms.news.pipe(
      Stream.runForEach((news) =>
        Effect.andThen(
          Effect.catch(telling.news(news), ({ message }) => Effect.sync(() => complain(new NotDone({ message })))),
          Effect.sync(() => {
            settle(news)
            watch.look()
          })
        )
      ),
      Effect.forkIn(scope)
    )
    // What happened before it was there to hear.
    const before: ReadonlyArray<ClientEvent> = [
      ...(welcome === undefined ? [] : [{ _tag: "Connected" as const, welcome }]),
      ...[...joins.values()].map((message) => ({ _tag: "Received" as const, message })),
      { _tag: "Skipped", events: 1 }
    ]
    yield* Effect.forEach(before, (event) => asNotDone(rooms.hear(event)), { discard: true })
    // Whoever is there is told what to do; a script is, when it asks for something.
    if (keeping.isEager)
      yield* Effect.forkIn(
        Effect.catch(rooms.ready, (error) => Effect.sync(() => complain(error))),
        scope
      )
    return opened
  }).pipe(turn.withPermit)

  const follow = (event: ClientEvent) => {
    if (event._tag === "Connected" || (event._tag === "Reconnected" && event.welcome !== undefined)) {
      ;({ welcome } = event)
      if (welcome !== undefined) Deferred.doneUnsafe(arrived, Effect.succeed(welcome))
    }
    if (event._tag === "Disconnected") joins.clear()
    if (event._tag === "RejoinRefused") joins.delete(nameKey(event.room))
    const message = event._tag === "Received" ? event.message : event._tag === "Rejoined" ? event.joined : undefined
    if (message?._tag === "Registered" && welcome !== undefined) {
      welcome = { ...welcome, account: true, device: message.device }
    }
    if (message?._tag === "RoomJoined" && message.encrypted === true) joins.set(nameKey(message.room), message)
    if (message?._tag === "RoomLeft" || message?._tag === "RoomDeleted") joins.delete(nameKey(message.room))
    return message?._tag === "RoomJoined" && message.encrypted === true
  }

  const take = Effect.fnUntraced(function* (event: ClientEvent) {
    const isSealed = follow(event)
    yield* telling.event(event)
    const isComing = event._tag === "Connected" || (event._tag === "Received" && event.message._tag === "Registered")
    const isArrival = isComing && keeping.isEager && welcome?.account === true
    if (opened === undefined && (isSealed || isArrival)) {
      yield* Effect.catch(open, (error) => Effect.sync(() => complain(error)))
    } else if (opened !== undefined) yield* Effect.ignore(opened.rooms.hear(event))
    watch.look()
  })

  yield* raw.events.pipe(
    Stream.runForEach(take),
    Effect.matchEffect({
      onSuccess: () => Effect.sync(() => buffer.end()),
      onFailure: (error) => Effect.sync(() => buffer.end(error))
    }),
    Effect.forkScoped
  )

  /** Done when this device takes part. */
  const ready = Effect.gen(function* () {
    const { rooms } = yield* open
    yield* Effect.mapError(rooms.ready, ({ message }) => new NotDone({ message })).pipe(
      Effect.timeoutOrElse({ duration: readyPatience, orElse: () => Effect.fail(new NotDone({ message: slow })) })
    )
    if (!rooms.isListed()) return yield* new NotDone({ message: takenOut })
    return rooms
  })

  const { answerHere, isReadUpTo, stateOf } = Answers.make({
    hasOpened: () => opened !== undefined,
    open,
    raw,
    ready,
    telling,
    underway,
    watch,
    oneself,
    random
  })

  const placeFor = Places.make({
    raw,
    telling,
    open,
    ready,
    oneself,
    offer: buffer.offer,
    isThere: (room) => stateOf(room) !== undefined && joins.has(nameKey(room))
  })

  /** No event tells of what is asked quietly; whether one is in a room is to be known all the same. */
  const hearQuietly = Effect.fnUntraced(function* (message: ServerMessage) {
    if (message._tag !== "RoomJoined" && message._tag !== "RoomLeft") return
    const event: ClientEvent = { _tag: "Received", message }
    const isSealed = follow(event)
    if (message._tag === "RoomJoined") yield* telling.joined(message)
    if (opened !== undefined) yield* asNotDone(opened.rooms.hear(event))
    else if (isSealed) yield* open
  })

  /** What makes or enters an encrypted room may come before this device is in its account's list. */
  const whenReady = <A>(asking: Effect.Effect<A, RequestError>) =>
    Effect.catchReason(asking, "RequestRejected", "DeviceRequired", () => Effect.andThen(ready, asking))

  /** What is said to somebody is said where it is encrypted; what it would answer or change stands in the other log. */
  const inItsPlace = Effect.fnUntraced(function* (request: Request): Effect.fn.Return<Request, NotDone | RequestError> {
    if (request._tag === "PrivateMessage") {
      const { content, key, to } = request
      const { room } = yield* placeFor(to)
      return room === undefined ? request : { _tag: "RoomMessage", room, content, ...(key !== undefined && { key }) }
    }
    if ((request._tag === "EditMessage" || request._tag === "React") && request.with !== undefined) {
      const { user } = yield* oneself
      if (telling.isKnown(conversationRoom(user, request.with))) {
        return yield* new NotDone({ message: saidInTheOpen(request.with) })
      }
    }
    return request
  })

  const via = <R extends Request>(
    request: R,
    ask: (request: R) => Effect.Effect<Reply<R>, RequestError>,
    isTold: boolean
  ): Effect.Effect<Reply<R>, RequestError> =>
    Effect.gen(function* () {
      const isEncrypting = request._tag === "CreateRoom" && request.encrypted === true
      if (isEncrypting) yield* ready
      if (request._tag === "RemoveDevice" && opened !== undefined) {
        yield* Effect.ignore(opened.rooms.signOut(request.device))
      }
      const here = answerHere(yield* inItsPlace(request))
      if (here === undefined) {
        const reply = yield* whenReady(ask(request))
        // From now on, also if the server should say that it is not.
        if (isEncrypting) yield* telling.isToBe(request.room)
        // The event may come later than what is asked for next.
        const message: ServerMessage = reply
        if (message._tag === "Registered") follow({ _tag: "Received", message })
        if (!isTold) yield* hearQuietly(reply)
        return reply
      }
      const reply = yield* here
      if (!isReplyTo(request)(reply)) return yield* new UnexpectedReply({ issue: `${reply._tag} to ${request._tag}` })
      if (isTold) buffer.offer({ _tag: "Received", message: reply })
      return reply
    }).pipe(
      Effect.catchTag("NotDone", ({ message }) => {
        const room = "room" in request && request.room !== undefined ? request.room : undefined
        return Effect.fail(refused(room, message))
      })
    )

  const attempt = <A>(use: (rooms: SealedRooms.SealedRooms) => Effect.Effect<A, { readonly message: string }>) =>
    Effect.flatMap(open, ({ rooms }) => Effect.mapError(use(rooms), ({ message }) => new NotDone({ message })))

  const encryption: Encryption = {
    placeFor,
    placeKnown: (user) =>
      Effect.map(oneself, ({ rooms = [], user: self }) => {
        const room = conversationRoom(self, user)
        const isThere = rooms.some((one) => nameKey(one.room) === nameKey(room))
        return isThere || telling.isKnown(room) ? { room } : { with: user }
      }),
    ready: Effect.asVoid(ready),
    safetyNumber: (user) =>
      nameKey(user) === nameKey(welcome?.user ?? nobody)
        ? Effect.fail(new NotDone({ message: "That is you. Name somebody else, whom you talk with." }))
        : attempt((rooms) =>
            Effect.map(rooms.safetyNumber(user), (digits) =>
              digits === undefined ? undefined : { digits, isVerified: false, isHeld: false, ...rooms.pinned(user) }
            )
          ),
    verified: (user) =>
      Effect.tap(
        attempt((rooms) => rooms.verified(user)),
        () => Effect.sync(() => telling.verifiedAnew(user))
      ),
    trust: (user) =>
      Effect.tap(
        attempt((rooms) =>
          rooms.pinned(user) === undefined ? new NotDone({ message: neverMet(user) }) : rooms.trust(user)
        ),
        () => Effect.sync(() => telling.verifiedAnew(user))
      ),
    rekey: (room) =>
      Effect.gen(function* () {
        const { rooms } = yield* open
        if (stateOf(room) === undefined) return yield* new NotDone({ message: notThere(room) })
        const before = rooms.incarnationOf(room)
        yield* attempt((rooms) => rooms.rekey(room))
        const isDone = () => rooms.incarnationOf(room) > before && stateOf(room) === "in"
        if (!(yield* watch.until(isDone, lateness))) return yield* new NotDone({ message: noFreshKeys(room) })
      }),
    signIn: (device) => attempt((rooms) => rooms.signIn(device)),
    signOut: (device) => attempt((rooms) => rooms.signOut(device)),
    link: (code) => attempt((rooms) => rooms.link(code)),
    beginAnew: attempt((rooms) => rooms.beginAnew),
    // Whoever leaves does not wait for keys that were not opened.
    sealText: (text) => Effect.suspend(() => opened?.store.sealText(text) ?? Effect.undefined),
    openText: (sealed) =>
      Effect.orElseSucceed(
        Effect.flatMap(open, ({ store }) => store.openText(sealed)),
        () => undefined
      ),
    isKept: (key) =>
      Effect.gen(function* () {
        if (opened === undefined) return false
        const { store } = opened
        const boxes = yield* Effect.forEach(yield* store.rooms, store.outbox)
        return boxes.flat().some((row) => row.key === key)
      }).pipe(Effect.orElseSucceed(() => false)),
    forget: keeping.forget
  }

  const service: Service = {
    ...raw,
    encryption,
    events: buffer.events,
    send: (request) => via(request, raw.send, false),
    request: (request) => via(request, raw.request, true),
    quietly: (request) => via(request, raw.quietly, false),
    gather: (request) => via(request, raw.gather, true),
    backlog: ({ cursor, room }, limit) => {
      if (room === undefined || !telling.isEncrypted(room)) return raw.backlog({ cursor, room }, limit)
      const range = { before: cursor.seq + 1, limit }
      return via({ _tag: "GetHistory", room, ...range }, raw.quietly, false)
    },
    told: (entry) =>
      Effect.gen(function* () {
        yield* raw.told(entry)
        const room = entry?.where.room
        if (entry !== undefined && room !== undefined && telling.isEncrypted(room)) {
          yield* watch.until(isReadUpTo(room, entry.seq), lateness)
        }
        yield* buffer.caughtUp
      })
  }
  return service
}, Effect.provide(SecureRandom.layerWebCrypto))

const nobody = UserName.make("nobody")

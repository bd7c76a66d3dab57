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
import { Deferred, Effect, Scope, Semaphore, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { nameKey } from "../../common/name/Name.ts"
import { conversationRoom, isConversationRoom, type RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import { type RequestError, UnexpectedReply } from "../core/ClientError.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { type Encryption, NotDone } from "../core/Encryption.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { isReplyTo, type Reply, type Request } from "../core/Request.ts"
import type { Client } from "../link/Client.ts"
import * as EventBuffer from "../link/EventBuffer.ts"
import type { Keeping } from "./Keeping.ts"
import type { SealedNews } from "./News.ts"
import * as Pages from "./Pages.ts"
import type { Saying } from "./Payload.ts"
import * as SealedRooms from "./SealedRooms.ts"
import type { SealedStore, StoreError } from "./SealedStore.ts"
import * as Telling from "./Telling.ts"
import * as Watch from "./Watch.ts"
import { notInTheOpen, onlyAccounts, refused, slow } from "./Words.ts"

type Service = Client["Service"]

/** How long a page waits for what was missed to be read, and a message for whom it is for to be let in. */
const pagePatience = "1500 millis"
const partnerPatience = "10 seconds"
const readyPatience = "10 seconds"
/** As long as the server is waited for otherwise, see link/Passage.ts. */
const lateness = "10 seconds"

interface Opened {
  readonly rooms: SealedRooms.SealedRooms
  readonly store: SealedStore
}

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
  const underway = new Map<MessageKey, Deferred.Deferred<ServerMessageOf<"Sent">, RequestError>>()
  let welcome: ServerMessageOf<"Welcome"> | undefined
  let opened: Opened | undefined

  const telling = Telling.make({
    offer: buffer.offer,
    keeping,
    user: () => welcome?.user ?? nobody,
    store: () => opened?.store,
    isVerified: (user) => opened?.rooms.pinned(user)?.isVerified === true
  })

  const settle = (news: SealedNews) => {
    if (news._tag === "Refused") {
      const done = underway.get(news.key)
      if (done !== undefined) Deferred.doneUnsafe(done, Effect.fail(refused(news.room, news.message)))
    }
    if (news._tag !== "Rows") return
    for (const [key, { at, seq }] of news.echoes) {
      const done = underway.get(key)
      if (done !== undefined) Deferred.doneUnsafe(done, Effect.succeed({ _tag: "Sent", seq, at }))
    }
  }

  const open = Effect.gen(function* () {
    const { account, device } = yield* Deferred.await(arrived)
    if (!account || device === undefined) return yield* new NotDone({ message: onlyAccounts })
    if (opened !== undefined) return opened
    const store = yield* Scope.provide(keeping.open, scope)
    const rooms = yield* SealedRooms.make(raw, store, options).pipe(
      Effect.mapError(({ message }) => new NotDone({ message })),
      Scope.provide(scope),
      Effect.provideService(SecureRandom.SecureRandom, random)
    )
    opened = { rooms, store }
    for (const room of yield* asNotDone(store.rooms)) yield* keeping.remember(room)
    yield* rooms.news.pipe(
      Stream.runForEach((news) =>
        Effect.andThen(
          Effect.ignore(telling.news(news)),
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
    if (message?._tag === "RoomJoined" && message.encrypted === true) joins.set(nameKey(message.room), message)
    if (message?._tag === "RoomLeft" || message?._tag === "RoomDeleted") joins.delete(nameKey(message.room))
    return message?._tag === "RoomJoined" && message.encrypted === true
  }

  const complain = ({ message }: NotDone) => buffer.offer({ _tag: "EncryptionTold", message, isAlarm: false })

  const take = Effect.fnUntraced(function* (event: ClientEvent) {
    const isSealed = follow(event)
    yield* telling.event(event)
    const isArrival = event._tag === "Connected" && keeping.isEager && event.welcome.account
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
    return rooms
  })

  const stateOf = (room: RoomName) => telling.roomOf(room)?.state

  /** What is said to somebody goes out when they can read it. */
  const partnerIsIn = Effect.fnUntraced(function* (rooms: SealedRooms.SealedRooms, room: RoomName) {
    if (!isConversationRoom(room)) return
    const partner = () => telling.roomOf(room)?.with
    const isIn = () => {
      const other = partner()
      return other !== undefined && rooms.isIn(room, other)
    }
    if (yield* watch.until(isIn, partnerPatience)) return
    const other = partner()
    // Whether they are held, or the keys are out of step, is told by saying it.
    if (other === undefined || rooms.pinned(other)?.isHeld === true || stateOf(room) !== "in") return
    return yield* new NotDone({
      message: `${other} has no device that can be let in just now, and could not read it. Nothing was sent; try again when ${other} has been here.`
    })
  })

  const say = Effect.fnUntraced(function* (room: RoomName, saying: Saying, given: MessageKey | undefined) {
    if (telling.roomOf(room)?.isExposed === true) return yield* new NotDone({ message: notInTheOpen(room) })
    const rooms = yield* ready
    yield* partnerIsIn(rooms, room)
    const key = given ?? (yield* random.uuidV7())
    const done = yield* Deferred.make<ServerMessageOf<"Sent">, RequestError>()
    underway.set(key, done)
    return yield* rooms.say(room, saying, key).pipe(
      Effect.mapError(({ message }) => new NotDone({ message })),
      Effect.andThen(Deferred.await(done)),
      Effect.ensuring(Effect.sync(() => underway.delete(key)))
    )
  })

  const placeFor: Encryption["placeFor"] = Effect.fnUntraced(function* (user) {
    const { user: self } = yield* Deferred.await(arrived)
    const place: Whereabouts = { with: user }
    const room = conversationRoom(self, user)
    const isKnown =
      telling.isEncrypted(room) && (telling.roomOf(room) !== undefined || keeping.known.has(nameKey(room)))
    if (!isKnown && !(yield* hasDevices(user))) return place
    yield* ready
    if (stateOf(room) === undefined || !joins.has(nameKey(room))) {
      yield* raw
        .request({ _tag: "OpenConversation", with: user })
        .pipe(Effect.catchReason("RequestRejected", "AlreadyInRoom", () => Effect.void))
    }
    return { room }
  })

  const told = <A>(asking: Effect.Effect<A, RequestError | StoreError>): Effect.Effect<A, NotDone | RequestError> =>
    Effect.catchTag(asking, ["StateFailed", "StateUnreadable", "WrongKey"], ({ message }) =>
      Effect.fail(new NotDone({ message }))
    )

  /** Whether both can seal; of whom nobody has seen a device before, the server says so. */
  const hasDevices = Effect.fnUntraced(function* (user: UserName) {
    const { account, device } = yield* Deferred.await(arrived)
    if (!account || device === undefined) return false
    const here = yield* Effect.result(open)
    if (here._tag === "Success") return yield* told(here.success.rooms.hasDevices(user))
    // Another program has the keys: what could be sealed is not said in the open instead.
    const { entries } = yield* raw
      .quietly({ _tag: "GetDevices", user })
      .pipe(Effect.catchReason("RequestRejected", "UserNotFound", () => Effect.succeed({ entries: [] })))
    return entries.length > 0 ? yield* here.failure : false
  })

  const isReadUpTo = (room: RoomName, seq: number) => () => {
    const now = telling.roomOf(room)
    return now === undefined || now.emitted >= seq || now.state === "waiting" || now.state === "outOfStep"
  }

  const pageOf = <A>(room: RoomName, use: (store: SealedStore, user: UserName) => Effect.Effect<A, StoreError>) =>
    Effect.gen(function* () {
      const { store } = yield* open
      const { user } = yield* Deferred.await(arrived)
      yield* watch.until(isReadUpTo(room, telling.roomOf(room)?.seq ?? 0), pagePatience)
      const page = yield* asNotDone(use(store, user))
      telling.paged(room)
      return page
    })

  const exact = (room: RoomName) => telling.roomOf(room)?.room ?? room

  /** What is answered here; undefined of what the server is to answer. */
  const answerHere = (request: Request): Effect.Effect<ServerMessage, NotDone | RequestError> | undefined => {
    if (!("room" in request) || request.room === undefined || !telling.isEncrypted(request.room)) return undefined
    const room = exact(request.room)
    switch (request._tag) {
      case "RoomMessage": {
        const { content, key, replyTo } = request
        return say(room, { _tag: "Said", content, ...(replyTo !== undefined && { replyTo }) }, key)
      }
      case "EditMessage":
        return say(room, { _tag: "Edited", target: request.target, content: request.content }, request.key)
      case "React": {
        const { key, reaction, remove, target } = request
        return say(room, { _tag: "Reacted", target, reaction, ...(remove === true && { removed: true }) }, key)
      }
      case "DeleteMessage":
        return deleteThere(room, request)
      case "GetHistory":
        if (request.only === "moderation") return undefined
        return pageOf(room, (store, user) => Pages.history(store, user, room, request))
      case "Search":
        return pageOf(room, (store, user) => Pages.search(store, user, room, request))
      default:
        return undefined
    }
  }

  /** To the server each edit is a message of its own. */
  const deleteThere = Effect.fnUntraced(function* (
    room: RoomName,
    request: Extract<Request, { readonly _tag: "DeleteMessage" }>
  ) {
    const sent = yield* raw.send(request)
    const { store } = yield* open
    const kept = yield* asNotDone(store.kept(room))
    const changes = kept === undefined ? [] : yield* asNotDone(store.changes(kept, request.target, request.target))
    for (const { line, seq } of changes) {
      if (line._tag !== "Opened" || line.saying._tag !== "Edited") continue
      yield* Effect.ignore(raw.send({ _tag: "DeleteMessage", room, target: seq }))
    }
    return sent
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

  const via = <R extends Request>(
    request: R,
    ask: (request: R) => Effect.Effect<Reply<R>, RequestError>,
    isTold: boolean
  ): Effect.Effect<Reply<R>, RequestError> =>
    Effect.gen(function* () {
      if (request._tag === "CreateRoom" && request.encrypted === true)
        yield* Effect.andThen(ready, telling.isToBe(request.room))
      const place = request._tag === "PrivateMessage" ? yield* placeFor(request.to) : {}
      const asked: Request =
        request._tag === "PrivateMessage" && place.room !== undefined
          ? { ...request, _tag: "RoomMessage", room: place.room }
          : request
      const here = answerHere(asked)
      if (here === undefined) {
        const reply = yield* whenReady(ask(request))
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
    ready: Effect.asVoid(ready),
    safetyNumber: (user) =>
      attempt((rooms) =>
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
        attempt((rooms) => rooms.trust(user)),
        () => Effect.sync(() => telling.verifiedAnew(user))
      ),
    rekey: (room) => attempt((rooms) => rooms.rekey(room)),
    signIn: (device) => attempt((rooms) => rooms.signIn(device)),
    signOut: (device) => attempt((rooms) => rooms.signOut(device)),
    link: (code) => attempt((rooms) => rooms.link(code)),
    beginAnew: attempt((rooms) => rooms.beginAnew)
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

const asNotDone = <A>(effect: Effect.Effect<A, StoreError>) =>
  Effect.mapError(effect, ({ message }) => new NotDone({ message }))

/**
 * What of a client's requests is answered on this device, where a room is encrypted: what is said is sealed, and pages and findings come
 * from what was read here.
 *
 * Bounds: 1024 messages are on their way, as of any client; further ones wait.
 */
import { Deferred, Effect, Semaphore } from "effect"
import type { SecureRandom } from "effect/crypto"
import { isConversationRoom, type RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { defaultHistoryLimit } from "../../common/wire/ClientMessage.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { RequestError } from "../core/ClientError.ts"
import { NotDone } from "../core/Encryption.ts"
import type { Request } from "../core/Request.ts"
import type { Client } from "../link/Client.ts"
import * as Pages from "./Pages.ts"
import type { Saying } from "./Payload.ts"
import type { SealedRooms } from "./SealedRooms.ts"
import type { SealedStore, StoreError } from "./SealedStore.ts"
import type { Telling } from "./Telling.ts"
import type { Watch } from "./Watch.ts"
import { asNotDone, notInTheOpen, stillReading, waitsHere } from "./Words.ts"

/** How long a page waits for what was missed to be read, and a message for keys, or for whom it is for to be let in. */
const pagePatience = "1500 millis"
const keysPatience = "3 seconds"
const partnerPatience = "10 seconds"
/** How long whoever gave no key of their own waits for what is kept here to be taken: longer than a connection is away mostly. */
const takenPatience = "30 seconds"
/** As long as the server is waited for otherwise, see link/Passage.ts. */
const lateness = "10 seconds"

const maxUnderway = 1024

type SearchRequest = Extract<Request, { readonly _tag: "Search" }>

export interface Opened {
  readonly rooms: SealedRooms
  readonly store: SealedStore
}

export interface Underway {
  readonly room: RoomName
  readonly done: Deferred.Deferred<ServerMessageOf<"Sent">, RequestError>
}

interface Answering {
  readonly raw: Client["Service"]
  readonly open: Effect.Effect<Opened, NotDone>
  /** Done when this device takes part. */
  readonly ready: Effect.Effect<SealedRooms, NotDone>
  /** Whether the keys are at hand. */
  readonly hasOpened: () => boolean
  readonly telling: Telling
  readonly watch: Watch
  /** Who one is, as soon as that is known. */
  readonly oneself: Effect.Effect<ServerMessageOf<"Welcome">>
  readonly random: SecureRandom.SecureRandom["Service"]
  /** To be answered when they stand in the log. */
  readonly underway: Map<MessageKey, Underway>
}

export const make = ({ hasOpened, oneself, open, random, raw, ready, telling, underway, watch }: Answering) => {
  const slots = Semaphore.makeUnsafe(maxUnderway)

  const stateOf = (room: RoomName) => telling.roomOf(room)?.state

  /** What is said to somebody goes out when they can read it. */
  const keysAreThere = Effect.fnUntraced(function* (rooms: SealedRooms, room: RoomName) {
    if (!isConversationRoom(room)) {
      // Of a room that was made a moment ago they are on their way; who waits to be let in is told so by saying it.
      yield* watch.until(() => ["in", "outOfStep"].includes(stateOf(room) ?? ""), keysPatience)
      return
    }
    const partner = () => telling.roomOf(room)?.with
    const isIn = () => {
      const other = partner()
      return other !== undefined && rooms.isIn(room, other)
    }
    const isHeld = () => {
      const other = partner()
      return other !== undefined && rooms.pinned(other)?.isHeld === true
    }
    const named = partner()
    // It may be with who had this name before: then there is another one.
    if (named !== undefined && !isIn() && !isHeld()) {
      yield* Effect.ignore(raw.request({ _tag: "OpenConversation", with: named }))
    }
    if (yield* watch.until(() => isIn() || isHeld(), partnerPatience)) return
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
    yield* keysAreThere(rooms, room)
    const key = given ?? (yield* random.uuidV7())
    const done = yield* Deferred.make<ServerMessageOf<"Sent">, RequestError>()
    underway.set(key, { room, done })
    return yield* rooms.say(room, saying, key).pipe(
      Effect.mapError(({ message }) => new NotDone({ message })),
      Effect.andThen(
        given === undefined
          ? Effect.timeoutOrElse(Deferred.await(done), {
              duration: takenPatience,
              orElse: () => Effect.fail(new NotDone({ message: waitsHere(room) }))
            })
          : Deferred.await(done)
      ),
      Effect.ensuring(Effect.sync(() => underway.delete(key)))
    )
  }, slots.withPermit)

  const isReadUpTo = (room: RoomName, seq: number) => () => {
    const now = telling.roomOf(room)
    return now === undefined || now.emitted >= seq || now.state === "waiting" || now.state === "outOfStep"
  }

  /** `isWhole`: whoever goes forwards takes what is not in the page for what is not there. */
  const pageOf = <A>(
    room: RoomName,
    isWhole: boolean,
    use: (store: SealedStore, user: UserName) => Effect.Effect<A, StoreError>
  ) =>
    Effect.gen(function* () {
      const { store } = yield* open
      const { user } = yield* oneself
      const upTo = telling.roomOf(room)?.seq ?? 0
      const cursor = Effect.map(asNotDone(store.where(room)), (where) => where?.cursor ?? 0)
      if (
        (yield* cursor) < upTo &&
        !(yield* watch.until(isReadUpTo(room, upTo), isWhole ? lateness : pagePatience)) &&
        isWhole
      ) {
        return yield* new NotDone({ message: stillReading(room) })
      }
      // Where nothing was ever read, the reason is told, if this device takes no part.
      if ((yield* asNotDone(store.where(room))) === undefined) yield* ready
      const read = yield* cursor
      const page = yield* asNotDone(use(store, user))
      telling.paged(room, read)
      return page
    })

  const exact = (room: RoomName) => telling.roomOf(room)?.room ?? room

  /** What the server finds everywhere, and with its first page what there is in encrypted rooms; the newest first. */
  const searchAll = Effect.fnUntraced(function* (request: SearchRequest) {
    const theirs = yield* raw.quietly(request)
    const { store } = yield* open
    const { user } = yield* oneself
    const ours: Array<StandingMessage> = []
    for (const room of yield* asNotDone(store.rooms)) {
      ours.push(...(yield* asNotDone(Pages.search(store, user, room, request))).messages)
    }
    const newest = ours.toSorted((one, other) => other.at - one.at).slice(0, request.limit ?? defaultHistoryLimit)
    return { ...theirs, messages: [...newest, ...theirs.messages].toSorted((one, other) => other.at - one.at) }
  })

  /** What is answered here; undefined of what the server is to answer. */
  const answerHere = (request: Request): Effect.Effect<ServerMessage, NotDone | RequestError> | undefined => {
    if (request._tag === "Search" && request.room === undefined && request.with === undefined) {
      const isElsewhere = request.before !== undefined || "lobby" in request || !hasOpened()
      return isElsewhere ? undefined : searchAll(request)
    }
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
        return pageOf(room, request.after !== undefined, (store, user) => Pages.history(store, user, room, request))
      case "Search":
        return pageOf(room, false, (store, user) => Pages.search(store, user, room, request))
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
    const editsOf = Effect.gen(function* () {
      const { store } = yield* open
      const where = yield* asNotDone(store.where(room))
      const changes = where === undefined ? [] : yield* asNotDone(store.changes(where, request.target, request.target))
      return changes.filter(({ line }) => line._tag === "Opened" && line.saying._tag === "Edited")
    })
    // It is deleted, whether its edits, which nobody is shown any more, can be or not.
    for (const { seq } of yield* Effect.orElseSucceed(editsOf, () => [])) {
      yield* Effect.ignore(raw.send({ _tag: "DeleteMessage", room, target: seq }))
    }
    return sent
  })

  return { answerHere, isReadUpTo, stateOf }
}

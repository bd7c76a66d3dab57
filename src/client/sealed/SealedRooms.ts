/**
 * The encrypted conversations of one device: what screens and scripts use, and nothing of MLS. It hears what the client hears, and
 * keeps every conversation that this connection is in caught up, its members let in, and what was said on its way.
 *
 * Rooms are made and joined by the client's own requests (CreateRoom with `encrypted`, JoinRoom, OpenConversation); what follows from
 * the replies is done here. What was said is in the store (`rows`), and `news` tells when there is more.
 *
 * Owns the lists of devices, this device's keys, and a fiber for each conversation: 2,000 at most, whatever the server names. Of
 * further ones nothing is read or said, which is told once.
 */
import { Deferred, Effect, Queue, Result, Scope, Semaphore, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import type { UserDevice } from "../../common/log/Sealing.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { RequestError, SessionError } from "../core/ClientError.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { isEntry } from "../core/Heard.ts"
import type { Device } from "../crypto/Device.ts"
import type { Client } from "../link/Client.ts"
import * as Ask from "./Ask.ts"
import * as Conversation from "./Conversation.ts"
import type { PlainRow } from "./Kept.ts"
import * as Lists from "./Lists.ts"
import type { SealedNews } from "./News.ts"
import * as Opened from "./Opened.ts"
import * as OwnDevice from "./OwnDevice.ts"
import type { Saying } from "./Payload.ts"
import * as People from "./People.ts"
import * as Pin from "./Pin.ts"
import {
  Copied,
  type DeviceSpent,
  type ListNotChanged,
  NoSuchCode,
  type NoSuchDevice,
  NotLetIn,
  NotLinked,
  type SayError
} from "./SealedError.ts"
import type { SealedStore, StoreError, Unsent } from "./SealedStore.ts"
import { longestPause } from "./Steps.ts"
import { growing } from "./Timers.ts"
import type { Conversation as SealedConversation, View } from "./View.ts"
import type { Workshop } from "./Workshop.ts"

export interface SealedRooms extends People.People {
  /** Takes in what the client tells; every event of it, in its order. */
  readonly hear: (event: ClientEvent) => Effect.Effect<void, StoreError>
  /** What happens, for one reader; who is more than 4096 behind has missed the oldest, and reads the rows again. */
  readonly news: Stream.Stream<SealedNews>
  /** Done when this device can take part; who has to be signed in by another one first is told so. */
  readonly ready: Effect.Effect<Device, NotLinked | Copied>
  /** Says something: done when it is stored, from when on it is sent whatever happens; under a new key, or this one. */
  readonly say: (room: RoomName, saying: Saying, key?: MessageKey) => Effect.Effect<MessageKey, SayError>
  /** What was read there, oldest first, behind a place. */
  readonly rows: (room: RoomName, after?: number, limit?: number) => Effect.Effect<ReadonlyArray<PlainRow>, StoreError>
  /** How a conversation stands; undefined of one that this device is not in. */
  readonly view: (room: RoomName) => Effect.Effect<View | undefined>
  /** Fresh keys for a conversation that is out of step: everybody is let in again, and nothing from before can be read by who was not there. */
  readonly rekey: (room: RoomName) => Effect.Effect<void, NotLetIn>
  /** Whether somebody who is known has a device in that conversation. */
  readonly isIn: (room: RoomName, user: UserName) => boolean
  /** Whether this device, which takes part, is in its account's list still. */
  readonly isListed: () => boolean
  /** How many groups that conversation has had, as far as this device knows. */
  readonly incarnationOf: (room: RoomName) => number
  /** Signs another device of this account in: the code to type there. */
  readonly signIn: (
    device: UserDevice["device"]
  ) => Effect.Effect<string, NotLinked | NoSuchCode | DeviceSpent | ListNotChanged | RequestError | StoreError>
  readonly signOut: (
    device: UserDevice["device"]
  ) => Effect.Effect<void, NotLinked | NoSuchDevice | ListNotChanged | RequestError | StoreError>
  /** Makes this device one of the account, by the code that another one shows. */
  readonly link: (code: string) => Effect.Effect<void, NoSuchCode | Copied | RequestError | StoreError>
  /** Begins a new list of devices, with this one alone. */
  readonly beginAnew: Effect.Effect<void, Copied | RequestError | StoreError>
}

export interface SealedOptions {
  /** The shortest pause before something is tried again, and between two in the order of those who change keys; 400 ms. */
  readonly patience?: number
  /** How long the server may take to answer, in milliseconds; 10 s, see link/Passage.ts. */
  readonly lateness?: number
  /** How many conversations are followed in one run; see `maxFollowed`. */
  readonly mostFollowed?: number
  /** How many entries are read at once. */
  readonly pageSize?: number
}

const maxNews = 4096
/** Each costs a fiber, a row, and as much memory as its group; of rooms an account is in 100, unless its server says otherwise. */
const maxFollowed = 2000

const isEncryptedStill = (room: RoomName) =>
  `The server says that ${room} is not encrypted, and it is. Say nothing there in the open.`
const wasEncrypted = (room: RoomName) =>
  `${room} was encrypted, and the server says that it was made anew and is not. Whatever is said there now it can read.`

export const make = Effect.fnUntraced(function* (
  client: Pick<Client["Service"], "quietly" | "request">,
  store: SealedStore,
  { lateness = 10_000, mostFollowed = maxFollowed, pageSize = 200, patience = 400 }: SealedOptions = {}
) {
  const scope = yield* Effect.scope
  const random = yield* SecureRandom.SecureRandom
  const newsQueue = yield* Queue.sliding<SealedNews>(maxNews)
  const tell = (news: SealedNews) => {
    Queue.offerUnsafe(newsQueue, news)
  }
  // What makes this device one of its account's is asked once for each connection: in pieces, it would be made several times.
  const patiently = Ask.patiently(client.quietly)
  const ask = Ask.within(patiently, lateness)
  let identity: UserDevice | undefined
  const lists = yield* Lists.make(store, ask, tell, () => identity)
  const home: OwnDevice.Home = { ask: patiently, lists, store, tell }

  const conversations = new Map<string, SealedConversation>()
  const joins = new Map<string, ServerMessageOf<"RoomJoined">>()
  let workshop: Workshop | undefined
  let encrypted: ReadonlyArray<RoomName> = []
  let settled = yield* Deferred.make<Device, NotLinked | Copied>()
  let isCopied = yield* store.isCopied
  let isFull = false

  const opened = Opened.make({
    tell,
    join: (room) => client.request({ _tag: "JoinRoom", room }),
    isIn: (room) => joins.has(nameKey(room)),
    lateness
  })

  const inBackground = <A, E>(effect: Effect.Effect<A, E>) => Effect.asVoid(Effect.forkIn(Effect.ignore(effect), scope))

  const restock = (own: Device) => Effect.ignore(isCopied ? Effect.void : OwnDevice.restock(home, own))

  const copied: Workshop["copied"] = (room) =>
    Effect.suspend(() => {
      if (isCopied || identity === undefined) return Effect.void
      isCopied = true
      const { message } = new Copied({ device: identity.device })
      return Effect.tap(store.markCopied, () =>
        Effect.sync(() => {
          tell({ _tag: "Cloned", room, message })
          for (const conversation of conversations.values()) conversation.changed()
        })
      )
    })

  /** A device that is another one than before has nothing of that one to send. */
  const giveUp = (unsent: ReadonlyArray<Unsent>) => {
    isCopied = false
    const message = "It was on its way from this device as it was before. Say it again, if nobody has read it."
    for (const one of unsent) tell({ _tag: "Refused", ...one, message })
  }

  const enter = Effect.fnUntraced(function* (joined: ServerMessageOf<"RoomJoined">) {
    const key = nameKey(joined.room)
    joins.set(key, joined)
    if (workshop === undefined) return
    let conversation = conversations.get(key)
    if (conversation === undefined) {
      if (conversations.size >= mostFollowed) {
        if (!isFull) tell({ _tag: "NotFollowed", what: "rooms", most: mostFollowed })
        isFull = true
        return
      }
      const opened = yield* Effect.result(Scope.provide(Conversation.open(workshop, joined.room), scope))
      // What cannot be read of one is told, and ends no other.
      if (Result.isFailure(opened)) {
        tell({ _tag: "Stopped", room: joined.room, message: opened.failure.message })
        return
      }
      conversation = opened.success
      conversations.set(key, conversation)
    }
    conversation.joined(joined)
    conversation.missed()
  })

  /** A room that was encrypted never is not: a server that says so wants something to be said that it can read. */
  const enterInTheOpen = Effect.fnUntraced(function* (joined: ServerMessageOf<"RoomJoined">) {
    const { epoch, room } = joined
    const known = yield* store.where(room)
    if (known === undefined) return
    const isSameLog = known.log === epoch
    tell({ _tag: "InTheOpen", room, message: isSameLog ? isEncryptedStill(room) : wasEncrypted(room) })
    if (isSameLog) yield* enter(joined)
  })

  const begin = Effect.fnUntraced(function* (own: Device) {
    const used = yield* Queue.sliding<void>(1)
    workshop ??= {
      own,
      ask,
      lists,
      store,
      tell,
      patience,
      lateness,
      pageSize,
      newKey: Effect.orDie(random.uuidV7()),
      isCopied: () => isCopied,
      copied,
      packageUsed: () => Queue.offerUnsafe(used, undefined)
    }
    const stocked = yield* Deferred.make<void>()
    const restockAgain = Effect.forever(Effect.andThen(Queue.take(used), restock(own)))
    yield* inBackground(
      Effect.andThen(restock(own), Effect.andThen(Deferred.succeed(stocked, undefined), restockAgain))
    )
    yield* Effect.timeoutOption(Deferred.await(stocked), lateness)
    // First: whoever waits until this device takes part says something at once.
    for (const joined of joins.values()) yield* enter(joined)
    // Whoever asked before this device was signed in has been told that it was not.
    if (Deferred.isDoneUnsafe(settled)) settled = Deferred.makeUnsafe()
    Deferred.doneUnsafe(settled, isCopied ? Effect.fail(new Copied(own.identity)) : Effect.succeed(own))
    // They were refused as long as this device was not in the list.
    yield* Effect.forEach(
      encrypted.filter((room) => !joins.has(nameKey(room))),
      (room) => inBackground(client.request({ _tag: "JoinRoom", room })),
      { discard: true }
    )
  })

  const settle = Effect.gen(function* () {
    if (identity === undefined || workshop !== undefined) return
    const own = yield* OwnDevice.settle(home, identity)
    if (own !== undefined) return yield* begin(own)
    Deferred.doneUnsafe(settled, Effect.fail(new NotLinked({ device: identity.device })))
  }).pipe(Semaphore.makeUnsafe(1).withPermit)

  /** Until it is known whether this device takes part, less and less often. */
  const settlePause = growing(patience, longestPause)
  const settleAtLast: Effect.Effect<void, StoreError | SessionError> = Effect.catchTag(
    settle,
    ["ReplyLost", "RequestRejected", "UnexpectedReply"],
    () => Effect.andThen(Effect.sleep(settlePause.take()), settleAtLast)
  )

  const arrive = (welcome: ServerMessageOf<"Welcome">) => {
    lists.allMayHaveChanged()
    if (!welcome.account || welcome.device === undefined) return Effect.void
    identity = { user: welcome.user, device: welcome.device }
    encrypted = (welcome.rooms ?? []).flatMap(({ encrypted: isIt, room }) => (isIt === true ? [room] : []))
    opened.listed((welcome.rooms ?? []).map(({ room }) => room))
    settlePause.beginAgain()
    return inBackground(settleAtLast)
  }

  const leave = (room: RoomName) => {
    joins.delete(nameKey(room))
    opened.left(room)
    conversations.get(nameKey(room))?.away()
  }

  const receive = (message: Extract<ClientEvent, { readonly _tag: "Received" }>["message"]) => {
    switch (message._tag) {
      case "RoomJoined":
        return message.encrypted === true ? enter(message) : enterInTheOpen(message)
      case "RoomLeft":
      case "RoomDeleted":
        return Effect.sync(() => leave(message.room))
      case "RoomPresence":
        return Effect.sync(() => conversations.get(nameKey(message.room))?.changed(message))
      case "DevicesChanged":
        return Effect.gen(function* () {
          lists.changed(message.user)
          for (const conversation of conversations.values()) conversation.changed()
          // Whose list was never had is looked at when they are met, however many of them a server names.
          if (lists.pinOf(message.user) !== undefined) yield* inBackground(lists.look(message.user))
        })
      case "ConversationOpened":
        return identity === undefined
          ? Effect.void
          : inBackground(opened.opened(identity.user, message.room, message.with))
      default:
        return Effect.sync(() => {
          if (!isEntry(message) || !("room" in message) || message.room === undefined) return
          conversations.get(nameKey(message.room))?.heard(message)
        })
    }
  }

  const hear: SealedRooms["hear"] = (event) =>
    Effect.suspend((): Effect.Effect<unknown, StoreError> => {
      switch (event._tag) {
        case "Connected":
          return arrive(event.welcome)
        case "Reconnected":
          return event.welcome === undefined ? Effect.void : arrive(event.welcome)
        case "Disconnected":
          joins.clear()
          for (const conversation of conversations.values()) conversation.away()
          return Effect.void
        case "Received":
          return receive(event.message)
        case "Rejoined":
          return event.joined.encrypted === true ? enter(event.joined) : enterInTheOpen(event.joined)
        case "RejoinRefused":
          leave(event.room)
          return Effect.void
        case "Gap":
        case "Skipped":
          for (const conversation of conversations.values()) conversation.missed()
          return Effect.void
        default:
          return Effect.void
      }
    }).pipe(Effect.asVoid)

  const notLinked = () => new NotLinked({ device: identity?.device ?? "none" })
  const own = Effect.suspend(() => (workshop === undefined ? Effect.fail(notLinked()) : Effect.succeed(workshop.own)))
  const at = (room: RoomName) => conversations.get(nameKey(room))

  const people = People.make({
    lists,
    self: () => identity?.user,
    onTrusted: (user) => {
      for (const conversation of conversations.values()) conversation.trusted(user)
    }
  })

  const rooms: SealedRooms = {
    ...people,
    hear,
    news: Stream.fromQueue(newsQueue),
    ready: Effect.suspend(() => Deferred.await(settled)),
    say: (room, saying, key) =>
      Effect.andThen(
        own,
        Effect.suspend(() => at(room)?.say(saying, key) ?? Effect.fail(new NotLetIn({ room })))
      ),
    rows: Effect.fnUntraced(function* (room, after, limit) {
      const where = yield* store.where(room)
      return where === undefined ? [] : yield* store.plain(where, after, limit)
    }),
    view: (room) => Effect.suspend(() => at(room)?.view ?? Effect.undefined),
    rekey: (room) => Effect.suspend(() => at(room)?.rekey ?? Effect.fail(new NotLetIn({ room }))),
    isIn: (room, user) =>
      at(room)
        ?.members()
        .some((member) => nameKey(member.user) === nameKey(user)) === true,
    isListed: () => {
      const pin = identity && lists.pinOf(identity.user)
      return pin === undefined || identity === undefined || Pin.listedDevices(pin).has(identity.device)
    },
    incarnationOf: (room) => at(room)?.incarnation() ?? 0,
    signIn: (device) => Effect.flatMap(own, (mine) => OwnDevice.signIn(home, mine, device)),
    signOut: (device) => Effect.flatMap(own, (mine) => OwnDevice.signOut(home, mine, device)),
    link: (code) =>
      Effect.suspend(() =>
        identity === undefined ? Effect.fail(new NoSuchCode()) : OwnDevice.linkBy(home, identity, code)
      ).pipe(
        Effect.flatMap(({ device, unsent }) => {
          giveUp(unsent)
          return begin(device)
        })
      ),
    beginAnew: Effect.suspend(() =>
      identity === undefined
        ? Effect.void
        : Effect.andThen(Effect.map(OwnDevice.beginAnew(home, identity), giveUp), settle)
    )
  }
  return rooms
})

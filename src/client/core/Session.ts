/**
 * What a client remembers from one connection to the next, and how everything it hears changes that. Pure: `Client`
 * owns the one live value and all effects.
 *
 * 1. Of each conversation it keeps its place, the newest `seq` handed on in the log's current `epoch`. A message at or
 *    before the place is dropped, so none is handed on twice; one beyond the next shows a gap, so none is missed
 *    silently.
 * 2. After a connection broke, the session is played again: a Handshake with the places in lobby and inbox, a JoinRoom
 *    with the place in each room, then every request still open, in the order in which they were asked. A chat message
 *    keeps its `key`, by which the server knows it.
 * 3. CreateRoom and Disconnect are not repeatable: asking twice is not the same as asking once. They end with the
 *    connection, and their askers are told.
 *
 * 4. Nothing is believed that was not asked for: one is in a room by the reply to a JoinRoom for it, and nothing else
 *    changes that, or a place, in a room one is not in.
 *
 * It grows with the rooms one has asked to be in and the requests one has open, which `Client` bounds; and by at most
 * 100 joinings that nobody waits for any more.
 */
import { HashMap, Option } from "effect"
import type { Cursor, Epoch, Seq } from "../../common/log/Cursor.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ClientMessage, RequestId } from "../../common/wire/ClientMessage.ts"
import type { ChatMessage } from "../../common/wire/EntryMessage.ts"
import { Rejection } from "../../common/wire/Rejection.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { ClientEvent, Conversation } from "./ClientEvent.ts"
import type { Request } from "./Request.ts"

export interface Session {
  readonly user: UserName
  /** Undefined until the first Welcome. */
  readonly lobby: Place | undefined
  readonly inbox: Place | undefined
  readonly rooms: HashMap.HashMap<NameKey, Membership>
  readonly open: HashMap.HashMap<RequestId, OpenRequest>
  readonly asked: number
}

/** `epoch` is missing where the log lives no longer than the connection: in a guest's inbox. */
interface Place {
  readonly epoch: Epoch | undefined
  readonly seq: Seq
}

interface Membership {
  readonly room: RoomName
  readonly place: Place
  /** The server could not take one back just now; see `rejoin`. */
  readonly isAway?: boolean
}

interface OpenRequest {
  readonly message: ClientMessage
  /** Counts the requests of a session, so that they can be repeated in their order. */
  readonly number: number
  /** Who asked: a program that waits for the reply, one that waits no more, or the session itself. */
  readonly asker: "waiting" | "gone" | "session"
  /** It is to be asked again when it is known whether one is in its room. */
  readonly isHeld?: boolean
}

interface Step {
  readonly session: Session
  readonly events: ReadonlyArray<ClientEvent>
  /** A room to be joined again after a pause. */
  readonly rejoinLater?: RoomName
  /** It was refused only because a room could not be joined again yet: its asker waits on. */
  readonly isHeld?: true
  /** What was held, now that it is known whether one is in the room. */
  readonly resend?: ReadonlyArray<ClientMessage>
}

/** How many joinings that nobody waits for are remembered until the reply. */
const maxAbandoned = 100

/** The `id` of every Handshake; no request gets it. */
export const handshakeId: RequestId = "handshake"

export const make = (user: UserName): Session => ({
  user,
  lobby: undefined,
  inbox: undefined,
  rooms: HashMap.empty(),
  open: HashMap.empty(),
  asked: 0
})

/** Numbers a request and remembers it until its reply. */
export const ask = (session: Session, request: Request | { readonly _tag: "Disconnect" }) =>
  open(session, (id) => ({ ...withPlace(session, request), id }), "waiting")

/** Who asks to come into a room that could not be joined again yet goes on where it was, too. */
const withPlace = <R extends Request | { readonly _tag: "Disconnect" }>(session: Session, request: R): R => {
  if (request._tag !== "JoinRoom" || request.after !== undefined) return request
  const membership = Option.getOrUndefined(HashMap.get(session.rooms, nameKey(request.room)))
  const isLeaving = HashMap.some(
    session.open,
    ({ message }) => message._tag === "LeaveRoom" && nameKey(message.room) === nameKey(request.room)
  )
  const after = isLeaving ? undefined : cursorOf(membership?.place)
  return after === undefined ? request : { ...request, after }
}

/** The same, for a request whose reply is for its asker alone: it is no event, however late it comes. */
export const askQuietly = (session: Session, request: Request) =>
  open(session, (id) => ({ ...request, id }), "waiting", quiet)

/** How such a request's `id` begins. */
const quiet = "quiet "

/** The incarnation of a room's log, or of the lobby's; none where one is not in. */
export const epochOf = (session: Session, room: RoomName | undefined): Epoch | undefined =>
  (room === undefined ? session.lobby : placeIn(session, room))?.epoch

/**
 * Nobody waits for this reply any more: the request is not to be repeated. A room that is being joined may still be
 * entered, and then one is in it.
 */
export const forget = (session: Session, id: RequestId): Session => {
  const request = openRequest(session, id)
  if (request?.message._tag !== "JoinRoom" || request.asker !== "waiting") return close(session, id)
  const abandoned = HashMap.reduce(session.open, 0, (sum, { asker }) => (asker === "gone" ? sum + 1 : sum))
  if (abandoned >= maxAbandoned) return close(session, id)
  return { ...session, open: HashMap.set(session.open, id, { ...request, asker: "gone" }) }
}

const close = (session: Session, id: RequestId): Session => ({ ...session, open: HashMap.remove(session.open, id) })

/** The first message of a connection. */
export const handshake = (session: Session): ClientMessage => {
  const lobby = cursorOf(session.lobby)
  const inbox = cursorOf(session.inbox)
  const after = { ...(lobby && { lobby }), ...(inbox && { inbox }) }
  return { _tag: "Handshake", id: handshakeId, user: session.user, after }
}

/** What to send once the server has said Welcome. */
export const resume = (
  before: Session
): { readonly session: Session; readonly messages: ReadonlyArray<ClientMessage> } => {
  const waiting = HashMap.filter(before.open, ({ asker }) => asker === "waiting").pipe(
    HashMap.map((request): OpenRequest => ({ ...request, isHeld: false }))
  )
  const requests = [...HashMap.values(waiting)].toSorted((a, b) => a.number - b.number)
  const rejoins: Array<ClientMessage> = []
  let session: Session = { ...before, open: waiting }
  for (const membership of HashMap.values(before.rooms)) {
    const opened = openRejoin(session, membership)
    rejoins.push(opened.message)
    session = opened.session
  }
  return { session, messages: [...rejoins, ...requests.map(({ message }) => message)] }
}

/** The JoinRoom for a room that could not be entered before; undefined if one is in it, has left it, or is entering. */
export const rejoin = (session: Session, room: RoomName) => {
  const membership = Option.getOrUndefined(HashMap.get(session.rooms, nameKey(room)))
  const isEntering = HashMap.some(session.open, ({ message }) => isJoinOf(message, room))
  return membership?.isAway === true && !isEntering ? openRejoin(session, membership) : undefined
}

const openRejoin = (session: Session, { room, place }: Membership) => {
  const after = cursorOf(place)
  return open(session, (id) => ({ _tag: "JoinRoom", id, room, ...(after && { after }) }), "session")
}

const isJoinOf = (message: ClientMessage, room: RoomName): boolean =>
  message._tag === "JoinRoom" && nameKey(message.room) === nameKey(room)

/** The connection is gone. `lost` are the requests that cannot be repeated. */
export const interrupt = (
  session: Session
): { readonly session: Session; readonly lost: ReadonlyArray<ClientMessage> } => {
  const ended = [...HashMap.values(session.open)].filter(
    (request) => request.asker !== "waiting" || !isRepeatable(request)
  )
  const kept = ended.reduce((rest, { message }) => (message.id ? HashMap.remove(rest, message.id) : rest), session.open)
  const lost = ended.filter(({ asker }) => asker === "waiting").map(({ message }) => message)
  return { session: { ...session, open: kept }, lost }
}

/** Takes in what the server said. */
export const receive = (session: Session, message: ServerMessage): Step => {
  const id = "id" in message ? message.id : undefined
  if (message._tag === "Rejected" && isTooSoon(session, message)) return hold(session, message)
  const step = follow(session, message)
  if (id === undefined) return step
  return { ...step, session: close(step.session, id), events: id.startsWith(quiet) ? [] : step.events }
}

/** Whether a request about a room is refused since the room could not be joined again yet. */
const isTooSoon = (session: Session, { id, reason }: ServerMessageOf<"Rejected">): boolean => {
  const asked = openRequest(session, id)
  if (reason._tag !== "NotInRoom" || asked?.asker !== "waiting" || asked.message._tag === "LeaveRoom") return false
  return Option.getOrUndefined(HashMap.get(session.rooms, nameKey(reason.room)))?.isAway === true
}

const hold = (session: Session, { id }: ServerMessageOf<"Rejected">): Step => {
  const asked = openRequest(session, id)
  if (id === undefined || asked === undefined) return { session, events: [] }
  return {
    session: { ...session, open: HashMap.set(session.open, id, { ...asked, isHeld: true }) },
    events: [],
    isHeld: true
  }
}

/** Sends on what was held for a room, in the order in which it was asked. */
const withHeld = (step: Step, room: RoomName): Step => {
  const isOfRoom = ({ isHeld, message }: OpenRequest) =>
    isHeld === true && "room" in message && message.room !== undefined && nameKey(message.room) === nameKey(room)
  const held = [...HashMap.values(step.session.open)].filter(isOfRoom).toSorted((a, b) => a.number - b.number)
  if (held.length === 0) return step
  const open = HashMap.map(step.session.open, (request): OpenRequest =>
    isOfRoom(request) ? { ...request, isHeld: false } : request
  )
  return { ...step, session: { ...step.session, open }, resend: held.map(({ message }) => message) }
}

const follow = (session: Session, message: ServerMessage): Step => {
  switch (message._tag) {
    case "Welcome":
      return welcome(session, message)
    case "GlobalMessage":
      return advance(message, { _tag: "Lobby" }, session.lobby, (lobby) => ({ ...session, lobby }), session)
    case "PrivateMessage":
      return advance(message, { _tag: "Inbox" }, session.inbox, (inbox) => ({ ...session, inbox }), session)
    case "RoomMessage": {
      const { room } = message
      const place = placeIn(session, room)
      return advance(message, { _tag: "Room", room }, place, (place) => inRoom(session, room, place), session)
    }
    case "RoomJoined":
      return roomJoined(session, message)
    case "RoomLeft":
      return roomLeft(session, message)
    case "Rejected":
      return rejected(session, message)
    default:
      return { session, events: [{ _tag: "Received", message }] }
  }
}

const welcome = (before: Session, message: ServerMessageOf<"Welcome">): Step => {
  const lobby = resumed(before.lobby, message.lobby)
  // Without a log that outlives the connection, the count of the inbox starts again.
  const inbox: Resumed = message.inbox ? resumed(before.inbox, message.inbox) : { place: fresh, missed: 0, gap: false }
  const session = { ...before, user: message.user, lobby: lobby.place, inbox: inbox.place }
  if (before.lobby === undefined) return { session, events: [{ _tag: "Connected", welcome: message }] }
  const gaps: Array<ClientEvent> = []
  if (lobby.gap) gaps.push({ _tag: "Gap", conversation: { _tag: "Lobby" } })
  if (inbox.gap) gaps.push({ _tag: "Gap", conversation: { _tag: "Inbox" } })
  return { session, events: [{ _tag: "Reconnected", missed: lobby.missed }, ...gaps] }
}

interface Resumed {
  readonly place: Place
  readonly missed: number
  /** Whether messages may be missing that nobody can count. */
  readonly gap: boolean
}

/** Where to go on when the log stands at `now`: at the old place, if it still is one. */
const resumed = (before: Place | undefined, now: Cursor): Resumed => {
  if (before === undefined) return { place: now, missed: 0, gap: false }
  if (before.epoch !== now.epoch || before.seq > now.seq) return { place: now, missed: 0, gap: true }
  return { place: before, missed: now.seq - before.seq, gap: false }
}

/** Hands a chat message on, if it is a new one, and remembers its place. */
const advance = (
  message: ChatMessage,
  conversation: Conversation,
  place: Place | undefined,
  moveTo: (place: Place) => Session,
  session: Session
): Step => {
  const received: ClientEvent = { _tag: "Received", message }
  if (place === undefined) return { session, events: [received] }
  if (message.seq <= place.seq) return { session, events: [] }
  const missing = message.seq - place.seq - 1
  return {
    session: moveTo({ epoch: place.epoch, seq: message.seq }),
    events: missing === 0 ? [received] : [{ _tag: "Gap", conversation, missing }, received]
  }
}

const roomJoined = (session: Session, message: ServerMessageOf<"RoomJoined">): Step => {
  const { room, epoch, seq, missed } = message
  const request = openRequest(session, message.id)
  if (request === undefined || !isJoinOf(request.message, room)) return { session, events: [] }
  const before = placeIn(session, room)
  const { place, gap, missed: missedInAll } = resumed(before, { epoch, seq })
  // The first message that follows has the seq after this one.
  const start = seq - missed
  const isKept = before !== undefined && !gap
  const missing = isKept ? Math.max(0, start - before.seq) : 0
  const events: Array<ClientEvent> = [
    request.asker === "session"
      ? { _tag: "Rejoined", joined: message, missed: missedInAll }
      : { _tag: "Received", message }
  ]
  const conversation: Conversation = { _tag: "Room", room }
  if (gap) events.push({ _tag: "Gap", conversation })
  if (missing > 0) events.push({ _tag: "Gap", conversation, missing })
  const kept = { epoch, seq: isKept ? Math.max(place.seq, start) : start }
  return withHeld({ session: inRoom(session, room, kept), events }, room)
}

const roomLeft = (session: Session, message: ServerMessageOf<"RoomLeft">): Step => {
  const isNews = placeIn(session, message.room) !== undefined || openRequest(session, message.id) !== undefined
  const events: ReadonlyArray<ClientEvent> = isNews ? [{ _tag: "Received", message }] : []
  return withHeld({ session: outOfRoom(session, message.room), events }, message.room)
}

const rejected = (session: Session, message: ServerMessageOf<"Rejected">): Step => {
  const refused = openRequest(session, message.id)
  if (refused?.message._tag === "LeaveRoom" && message.reason._tag === "NotInRoom") {
    const { room } = refused.message
    return withHeld({ session: outOfRoom(session, room), events: [{ _tag: "Received", message }] }, room)
  }
  if (refused?.asker !== "session" || refused.message._tag !== "JoinRoom") {
    return { session, events: [{ _tag: "Received", message }] }
  }
  const { room } = refused.message
  if (isPassing(message.reason)) return postponed(session, room, message.message)
  const events: ReadonlyArray<ClientEvent> = [{ _tag: "RejoinRefused", room, message: message.message }]
  return withHeld({ session: outOfRoom(session, room), events }, room)
}

/** What has nothing to do with the room. */
const isPassing = Rejection.isAnyOf(["RateLimited", "StorageUnavailable"])

/** Tells of it once, however often it has to be tried. */
const postponed = (session: Session, room: RoomName, why: string): Step => {
  const membership = Option.getOrUndefined(HashMap.get(session.rooms, nameKey(room)))
  if (membership === undefined) return { session, events: [] }
  return {
    session: { ...session, rooms: HashMap.set(session.rooms, nameKey(room), { ...membership, isAway: true }) },
    events: membership.isAway === true ? [] : [{ _tag: "Retrying", cause: `${room}: ${why}` }],
    rejoinLater: room
  }
}

const fresh: Place = { epoch: undefined, seq: 0 }

const open = <Message extends ClientMessage>(
  session: Session,
  withId: (id: RequestId) => Message,
  asker: OpenRequest["asker"],
  prefix = ""
): { readonly session: Session; readonly message: Message; readonly id: RequestId } => {
  const number = session.asked + 1
  const id = `${prefix}${number}`
  const message = withId(id)
  const request: OpenRequest = { message, number, asker }
  return { session: { ...session, asked: number, open: HashMap.set(session.open, id, request) }, message, id }
}

const isRepeatable = ({ message }: OpenRequest): boolean =>
  message._tag !== "CreateRoom" && message._tag !== "Disconnect"

const openRequest = (session: Session, id: RequestId | undefined): OpenRequest | undefined =>
  Option.getOrUndefined(HashMap.get(session.open, id ?? ""))

const placeIn = (session: Session, room: RoomName): Place | undefined =>
  Option.getOrUndefined(HashMap.get(session.rooms, nameKey(room)))?.place

const inRoom = (session: Session, room: RoomName, place: Place): Session => ({
  ...session,
  rooms: HashMap.set(session.rooms, nameKey(room), { room, place })
})

const outOfRoom = (session: Session, room: RoomName): Session => ({
  ...session,
  rooms: HashMap.remove(session.rooms, nameKey(room))
})

const cursorOf = (place: Place | undefined): Cursor | undefined =>
  place?.epoch === undefined ? undefined : { epoch: place.epoch, seq: place.seq }

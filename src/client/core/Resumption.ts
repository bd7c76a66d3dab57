/**
 * What a client remembers from one connection to the next, and how everything it hears changes that. Pure: `Client`
 * owns the one live value and all effects.
 *
 * 1. Of each conversation it keeps its place, the newest `seq` handed on in the log's current `epoch`. An entry, of
 *    whatever kind, that is at or before the place is dropped, so none is handed on twice; one beyond the next shows a gap, so none is missed
 *    silently. Of an encrypted room all are handed on: what reads it knows itself what comes next, and a server that claims a place
 *    far ahead of the log would have all before that dropped.
 * 2. After a connection broke, it is played again: a Handshake with the places in lobby and inbox, a JoinRoom
 *    with the place in each room, then every request still open, in the order in which they were asked. One that
 *    makes an entry keeps its `key`, by which the server knows it.
 * 3. CreateRoom, DeleteRoom, Disconnect and what changes an account are not repeatable: asking twice is not the same as asking once.
 *    They end with the connection, and their askers are told.
 * 4. Nothing is believed that was not asked for: one is in a room by the reply to a JoinRoom for it, and nothing else
 *    changes that, or a place, in a room one is not in.
 *
 * 5. Of an account the server says which rooms it is in: those are joined on arrival, as those are that this client was
 *    in itself; and what the account has left elsewhere meanwhile is not joined again, which would undo the leaving.
 *
 * 6. What ends a membership ends it for good: a kick or a ban (RoomLeft), the room's deletion, and a refusal of the way back
 *    that waiting does not mend. It is told once, and the room is not joined again by itself.
 * 7. An invitation is told once, when it comes or with the first Welcome that has it.
 *
 * It grows with the rooms one has asked to be in and the requests one has open, which `Client` bounds; with the rooms of the account, 100,000 at most; and by at most
 * 100 joinings that nobody waits for any more.
 */
import { HashMap } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import type { Epoch } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { maxInvitations } from "../../common/wire/AccountMessage.ts"
import { ClientMessage } from "../../common/wire/ClientMessage.ts"
import { Rejection } from "../../common/wire/Rejection.ts"
import type { RequestId } from "../../common/wire/RequestId.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { ClientEvent } from "./ClientEvent.ts"
import { conversationAt, type Heard, type HeardEntry, isEntry, whereaboutsOf } from "./Heard.ts"
import { cursorOf, fresh, type Resumed, resumed } from "./LogPlace.ts"
import { type Membership, roomsOf } from "./Memberships.ts"
import type { Request } from "./Request.ts"
import {
  close,
  inRoom,
  isAway,
  isRepeatable,
  membershipIn,
  movedTo,
  open,
  type OpenRequest,
  openRequest,
  outOfRoom,
  placeIn,
  placeOf,
  type Resumption,
  withMembership
} from "./ResumptionState.ts"

interface Step {
  readonly resumption: Resumption
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

/** Numbers a request and remembers it until its reply. */
export const ask = (resumption: Resumption, request: Request | { readonly _tag: "Disconnect" }) =>
  open(resumption, (id) => ({ ...withPlace(resumption, request), id }), "waiting")

/** Who asks to come into a room that could not be joined again yet goes on where it was, too. */
const withPlace = <R extends Request | { readonly _tag: "Disconnect" }>(resumption: Resumption, request: R): R => {
  if (request._tag !== "JoinRoom" || request.after !== undefined) return request
  const membership = membershipIn(resumption, request.room)
  const isLeaving = HashMap.some(
    resumption.open,
    ({ message }) => message._tag === "LeaveRoom" && nameKey(message.room) === nameKey(request.room)
  )
  const after = isLeaving ? undefined : cursorOf(membership?.place)
  return after === undefined ? request : { ...request, after }
}

/** The same, for a request whose reply is for its asker alone: it is no event, however late it comes. */
export const askQuietly = (resumption: Resumption, request: Request) =>
  open(resumption, (id) => ({ ...request, id }), "waiting", quiet)

/** How such a request's `id` begins. */
const quiet = "quiet "

/** The incarnation of a room's log, or of the lobby's; none where one is not in. */
export const epochOf = (resumption: Resumption, room: RoomName | undefined): Epoch | undefined =>
  (room === undefined ? resumption.lobby : placeIn(resumption, room))?.epoch

/**
 * Nobody waits for this reply any more: the request is not to be repeated. A room that is being joined may still be
 * entered, and then one is in it.
 */
export const forget = (resumption: Resumption, id: RequestId): Resumption => {
  const request = openRequest(resumption, id)
  if (request?.message._tag !== "JoinRoom" || request.asker !== "waiting") return close(resumption, id)
  const abandoned = HashMap.reduce(resumption.open, 0, (sum, { asker }) => (asker === "gone" ? sum + 1 : sum))
  if (abandoned >= maxAbandoned) return close(resumption, id)
  return { ...resumption, open: HashMap.set(resumption.open, id, { ...request, asker: "gone" }) }
}

type Handshake = Extract<ClientMessage, { readonly _tag: "Handshake" }>

/** The first message of a connection. */
export const handshake = (resumption: Resumption): Handshake => {
  const lobby = cursorOf(resumption.lobby)
  const inbox = cursorOf(resumption.inbox)
  const after = { ...(lobby && { lobby }), ...(inbox && { inbox }) }
  return { _tag: "Handshake", id: handshakeId, user: resumption.user, after }
}

/** Who asked to come in from a place goes on where they are by now, if that is behind it: what they have seen is not said again. */
const fromNewest = (resumption: Resumption, message: ClientMessage): ClientMessage => {
  if (message._tag !== "JoinRoom" || message.after === undefined) return message
  const after = cursorOf(membershipIn(resumption, message.room)?.place)
  const isNewer = after?.epoch === message.after.epoch && after.seq > message.after.seq
  return isNewer ? { ...message, after } : message
}

/** What to send once the server has said Welcome. */
export const resume = (
  before: Resumption
): { readonly resumption: Resumption; readonly messages: ReadonlyArray<ClientMessage> } => {
  const waiting = HashMap.filter(before.open, ({ asker }) => asker === "waiting").pipe(
    HashMap.map((request): OpenRequest => ({ ...request, message: fromNewest(before, request.message), isHeld: false }))
  )
  const requests = [...HashMap.values(waiting)].toSorted((a, b) => a.number - b.number)
  const rejoins: Array<ClientMessage> = []
  let resumption: Resumption = { ...before, open: waiting }
  for (const membership of HashMap.values(before.rooms)) {
    const opened = openRejoin(resumption, membership)
    rejoins.push(opened.message)
    resumption = opened.resumption
  }
  return { resumption, messages: [...rejoins, ...requests.map(({ message }) => message)] }
}

/** The JoinRoom for a room that could not be entered before; undefined if one is in it, has left it, or is entering. */
export const rejoin = (resumption: Resumption, room: RoomName) => {
  const membership = membershipIn(resumption, room)
  const isEntering = HashMap.some(resumption.open, ({ message }) => isJoinOf(message, room))
  return membership?.isAway === true && !isEntering ? openRejoin(resumption, membership) : undefined
}

const openRejoin = (resumption: Resumption, { room, place }: Membership) => {
  const after = cursorOf(place)
  return open(resumption, (id) => ({ _tag: "JoinRoom", id, room, ...(after && { after }) }), "client")
}

const isJoinOf = (message: ClientMessage, room: RoomName): boolean =>
  message._tag === "JoinRoom" && nameKey(message.room) === nameKey(room)

/** Whether this is what was asked for: a room by its name, or a conversation by whom it is with. */
const isEntered = (message: ClientMessage, { room, with: other }: ServerMessageOf<"RoomJoined">): boolean =>
  message._tag === "OpenConversation"
    ? other !== undefined && nameKey(message.with) === nameKey(other)
    : isJoinOf(message, room)

/** The connection is gone. `lost` are the requests that cannot be repeated. */
export const interrupt = (
  resumption: Resumption
): { readonly resumption: Resumption; readonly lost: ReadonlyArray<ClientMessage> } => {
  const ended = [...HashMap.values(resumption.open)].filter(
    (request) => request.asker !== "waiting" || !isRepeatable(request)
  )
  const kept = ended.reduce(
    (rest, { message }) => (message.id ? HashMap.remove(rest, message.id) : rest),
    resumption.open
  )
  const lost = ended.filter(({ asker }) => asker === "waiting").map(({ message }) => message)
  return { resumption: { ...resumption, open: kept }, lost }
}

/** Takes in what the server said. */
export const receive = (resumption: Resumption, message: Heard): Step => {
  const id = "id" in message ? message.id : undefined
  if (message._tag === "Rejected" && isTooSoon(resumption, message)) return hold(resumption, message)
  const step = follow(resumption, message)
  if (id === undefined) return step
  return { ...step, resumption: close(step.resumption, id), events: id.startsWith(quiet) ? [] : step.events }
}

/** Whether a request about a room is refused since the room could not be joined again yet. */
const isTooSoon = (resumption: Resumption, { id, reason }: ServerMessageOf<"Rejected">): boolean => {
  const asked = openRequest(resumption, id)
  if (reason._tag !== "NotInRoom" || asked?.asker !== "waiting" || asked.message._tag === "LeaveRoom") return false
  return isAway(resumption, reason.room)
}

const hold = (resumption: Resumption, { id }: ServerMessageOf<"Rejected">): Step => {
  const asked = openRequest(resumption, id)
  if (id === undefined || asked === undefined) return { resumption, events: [] }
  return {
    resumption: { ...resumption, open: HashMap.set(resumption.open, id, { ...asked, isHeld: true }) },
    events: [],
    isHeld: true
  }
}

/** Sends on what was held for a room, in the order in which it was asked. */
const withHeld = (step: Step, room: RoomName): Step => {
  const isOfRoom = ({ isHeld, message }: OpenRequest) =>
    isHeld === true && "room" in message && message.room !== undefined && nameKey(message.room) === nameKey(room)
  const held = [...HashMap.values(step.resumption.open)].filter(isOfRoom).toSorted((a, b) => a.number - b.number)
  if (held.length === 0) return step
  const open = HashMap.map(step.resumption.open, (request): OpenRequest =>
    isOfRoom(request) ? { ...request, isHeld: false } : request
  )
  return { ...step, resumption: { ...step.resumption, open }, resend: held.map(({ message }) => message) }
}

const follow = (resumption: Resumption, message: Heard): Step => {
  if (isEntry(message)) return advance(resumption, message)
  switch (message._tag) {
    case "Welcome":
      return welcome(resumption, message)
    case "RoomJoined":
      return roomJoined(resumption, message)
    case "RoomLeft":
      return roomLeft(resumption, message)
    case "RoomDeleted":
      return withHeld({ ...pass(resumption, message), resumption: outOfRoom(resumption, message.room) }, message.room)
    case "Invitation": {
      const others = resumption.invitations.filter((room) => room !== nameKey(message.room))
      const invitations = [...others, nameKey(message.room)].slice(-maxInvitations)
      return pass({ ...resumption, invitations }, message)
    }
    case "Registered":
      // The account's inbox begins, and no longer counts what came to the guest.
      return pass({ ...resumption, inbox: undefined }, message)
    case "Rejected":
      return rejected(resumption, message)
    default:
      return pass(resumption, message)
  }
}

const pass = (resumption: Resumption, message: ServerMessage): Step => ({
  resumption,
  events: [{ _tag: "Received", message }]
})

const welcome = (before: Resumption, message: ServerMessageOf<"Welcome">): Step => {
  const lobby = resumed(before.lobby, message.lobby)
  // Without a log that outlives the connection, the count of the inbox starts again.
  const inbox: Resumed = message.inbox ? resumed(before.inbox, message.inbox) : { place: fresh, missed: 0, gap: false }
  const resumption: Resumption = {
    ...before,
    user: message.user,
    hasConnected: true,
    lobby: lobby.place,
    inbox: inbox.place,
    rooms: message.rooms === undefined ? before.rooms : roomsOf(before.rooms, message.rooms, before.joinsAll),
    invitations: (message.invitations ?? []).map(({ room }) => nameKey(room))
  }
  const invited = newInvitations(before, message)
  const events: Array<ClientEvent> = [
    before.hasConnected
      ? {
          _tag: "Reconnected",
          missed: lobby.missed,
          ...standing(message),
          ...(message.account && { welcome: message })
        }
      : { _tag: "Connected", welcome: message }
  ]
  if (lobby.gap) events.push({ _tag: "Gap", conversation: { _tag: "Lobby" } })
  if (inbox.gap) events.push({ _tag: "Gap", conversation: { _tag: "Inbox", user: message.user } })
  for (const { room } of HashMap.values(before.rooms)) {
    if (placeIn(resumption, room) === undefined)
      events.push({ _tag: "RejoinRefused", room, message: leftElsewhere(room) })
  }
  return { resumption, events: [...events, ...invited] }
}

/** Where the logs stand that a Welcome tells of. */
const standing = ({ inbox, lobby }: ServerMessageOf<"Welcome">) => ({
  lobby,
  ...(inbox !== undefined && { inbox })
})

const leftElsewhere = (room: RoomName) =>
  `you left it on another device or were put out, or it was deleted. :jr ${room} joins it again, if it is there.`

const newInvitations = (
  before: Resumption,
  { invitations = [] }: ServerMessageOf<"Welcome">
): ReadonlyArray<ClientEvent> =>
  invitations
    .filter(({ room }) => !before.invitations.includes(nameKey(room)))
    .map((invitation) => ({ _tag: "Received", message: { _tag: "Invitation", ...invitation } }))

/** Hands an entry on, if it is a new one, and remembers its place. One that is not known is counted and shown as nothing. */
const advance = (resumption: Resumption, entry: HeardEntry): Step => {
  const conversation = conversationAt(whereaboutsOf(entry, resumption.user), resumption.user)
  const place = placeOf(resumption, conversation)
  const received: ReadonlyArray<ClientEvent> = entry._tag === "LaterEntry" ? [] : [{ _tag: "Received", message: entry }]
  if (place === undefined) return { resumption, events: received }
  if (entry.seq <= place.seq) return { resumption, events: place.hasGaps === true ? received : [] }
  const missing = place.hasGaps === true ? 0 : entry.seq - place.seq - 1
  return {
    resumption: putOutBy(movedTo(resumption, conversation, { ...place, seq: entry.seq }), entry),
    events: missing === 0 ? received : [{ _tag: "Gap", conversation, missing }, ...received]
  }
}

/** Remembers what ended one's membership until one is told that it did. */
const putOutBy = (resumption: Resumption, entry: HeardEntry): Resumption => {
  if (entry._tag !== "Kicked" && entry._tag !== "Banned") return resumption
  const { _tag: by, room, user } = entry
  if (room === undefined || nameKey(user) !== nameKey(resumption.user)) return resumption
  const membership = membershipIn(resumption, room)
  return membership === undefined ? resumption : withMembership(resumption, { ...membership, putOutBy: by })
}

const roomJoined = (resumption: Resumption, message: ServerMessageOf<"RoomJoined">): Step => {
  const { room, epoch, seq, missed } = message
  const request = openRequest(resumption, message.id)
  if (request === undefined || !isEntered(request.message, message)) return { resumption, events: [] }
  const before = placeIn(resumption, room)
  const { place, gap, missed: missedInAll } = resumed(before, { epoch, seq })
  // The first message that follows has the seq after this one.
  const start = seq - missed
  const isKept = before !== undefined && !gap
  const isEncrypted = message.encrypted === true
  const missing = isKept && !isEncrypted ? Math.max(0, start - before.seq) : 0
  const events: Array<ClientEvent> = [
    request.asker === "client"
      ? { _tag: "Rejoined", joined: message, missed: missedInAll }
      : { _tag: "Received", message }
  ]
  const conversation: Conversation = { _tag: "Room", room }
  if (gap) events.push({ _tag: "Gap", conversation })
  if (missing > 0) events.push({ _tag: "Gap", conversation, missing })
  const kept = {
    epoch,
    seq: isKept ? Math.max(place.seq, isEncrypted ? 0 : start) : start,
    ...(isEncrypted && { hasGaps: true as const })
  }
  const invitations = resumption.invitations.filter((one) => one !== nameKey(room))
  return withHeld({ resumption: { ...inRoom(resumption, room, kept), invitations }, events }, room)
}

const roomLeft = (resumption: Resumption, message: ServerMessageOf<"RoomLeft">): Step => {
  const isNews = placeIn(resumption, message.room) !== undefined || openRequest(resumption, message.id) !== undefined
  const membership = membershipIn(resumption, message.room)
  const by = message.id === undefined ? membership?.putOutBy : undefined
  const events: ReadonlyArray<ClientEvent> = isNews
    ? [{ _tag: "Received", message, ...(by !== undefined && { putOutBy: by }) }]
    : []
  return withHeld({ resumption: outOfRoom(resumption, message.room), events }, message.room)
}

const rejected = (resumption: Resumption, message: ServerMessageOf<"Rejected">): Step => {
  const refused = openRequest(resumption, message.id)
  if (refused?.message._tag === "LeaveRoom" && message.reason._tag === "NotInRoom") {
    const { room } = refused.message
    return withHeld({ resumption: outOfRoom(resumption, room), events: [{ _tag: "Received", message }] }, room)
  }
  if (refused?.message._tag !== "JoinRoom") return { resumption, events: [{ _tag: "Received", message }] }
  const { room } = refused.message
  if (refused.asker !== "client") {
    const step: Step = { resumption, events: [{ _tag: "Received", message }] }
    if (!isAway(resumption, room)) return step
    // It was asked in the place of the next attempt, for which others wait.
    if (isPassing(message.reason)) return { ...step, rejoinLater: room }
    return withHeld({ ...step, resumption: outOfRoom(resumption, room) }, room)
  }
  if (isPassing(message.reason)) return postponed(resumption, room, message.message)
  const events: ReadonlyArray<ClientEvent> = [{ _tag: "RejoinRefused", room, message: message.message }]
  return withHeld({ resumption: outOfRoom(resumption, room), events }, room)
}

/** What has nothing to do with the room. */
const isPassing = Rejection.isAnyOf(["RateLimited", "StorageUnavailable"])

/** Tells of it once, however often it has to be tried. */
const postponed = (resumption: Resumption, room: RoomName, why: string): Step => {
  const membership = membershipIn(resumption, room)
  if (membership === undefined) return { resumption, events: [] }
  return {
    resumption: withMembership(resumption, { ...membership, isAway: true }),
    events: membership.isAway === true ? [] : [{ _tag: "Retrying", cause: `${room}: ${why}` }],
    rejoinLater: room
  }
}

/**
 * What somebody has read of the conversations of their account, and what is unread. Pure.
 *
 * 1. Read is what was shown, up to the first message that was not: while there are unread ones before, what comes is shown
 *    but not read, until a page of history has shown those, too.
 * 2. The server tells what is unread on arrival (Welcome), and what was read on another device (ReadMarked). A mark never
 *    goes back.
 * 3. In the lobby, which nobody catches up with, read is whatever was shown last.
 *
 * It grows with the rooms of the account and with those one talks to in private; of the latter, 1000 are kept.
 */
import { Context, type Ref } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { ClientEvent } from "./ClientEvent.ts"
import { isEntry, type Whereabouts, whereaboutsOf } from "./Heard.ts"

export interface Reading {
  readonly user: UserName
  readonly isAccount: boolean
  readonly places: ReadonlyMap<string, PlaceRead>
}

export interface PlaceRead {
  readonly where: Whereabouts
  /** All up to here has been read. */
  readonly read: Seq
  /** The mark that the server knows, or is being told. */
  readonly marked: Seq
  /** Behind `read`: how many messages by others, and how many of those name one. */
  readonly unread: number
  readonly mentions: number
  /** The newest that there is behind what is unread; and from where on to there all was shown. */
  readonly newest: Seq
  readonly shownFrom: Seq | undefined
}

/** What one client has read. */
export class ReadMessages extends Context.Service<ReadMessages, Ref.Ref<Reading>>()(
  "parley/client/core/Reading/ReadMessages"
) {}

const maxPlaces = 1000

const nobody = UserName.make("nobody")
export const empty: Reading = { user: nobody, isAccount: false, places: new Map() }

/** After this was shown. */
export const follow = (before: Reading, events: ReadonlyArray<ClientEvent>): Reading =>
  events.reduce(learn, { ...before, places: new Map(before.places) })

/** After a page was shown that no event tells of: all there is between its messages, and before if there is no `more`. */
export const page = (
  before: Reading,
  { messages, more }: { readonly messages: ReadonlyArray<StandingMessage>; readonly more: boolean }
): Reading => learnPage({ ...before, places: new Map(before.places) }, messages, more)

/** Whether one is in that room. */
export const isIn = ({ places }: Reading, room: RoomName): boolean => places.has(keyOf({ room }))

/** The marks that the server does not know yet, for it to be told. */
export const due = ({
  isAccount,
  places
}: Reading): ReadonlyArray<{ readonly where: Whereabouts; readonly seq: Seq }> =>
  isAccount
    ? [...places.values()].filter(({ marked, read }) => read > marked).map(({ read, where }) => ({ where, seq: read }))
    : []

/** After the server is being told all that is due. */
export const told = (before: Reading): Reading => ({
  ...before,
  places: new Map(
    [...before.places].map(([key, place]) => [key, { ...place, marked: Math.max(place.marked, place.read) }])
  )
})

/** Where there is something unread: rooms first. */
export const unread = ({ places }: Reading): ReadonlyArray<PlaceRead> =>
  [...places.values()]
    .filter(({ unread }) => unread > 0)
    .toSorted((one, other) => Number(one.where.room === undefined) - Number(other.where.room === undefined))

type Draft = Reading & { readonly places: Map<string, PlaceRead> }

const keyOf = ({ room, with: other }: Whereabouts): string => {
  if (room !== undefined) return `room ${nameKey(room)}`
  return other === undefined ? "lobby" : `with ${nameKey(other)}`
}

const learn = (reading: Draft, event: ClientEvent): Draft => {
  switch (event._tag) {
    case "Connected":
      return arrive(reading, event.welcome)
    case "Reconnected":
      return event.welcome === undefined ? reading : arrive(reading, event.welcome)
    case "Received":
      // A page of some entries alone tells nothing of those between them.
      return event.isAudit === true ? reading : hear(reading, event.message)
    case "Rejoined":
      return come(reading, event.joined)
    case "RejoinRefused":
      return leave(reading, { room: event.room })
    case "Gap": {
      const { conversation, missing = 0 } = event
      return conversation._tag === "Room" ? passOver(reading, { room: conversation.room }, missing) : reading
    }
    default:
      return reading
  }
}

const arrive = (reading: Draft, welcome: ServerMessageOf<"Welcome">): Draft => {
  const { account: isAccount, conversations = [], lobbyRead = 0, rooms = [], user } = welcome
  const before = reading.places
  const places = new Map<string, PlaceRead>()
  const put = (where: Whereabouts, seq: Seq, read: Seq, unread: number, mentions: number) => {
    // What was shown here and is not marked yet is read all the same.
    const known = before.get(keyOf(where))
    const isAllRead = unread === 0 || (known !== undefined && known.read >= seq)
    const end = Math.max(seq, read)
    places.set(keyOf(where), {
      where,
      marked: read,
      read: isAllRead ? end : Math.max(read, known?.read ?? 0),
      unread: isAllRead ? 0 : unread,
      mentions: isAllRead ? 0 : mentions,
      newest: end,
      shownFrom: undefined
    })
  }
  if (isAccount) {
    put({}, lobbyRead, lobbyRead, 0, 0)
    for (const { mentions, read, room, seq, unread } of rooms) put({ room }, seq, read, unread, mentions)
    // What came into the inbox meanwhile follows, and is shown.
    const follows = welcome.inbox?.missed !== undefined && welcome.inbox.truncated !== true
    for (const { read, seq, unread, with: other } of conversations) {
      const known = before.get(keyOf({ with: other }))
      put({ with: other }, seq, read, follows ? (known?.unread ?? 0) : unread, 0)
    }
  }
  return { user, isAccount, places }
}

const hear = (reading: Draft, message: ServerMessage): Draft => {
  switch (message._tag) {
    case "Registered":
      return { ...reading, isAccount: true }
    case "RoomJoined":
      return come(reading, message)
    case "RoomLeft":
    case "RoomDeleted":
      return leave(reading, { room: message.room })
    case "ReadMarked":
      return marked(reading, message, message.seq)
    case "History":
      return learnPage(reading, message.messages, message.more)
    default:
      return isEntry(message) ? show(reading, whereaboutsOf(message, reading.user), message.seq) : reading
  }
}

/** A room that one comes into for the first time has been read up to there. */
const come = (reading: Draft, { missed, room, seq }: ServerMessageOf<"RoomJoined">): Draft =>
  reading.places.has(keyOf({ room })) ? reading : set(reading, begun({ room }, seq - missed))

const begun = (where: Whereabouts, seq: Seq): PlaceRead => ({
  where,
  read: seq,
  marked: seq,
  unread: 0,
  mentions: 0,
  newest: seq,
  shownFrom: undefined
})

const leave = (reading: Draft, where: Whereabouts): Draft => {
  reading.places.delete(keyOf(where))
  return reading
}

const passOver = (reading: Draft, where: Whereabouts, missing: number): Draft => {
  const place = reading.places.get(keyOf(where))
  if (place === undefined || missing === 0) return reading
  return set(reading, { ...place, unread: place.unread + missing, shownFrom: undefined })
}

const show = (reading: Draft, where: Whereabouts, seq: Seq): Draft => {
  const place = reading.places.get(keyOf(where)) ?? begun(where, 0)
  if (seq <= place.read) return reading
  if (where.room !== undefined && seq === place.read + 1) return set(reading, readUpTo(place, seq))
  if (place.unread === 0) return set(reading, { ...place, read: seq, newest: seq })
  return set(reading, { ...place, newest: Math.max(place.newest, seq), shownFrom: place.shownFrom ?? seq })
}

const marked = (reading: Draft, where: Whereabouts, seq: Seq): Draft => {
  const place = reading.places.get(keyOf(where))
  if (place === undefined) return reading
  const known = { ...place, marked: Math.max(place.marked, seq) }
  return set(reading, seq <= place.read ? known : readUpTo(known, seq))
}

const learnPage = (reading: Draft, messages: ReadonlyArray<StandingMessage>, more: boolean): Draft => {
  const [first] = messages
  const last = messages.at(-1)
  if (first === undefined || last === undefined) return reading
  const where = whereaboutsOf(first, reading.user)
  const place = reading.places.get(keyOf(where)) ?? begun(where, 0)
  const reaches = place.unread === 0 || !more || first.seq <= place.read + 1
  if (!reaches || last.seq <= place.read) return reading
  // What stands behind the last of them, edits and reactions, is in no page.
  const shown = messages.filter((one) => isFromOthers(one, reading.user) && one.seq > place.read).length
  return set(reading, readUpTo(place, shown >= place.unread ? Math.max(last.seq, place.newest) : last.seq))
}

/** What counts as unread until it is shown. */
const isFromOthers = (message: StandingMessage, user: UserName): boolean =>
  (message._tag === "RoomMessage" || message._tag === "PrivateMessage") && nameKey(message.from) !== nameKey(user)

/** All up to `seq` was shown, and with it what was shown from there on. */
const readUpTo = (place: PlaceRead, seq: Seq): PlaceRead => {
  const isJoined = place.shownFrom !== undefined && place.shownFrom <= seq + 1
  const read = isJoined ? Math.max(seq, place.newest) : seq
  const isAll = read >= place.newest
  return {
    ...place,
    read,
    newest: Math.max(place.newest, read),
    unread: isAll ? 0 : place.unread,
    mentions: isAll ? 0 : place.mentions,
    shownFrom: isAll ? undefined : place.shownFrom
  }
}

const set = (reading: Draft, place: PlaceRead): Draft => {
  const key = keyOf(place.where)
  if (!reading.places.has(key) && place.where.with !== undefined && reading.places.size >= maxPlaces) return reading
  reading.places.set(key, place)
  return reading
}

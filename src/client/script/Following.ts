/**
 * What a tail does about what it hears: pure; `Tail` does it.
 *
 * 1. Its place is the newest entry of the log that was dealt with, in the log's epoch. What is at or before it is passed
 *    over, so nothing is printed twice; what is beyond the next shows a hole, which is filled from the history first, so
 *    nothing is skipped and all is in order.
 * 2. Wherever the log is come to (at first, and with each connection), the server says where it stands and how many of its
 *    entries follow by themselves: what is between the place and those is a hole, too.
 * 3. In a log that begins anew the place means nothing: what was said since a while before the last message printed is
 *    printed, some of it perhaps for a second time. A room made anew has nothing older, a restored backup is not told again
 *    as a whole.
 * 4. What is said in private to a guest is kept nowhere: it is printed as it comes, and there is no place.
 *
 * It has one place, whatever comes.
 */
import type { Epoch, Seq } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { EntryMessage } from "../../common/wire/EntryMessage.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { isEntry, type Whereabouts, whereaboutsOf } from "../core/Heard.ts"
import type { StoredCursor } from "./CursorFile.ts"
import { isThere, nameOf } from "./Where.ts"

export interface Following {
  readonly where: Whereabouts
  readonly user: UserName
  /** Undefined until one has come to the log. */
  readonly place: StoredCursor | undefined
  /** What was said since then is to be printed, where there is no place yet. */
  readonly since: number | undefined
}

/** Done one after the other; `place` is where one is then. */
export type Step =
  | { readonly _tag: "Print"; readonly entry: EntryMessage; readonly place: StoredCursor | undefined }
  /** Nothing to print, but one is further. */
  | { readonly _tag: "Move"; readonly place: StoredCursor }
  /** From the history: all behind `after`, or what was said since `at`. */
  | { readonly _tag: "Fill"; readonly from: After | AtOrLater; readonly place: StoredCursor }
  /** Something for whoever looks after the script. */
  | { readonly _tag: "Tell"; readonly sentence: string }
  | { readonly _tag: "End"; readonly sentence: string }
  /** Events were lost: it is to be looked up how far the log is. */
  | { readonly _tag: "LookUp" }

interface After {
  readonly _tag: "After"
  readonly seq: Seq
}
interface AtOrLater {
  readonly _tag: "AtOrLater"
  readonly at: number
}

export type Outcome = readonly [following: Following, steps: ReadonlyArray<Step>]

/** Clocks may be set, and a server's log and its successor's may be of different ones. In milliseconds. */
const allowance = 10 * 60_000

export const follow = (following: Following, event: ClientEvent): Outcome => {
  const { where } = following
  switch (event._tag) {
    case "Connected":
      return arriveByWelcome({ ...following, user: event.welcome.user }, event.welcome)
    case "Reconnected": {
      const [next, steps] = arriveByWelcome(following, event)
      return [next, [tell("the connection is back"), ...steps]]
    }
    case "Rejoined":
      return isAbout(where, event.joined.room) ? arrive(following, event.joined) : [following, []]
    case "RejoinRefused":
      return isAbout(where, event.room)
        ? [following, [end(`Not back in the room ${event.room}: ${event.message}`)]]
        : none(following)
    case "Disconnected":
      return [following, [tell(`connection lost (${event.cause}), reconnecting`)]]
    case "Retrying":
      return [following, [tell(`still trying: ${event.cause}`)]]
    case "NotKept":
      return [following, [tell(event.message)]]
    case "EncryptionTold":
      return [following, event.room === undefined || isAbout(where, event.room) ? [tell(event.message)] : []]
    case "EncryptionStands":
      return [
        following,
        isAbout(where, event.room) && event.state === "waiting"
          ? [tell(`waiting to be let into ${event.room} by a member`)]
          : []
      ]
    case "Skipped":
      return [following, [{ _tag: "LookUp" }]]
    // A hole shows by itself.
    case "Gap":
      return none(following)
    case "Received":
      return receive(following, event)
  }
}

const receive = (
  following: Following,
  { message, putOutBy }: Extract<ClientEvent, { readonly _tag: "Received" }>
): Outcome => {
  const { where } = following
  if (isEntry(message)) return take(following, message)
  switch (message._tag) {
    case "RoomJoined":
      return isAbout(where, message.room) ? arrive(following, message) : none(following)
    case "RoomLeft":
      return isAbout(where, message.room) ? [following, [end(whyOut(message, putOutBy))]] : none(following)
    case "RoomDeleted":
      return isAbout(where, message.room)
        ? [following, [end(`${message.by} deleted the room ${message.room}.`)]]
        : none(following)
    case "ConversationOpened":
      return where.with !== undefined && nameKey(where.with) === nameKey(message.with)
        ? [
            following,
            [end(`What you and ${message.with} say is encrypted from now on, and in another log: start again.`)]
          ]
        : none(following)
    default:
      return none(following)
  }
}

const whyOut = (
  { reason, room }: { readonly reason?: string; readonly room: string },
  by: "Kicked" | "Banned" | undefined
) => {
  const because = reason === undefined ? "." : `: ${reason}`
  if (by === "Kicked") return `You were put out of the room ${room}${because}`
  if (by === "Banned") return `You were banned from the room ${room}${because}`
  return `You are not in the room ${room} any more, since you left it elsewhere${because}`
}

const none = (following: Following): Outcome => [following, []]
const tell = (sentence: string): Step => ({ _tag: "Tell", sentence })
const end = (sentence: string): Step => ({ _tag: "End", sentence })

const isAbout = ({ room }: Whereabouts, other: string): boolean =>
  room !== undefined && nameKey(room) === nameKey(other)

interface Standing {
  readonly epoch: Epoch
  readonly seq: Seq
  readonly missed?: number
}

/** A Welcome tells where the lobby and an account's inbox stand. */
const arriveByWelcome = (
  following: Following,
  { inbox, lobby }: { readonly lobby?: Standing; readonly inbox?: Standing }
): Outcome => {
  const { room, with: other } = following.where
  if (room !== undefined) return none(following)
  const standing = other === undefined ? lobby : inbox
  // A guest's inbox begins anew with each connection, and is kept nowhere.
  return standing === undefined ? [{ ...following, place: undefined }, []] : arrive(following, standing)
}

/** The log stands at `seq`, and the newest `missed` entries follow by themselves. */
const arrive = (following: Following, { epoch, missed = 0, seq }: Standing): Outcome => {
  const { place, since, where } = following
  const start = seq - missed
  if (place === undefined) {
    const at = since ?? 0
    const next = { epoch, seq: start, at }
    return moved(
      following,
      next,
      since === undefined ? move(next) : { _tag: "Fill", from: { _tag: "AtOrLater", at }, place: next }
    )
  }
  if (place.epoch === epoch && place.seq <= seq) {
    if (start <= place.seq) return none(following)
    const next = { ...place, seq: start }
    const sentence = `${start - place.seq} entries of ${nameOf(where)} were missed: its history has them, messages as they stand now`
    return moved(following, next, tell(sentence), fill(place.seq, next))
  }
  const at = Math.max(0, place.at - allowance)
  const sentence = `the log of ${nameOf(where)} begins anew on the server: going on with what it has since shortly before the last message`
  const next = { epoch, seq: start, at: place.at }
  return moved(following, next, tell(sentence), { _tag: "Fill", from: { _tag: "AtOrLater", at }, place: next })
}

const moved = (following: Following, place: StoredCursor, ...steps: ReadonlyArray<Step>): Outcome => [
  { ...following, place },
  steps
]
const move = (place: StoredCursor): Step => ({ _tag: "Move", place })
const fill = (seq: Seq, place: StoredCursor): Step => ({ _tag: "Fill", from: { _tag: "After", seq }, place })

/** The log is at least so far, as was looked up. */
export const reach = (following: Following, seq: Seq): Outcome => {
  const { place } = following
  if (place === undefined || seq <= place.seq) return none(following)
  const next = { ...place, seq }
  return moved(
    following,
    next,
    tell("events came faster than they were read: the history has them"),
    fill(place.seq, next)
  )
}

const take = (following: Following, entry: EntryMessage): Outcome => {
  const { place, user, where } = following
  const isWanted = isThere(where, entry, user)
  if (!isWanted && !isOfSameLog(where, entry, user)) return none(following)
  if (place === undefined) return [following, isWanted ? [{ _tag: "Print", entry, place }] : []]
  if (entry.seq <= place.seq) return none(following)
  const next = { epoch: place.epoch, seq: entry.seq, at: entry.at }
  const before = { ...place, seq: entry.seq - 1 }
  const hole = before.seq > place.seq ? [fill(place.seq, before)] : []
  return moved(following, next, ...hole, isWanted ? { _tag: "Print", entry, place: next } : move(next))
}

/** All that is said to one in private is one log, whoever says it. */
const isOfSameLog = (where: Whereabouts, entry: EntryMessage, user: UserName): boolean =>
  where.with !== undefined && whereaboutsOf(entry, user).with !== undefined

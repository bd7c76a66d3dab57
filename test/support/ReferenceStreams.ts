/**
 * What one connection hears, in the order it hears it: every conversation from where it joined on, without a gap and
 * nothing twice, every private message, and enough of presence to know who is there. An account's inbox is such a
 * conversation; a guest's is looked at for itself (see ReferencePrivate).
 */
import type { Cursor } from "../../src/common/log/Cursor.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { entryIn, type HeardEntry, inboxOf, lobby, roomLog, wishOf } from "./ReferenceEntry.ts"
import { type Log, type Logs, newestKnown, newestPossible } from "./ReferenceLog.ts"
import { ownerOf, type Report, type Request, type SessionFacts, type Trace } from "./ReferenceTrace.ts"

/** How many old messages a newcomer gets at most. */
const maxReplay = 1000

/** How far a connection has come in a conversation it is in, and who it thinks is there. */
interface Listening {
  /** When it asked to hear it. */
  readonly since: number
  next: number
  readonly users: Set<string>
  isSure: boolean
}

/** What a connection was told of a log when it asked to hear it. */
interface Telling {
  readonly askedAt: number
  readonly at: number
  readonly epoch: string
  readonly log: string
  readonly seq: number
}

/** What every connection has to be told alike: the epoch of a log, and in a quiet moment its end. */
interface Agreed {
  readonly tellings: Array<Telling>
  readonly places: Map<string, number>
}

export const checkStreams = (trace: Trace, logs: Logs, report: Report): void => {
  const tellings: Array<Telling> = []
  const places = new Map<string, number>()
  for (const session of trace.sessions) {
    checkConversations(session, trace, logs, { tellings, places }, report)
  }
  checkEpochs(tellings, report)
  checkRoomAnnouncements(trace, report)
}

/**
 * A log that something was written to keeps its epoch. A room that nothing was written to may have gone and been made
 * again, which one connection may hear of before another hears of the first.
 */
const checkEpochs = (tellings: ReadonlyArray<Telling>, report: Report) => {
  for (const [log, told] of Map.groupBy(tellings, (telling) => telling.log)) {
    const written = told.filter(({ seq }) => seq > 0)
    for (const { askedAt, at, epoch, seq } of told) {
      const isAnother = (other: Telling) => other.epoch !== epoch && (log === lobby || seq > 0 || other.at < askedAt)
      if ((log === lobby ? told : written).some(isAnother)) report(at, `${log} has another epoch`)
    }
  }
}

const requestOf = (session: SessionFacts, message: ServerMessage): Request | undefined =>
  "id" in message && message.id !== undefined ? session.requests.get(message.id) : undefined

const checkConversations = (
  session: SessionFacts,
  trace: Trace,
  logs: Logs,
  { places, tellings }: Agreed,
  report: Report
) => {
  const listening = new Map<string, Listening>()
  const nothing: Log = new Map()
  const owner = ownerOf(session)
  /** When it was put out of a room. */
  const putOut = new Map<string, number>()

  /** Where it goes on after `cursor`, told that the log ends at `seq`. */
  const begin = (
    log: string,
    at: number,
    message: { seq: number; epoch: string },
    request: Request | undefined,
    cursor: Cursor | undefined
  ) => {
    const entries = logs.get(log) ?? nothing
    const saidAt = request?.saidAt ?? 0
    if (message.seq < newestKnown(entries, saidAt) || message.seq > newestPossible(entries, at)) {
      report(at, `${session.user} is told that ${log} ends at ${message.seq}`)
    }
    tellings.push({ askedAt: saidAt, at, epoch: message.epoch, log, seq: message.seq })
    const fits = cursor !== undefined && cursor.epoch === message.epoch && cursor.seq <= message.seq
    const next = fits ? Math.max(cursor.seq, message.seq - maxReplay) + 1 : message.seq + 1
    return {
      since: saidAt,
      next,
      missed: message.seq + 1 - next,
      isTruncated: cursor !== undefined && !(fits && next === cursor.seq + 1)
    }
  }

  /** A log that it is in from its Welcome on; what was missed is told of if it was asked for. */
  const enter = (
    log: string,
    at: number,
    message: { seq: number; epoch: string; missed?: number; truncated?: boolean },
    request: Request | undefined,
    cursor: Cursor | undefined
  ) => {
    const { isTruncated, missed, next, since } = begin(log, at, message, request, cursor)
    const [expected, truncated] = cursor === undefined ? [undefined, undefined] : [missed, isTruncated]
    if (message.missed !== expected || message.truncated !== truncated) {
      report(at, `${session.user} missed ${expected} in ${log}, not ${message.missed}, truncated ${message.truncated}`)
    }
    listening.set(log, { since, next, users: new Set(), isSure: false })
  }

  const hearWelcome = (
    at: number,
    message: Extract<ServerMessage, { _tag: "Welcome" }>,
    request: Request | undefined
  ) => {
    const after = request?.message._tag === "Handshake" ? request.message.after : undefined
    enter(lobby, at, message.lobby, request, after?.lobby)
    if ((message.inbox === undefined) !== (owner === undefined)) report(at, `${session.user} has an inbox: ${owner}`)
    if (message.inbox !== undefined && owner !== undefined) {
      enter(inboxOf(owner), at, message.inbox, request, after?.inbox)
    }
  }

  const hearRoomJoined = (at: number, message: Extract<ServerMessage, { _tag: "RoomJoined" }>) => {
    const log = roomLog(message.room)
    const request = requestOf(session, message)
    const cursor = request?.message._tag === "JoinRoom" ? request.message.after : undefined
    const { isTruncated, missed, next, since } = begin(log, at, message, request, cursor)
    if (message.missed !== missed || message.truncated !== isTruncated) {
      report(at, `${session.user} missed ${missed} in ${log}, not ${message.missed}, truncated ${message.truncated}`)
    }
    listening.set(log, { since, next, users: new Set(message.users), isSure: true })
  }

  const hearEntry = (at: number, entry: HeardEntry) => {
    const { log, seq } = entry
    const room = listening.get(log)
    if (room === undefined) report(at, `${session.user} hears ${log} ${seq} without being there`)
    else if (room.next !== seq) report(at, `${session.user} hears ${log} ${seq}, not ${room.next}`)
    if (room === undefined) return
    room.next = seq + 1
    checkErased(at, entry, room.since)
  }

  /** Whoever comes after a deletion is given a Tombstone, and nobody is given one without a deletion. */
  const checkErased = (at: number, { deed, from, log, seq, tombstone }: HeardEntry, since: number) => {
    const deletions = [...(logs.get(log) ?? nothing).values()].filter(({ deed: done }) => done?.kind === "Deleted")
    const place = deed?.kind === "Said" ? seq : deed?.kind === "Edited" ? deed.target : undefined
    const erased = deletions.find(({ deed: done }) => done?.target === place)
    if (place !== undefined && erased !== undefined && erased.knownAt < since) {
      report(at, `${session.user} is given ${JSON.stringify(deed)} of ${from}, which was deleted`)
    }
    if (tombstone === undefined) return
    const { deletedAt, deletedBy } = tombstone
    const isTrue = deletions.some(
      (by) => by.at === deletedAt && nameKey(by.from) === nameKey(deletedBy) && by.saidAt < at
    )
    if (!isTrue) report(at, `${session.user} hears that ${log} ${seq} was deleted by ${deletedBy} at ${deletedAt}`)
  }

  const hearSent = (at: number, request: Request | undefined, message: Extract<ServerMessage, { _tag: "Sent" }>) => {
    const log = request === undefined ? undefined : wishOf(request)?.log
    if (log === undefined || message.repeated === true) return
    // What it had said before another connection of the account left is stored and answered all the same.
    if ((putOut.get(log) ?? 0) > (request?.saidAt ?? 0)) return
    if ((listening.get(log)?.next ?? 0) <= message.seq) report(at, `${session.user} hears of Sent before the message`)
  }

  const hearPresence = (
    log: string,
    { joined, left }: { joined: ReadonlyArray<string>; left: ReadonlyArray<string> }
  ) => {
    const users = listening.get(log)?.users
    if (users === undefined) return
    // Who comes back in another spelling is still that user.
    for (const known of users)
      if ([...left, ...joined].some((user) => nameKey(user) === nameKey(known))) users.delete(known)
    for (const user of joined) users.add(user)
  }

  /** In a quiet moment, who it has been told of and who there is are the same. */
  const compareUsers = (at: number, log: string, users: ReadonlyArray<string>, request: Request | undefined) => {
    const known = listening.get(log)
    if (known === undefined || request === undefined || !trace.isQuiet(request)) return
    const thought = [...known.users].toSorted((a, b) => (nameKey(a) < nameKey(b) ? -1 : 1))
    if (known.isSure && thought.join(" ") !== users.join(" ")) {
      report(at, `${session.user} was told that ${thought.join(" ")} are in ${log}, but there are ${users.join(" ")}`)
    }
    known.users.clear()
    for (const user of users) known.users.add(user)
    known.isSure = true
  }

  const compareNewest = (quiet: number) => {
    if (session.welcomedAt > quiet || session.endSaid < quiet) return
    for (const [log, { next }] of listening) {
      const newest = newestKnown(logs.get(log) ?? nothing, quiet)
      if (next <= newest) report(quiet, `${session.user} has ${log} up to ${next - 1} of ${newest}`)
      // What only somebody who was cut had written, a newcomer may know to be there and nobody have seen.
      const place = `${log} at ${quiet}`
      if ((places.get(place) ?? next) !== next)
        report(quiet, `${session.user} and others disagree on the end of ${log}`)
      places.set(place, next)
    }
  }

  const quiets = [...trace.quiets]
  for (const { at, message } of session.heard) {
    while (quiets[0] !== undefined && quiets[0] < at) compareNewest(quiets.shift() ?? 0)
    const request = requestOf(session, message)
    const entry = entryIn(message, owner)
    if (entry !== undefined) hearEntry(at, entry)
    else if (message._tag === "Welcome") hearWelcome(at, message, request)
    else if (message._tag === "RoomJoined") hearRoomJoined(at, message)
    else if (message._tag === "Sent") hearSent(at, request, message)
    else if (message._tag === "Presence") hearPresence(lobby, message)
    else if (message._tag === "RoomPresence") hearPresence(roomLog(message.room), message)
    else if (message._tag === "UserList") compareUsers(at, lobby, message.users, request)
    else if (message._tag === "RoomUsers") compareUsers(at, roomLog(message.room), message.users, request)
    else if (message._tag === "RoomLeft") {
      const log = roomLog(message.room)
      const least = newestKnown(logs.get(log) ?? nothing, request?.saidAt ?? 0)
      // An account may leave on a connection that is not in.
      const next = listening.get(log)?.next ?? (owner === undefined ? 0 : Infinity)
      if (next <= least) report(at, `${session.user} left ${log} without ${least}`)
      listening.delete(log)
      if (request === undefined) putOut.set(log, at)
    }
  }
  for (const quiet of quiets) compareNewest(quiet)
}

/** Everyone who is there hears of every room that somebody else made, once. */
const checkRoomAnnouncements = (trace: Trace, report: Report) => {
  const made = trace.requests.filter(({ reply }) => reply?._tag === "RoomCreated")
  const isUnsure = trace.requests.some(({ message, reply }) => message._tag === "CreateRoom" && reply === undefined)
  for (const session of trace.sessions) {
    const since = trace.quietAfter(session.welcomedAt)
    const until = trace.quiets.findLast((quiet) => quiet < session.endSaid) ?? 0
    const count = (at: number) => (at > since && at < until ? 1 : 0)
    const announced = session.heard.filter(
      ({ at, message }) => message._tag === "RoomCreated" && message.id === undefined && count(at) === 1
    ).length
    const expected = made.filter(({ saidAt, session: maker }) => maker !== session && count(saidAt) === 1).length
    if (announced < expected || (announced > expected && !isUnsure)) {
      report(until, `${session.user} heard of ${announced} new rooms, not ${expected}`)
    }
  }
}

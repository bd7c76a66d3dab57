/**
 * Who is where, and which rooms there are, as far as a trace tells: surely, possibly, or not at all.
 *
 * The server decides when exactly a request takes effect: at some point between its being said and its reply being
 * heard. So of every stay there is a part that is sure, from the reply to the request that ends it, and a part that is
 * only possible, at both ends of that.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import { roomLog } from "./ReferenceEntry.ts"
import type { Logs } from "./ReferenceLog.ts"
import { leavesOfAccounts, leavesOfOthers, type Members, putOutOf, readMembers } from "./ReferenceMembers.ts"
import type { Request, SessionFacts, Trace } from "./ReferenceTrace.ts"

export interface Stay {
  readonly session: SessionFacts
  readonly user: string
  readonly joinSaid: number
  readonly joinDone: number
  readonly leaveSaid: number
  readonly leaveDone: number
}

/** Somewhere within [from, to]. */
export interface Span {
  readonly from: number
  readonly to: number
}

export const spanOf = ({ heardAt, saidAt }: Request): Span => ({ from: saidAt, to: heardAt })

export const surely = (stays: ReadonlyArray<Stay>, { from, to }: Span) =>
  stays.filter((stay) => stay.joinDone <= from && stay.leaveSaid >= to)
export const possibly = (stays: ReadonlyArray<Stay>, { from, to }: Span) =>
  stays.filter((stay) => stay.joinSaid < to && stay.leaveDone > from)

/** The stays of everybody who was welcomed, or may have been. Others see a user some time after the Welcome. */
export const staysOnServer = (trace: Trace): ReadonlyArray<Stay> =>
  trace.requests.flatMap(({ heardAt, message, reply, saidAt, session }) => {
    if (message._tag !== "Handshake" || (reply !== undefined && reply._tag !== "Welcome")) return []
    const joinDone = trace.quietAfter(heardAt)
    return [
      { session, user: message.user, joinSaid: saidAt, joinDone, leaveSaid: session.endSaid, leaveDone: session.gone }
    ]
  })

/** The stays in one room, or what may have been one. */
const staysIn = (trace: Trace, room: string): ReadonlyArray<Stay> => {
  const key = nameKey(room)
  const about = trace.requests.filter(({ message }) => "room" in message && nameKey(message.room ?? "") === key)
  return about.flatMap(({ heardAt, message, reply, saidAt, session }) => {
    if (message._tag !== "JoinRoom" || (reply !== undefined && reply._tag !== "RoomJoined")) return []
    const leave = about.find(
      (later) =>
        later.session === session && later.saidAt > saidAt && later.message._tag === "LeaveRoom" && hasLeft(later)
    )
    const putOut = putOutOf(session, room).find((at) => at > heardAt) ?? Infinity
    // Another connection of the account has left for this one, too; which may not have been told if it ended then.
    const others = leavesOfOthers(trace, room, session).filter(
      (other) =>
        other.heardAt > saidAt &&
        (putOut < Infinity ? other.saidAt < putOut : trace.quietAfter(other.saidAt) > session.endSaid)
    )
    return [
      {
        session,
        user: session.user ?? "",
        joinSaid: saidAt,
        joinDone: heardAt,
        leaveSaid: Math.min(leave?.saidAt ?? Infinity, session.endSaid, ...others.map((other) => other.saidAt)),
        leaveDone: Math.min(leave?.heardAt ?? Infinity, session.gone, putOut)
      }
    ]
  })
}

const hasLeft = ({ reply }: Request) => reply === undefined || reply._tag === "RoomLeft"

/** Answers which say that the room they are about exists. Whoever marks one that is not there is told to be no member. */
const provesRoom = ({ message, reply }: Request): boolean => {
  if (reply === undefined || message._tag === "MarkRead") return false
  if (reply._tag !== "Rejected") return "room" in message && message.room !== undefined
  return ["RoomExists", "AlreadyInRoom", "NotInRoom"].includes(reply.reason._tag)
}

export interface RoomFacts {
  readonly stays: ReadonlyArray<Stay>
  readonly members: Members
  readonly surelyExists: (span: Span) => boolean
  readonly possiblyExists: (span: Span) => boolean
  /** Whether a room nobody is in has to be gone: nothing was ever written, and its maker or its last member has left. */
  readonly mustBeGone: (span: Span) => boolean
}

export const readRoom = (trace: Trace, logs: Logs, room: string): RoomFacts => {
  const key = nameKey(room)
  const about = trace.requests.filter(({ message }) => "room" in message && nameKey(message.room ?? "") === key)
  const stays = staysIn(trace, room)
  const members = readMembers(trace, room)
  const creations = about.filter(
    ({ message, reply }) => message._tag === "CreateRoom" && (reply === undefined || reply._tag === "RoomCreated")
  )
  const proofs = about.filter(provesRoom)
  const refutations = trace.requests.filter(({ message, reply }) => {
    if (reply?._tag === "RoomList") return reply.rooms.every((listed) => nameKey(listed.room) !== key)
    const isAbout = "room" in message && nameKey(message.room ?? "") === key
    return isAbout && reply?._tag === "Rejected" && reply.reason._tag === "RoomNotFound"
  })
  const writtenAt = Math.min(Infinity, ...[...(logs.get(roomLog(room))?.values() ?? [])].map(({ knownAt }) => knownAt))

  /** When the room may have been left empty: somebody left it, on whatever connection, or its maker's connection ended. */
  const departures: ReadonlyArray<Span> = [
    ...stays.map(({ leaveSaid }) => leaveSaid),
    ...creations.map(({ session }) => session.endSaid),
    ...leavesOfAccounts(trace, room).map(({ saidAt }) => saidAt)
  ]
    .filter((leaveSaid) => leaveSaid < Infinity)
    .map((from) => ({ from, to: trace.quietAfter(from) }))

  const isHeldOpen = ({ from, to }: Span, until: number) => {
    const span = { from, to: Math.min(to, until) }
    return surely(stays, span).length > 0 || members.all.some((account) => members.isSurely(account, span))
  }

  return {
    stays,
    members,
    surelyExists: ({ from, to }) =>
      writtenAt < from ||
      proofs.some(
        (proof) =>
          proof.heardAt <= from &&
          departures.every(
            (departure) => departure.to <= proof.saidAt || departure.from >= to || isHeldOpen(departure, to)
          )
      ),
    possiblyExists: ({ from, to }) =>
      creations.some(
        ({ heardAt, saidAt }) =>
          saidAt < to && !refutations.some((absent) => absent.saidAt >= heardAt && absent.heardAt <= from)
      ),
    mustBeGone: (span) => {
      const done = creations.filter(({ heardAt }) => heardAt < span.from)
      // Of two that went on at the same time either may have been the later one, behind the end of the other's room.
      const latest = done.filter(({ heardAt }) => !done.some(({ saidAt }) => saidAt > heardAt))
      if (latest.length === 0 || writtenAt < Infinity || possibly(stays, span).length > 0) return false
      if (members.all.some((account) => members.isPossibly(account, span))) return false
      return latest.every((creation) => {
        const there = stays.filter(({ joinDone, leaveSaid }) => joinDone < Infinity && leaveSaid > creation.heardAt)
        return [...there.map(({ leaveSaid }) => leaveSaid), creation.session.endSaid].some(
          (from) => trace.quietAfter(from) <= span.from
        )
      })
    }
  }
}

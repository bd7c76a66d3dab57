/**
 * Which accounts are members of which rooms, as far as a trace tells: surely, possibly, or not at all. Unlike a stay (see
 * ReferenceRooms), which ends with its connection, a membership lasts until the account leaves, on whatever connection.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { Span } from "./ReferenceRooms.ts"
import { keyOf, type Request, type SessionFacts, type Trace } from "./ReferenceTrace.ts"

/** Of one room: by the keys of accounts. */
export interface Members {
  readonly isSurely: (account: string, span: Span) => boolean
  readonly isPossibly: (account: string, span: Span) => boolean
  /** The accounts that were ever members, or may have been. */
  readonly all: ReadonlyArray<string>
}

/** Requests about a room, of one kind, that were carried out or may have been. */
const carriedOut = (trace: Trace, room: string, tag: "JoinRoom" | "LeaveRoom", mayBe: (request: Request) => boolean) =>
  trace.requests.filter(
    (request) =>
      request.session.isAccount &&
      request.message._tag === tag &&
      nameKey(request.message.room) === nameKey(room) &&
      (request.reply === undefined || mayBe(request))
  )

const isDone = ({ reply }: Request) => reply?._tag === "RoomJoined" || reply?._tag === "RoomLeft"
/** It may have become a member, and another connection have left before it was told. */
const isUndone = ({ reply }: Request) => reply?._tag === "Rejected" && reply.reason._tag === "NotInRoom"

/** The requests of accounts to join a room that were carried out, or may have been. */
export const joinsOfAccounts = (trace: Trace, room: string): ReadonlyArray<Request> =>
  carriedOut(trace, room, "JoinRoom", (request) => isDone(request) || isUndone(request))

export const leavesOfAccounts = (trace: Trace, room: string): ReadonlyArray<Request> =>
  carriedOut(trace, room, "LeaveRoom", isDone)

/** Whoever was cut off before the reply has had it carried out by then, if it ever is. */
const doneAt = (trace: Trace, { heardAt, session }: Request): number =>
  Math.min(heardAt, trace.quietAfter(session.endSaid))

export const readMembers = (trace: Trace, room: string): Members => {
  const joins = joinsOfAccounts(trace, room)
  const leaves = leavesOfAccounts(trace, room)
  const of = (requests: ReadonlyArray<Request>, account: string) =>
    requests.filter(({ session }) => keyOf(session) === account)
  return {
    all: [...new Set(joins.flatMap(({ session }) => keyOf(session) ?? []))],
    isSurely: (account, { from, to }) =>
      of(joins, account).some(
        (join) =>
          isDone(join) &&
          join.heardAt <= from &&
          !of(leaves, account).some((leave) => leave.saidAt < to && doneAt(trace, leave) > join.saidAt)
      ),
    isPossibly: (account, { from, to }) =>
      of(joins, account).some(
        (join) =>
          join.saidAt < to &&
          !(isUndone(join) && join.heardAt <= from) &&
          !of(leaves, account).some((leave) => leave.saidAt >= doneAt(trace, join) && leave.heardAt <= from)
      )
  }
}

/** When a connection was told that it is out of a room, although it had not asked to leave it: another one had. */
export const putOutOf = ({ heard }: SessionFacts, room: string): ReadonlyArray<number> =>
  heard.flatMap(({ at, message }) =>
    message._tag === "RoomLeft" && message.id === undefined && nameKey(message.room) === nameKey(room) ? [at] : []
  )

/** The requests to leave a room that other connections of the same account had carried out, or may have. */
export const leavesOfOthers = (trace: Trace, room: string, session: SessionFacts): ReadonlyArray<Request> =>
  session.isAccount
    ? leavesOfAccounts(trace, room).filter(
        (leave) => leave.session !== session && keyOf(leave.session) === keyOf(session)
      )
    : []

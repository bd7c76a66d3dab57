/**
 * Which reply a request may get: the one the protocol names, or the refusal that fits what was surely or possibly so.
 *
 * Whether somebody is in a room follows from that connection's own requests, since about one conversation requests take
 * effect in order. Whether a room, a user or a message is there may be up to others who act at the same time.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { type Log, logOf, type Logs, newestKnown, newestPossible, lobby, roomLog } from "./ReferenceLog.ts"
import { pageOf } from "./ReferencePage.ts"
import { possibly, readRoom, type RoomFacts, spanOf, type Stay, staysOnServer, surely } from "./ReferenceRooms.ts"
import { keyOf, type Report, type Request, type SessionFacts, type Trace } from "./ReferenceTrace.ts"

type Expect = (request: Request) => string | undefined

/** What a reply comes to: its kind, or the kind of refusal. */
const kindOf = (reply: ServerMessage): string => (reply._tag === "Rejected" ? reply.reason._tag : reply._tag)

const sortedNames = (names: ReadonlyArray<string>) => {
  const sorted = names.toSorted((a, b) => (nameKey(a) < nameKey(b) ? -1 : 1))
  return names.every((name, index) => name === sorted[index]) && new Set(names).size === names.length
}

export const checkReplies = (trace: Trace, logs: Logs, report: Report): void => {
  const stays = staysOnServer(trace)
  const rooms = new Map<string, RoomFacts>()
  const roomOf = (name: string): RoomFacts => {
    const key = nameKey(name)
    const facts = rooms.get(key) ?? readRoom(trace, logs, name)
    rooms.set(key, facts)
    return facts
  }

  /** What is wrong with a list of names, given who is surely and possibly there. */
  const checkNames = (names: ReadonlyArray<string>, there: ReadonlyArray<Stay>, request: Request) => {
    const span = spanOf(request)
    if (!sortedNames(names)) return `is not sorted: ${names.join(" ")}`
    const missing = surely(there, span).find(({ user }) => !names.includes(user))
    if (missing !== undefined) return `lacks ${missing.user}: ${names.join(" ")}`
    const extra = names.find((name) => !possibly(there, span).some(({ user }) => user === name))
    return extra === undefined ? undefined : `names ${extra}, who is not there`
  }

  const checkHistory = (log: Log | undefined, request: Request): string | undefined => {
    const { heardAt, message, reply, saidAt } = request
    if (message._tag !== "GetHistory" || reply?._tag !== "History") return "is no History"
    const entries = [...(log?.values() ?? [])].toSorted((a, b) => a.seq - b.seq)
    const range = { before: message.before, after: message.after, limit: message.limit ?? 50 }
    const seqs = reply.messages.map(({ seq }) => seq).join(" ")
    const least = log === undefined ? 0 : newestKnown(log, saidAt)
    const most = log === undefined ? 0 : newestPossible(log, heardAt)
    for (let newest = least; newest <= most; newest++) {
      const page = pageOf(entries.slice(0, newest), range)
      if (page.more === reply.more && page.entries.map(({ seq }) => seq).join(" ") === seqs) return undefined
    }
    return `gives [${seqs}], more ${reply.more}, of a log of ${least} to ${most}`
  }

  const expectations: { readonly [Tag in Request["message"]["_tag"]]?: Expect } = {
    Nonsense: ({ reply }) => (reply && kindOf(reply) === "InvalidMessage" ? undefined : "is not InvalidMessage"),
    Ping: ({ message, reply }) =>
      reply?._tag === "Pong" && message._tag === "Ping" && reply.nonce === message.nonce ? undefined : "is no Pong",
    Handshake: (request) => {
      const { heardAt, reply, saidAt, session } = request
      if (session.welcomedAt < heardAt) {
        return reply && kindOf(reply) === "AlreadyIdentified" ? undefined : "is not AlreadyIdentified"
      }
      const others = stays.filter((stay) => stay.session !== session && nameKey(stay.user) === keyOf(session))
      const holder = others.find((stay) => stay.session.welcomedAt <= saidAt && stay.leaveSaid >= heardAt)
      if (reply?._tag === "Welcome") return holder && `welcomes a second ${holder.user}`
      return reply && kindOf(reply) === "UserNameTaken" && possibly(others, spanOf(request)).length > 0
        ? undefined
        : "refuses a free name"
    },
    Disconnect: ({ reply }) => (reply?._tag === "Goodbye" ? undefined : "is no Goodbye"),
    GlobalMessage: ({ reply }) => (reply?._tag === "Sent" ? undefined : "is not Sent"),
    PrivateMessage: (request) => {
      const { message, reply, session } = request
      if (message._tag !== "PrivateMessage" || reply === undefined) return "is missing"
      if (nameKey(message.to) === keyOf(session)) {
        return kindOf(reply) === "CannotMessageYourself" ? undefined : "is not CannotMessageYourself"
      }
      const receivers = stays.filter(({ user }) => nameKey(user) === nameKey(message.to))
      if (reply._tag === "Sent") {
        const isThere = reply.repeated === true || possibly(receivers, spanOf(request)).length > 0
        return isThere ? undefined : "says that somebody absent was told"
      }
      const isAbsent = kindOf(reply) === "UserNotFound" && surely(receivers, spanOf(request)).length === 0
      return isAbsent ? undefined : "does not find somebody who is there"
    },
    ListUsers: (request) => {
      const own = request.session.user
      if (request.reply?._tag !== "UserList" || own === undefined) return "is no UserList"
      return request.reply.users.includes(own)
        ? checkNames(request.reply.users, stays, request)
        : "lacks the one who asked"
    },
    CreateRoom: (request) => {
      const { message, reply } = request
      if (message._tag !== "CreateRoom" || reply === undefined) return "is missing"
      const facts = roomOf(message.room)
      if (reply._tag === "RoomCreated") return facts.surelyExists(spanOf(request)) ? "makes a room twice" : undefined
      const exists = kindOf(reply) === "RoomExists" && facts.possiblyExists(spanOf(request))
      return exists ? undefined : "says there is a room that there is not"
    },
    ListRooms: (request) => {
      const { reply } = request
      if (reply?._tag !== "RoomList") return "is no RoomList"
      if (!sortedNames(reply.rooms.map(({ room }) => room))) return "is not sorted"
      for (const { room, users } of reply.rooms) {
        const facts = roomOf(room)
        const least = surely(facts.stays, spanOf(request)).length
        const most = possibly(facts.stays, spanOf(request)).length
        if (users < least || users > most) return `counts ${users} in ${room}, not ${least} to ${most}`
        if (!facts.possiblyExists(spanOf(request))) return `lists ${room}, which does not exist`
        if (trace.isQuiet(request) && facts.mustBeGone(spanOf(request)))
          return `still lists ${room}, which is abandoned`
      }
      const listed: ReadonlySet<string> = new Set(reply.rooms.map(({ room }) => nameKey(room)))
      const missing = [...rooms].find(([key, facts]) => !listed.has(key) && facts.surelyExists(spanOf(request)))
      return missing && `lacks ${missing[0]}`
    }
  }

  /** A request about a room: by a member or not, of a room that is there or not. */
  const checkInRoom = (request: Request, name: string, isMember: boolean): string | undefined => {
    const { message, reply } = request
    if (reply === undefined) return "is missing"
    const facts = roomOf(name)
    const kind = kindOf(reply)
    if (kind === "RoomNotFound") {
      return isMember || facts.surelyExists(spanOf(request)) ? "does not find a room that is there" : undefined
    }
    if (!facts.possiblyExists(spanOf(request))) return `says ${kind} of a room that is not there`
    if (message._tag === "ListRoomUsers") {
      return reply._tag === "RoomUsers" ? checkNames(reply.users, facts.stays, request) : "is no RoomUsers"
    }
    if (message._tag === "JoinRoom") {
      if (isMember) return kind === "AlreadyInRoom" ? undefined : "is not AlreadyInRoom"
      if (reply._tag !== "RoomJoined") return "is not RoomJoined"
      const own = request.session.user
      return own !== undefined && reply.users.includes(own)
        ? checkNames(reply.users, facts.stays, request)
        : "lacks the one who joins"
    }
    if (!isMember) return kind === "NotInRoom" ? undefined : "is not NotInRoom"
    if (message._tag === "RoomMessage") return kind === "Sent" ? undefined : "is not Sent"
    if (message._tag === "LeaveRoom") return kind === "RoomLeft" ? undefined : "is not RoomLeft"
    return checkHistory(logs.get(roomLog(name)), request)
  }

  const checkSession = (session: SessionFacts) => {
    const memberOf = new Set<string>()
    const lastReply = new Map<string, number>()
    for (const request of session.requests.values()) {
      const { heardAt, message, reply } = request
      if (reply === undefined) continue
      const room = message._tag !== "CreateRoom" && "room" in message ? message.room : undefined
      const isOfLobby =
        message._tag === "GlobalMessage" || (message._tag === "GetHistory" && message.with === undefined)
      const conversation = room === undefined ? (isOfLobby ? lobby : logOf(message)) : roomLog(room)
      let violation: string | undefined
      if (room !== undefined) {
        violation = checkInRoom(request, room, memberOf.has(nameKey(room)))
        if (reply._tag === "RoomJoined") memberOf.add(nameKey(room))
        if (reply._tag === "RoomLeft") memberOf.delete(nameKey(room))
      } else if (message._tag === "GetHistory") {
        // A guest's inbox is not stored.
        violation = checkHistory(message.with === undefined ? logs.get(lobby) : undefined, request)
      } else violation = expectations[message._tag]?.(request)
      if (violation !== undefined) {
        report(heardAt, `the reply ${kindOf(reply)} to ${session.user}'s ${message._tag} ${room ?? ""} ${violation}`)
      }
      if (conversation === undefined) continue
      if ((lastReply.get(conversation) ?? 0) > heardAt) report(heardAt, `replies about ${conversation} changed places`)
      lastReply.set(conversation, heardAt)
    }
  }

  for (const { message } of trace.requests) if (message._tag === "CreateRoom") roomOf(message.room)
  for (const session of trace.sessions) checkSession(session)
}

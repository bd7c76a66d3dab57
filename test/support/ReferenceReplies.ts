/**
 * Which reply a request may get: the one the protocol names, or the refusal that fits what was surely or possibly so.
 *
 * Whether somebody is in a room follows from that connection's own requests, since about one conversation requests take
 * effect in order. Whether a room, a user or a message is there may be up to others who act at the same time.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { lobby, roomLog, wishOf } from "./ReferenceEntry.ts"
import { identityOf } from "./ReferenceKeys.ts"
import { inOrder, type Log, type Logs, newestKnown, newestPossible } from "./ReferenceLog.ts"
import { pageOf } from "./ReferencePage.ts"
import { possibly, readRoom, type RoomFacts, spanOf, type Stay, staysOnServer, surely } from "./ReferenceRooms.ts"
import { outcomesOf, shown, type State, statesOf, textOf } from "./ReferenceTimeline.ts"
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

  const known = new Map<string, { readonly log: Log; readonly states: ReadonlyArray<State> }>()
  const knownOf = (name: string) => {
    const log: Log = logs.get(name) ?? new Map()
    const found = known.get(name) ?? { log, states: statesOf(inOrder(log)) }
    known.set(name, found)
    return found
  }

  /** Where a log may have ended when this request was carried out: its own connection's requests are so in their order. */
  const endsOf = (request: Request, name: string) => {
    const { log } = knownOf(name)
    const own = [...request.session.requests.values()]
    const at = own.indexOf(request)
    const places = own.map((one) =>
      wishOf(one)?.log === name && one.reply?._tag === "Sent" && one.reply.repeated === undefined
        ? one.reply.seq
        : undefined
    )
    const least = Math.max(newestKnown(log, request.saidAt), ...places.slice(0, at).map((seq) => seq ?? 0))
    const most = Math.min(
      newestPossible(log, request.heardAt),
      ...places.slice(at + 1).map((seq) => (seq ?? Infinity) - 1)
    )
    return { least, most }
  }

  /** A page of what there was at some moment, as it stood then or, since it is read beside, a little later. */
  const checkHistory = (name: string | undefined, request: Request): string | undefined => {
    const { message, reply } = request
    if (message._tag !== "GetHistory" || reply?._tag !== "History") return "is no History"
    const range = { before: message.before, after: message.after, limit: message.limit ?? 50 }
    const texts = reply.messages.map(textOf)
    if (name === undefined) return texts.length === 0 && !reply.more ? undefined : "gives what is not stored"
    const { least, most } = endsOf(request, name)
    const { states } = knownOf(name)
    for (let newest = least; newest <= most; newest++) {
      for (const state of states.slice(newest, most + 1)) {
        const page = pageOf(
          shown(state).filter(({ seq }) => seq <= newest),
          range
        )
        const isSame = page.entries.every(({ text = "" }, index) => text === "" || text === texts[index])
        if (page.more === reply.more && page.entries.length === texts.length && isSame) return undefined
      }
    }
    return `gives ${texts.join(" ")}, more ${reply.more}, of a log of ${least} to ${most}`
  }

  /** Something was to be done in a log: it fits what stood there before it, or at some moment until its reply. */
  const checkDeed = (request: Request): string | undefined => {
    const { message, reply, session } = request
    if ("with" in message && message.with !== undefined) return undefined
    const wish = wishOf(request)
    if (wish === undefined || reply === undefined) return "is missing"
    const { states } = knownOf(wish.log)
    const outcomesAt = (place: number) => {
      const state = states[place]
      return state === undefined ? [] : outcomesOf(state, wish.deed, session.id, wish.from)
    }
    if (reply._tag === "Sent" && reply.repeated === undefined) {
      return outcomesAt(reply.seq - 1).some(({ kind }) => kind === "Accepted")
        ? undefined
        : "accepts what must not be done"
    }
    const { least, most } = endsOf(request, wish.log)
    const outcomes = Array.from({ length: Math.max(0, most - least + 1) }, (_, index) =>
      outcomesAt(least + index)
    ).flat()
    if (reply._tag !== "Sent") {
      const isRight = outcomes.some(({ kind }) => kind === kindOf(reply))
      return isRight ? undefined : `is not right of ${JSON.stringify(wish.deed)} in a log of ${least} to ${most}`
    }
    const identity = identityOf(request)
    const isRepeat =
      identity !== undefined &&
      trace.requests.some((one) => one !== request && one.saidAt < request.heardAt && identityOf(one) === identity)
    if (isRepeat || outcomes.some(({ kind, seq }) => kind === "Repeated" && seq === reply.seq)) return undefined
    return "repeats what was not there"
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
    GlobalMessage: checkDeed,
    EditMessage: checkDeed,
    DeleteMessage: checkDeed,
    React: checkDeed,
    PrivateMessage: (request) => {
      const { message, reply, session } = request
      if (message._tag !== "PrivateMessage" || reply === undefined) return "is missing"
      if (nameKey(message.to) === keyOf(session)) {
        return kindOf(reply) === "CannotMessageYourself" ? undefined : "is not CannotMessageYourself"
      }
      const { replyTo } = message
      const isWith = ({ from, to }: { readonly from: string; readonly to: string }) =>
        [from, to].some((user) => nameKey(user) === nameKey(message.to))
      /** When what is replied to was heard. */
      const repliedTo = session.heard.find(
        ({ message: heard }) => heard._tag === "PrivateMessage" && heard.seq === replyTo && isWith(heard)
      )
      if (kindOf(reply) === "MessageNotFound") {
        const isThere = replyTo === undefined || (repliedTo !== undefined && repliedTo.at < request.saidAt)
        return isThere ? "does not find what is replied to" : undefined
      }
      if (reply._tag === "Sent" && reply.repeated === undefined && replyTo !== undefined) {
        if (repliedTo === undefined || repliedTo.at > request.heardAt) return "replies to what is not there"
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
    if (message._tag === "LeaveRoom") return kind === "RoomLeft" ? undefined : "is not RoomLeft"
    return message._tag === "GetHistory" ? checkHistory(roomLog(name), request) : checkDeed(request)
  }

  const checkSession = (session: SessionFacts) => {
    const memberOf = new Set<string>()
    const lastReply = new Map<string, number>()
    for (const request of session.requests.values()) {
      const { heardAt, message, reply } = request
      if (reply === undefined) continue
      const room = message._tag !== "CreateRoom" && "room" in message ? message.room : undefined
      const isOfLobby =
        room === undefined &&
        (wishOf(request) !== undefined || (message._tag === "GetHistory" && message.with === undefined))
      const conversation = isOfLobby ? lobby : room === undefined ? undefined : roomLog(room)
      let violation: string | undefined
      if (room !== undefined) {
        violation = checkInRoom(request, room, memberOf.has(nameKey(room)))
        if (reply._tag === "RoomJoined") memberOf.add(nameKey(room))
        if (reply._tag === "RoomLeft") memberOf.delete(nameKey(room))
      } else if (message._tag === "GetHistory") {
        // A guest's inbox is not stored.
        violation = checkHistory(message.with === undefined ? lobby : undefined, request)
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

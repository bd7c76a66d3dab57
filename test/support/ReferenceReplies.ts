/**
 * Which reply a request may get: the one the protocol names, or the refusal that fits what was surely or possibly so.
 *
 * Whether somebody is in a room follows from that connection's own requests, since about one conversation requests take
 * effect in order. Whether a room, a user or a message is there may be up to others who act at the same time.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { mayBeOvertaken } from "./ReferenceDevices.ts"
import { inboxOf, lobby, receiverOf, roomLog, wishOf } from "./ReferenceEntry.ts"
import { identityOf } from "./ReferenceKeys.ts"
import { inOrder, type Log, type Logs, newestKnown, newestPossible } from "./ReferenceLog.ts"
import { leavesOfOthers } from "./ReferenceMembers.ts"
import { readOwners } from "./ReferenceOwners.ts"
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

/** `accounts`: the names of all accounts there are. */
export const checkReplies = (trace: Trace, logs: Logs, accounts: ReadonlyArray<string>, report: Report): void => {
  const stays = staysOnServer(trace)
  const governsIn = readOwners(trace)
  const accountKeys: ReadonlySet<string> = new Set(accounts.map(nameKey))
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

  /**
   * A page of what there was at some moment, as it stood then or, since it is read beside, a little later; of an inbox, of
   * what was exchanged with one partner.
   */
  const checkHistory = (name: string | undefined, request: Request, partner?: string): string | undefined => {
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
          shown(state, partner).filter(({ seq }) => seq <= newest),
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
    const { reply } = request
    const wish = wishOf(request)
    if (wish === undefined || reply === undefined) return "is missing"
    const { states } = knownOf(wish.log)
    const outcomesAt = (place: number) => {
      const state = states[place]
      return state === undefined ? [] : outcomesOf(state, { ...wish, governs: governsIn(wish.log, wish.author) })
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

  /** What a guest replies to is a message of its own inbox, which it has heard. */
  const checkReplyOfGuest = (request: Request): string | undefined => {
    const { message, reply, session } = request
    if (message._tag !== "PrivateMessage" || reply === undefined) return "is missing"
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
    if (reply._tag !== "Sent") return "is no Sent"
    const isTooEarly = repliedTo === undefined || repliedTo.at > request.heardAt
    return reply.repeated === undefined && replyTo !== undefined && isTooEarly
      ? "replies to what is not there"
      : undefined
  }

  /** Something is to be done beside messages in private, which is for two accounts. */
  const checkPrivateDeed = (request: Request, partner: string): string | undefined => {
    const { reply, session } = request
    if (reply === undefined) return "is missing"
    const kind = kindOf(reply)
    if (!session.isAccount) return kind === "AccountRequired" ? undefined : "is not AccountRequired"
    if (nameKey(partner) === keyOf(session)) {
      return kind === "CannotMessageYourself" ? undefined : "is not CannotMessageYourself"
    }
    if (accountKeys.has(nameKey(partner))) return checkDeed(request)
    const partners = stays.filter(({ user }) => nameKey(user) === nameKey(partner))
    const isRight =
      kind === "AccountRequired"
        ? possibly(partners, spanOf(request)).length > 0
        : kind === "UserNotFound" && surely(partners, spanOf(request)).length === 0
    return isRight ? undefined : "is neither AccountRequired nor UserNotFound"
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
      if (session.isAccount) {
        if (reply?._tag === "Welcome") return reply.account ? undefined : "welcomes an account as a guest"
        const isOver = reply && kindOf(reply) === "InvalidCredentials" && mayBeOvertaken(trace, request)
        if (isOver) return undefined
        const isFull = reply && kindOf(reply) === "TooManyConnections"
        return isFull && possibly(others, spanOf(request)).length >= maxConnections ? undefined : "refuses its owner"
      }
      if (accountKeys.has(keyOf(session) ?? "")) {
        return reply && kindOf(reply) === "PasswordRequired" ? undefined : "is not PasswordRequired"
      }
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
      const receivers = stays.filter(({ user }) => nameKey(user) === nameKey(message.to))
      const isAccount = accountKeys.has(nameKey(message.to))
      if (kindOf(reply) === "UserNotFound") {
        const isAbsent = !isAccount && surely(receivers, spanOf(request)).length === 0
        return isAbsent ? undefined : "does not find somebody who is there"
      }
      const isThere = isAccount || possibly(receivers, spanOf(request)).length > 0
      if (reply._tag === "Sent" && reply.repeated !== true && !isThere) return "says that somebody absent was told"
      return session.isAccount ? checkDeed(request) : checkReplyOfGuest(request)
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
      for (const { member, room, users } of reply.rooms) {
        const facts = roomOf(room)
        const least = namesIn(surely(facts.stays, spanOf(request))).size
        const most = namesIn(possibly(facts.stays, spanOf(request))).size
        const own = ownerKey(request)
        const isMember = own !== undefined && facts.members.isPossibly(own, spanOf(request))
        if (member === true && !isMember) return `calls ${room} its own`
        if (member !== true && own !== undefined && facts.members.isSurely(own, spanOf(request))) {
          return `does not say that it is a member of ${room}`
        }
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

  /** Who is in a room, and which accounts are members and not in. */
  const checkMembers = (reply: Extract<ServerMessage, { _tag: "RoomUsers" }>, facts: RoomFacts, request: Request) => {
    const { away = [], count, users } = reply
    const span = spanOf(request)
    if (!sortedNames(away)) return `is not sorted: ${away.join(" ")}`
    if (count !== users.length + away.length) return `counts ${count}, not ${users.length + away.length}`
    const keys: ReadonlySet<string> = new Set(away.map(nameKey))
    const twice = users.find((user) => keys.has(nameKey(user)))
    if (twice !== undefined) return `calls ${twice} away and in`
    const isIn = (there: ReadonlyArray<Stay>, key: string) => there.some(({ user }) => nameKey(user) === key)
    for (const key of facts.members.all) {
      const mustBeAway = facts.members.isSurely(key, span) && !isIn(possibly(facts.stays, span), key)
      const mayBeAway = facts.members.isPossibly(key, span) && !isIn(surely(facts.stays, span), key)
      if (mustBeAway && !keys.has(key)) return `lacks ${key}, who is away: ${away.join(" ")}`
      if (!mayBeAway && keys.has(key)) return `calls ${key} away`
    }
    const stranger = away.find((user) => !facts.members.all.includes(nameKey(user)))
    return stranger === undefined ? checkNames(users, facts.stays, request) : `calls ${stranger} a member`
  }

  /** A request about a room: by a member or not, of a room that is there or not. */
  const checkInRoom = (request: Request, name: string, isMember: boolean, wasIn: boolean): string | undefined => {
    const { message, reply } = request
    if (reply === undefined) return "is missing"
    const facts = roomOf(name)
    const kind = kindOf(reply)
    if (kind === "RoomNotFound") {
      return isMember || facts.surelyExists(spanOf(request)) ? "does not find a room that is there" : undefined
    }
    if (!facts.possiblyExists(spanOf(request))) return `says ${kind} of a room that is not there`
    if (message._tag === "ListRoomUsers") {
      return reply._tag === "RoomUsers" ? checkMembers(reply, facts, request) : "is no RoomUsers"
    }
    if (message._tag === "JoinRoom") {
      if (isMember) return kind === "AlreadyInRoom" ? undefined : "is not AlreadyInRoom"
      const isOut = kind === "NotInRoom" && leavesOfOthers(trace, name, request.session).some(isMeanwhile(request))
      if (isOut) return undefined
      if (reply._tag !== "RoomJoined") return "is not RoomJoined"
      const own = request.session.user
      return own !== undefined && reply.users.includes(own)
        ? checkNames(reply.users, facts.stays, request)
        : "lacks the one who joins"
    }
    const own = ownerKey(request)
    const isForAway = own !== undefined && (message._tag === "LeaveRoom" || message._tag === "GetHistory")
    const mayBeAway = isForAway && facts.members.isPossibly(own, spanOf(request))
    if (kind === "NotInRoom") {
      const mustBeAway = isForAway && facts.members.isSurely(own, spanOf(request))
      return isMember || mustBeAway ? "is NotInRoom" : undefined
    }
    // What it had said before another connection of the account left is done all the same.
    if (!isMember && !mayBeAway && !wasIn) return "is not NotInRoom"
    if (message._tag === "LeaveRoom") return kind === "RoomLeft" ? undefined : "is not RoomLeft"
    return message._tag === "GetHistory" ? checkHistory(roomLog(name), request) : checkDeed(request)
  }

  const checkSession = (session: SessionFacts) => {
    const memberOf = new Set<string>()
    /** When another connection of the account had left for this one, too. */
    const putOut = new Map<string, number>()
    for (const { at, message: reply } of session.heard) {
      if (reply._tag === "RoomLeft" && reply.id === undefined) {
        memberOf.delete(nameKey(reply.room))
        putOut.set(nameKey(reply.room), at)
      }
      const request = "id" in reply && reply.id !== undefined ? session.requests.get(reply.id) : undefined
      if (request === undefined || request.reply !== reply) continue
      const { heardAt, message } = request
      const room = message._tag !== "CreateRoom" && "room" in message ? message.room : undefined
      const violation =
        room === undefined || message._tag === "MarkRead"
          ? checkOutside(request)
          : checkInRoom(request, room, memberOf.has(nameKey(room)), (putOut.get(nameKey(room)) ?? 0) > request.saidAt)
      if (reply._tag === "RoomJoined") memberOf.add(nameKey(reply.room))
      if (reply._tag === "RoomLeft") memberOf.delete(nameKey(reply.room))
      if (violation !== undefined) {
        report(heardAt, `the reply ${kindOf(reply)} to ${session.user}'s ${message._tag} ${room ?? ""} ${violation}`)
      }
    }
    checkTurns(session)
  }

  /** A request that is not about a room. */
  const checkOutside = (request: Request): string | undefined => {
    const { message, session } = request
    const partner = receiverOf(message)
    if (message._tag === "GetHistory") {
      if (partner === undefined) return checkHistory(lobby, request)
      // A guest's inbox is not stored.
      return checkHistory(session.isAccount ? inboxOf(session.user ?? "") : undefined, request, nameKey(partner))
    }
    if (partner !== undefined && deedsBeside.has(message._tag)) return checkPrivateDeed(request, partner)
    return expectations[message._tag]?.(request)
  }

  /** Replies about one conversation keep the order of the requests. */
  const checkTurns = (session: SessionFacts) => {
    const lastReply = new Map<string, number>()
    for (const request of session.requests.values()) {
      const { heardAt, reply } = request
      const conversation = conversationOf(request)
      if (reply === undefined || conversation === undefined) continue
      if ((lastReply.get(conversation) ?? 0) > heardAt) report(heardAt, `replies about ${conversation} changed places`)
      lastReply.set(conversation, heardAt)
    }
  }

  for (const { message } of trace.requests) if (message._tag === "CreateRoom") roomOf(message.room)
  for (const session of trace.sessions) checkSession(session)
}

const deedsBeside: ReadonlySet<string> = new Set(["EditMessage", "DeleteMessage", "React"])

const conversationOf = (request: Request): string | undefined => {
  const { message } = request
  const room = message._tag !== "CreateRoom" && "room" in message ? message.room : undefined
  if (message._tag === "MarkRead") return undefined
  if (room !== undefined) return roomLog(room)
  const receiver = receiverOf(message)
  if (receiver !== undefined) return `with ${nameKey(receiver)}`
  return wishOf(request) !== undefined || message._tag === "GetHistory" ? lobby : undefined
}

const namesIn = (stays: ReadonlyArray<Stay>): ReadonlySet<string> => new Set(stays.map(({ user }) => nameKey(user)))

const ownerKey = ({ session }: Request): string | undefined => (session.isAccount ? keyOf(session) : undefined)

/** Whether another request may have been carried out while this one was. */
const isMeanwhile =
  ({ heardAt, saidAt }: Request) =>
  (other: Request): boolean =>
    other.saidAt < heardAt && other.heardAt > saidAt

/** So often an account may be connected. */
const maxConnections = 16

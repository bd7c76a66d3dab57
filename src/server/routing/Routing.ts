/**
 * Where a request goes: pure and total.
 *
 * Every message a connection may send after its Handshake has exactly one destination, or is refused here and now. Names are resolved to connections here and nowhere else.
 */
import { Option, Schema } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { AccountRequest, isAccountRequest } from "../../common/wire/AccountRequest.ts"
import { defaultHistoryLimit, type HandedOn, OtherRequest } from "../../common/wire/ClientMessage.ts"
import { type EntryRequest, intentOf, isEntryRequest } from "../../common/wire/EntryRequest.ts"
import { Rejection } from "../../common/wire/Rejection.ts"
import { governingOf, isRoomRequest, type RoomRequest } from "../../common/wire/RoomRequest.ts"
import {
  type DeviceRequest,
  isDeviceRequest,
  isSealingRequest,
  sealingOf,
  type SealingRequest
} from "../../common/wire/SealingRequest.ts"
import { AccountsCommand } from "../accounts/AccountsCommand.ts"
import type { Range, Search } from "../history/Query.ts"
import { UsersCommand } from "../inbox/UsersCommand.ts"
import { type About, RoomCommand } from "../rooms/RoomCommand.ts"
import { RoomsCommand } from "../rooms/RoomsCommand.ts"
import { Asker } from "../session/Asker.ts"
import { find, type Registry } from "./Registry.ts"

export const Routed = Schema.TaggedUnion({
  ToLobby: { command: RoomCommand },
  ToRooms: { command: RoomsCommand },
  ToUsers: { command: UsersCommand },
  ToAccounts: { command: AccountsCommand },
  /** Here and now. */
  Refuse: { to: Asker, reason: Rejection }
})
export type Routed = typeof Routed.Type

export const route = (registry: Registry, from: Asker, message: HandedOn): Routed =>
  isEntryRequest(message)
    ? act(registry, from, message)
    : isAccountRequest(message)
      ? ask(registry, from, message)
      : isRoomRequest(message)
        ? govern(registry, from, message)
        : isSealingRequest(message)
          ? seal(from, message)
          : isDeviceRequest(message)
            ? askAsDevice(from, message)
            : routeOther(registry, from, message)

/** What is asked about devices and keys is for accounts. */
const askAsDevice = (from: Asker, request: DeviceRequest): Routed =>
  from.account === undefined
    ? refuse(from, { _tag: "AccountRequired", action: request._tag })
    : toAccounts(from, request, false)

/** Without a device there is nobody whose entry it would be. */
const seal = (from: Asker, request: SealingRequest): Routed => {
  const { device } = from
  if (device === undefined) return refuse(from, { _tag: "DeviceRequired" })
  const welcome = request._tag === "CommitKeys" ? request.welcome : undefined
  const body = sealingOf(request, device)
  const { key } = request
  return toRoom(from, request.room, { _tag: "Act", from, body, key, ...(welcome !== undefined && { welcome }) })
}

const routeOther = (registry: Registry, from: Asker, message: OtherRequest): Routed =>
  OtherRequest.match(message, {
    GlobalMessage: ({ content, key, replyTo }) => toLobby({ _tag: "Act", from, body: said(content, replyTo), key }),
    RoomMessage: ({ content, key, replyTo, room }) =>
      toRoom(from, room, { _tag: "Act", from, body: said(content, replyTo), key }),
    PrivateMessage: ({ content, key, replyTo, to }) => {
      if (isOneself(from, to)) return refuse(from, { _tag: "CannotMessageYourself" })
      const { user, ...connections } = between(registry, from, to)
      return toUsers({ _tag: "Deliver", from, to: user, ...connections, body: said(content, replyTo), key })
    },
    Typing: ({ room, with: partner }) => {
      if (room !== undefined && partner !== undefined) return refuse(from, oneOfBoth)
      if (partner === undefined) {
        const command: RoomCommand = { _tag: "Typing", from }
        return room === undefined ? toLobby(command) : toRoom(from, room, command)
      }
      if (isOneself(from, partner)) return refuse(from, { _tag: "CannotMessageYourself" })
      const { receivers, user } = between(registry, from, partner)
      return toUsers({ _tag: "Typing", from, with: user, receivers })
    },
    CreateRoom: (request) =>
      request.private === true && from.account === undefined
        ? refuse(from, { _tag: "AccountRequired", action: request._tag })
        : toRooms({
            _tag: "Create",
            from,
            room: request.room,
            isPrivate: request.private === true,
            isEncrypted: request.encrypted === true,
            topic: request.topic
          }),
    OpenConversation: ({ with: partner }) =>
      isOneself(from, partner)
        ? refuse(from, { _tag: "CannotMessageYourself" })
        : toRooms({ _tag: "Open", from, with: partner }),
    DeleteRoom: ({ room }) => toRoom(from, room, { _tag: "Delete", from }),
    GetRoom: ({ room }) => toRoom(from, room, { _tag: "Describe", from }),
    JoinRoom: ({ after, room }) => toRoom(from, room, { _tag: "Join", from, after }),
    LeaveRoom: ({ room }) => toRoom(from, room, { _tag: "Leave", from }),
    ListRooms: ({ after }) => toRooms({ _tag: "List", from, after }),
    ListRoomUsers: ({ after, room }) => toRoom(from, room, { _tag: "ListMembers", from, after }),
    ListUsers: ({ after }) => toLobby({ _tag: "ListMembers", from, after }),
    GetHistory: ({ after, before, limit = defaultHistoryLimit, only, room, with: partner }) => {
      const range: Range = { before, after, limit }
      if (room !== undefined && partner !== undefined) return refuse(from, oneOfBoth)
      if (partner !== undefined) {
        // Nothing is moderated in private: there is nothing before the first entry.
        const part: Range = only === "moderation" ? { before: 1, after: undefined, limit } : range
        return toUsers({ _tag: "ReadInbox", from, with: partner, range: part })
      }
      const read: RoomCommand = { _tag: "ReadHistory", from, range: only === undefined ? range : { ...range, only } }
      return room === undefined ? toLobby(read) : toRoom(from, room, read)
    },
    Search: ({ before, limit = defaultHistoryLimit, query, room, with: partner }) => {
      const search: Search = { query, before, limit }
      if (room !== undefined && partner !== undefined) return refuse(from, oneOfBoth)
      return partner === undefined
        ? toRooms({ _tag: "Search", from, room, search })
        : toUsers({ _tag: "SearchInbox", from, with: partner, search })
    },
    Report: ({ reason, room, target, with: partner }) => {
      if (room !== undefined && partner !== undefined) return refuse(from, oneOfBoth)
      return partner === undefined
        ? toRooms({ _tag: "Report", from, room, target, reason })
        : toUsers({ _tag: "Report", from, with: partner, target, reason })
    },
    Handshake: () => refuse(from, { _tag: "AlreadyIdentified" })
  })

/** What only accounts may ask is refused to guests here: who is a guest is known. */
const ask = (registry: Registry, from: Asker, request: AccountRequest): Routed => {
  const isForGuests = request._tag === "Register" || request._tag === "GetUser"
  if (from.account === undefined && !isForGuests) return refuse(from, { _tag: "AccountRequired", action: request._tag })
  if (request._tag === "MarkRead" && request.room !== undefined && request.with !== undefined)
    return refuse(from, oneOfBoth)
  if (request._tag !== "GetUser" && request._tag !== "Block") return toAccounts(from, request, false)
  const found = Option.getOrUndefined(find(registry, request.user))
  return toAccounts(from, { ...request, user: found?.user ?? request.user }, found !== undefined)
}

const said = (content: string, replyTo: number | undefined) => ({
  _tag: "Said" as const,
  content,
  ...(replyTo !== undefined && { replyTo })
})

const isOneself = ({ user }: Asker, other: UserName): boolean => nameKey(user) === nameKey(other)

/** The other user, spelled as here if it is here, its connections, and the asker's others. */
const between = (registry: Registry, { session, user }: Asker, other: UserName) => {
  const found = Option.getOrUndefined(find(registry, other))
  const own = Option.getOrUndefined(find(registry, user))?.present ?? []
  return {
    user: found?.user ?? other,
    receivers: found?.present ?? [],
    siblings: own.filter((sibling) => sibling !== session)
  }
}

/** Something is to be done, in a conversation of any kind. */
const act = (registry: Registry, from: Asker, request: EntryRequest): Routed => {
  const { _tag: action, key, room, with: partner } = request
  if (room !== undefined && partner !== undefined) return refuse(from, oneOfBoth)
  const body = intentOf(request)
  if (partner !== undefined) {
    // In private there are entries beside messages between accounts only.
    if (from.account === undefined) return refuse(from, { _tag: "AccountRequired", action })
    if (isOneself(from, partner)) return refuse(from, { _tag: "CannotMessageYourself" })
    const { user, ...connections } = between(registry, from, partner)
    return toUsers({ _tag: "Act", from, with: user, ...connections, body, key })
  }
  const command: RoomCommand = { _tag: "Act", from, body, key }
  return room === undefined ? toLobby(command) : toRoom(from, room, command)
}

/** A room is to be governed, or in the lobby somebody to be muted. */
const govern = (registry: Registry, from: Asker, request: RoomRequest): Routed => {
  const { key, room } = request
  const command: RoomCommand = {
    _tag: "Act",
    from,
    body: governingOf(request),
    key,
    ...("user" in request && { about: aboutWhom(registry, request.user) }),
    ...("seconds" in request && request.seconds !== undefined && { seconds: request.seconds })
  }
  return room === undefined ? toLobby(command) : toRoom(from, room, command)
}

const aboutWhom = (registry: Registry, user: UserName): About => {
  const found = Option.getOrUndefined(find(registry, user))
  if (found === undefined) return { user }
  const { account, present, user: spelled } = found
  const [guest] = present
  if (account !== undefined) return { user: spelled, account }
  return guest === undefined ? { user: spelled } : { user: spelled, guest }
}

const oneOfBoth: Rejection = { _tag: "InvalidMessage", issue: "room, with: only one of the two may be given" }

const toAccounts = (from: Asker, request: AccountRequest | DeviceRequest, isConnected: boolean): Routed => ({
  _tag: "ToAccounts",
  command: { _tag: "Request", from, request, isConnected }
})
const toLobby = (command: RoomCommand): Routed => ({ _tag: "ToLobby", command })
const toRooms = (command: RoomsCommand): Routed => ({ _tag: "ToRooms", command })
const toUsers = (command: UsersCommand): Routed => ({ _tag: "ToUsers", command })
const toRoom = (from: Asker, room: RoomName, command: RoomCommand): Routed =>
  toRooms({ _tag: "InRoom", from, room, command })

const refuse = (to: Asker, reason: Rejection): Routed => ({ _tag: "Refuse", to, reason })

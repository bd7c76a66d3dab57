/**
 * Where a request goes: pure and total.
 *
 * Every message a connection may send after its Handshake has exactly one destination, or one reply to its asker here
 * and now. Names are resolved to connections here and nowhere else.
 */
import { Option, Schema } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { ClientMessage, defaultHistoryLimit } from "../../common/wire/ClientMessage.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { Range, Search } from "../history/Query.ts"
import { UsersCommand } from "../inbox/UsersCommand.ts"
import { RoomCommand } from "../rooms/RoomCommand.ts"
import { RoomsCommand } from "../rooms/RoomsCommand.ts"
import { Asker } from "../session/Asker.ts"
import { rejected } from "../session/Rejected.ts"
import { find, type Registry } from "./Registry.ts"

export const Routed = Schema.TaggedUnion({
  ToLobby: { command: RoomCommand },
  ToRooms: { command: RoomsCommand },
  ToUsers: { command: UsersCommand },
  /** To be answered by whoever owns the registry. */
  ListUsers: { from: Asker, after: Schema.UndefinedOr(UserName) },
  Reply: { to: Asker, message: ServerMessage }
})
export type Routed = typeof Routed.Type
export type RoutedOf<Tag extends Routed["_tag"]> = Extract<Routed, { readonly _tag: Tag }>

export const route = (registry: Registry, from: Asker, message: ClientMessage): Routed =>
  ClientMessage.match(message, {
    GlobalMessage: ({ content, key }) => toLobby({ _tag: "Publish", from, content, key }),
    RoomMessage: ({ content, key, room }) => toRoom(from, room, { _tag: "Publish", from, content, key }),
    PrivateMessage: ({ content, key, to }) => {
      if (nameKey(to) === nameKey(from.user)) return refuse(from, { _tag: "CannotMessageYourself" })
      const receiver = Option.getOrUndefined(find(registry, to))
      if (receiver !== undefined) {
        const { session, user } = receiver
        return toUsers({ _tag: "Deliver", from, to: user, receivers: [session], content, key })
      }
      // With a key it may be a repeat of one that was delivered before its receiver left, to be answered like that one.
      return key === undefined
        ? refuse(from, { _tag: "UserNotFound", user: to })
        : toUsers({ _tag: "Deliver", from, to, receivers: [], content, key })
    },
    CreateRoom: ({ room }) => toRooms({ _tag: "Create", from, room }),
    JoinRoom: ({ after, room }) => toRoom(from, room, { _tag: "Join", from, after }),
    LeaveRoom: ({ room }) => toRoom(from, room, { _tag: "Leave", from }),
    ListRooms: ({ after }) => toRooms({ _tag: "List", from, after }),
    ListRoomUsers: ({ after, room }) => toRoom(from, room, { _tag: "ListMembers", from, after }),
    ListUsers: ({ after }): Routed => ({ _tag: "ListUsers", from, after }),
    GetHistory: ({ after, before, limit = defaultHistoryLimit, room, with: partner }) => {
      const range: Range = { before, after, limit }
      if (room !== undefined && partner !== undefined) return refuse(from, oneOfBoth)
      if (room !== undefined) return toRoom(from, room, { _tag: "ReadHistory", from, range })
      if (partner !== undefined) return toUsers({ _tag: "ReadInbox", from, with: partner, range })
      return toLobby({ _tag: "ReadHistory", from, range })
    },
    Search: ({ before, limit = defaultHistoryLimit, query, room, with: partner }) => {
      const search: Search = { query, before, limit }
      if (room !== undefined && partner !== undefined) return refuse(from, oneOfBoth)
      return partner === undefined
        ? toRooms({ _tag: "Search", from, room, search })
        : toUsers({ _tag: "SearchInbox", from, with: partner, search })
    },
    Ping: ({ nonce }) => reply(from, { _tag: "Pong", nonce }),
    Handshake: () => refuse(from, { _tag: "AlreadyIdentified" }),
    Disconnect: () => reply(from, { _tag: "Goodbye" })
  })

const oneOfBoth: Rejection = { _tag: "InvalidMessage", issue: "room, with: only one of the two may be given" }

const toLobby = (command: RoomCommand): Routed => ({ _tag: "ToLobby", command })
const toRooms = (command: RoomsCommand): Routed => ({ _tag: "ToRooms", command })
const toUsers = (command: UsersCommand): Routed => ({ _tag: "ToUsers", command })
const toRoom = (from: Asker, room: RoomName, command: RoomCommand): Routed =>
  toRooms({ _tag: "InRoom", from, room, command })

const reply = (to: Asker, message: ServerMessage): Routed => ({ _tag: "Reply", to, message })
const refuse = (to: Asker, reason: Rejection): Routed => reply(to, rejected(reason))

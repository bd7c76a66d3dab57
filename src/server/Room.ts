/**
 * The rules of one conversation that has members, the lobby or a room: pure.
 *
 * In comes a request of one connection, out come the next state and what is to be said to whom. Where a message stands
 * in the log is not decided here but by `History`; `published` is told. Invariant 5: who gets a message is decided once
 * for a whole batch, and in the batch's order.
 */
import { HashMap, Option } from "effect"
import type { Epoch, Seq } from "../common/Cursor.ts"
import { nameKey } from "../common/Name.ts"
import type { Rejection } from "../common/Rejection.ts"
import { type ChatMessage, protocolVersion, type ServerMessage } from "../common/ServerMessage.ts"
import type { UserName } from "../common/UserName.ts"
import type { Entry, Stored } from "./history/History.ts"
import { identity } from "./Identity.ts"
import type { Asker, SessionId } from "./messages/Asker.ts"
import { RoomCommand, type RoomCommandOf } from "./messages/Commands.ts"
import type { SharedConversation } from "./messages/Conversation.ts"
import type { Delivery } from "./messages/Delivery.ts"
import { pageOf } from "./NamePage.ts"
import * as Roster from "./Roster.ts"

export interface Room {
  readonly conversation: SharedConversation
  readonly members: HashMap.HashMap<SessionId, UserName>
  readonly roster: Roster.Roster<UserName>
}

/** What a newcomer is told of the log: its newest place, and what they missed since their cursor. */
export interface CatchUp {
  readonly epoch: Epoch
  readonly seq: Seq
  readonly missed: ReadonlyArray<ChatMessage>
  readonly truncated: boolean
}

type Publish = RoomCommandOf<"Publish">

export const make = (conversation: Room["conversation"]): Room => ({
  conversation,
  members: HashMap.empty(),
  roster: []
})

export const isEmpty = (room: Room): boolean => HashMap.isEmpty(room.members)

export const isMember = (room: Room, session: SessionId): boolean => HashMap.has(room.members, session)

/** Why a command cannot be carried out here, if it cannot: only members speak, leave and look back, and join once. */
export const refusal = (room: Room, command: RoomCommand): Option.Option<Rejection> => {
  if (room.conversation._tag === "Lobby" || !needsMembership(command)) return Option.none()
  const joins = command._tag === "Join"
  return isMember(room, command.from.session) === joins
    ? Option.some({ _tag: joins ? "AlreadyInRoom" : "NotInRoom", room: room.conversation.room })
    : Option.none()
}

const needsMembership = RoomCommand.isAnyOf(["Join", "Leave", "Publish", "ReadHistory"])

/** Adds a member, who is told where the log stands and what it missed. Nothing later can come in between. */
export const join = (room: Room, from: Asker, catchUp: CatchUp): readonly [Room, ReadonlyArray<Delivery>] => {
  const joined: Room = {
    ...room,
    members: HashMap.set(room.members, from.session, from.user),
    roster: Roster.insert(room.roster, from.user)
  }
  const { epoch, seq, missed, truncated } = catchUp
  const reply: ServerMessage =
    room.conversation._tag === "Lobby"
      ? {
          _tag: "Welcome",
          user: from.user,
          protocol: protocolVersion,
          server: identity,
          account: false,
          lobby: { epoch, seq }
        }
      : {
          _tag: "RoomJoined",
          room: room.conversation.room,
          epoch,
          seq,
          missed: missed.length,
          truncated,
          ...usersOf(joined, undefined)
        }
  const replay: Delivery = { _tag: "Replay", to: from.session, messages: missed }
  return [joined, [{ _tag: "Reply", to: from, message: reply }, replay]]
}

/** Who is in, in the order of their names: a page of them, as replies give it. */
export const usersOf = (room: Room, after: string | undefined) => {
  const [users, numbered] = pageOf(room.roster, nameKey, after)
  return { users, ...numbered }
}

/** Takes a member out, and says who it was. */
export const leave = (room: Room, session: SessionId): Option.Option<readonly [Room, UserName]> =>
  Option.map(HashMap.get(room.members, session), (user) => [
    { ...room, members: HashMap.remove(room.members, session), roster: Roster.remove(room.roster, user) },
    user
  ])

/**
 * What follows once a batch is stored: every member gets the new messages in the log's order, then each sender its
 * `Sent`s in the order it asked. A repeat of an earlier message is answered, and heard by nobody else. `untold` stands
 * in the log before the batch, and nobody has heard of it yet.
 */
export const published = (
  room: Room,
  batch: ReadonlyArray<Publish>,
  stored: ReadonlyArray<Stored>,
  untold: ReadonlyArray<Entry> = []
): ReadonlyArray<Delivery> => {
  const say = toChatMessage(room.conversation)
  const messages: Array<ChatMessage> = untold.map(say)
  const replies: Array<Delivery> = []
  for (const [index, { seq, at, repeated }] of stored.entries()) {
    const publish = batch[index]
    if (publish === undefined) continue
    if (!repeated) messages.push(say({ seq, at, from: publish.from.user, content: publish.content }))
    replies.push({
      _tag: "Reply",
      to: publish.from,
      message: repeated ? { _tag: "Sent", seq, at, repeated } : { _tag: "Sent", seq, at }
    })
  }
  return messages.length === 0 ? replies : [{ _tag: "Tell", to: sessions(room), messages }, ...replies]
}

/** The connections of all members. */
export const sessions = (room: Room): ReadonlyArray<SessionId> => {
  const known = sessionsOf.get(room.members)
  if (known !== undefined) return known
  const found = Array.from(HashMap.keys(room.members))
  sessionsOf.set(room.members, found)
  return found
}

/** A room is written to far more often than it is joined: its list of connections is made once per membership. */
const sessionsOf = new WeakMap<Room["members"], ReadonlyArray<SessionId>>()

/** How an entry of this log reads on the wire. */
export const toChatMessage = (conversation: SharedConversation): ((entry: Entry) => ChatMessage) =>
  conversation._tag === "Lobby"
    ? ({ seq, at, from, content }) => ({ _tag: "GlobalMessage", seq, at, from, content })
    : ({ seq, at, from, content }) => ({ _tag: "RoomMessage", room: conversation.room, seq, at, from, content })

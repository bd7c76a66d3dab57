/**
 * The rules of one conversation that has members, the lobby or a room: pure.
 *
 * In comes a request of one connection, out come the next state and what is to be said to whom. Where a message stands
 * in the log is not decided here but by `History`; `published` is told. Invariant 5: who gets a message is decided once
 * for a whole batch, and in the batch's order.
 */
import { HashMap, Option } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Epoch, Seq } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ChatMessage } from "../../common/wire/EntryMessage.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { protocolVersion, type ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { Stored } from "../history/History.ts"
import { pageOf } from "../lists/NamePage.ts"
import * as Roster from "../lists/Roster.ts"
import { identity } from "../process/Identity.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import { RoomCommand, type RoomCommandOf } from "./RoomCommand.ts"

export interface Room {
  readonly conversation: SharedConversation
  readonly members: HashMap.HashMap<SessionId, UserName>
  /** The members who are told what is said as it is said; the others are still catching up. */
  readonly upToDate: HashMap.HashMap<SessionId, UserName>
  readonly roster: Roster.Roster<UserName>
}

/** What a newcomer is told of the log: its newest place, and how much they missed since their cursor. */
export interface CatchUp {
  readonly epoch: Epoch
  readonly seq: Seq
  readonly missed: number
  readonly truncated: boolean
}

type Publish = RoomCommandOf<"Publish">

export const make = (conversation: Room["conversation"]): Room => ({
  conversation,
  members: HashMap.empty(),
  upToDate: HashMap.empty(),
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

/**
 * Members of earlier connections under this name: it is free once one is gone, but that leaves only when what it said is
 * stored, and hears it until then.
 */
export const namesakes = (room: Room, { session, user }: Asker): ReadonlyArray<SessionId> =>
  Roster.has(room.roster, user)
    ? [...HashMap.entries(room.members)].flatMap(([id, other]) =>
        id !== session && nameKey(other) === nameKey(user) ? [id] : []
      )
    : []

/** Adds a member, who hears nothing of what is said until it has caught up. */
export const join = (room: Room, { session, user }: Asker): Room => ({
  ...room,
  members: HashMap.set(room.members, session, user),
  roster: Roster.insert(room.roster, user)
})

/** Lets a member who has caught up hear what is said from now on. */
export const caughtUp = (room: Room, session: SessionId): Room =>
  Option.match(HashMap.get(room.members, session), {
    onNone: () => room,
    onSome: (user) => ({ ...room, upToDate: HashMap.set(room.upToDate, session, user) })
  })

/** What a newcomer is told first: where the log stands, and what follows. */
export const greeting = (room: Room, { user }: Asker, { epoch, missed, seq, truncated }: CatchUp): ServerMessage =>
  room.conversation._tag === "Lobby"
    ? {
        _tag: "Welcome",
        user,
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
        missed,
        truncated,
        ...usersOf(room, undefined)
      }

/** Who is in, in the order of their names: a page of them, as replies give it. */
export const usersOf = (room: Room, after: string | undefined) => {
  const [users, numbered] = pageOf(room.roster, nameKey, after)
  return { users, ...numbered }
}

/** Takes a member out, and says who it was; the name stays if it is that of a later connection, too. */
export const leave = (room: Room, session: SessionId, keepsName = false): Option.Option<readonly [Room, UserName]> =>
  Option.map(HashMap.get(room.members, session), (user) => [
    {
      ...room,
      members: HashMap.remove(room.members, session),
      upToDate: HashMap.remove(room.upToDate, session),
      roster: keepsName ? room.roster : Roster.remove(room.roster, user)
    },
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
  return messages.length === 0 ? replies : [{ _tag: "Tell", to: sessions(room.upToDate), messages }, ...replies]
}

/** The connections of all members. */
export const everybody = (room: Room): ReadonlyArray<SessionId> => sessions(room.members)

const sessions = (members: Room["members"]): ReadonlyArray<SessionId> => {
  const known = sessionsOf.get(members)
  if (known !== undefined) return known
  const found = Array.from(HashMap.keys(members))
  sessionsOf.set(members, found)
  return found
}

/** A room is written to far more often than it is joined: its list of connections is made once per membership. */
const sessionsOf = new WeakMap<Room["members"], ReadonlyArray<SessionId>>()

/** How an entry of this log reads on the wire. */
export const toChatMessage = (conversation: SharedConversation): ((entry: Entry) => ChatMessage) =>
  conversation._tag === "Lobby"
    ? ({ seq, at, from, content }) => ({ _tag: "GlobalMessage", seq, at, from, content })
    : ({ seq, at, from, content }) => ({ _tag: "RoomMessage", room: conversation.room, seq, at, from, content })

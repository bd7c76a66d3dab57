/** The state of a `Resumption`: places, memberships and open requests. Pure; how what is heard changes it is said there. */
import { HashMap, Option } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import type { Cursor } from "../../common/log/Cursor.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { ClientMessage } from "../../common/wire/ClientMessage.ts"
import type { RequestId } from "../../common/wire/RequestId.ts"
import type { Place } from "./LogPlace.ts"
import type { Membership, Rooms } from "./Memberships.ts"

export interface Resumption {
  readonly user: UserName
  readonly hasConnected: boolean
  /** Whether the rooms of an account are joined on arrival, or only those that are asked for. */
  readonly joinsAll: boolean
  /** Undefined until the first Welcome, unless one goes on where another client was. */
  readonly lobby: Place | undefined
  readonly inbox: Place | undefined
  readonly rooms: Rooms
  /** The rooms one was told of being invited to: 200 at most. */
  readonly invitations: ReadonlyArray<NameKey>
  readonly open: HashMap.HashMap<RequestId, OpenRequest>
  readonly asked: number
}

export interface OpenRequest {
  readonly message: ClientMessage
  /** Counts the requests of one resumption, so that they can be repeated in their order. */
  readonly number: number
  /** Who asked: a program that waits for the reply, one that waits no more, or the client itself. */
  readonly asker: "waiting" | "gone" | "client"
  /** It is to be asked again when it is known whether one is in its room. */
  readonly isHeld?: boolean
}

export interface Beginning {
  /** Where another client of this user was: what came since then is heard first. */
  readonly from?: { readonly lobby?: Cursor; readonly inbox?: Cursor } | undefined
  /** Whether the rooms of an account are joined on arrival; they are, unless that is said. */
  readonly joinsAll?: boolean | undefined
}

export const make = (user: UserName, { from = {}, joinsAll = true }: Beginning = {}): Resumption => ({
  user,
  hasConnected: false,
  joinsAll,
  lobby: from.lobby,
  inbox: from.inbox,
  rooms: HashMap.empty(),
  invitations: [],
  open: HashMap.empty(),
  asked: 0
})

export const close = (resumption: Resumption, id: RequestId): Resumption => ({
  ...resumption,
  open: HashMap.remove(resumption.open, id)
})

export const membershipIn = (resumption: Resumption, room: RoomName): Membership | undefined =>
  Option.getOrUndefined(HashMap.get(resumption.rooms, nameKey(room)))

export const withMembership = (resumption: Resumption, membership: Membership): Resumption => ({
  ...resumption,
  rooms: HashMap.set(resumption.rooms, nameKey(membership.room), membership)
})

/** Whether it is to be joined again as soon as it can be. */
export const isAway = (resumption: Resumption, room: RoomName): boolean =>
  membershipIn(resumption, room)?.isAway === true

export const open = <Message extends ClientMessage>(
  resumption: Resumption,
  withId: (id: RequestId) => Message,
  asker: OpenRequest["asker"],
  prefix = ""
): { readonly resumption: Resumption; readonly message: Message; readonly id: RequestId } => {
  const number = resumption.asked + 1
  const id = `${prefix}${number}`
  const message = withId(id)
  const request: OpenRequest = { message, number, asker }
  return { resumption: { ...resumption, asked: number, open: HashMap.set(resumption.open, id, request) }, message, id }
}

/** Whether asking twice is the same as asking once. */
export const isRepeatable = ({ message }: OpenRequest): boolean => !isOnce(message)

const isOnce = ClientMessage.isAnyOf([
  "CreateRoom",
  "DeleteRoom",
  "Disconnect",
  "Register",
  "ChangePassword",
  "RemoveDevice",
  "RemoveKey"
])

export const openRequest = (resumption: Resumption, id: RequestId | undefined): OpenRequest | undefined =>
  Option.getOrUndefined(HashMap.get(resumption.open, id ?? ""))

export const placeIn = (resumption: Resumption, room: RoomName): Place | undefined =>
  membershipIn(resumption, room)?.place

export const placeOf = (resumption: Resumption, conversation: Conversation): Place | undefined => {
  if (conversation._tag === "Room") return placeIn(resumption, conversation.room)
  return conversation._tag === "Lobby" ? resumption.lobby : resumption.inbox
}

export const movedTo = (resumption: Resumption, conversation: Conversation, place: Place): Resumption => {
  if (conversation._tag === "Room") return inRoom(resumption, conversation.room, place)
  return conversation._tag === "Lobby" ? { ...resumption, lobby: place } : { ...resumption, inbox: place }
}

export const inRoom = (resumption: Resumption, room: RoomName, place: Place): Resumption =>
  withMembership(resumption, { room, place })

export const outOfRoom = (resumption: Resumption, room: RoomName): Resumption => ({
  ...resumption,
  rooms: HashMap.remove(resumption.rooms, nameKey(room))
})

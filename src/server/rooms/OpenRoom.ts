/** What the directory of rooms knows of each, of its manager, and of each connection that has to do with any. */
import type { Scope } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import { isConversationRoom, type RoomName } from "../../common/name/RoomName.ts"
import { placeOf } from "../lists/NamePage.ts"
import type { SessionId } from "../session/Asker.ts"
import type { GuestOwner } from "./Governing.ts"
import type * as RoomManager from "./RoomManager.ts"
import type { Inhabited } from "./RoomMembers.ts"

export interface OpenRoom extends Inhabited {
  readonly key: NameKey
  /** Unknown of rooms that were there before the server started. */
  readonly madeBy: SessionId | undefined
  /** The guest who made it, while it is here: its owner. */
  guestOwner: GuestOwner | undefined
  readonly conversation: typeof Conversation.cases.Room.Type
  /** What is to be known of it is not stored yet: until then there is no such room for anybody. */
  isBeingMade: boolean
  running: Running | undefined
  /** How many are in, as its manager told last. */
  users: number
}

/** The manager of a room that somebody is in. */
export interface Running {
  /** That of no other manager, whatever its room. */
  readonly number: number
  readonly manager: RoomManager.RoomManager
  readonly scope: Scope.Closeable
  /** How many commands it was sent. */
  sent: number
  /** Whether somebody went: who could not be let in may try again, and finds the room. */
  isLeft: boolean
}

/** The rooms that concern one connection. */
export interface Involvement {
  readonly made: Set<NameKey>
  /** Those it asked to be in and did not leave, and those it is in, as their managers told. */
  readonly joined: Set<NameKey>
  readonly isIn: Set<NameKey>
}

/** All rooms, by their names and in the order of these. */
export const makeOpenRooms = () => {
  const byKey = new Map<NameKey, OpenRoom>()
  const sorted: Array<OpenRoom> = []
  const place = (key: NameKey) => placeOf(sorted, (room) => room.key, key)
  return {
    /** Rooms of encrypted conversations are in no list. */
    sorted,
    count: () => sorted.length,
    countConversations: () => byKey.size - sorted.length,
    get: (key: NameKey) => byKey.get(key),
    has: (key: NameKey) => byKey.has(key),
    /** Those of encrypted conversations too. */
    all: () => byKey.values(),
    /** One that nobody is in yet. `madeBy`: nobody who is here, where something was kept of it. */
    add: (name: RoomName, madeBy: SessionId | undefined, guestOwner: GuestOwner | undefined) => {
      const key = nameKey(name)
      const conversation = { _tag: "Room", room: name } as const
      const kept = { isInhabited: false, isKept: madeBy === undefined }
      const nobody = { running: undefined, users: 0, isBeingMade: false }
      const room: OpenRoom = { name, key, madeBy, guestOwner, conversation, ...nobody, ...kept }
      byKey.set(key, room)
      if (!isConversationRoom(name)) sorted.splice(place(key), 0, room)
      return room
    },
    delete: (key: NameKey) => {
      const room = byKey.get(key)
      byKey.delete(key)
      if (room !== undefined && !isConversationRoom(room.name)) sorted.splice(place(key), 1)
    }
  }
}

/** What each connection has to do with rooms. */
export const makeInvolvements = () => {
  const all = new Map<SessionId, Involvement>()
  return {
    all: () => all.entries(),
    get: (session: SessionId) => all.get(session),
    /** The same, which there is from now on. */
    of: (session: SessionId): Involvement => {
      const known = all.get(session) ?? { made: new Set(), joined: new Set(), isIn: new Set() }
      all.set(session, known)
      return known
    },
    delete: (session: SessionId) => all.delete(session),
    /** Nobody is in this room any more, nor has asked to be. */
    putOut: (room: NameKey) => {
      for (const { isIn, joined } of all.values()) {
        isIn.delete(room)
        joined.delete(room)
      }
    }
  }
}

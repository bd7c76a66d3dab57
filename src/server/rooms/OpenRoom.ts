/** What the directory of rooms knows of each, of its manager, and of each connection that has to do with any. */
import type { Scope } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import type { NameKey } from "../../common/name/Name.ts"
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

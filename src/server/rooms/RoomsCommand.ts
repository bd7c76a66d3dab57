/** What the RoomProcessor is told, which knows which rooms there are. */
import { Schema } from "effect"
import { NameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { Search } from "../history/Query.ts"
import { Asker, SessionId } from "../session/Asker.ts"
import { RoomCommand } from "./RoomCommand.ts"

export const RoomsCommand = Schema.TaggedUnion({
  Create: { from: Asker, room: RoomName },
  List: { from: Asker, after: Schema.UndefinedOr(RoomName) },
  InRoom: { from: Asker, room: RoomName, command: RoomCommand },
  /** Searches one room, or else the lobby and every room the asker is in. */
  Search: { from: Asker, room: Schema.UndefinedOr(RoomName), search: Search },
  /** A connection is gone: it leaves every room it is in. */
  Gone: { session: SessionId },
  /** Somebody came into a room or is out of it; so many names are in. */
  MembersChanged: { room: NameKey, session: SessionId, isIn: Schema.Boolean, users: Schema.Natural },
  /** A room's log has lost its last entry. */
  Emptied: { room: RoomName },
  /** Nobody is in a room and nothing under way, after its manager of this number has handled so many commands. */
  Vacated: { room: NameKey, manager: Schema.Natural, handled: Schema.Natural }
})
export type RoomsCommand = typeof RoomsCommand.Type
export type RoomsCommandOf<Tag extends RoomsCommand["_tag"]> = Extract<RoomsCommand, { readonly _tag: Tag }>

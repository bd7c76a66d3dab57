/** What the RoomProcessor is told, which knows which rooms there are. */
import { Schema } from "effect"
import { Seq } from "../../common/log/Cursor.ts"
import { Reason, Topic } from "../../common/log/Governing.ts"
import { NameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Search } from "../history/Query.ts"
import { AccountId } from "../session/AccountId.ts"
import { Asker, SessionId } from "../session/Asker.ts"
import { RoomCommand } from "./RoomCommand.ts"

export const RoomsCommand = Schema.TaggedUnion({
  Create: {
    from: Asker,
    room: RoomName,
    isPrivate: Schema.Boolean,
    isEncrypted: Schema.Boolean,
    topic: Schema.UndefinedOr(Topic)
  },
  /** Somebody wants an encrypted conversation with somebody. */
  Open: { from: Asker, with: UserName },
  List: { from: Asker, after: Schema.UndefinedOr(RoomName) },
  InRoom: { from: Asker, room: RoomName, command: RoomCommand },
  /** Searches one room, or else the lobby and every room the asker is in. */
  Search: { from: Asker, room: Schema.UndefinedOr(RoomName), search: Search },
  /** What was said in a room, or else in the lobby, is to be kept for the admins. */
  Report: { from: Asker, room: Schema.UndefinedOr(RoomName), target: Seq, reason: Reason },
  /** A connection is gone: it leaves every room it is in. */
  Gone: { session: SessionId },
  /** The guest of this connection is an account from now on. */
  Own: { session: SessionId, account: AccountId, user: UserName },
  /** An account is gone, and so is what was kept of its memberships. */
  Dismiss: { account: AccountId, user: UserName },
  /** Somebody came into a room or is out of it; so many names are in. */
  MembersChanged: { room: NameKey, session: SessionId, isIn: Schema.Boolean, users: Schema.Natural },
  /** An account is a member of a room, or is not; so many are. */
  MembershipChanged: {
    room: NameKey,
    account: AccountId,
    isMember: Schema.Boolean,
    members: Schema.Natural
  },
  /** How many accounts are members, as the manager of a room found. */
  MembersRead: { room: NameKey, members: Schema.Natural },
  /** The list of somebody's devices has another entry: who shares an encrypted room with it is told. */
  DevicesChanged: { account: AccountId, user: UserName, n: Schema.Natural },
  /** It is known which rooms an account is a member of, or that it cannot be read. */
  RoomsRead: { account: AccountId },
  /** A room is deleted, as its manager of this number tells; what it tells of its members stands before. */
  Deleted: { room: NameKey, manager: Schema.Natural },
  /** A room's log has lost its last entry. */
  Emptied: { room: RoomName },
  /** Nobody is in a room and nothing under way, after its manager of this number has handled so many commands. */
  Vacated: { room: NameKey, manager: Schema.Natural, handled: Schema.Natural }
})
export type RoomsCommand = typeof RoomsCommand.Type
export type RoomsCommandOf<Tag extends RoomsCommand["_tag"]> = Extract<RoomsCommand, { readonly _tag: Tag }>

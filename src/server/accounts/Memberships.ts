/**
 * Which rooms an account is in, and how far it has read: the one contract between those who deliver and whatever keeps this.
 *
 * Membership stays until it is left, or its account is deleted: then Accounts.setState takes memberships and marks with it, and
 * from then on nothing is kept of it, whatever was under way. A read mark belongs to an account and a conversation; it never goes back. Everything that
 * changes something answers only once it would survive a crash, as far as the layer can survive one.
 */
import { Context, type Effect } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ConversationStanding, RoomStanding } from "../../common/wire/AccountMessage.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { AccountId } from "../session/AccountId.ts"

type Kept<A> = Effect.Effect<A, StorageUnavailable>

/** An account that is in a room. */
export interface Member {
  readonly account: AccountId
  readonly user: UserName
}

/**
 * What was read: a shared conversation, or the private one with whoever has that name now, an account or else a guest (places of
 * one's own inbox).
 */
export type ReadPlace = SharedConversation | { readonly _tag: "With"; readonly user: UserName }

/** What an account finds when it arrives. */
export interface Standing {
  /** In the order of their names; `role` is always "member" yet. */
  readonly rooms: ReadonlyArray<RoomStanding>
  /**
   * Newest first, `maxConversations` at most: with accounts that there are, and with guests whose names are no account's. `seq`
   * is the place of the newest message.
   */
  readonly conversations: ReadonlyArray<ConversationStanding>
  readonly lobbyRead: Seq
}

export class Memberships extends Context.Service<
  Memberships,
  {
    /** The rooms of an account, in the order of their names. */
    rooms(account: AccountId): Kept<ReadonlyArray<RoomName>>
    /** The rooms that any account is in: they are there, whether anything was written in them or not. */
    readonly inhabited: Kept<ReadonlyArray<RoomName>>
    /** The accounts that are in a room, in the order of their names. */
    members(room: RoomName): Kept<ReadonlyArray<Member>>
    /**
     * Makes it a member; nothing happens if it is one. Who is one for the first time has read the room up to `newest`; a mark
     * from an earlier membership never goes back. Answers where the mark stands.
     */
    join(member: Member, room: RoomName, newest: Seq): Kept<Seq>
    /** Its mark stays. */
    leave(account: AccountId, room: RoomName): Kept<void>
    /** A room's log is gone, with its members and their marks. */
    forget(room: RoomName): Kept<void>
    /**
     * Moves the mark forward, to `seq` or to the log's newest place; answers where it stands then. With whom nothing was ever
     * said there is none: 0. So there are no more marks than conversations, whatever names are asked for.
     */
    mark(account: AccountId, place: ReadPlace, seq: Seq): Kept<Seq>
    /**
     * All there is to know at arrival. `unread` counts messages by others behind the mark that are not deleted; `mentions`
     * those of them that hold `@` and the name (see `mentions`), by nobody whom it has blocked (see Accounts). Both up to `maxUnread`, the newest of a log of which more than
     * `maxLooked` entries would have to be looked at.
     */
    standing(member: Member): Kept<Standing>
  }
>()("parley/server/accounts/Memberships") {}

/** Of one conversation no more entries behind the mark are looked at. */
export const maxLooked = 2000

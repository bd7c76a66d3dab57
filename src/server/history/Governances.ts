/**
 * How the rooms are governed: kept beside their logs, and all of it in memory, for those who must not wait. What entries make of
 * it is stored in their own commit (see History.append); here is what needs no entry.
 *
 * Bounds: of each room what `Governance` says; of rooms that nobody owns and in which nothing was done there is nothing.
 */
import { Context, type Effect } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Governance } from "../governance/Governance.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { StorageUnavailable } from "./History.ts"

/** Somebody lets an account into a room. */
export interface Invitation {
  readonly room: RoomName
  readonly by: UserName
}

export class Governances extends Context.Service<
  Governances,
  {
    /** As it is stored; nothing if there is nothing to say of it. Of the lobby there are mutes alone. */
    get(conversation: SharedConversation): Governance | undefined
    /** The rooms of which anything is kept. */
    rooms(): Iterable<RoomName>
    /** To rooms that this account has not joined since, the newest last. */
    invitations(account: AccountId): ReadonlyArray<Invitation>
    /** Those that this account owns or moderates. */
    owned(account: AccountId): ReadonlyArray<RoomName>
    /** Answers once it would survive a crash. */
    put(conversation: SharedConversation, governance: Governance): Effect.Effect<void, StorageUnavailable>
    /** The room is gone. */
    forget(room: RoomName): Effect.Effect<void, StorageUnavailable>
    /** What is stored, after a commit that may have failed. */
    lookAgain(conversation: SharedConversation): Effect.Effect<Governance | undefined, StorageUnavailable>
  }
>()("parley/server/history/Governances") {}

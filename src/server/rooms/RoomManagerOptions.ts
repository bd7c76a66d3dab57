/** What the manager of a conversation is given, and whom it tells of what. */
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Blockable } from "../accounts/Account.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { SessionId } from "../session/Asker.ts"
import type { Deciding } from "./Deciding.ts"
import type { KeptMembers } from "./Enrolment.ts"
import type { GoverningEvents, GuestOwner, People } from "./Governing.ts"

/** A fact about who is in. */
export interface MembersChanged {
  /** How many names. */
  readonly users: number
  readonly session: SessionId
  readonly isIn: boolean
}

export interface RoomManagerOptions {
  readonly conversation: SharedConversation
  readonly deciding: Deciding
  /**
   * Called when nobody is in and nothing is under way, with how many commands were handled so far of those it was sent. If it
   * was sent no more it may be ended, and nothing is lost.
   */
  readonly onVacated: (handled: number) => void
  /** Called before anybody is told. */
  readonly onMembers?: (changed: MembersChanged) => void
  /** None for the lobby. */
  readonly kept?: KeptMembers
  /** Who is an account and who an admin; nobody, unless given. */
  readonly people?: People
  /** Which accounts do not want to hear of somebody; none, unless given. */
  readonly blockedBy?: (who: Blockable) => ReadonlySet<AccountId>
  readonly guestOwner?: () => GuestOwner | undefined
  readonly onInvited?: GoverningEvents["onInvited"]
  readonly onGoverned?: GoverningEvents["onGoverned"]
  /** Called when there is no such room any more, before anybody is told; of its members nothing is told afterwards. */
  readonly onDeleted?: () => void
}

/** Nobody is an account. */
export const nobody: People = { find: () => undefined, isAdmin: () => false }

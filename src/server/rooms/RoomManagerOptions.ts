/** What the manager of a conversation is given, and whom it tells of what. */
import { Effect } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Blockable } from "../accounts/Account.ts"
import type { OwnedDevice } from "../governance/Sealing.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { Interval } from "../history/SealedRooms.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { SessionId } from "../session/Asker.ts"
import type { Deciding } from "./Deciding.ts"
import type { KeptMembers } from "./Enrolment.ts"
import type { Devices, GoverningEvents, GuestOwner, People } from "./Governing.ts"

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
  /** Which devices take part in encrypted conversations, and what each may read of this one: none and nothing, unless given. */
  readonly devices?: Devices
  readonly intervals?: Intervals
  readonly guestOwner?: () => GuestOwner | undefined
  readonly onInvited?: GoverningEvents["onInvited"]
  readonly onGoverned?: GoverningEvents["onGoverned"]
  /** Called when there is no such room any more, before anybody is told; of its members nothing is told afterwards. */
  readonly onDeleted?: () => void
}

export type Intervals = (device: OwnedDevice) => Effect.Effect<ReadonlyArray<Interval>, StorageUnavailable>

const noAccounts: ReadonlySet<AccountId> = new Set()
const people: People = { find: () => undefined, isAdmin: () => false }
const devices: Devices = { entryOf: () => undefined }
const intervals: Intervals = () => Effect.succeed([])

/** Nobody is an account, has blocked anybody, or has a device. */
export const byDefault = { blockedBy: () => noAccounts, devices, intervals, people }

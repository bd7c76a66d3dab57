/** What a conversation shows of itself, and what can be asked of it. */
import type { Effect } from "effect"
import type { UserDevice } from "../../common/log/Sealing.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import { type Member, membersOf } from "../crypto/Group.ts"
import type { SealedEntry } from "./Entries.ts"
import type { Kept } from "./Kept.ts"
import type { Saying } from "./Payload.ts"
import type { SayError } from "./SealedError.ts"

export interface View {
  readonly room: RoomName
  readonly log: string
  readonly state: "away" | "waiting" | "in" | "outOfStep"
  readonly keyEpoch: number | undefined
  /** From the group's tree, never from the server's list. */
  readonly members: ReadonlyArray<Member>
  /** Whether the safety numbers of all others in it were compared, and are what they were. */
  readonly isVerified: boolean
  /** Devices that took the keys out of step: not let in until who has them is trusted again. */
  readonly leftOut: ReadonlyArray<UserDevice>
  readonly cursor: number
  /** Said, and not in the log yet. */
  readonly underway: number
}

type Presence = Pick<ServerMessageOf<"RoomPresence">, "joined" | "left">

export interface Conversation {
  readonly room: RoomName
  readonly joined: (joined: ServerMessageOf<"RoomJoined">) => void
  readonly away: () => void
  readonly heard: (entry: SealedEntry) => void
  /** Something may have been missed. */
  readonly missed: () => void
  /** Who is in the room, or which devices they have, may have changed. */
  readonly changed: (presence?: Presence) => void
  /** Whoever of this name was left out may be let in again. */
  readonly trusted: (user: UserName) => void
  /** Done when it is stored, from when on it is sent whatever happens. */
  readonly say: (saying: Saying, key?: MessageKey) => Effect.Effect<MessageKey, SayError>
  /** Fresh keys, for a conversation that is out of step. */
  readonly rekey: Effect.Effect<void>
  readonly view: Effect.Effect<View>
  /** Of the newest group that this device was in. */
  readonly incarnation: () => number
  /** From the group's tree. */
  readonly members: () => ReadonlyArray<Member>
}

/** `hasKeys`: whether somebody has, by what was heard; where nobody has, this device makes them. */
export const stateOf = (isJoined: boolean, kept: Kept | undefined, hasKeys: boolean): View["state"] => {
  if (!isJoined) return "away"
  if (kept?.group === undefined) return hasKeys ? "waiting" : "away"
  return kept.more.outOfStep === undefined ? "in" : "outOfStep"
}

export const membersIn = (kept: Kept | undefined): ReadonlyArray<Member> =>
  kept?.group === undefined ? [] : membersOf(kept.group)

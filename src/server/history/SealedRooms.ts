/**
 * What is kept of encrypted rooms beside their logs and how their keys stand: which parts of a log each device may read, and the
 * welcomes that it has not taken yet. All of it is stored with the entries that make it so (see History.append), and goes with the room.
 *
 * Bounds: of a device in a room the newest `maxIntervals` parts and `maxWelcomes` welcomes. What is kept for a device goes with it.
 */
import { Context, type Effect } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { OwnedDevice } from "../governance/Sealing.ts"
import type { RoomConversation, StorageUnavailable } from "./History.ts"

export const maxIntervals = 50
export const maxWelcomes = 16

/** From one place to another, both included; without end while the device is in. */
export interface Interval {
  readonly since: Seq
  readonly until: Seq | undefined
}

/** `number` counts them, of all rooms. `seq`: of the commit by which the device was let in. */
export interface Welcome {
  readonly number: number
  readonly room: RoomName
  readonly seq: Seq
  readonly data: string
}

export class SealedRooms extends Context.Service<
  SealedRooms,
  {
    /** What a device may read, oldest first. */
    intervals(room: RoomConversation, device: OwnedDevice): Effect.Effect<ReadonlyArray<Interval>, StorageUnavailable>
    /** Those behind `after`, oldest first, `limit` at most. */
    welcomes(
      device: OwnedDevice,
      after: number,
      limit: number
    ): Effect.Effect<ReadonlyArray<Welcome>, StorageUnavailable>
    /** It has taken the one of this place. Answers once it would survive a crash. */
    acknowledge(device: OwnedDevice, room: RoomName, seq: Seq): Effect.Effect<void, StorageUnavailable>
  }
>()("parley/server/history/SealedRooms") {}

/** What the server says of devices and keys. Every list has a bound, and every reply fits into 64 KiB. */
import { Schema } from "effect"
import { Seq } from "../log/Cursor.ts"
import { base64, Incarnation, KeyEpoch, maxAdds, maxWelcomeBytes, UserDevice } from "../log/Sealing.ts"
import { RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"
import { RequestId } from "./RequestId.ts"
import { DeviceEntry, KeyPackage, maxEntriesAtOnce } from "./SealingRequest.ts"

/** How many welcomes one reply holds. */
const maxWelcomesAtOnce = 32

const id = Schema.optionalKey(RequestId)
const n = Schema.Natural

/** How the keys of an encrypted room stand: which group it has, at which place that became so; and whether this device is in it. */
export const RoomKeys = Schema.Struct({
  incarnation: Incarnation,
  keyEpoch: KeyEpoch,
  seq: Seq,
  letIn: Schema.optionalKey(Schema.Literal(true))
})
export type RoomKeys = typeof RoomKeys.Type

export const sealingMessages = {
  DevicePublished: { id, n },
  DeviceList: {
    id,
    user: UserName,
    entries: Schema.Array(DeviceEntry).check(Schema.isMaxLength(maxEntriesAtOnce)),
    more: Schema.Boolean
  },
  KeyPackagesPublished: { id, left: Schema.Natural },
  /** Those that there are, in the order in which they were asked for. */
  KeyPackages: {
    id,
    packages: Schema.Array(Schema.Struct({ ...UserDevice.fields, data: KeyPackage })).check(Schema.isMaxLength(maxAdds))
  },
  /** Oldest first. `next`, there if there are more, is what to give as `after` for those behind. */
  Welcomes: {
    id,
    welcomes: Schema.Array(Schema.Struct({ room: RoomName, seq: Seq, data: base64(maxWelcomeBytes) })).check(
      Schema.isMaxLength(maxWelcomesAtOnce)
    ),
    next: Schema.optionalKey(Schema.Natural)
  },
  WelcomeAcknowledged: { id },
  /** The list of somebody's devices has become longer. */
  DevicesChanged: { user: UserName, n },
  /** Somebody has begun an encrypted conversation with this account, or another connection of it has. */
  ConversationOpened: { room: RoomName, with: UserName }
}

/**
 * How the keys of an encrypted room stand: which group it has, which key epoch, and whose devices are in it; what the entries from
 * Sealed on, Kicked and Banned have made of it, folded; pure. What a device may read follows from it: the entries from where it was let
 * in up to its removal, that included (see `SealedRooms`).
 *
 * Bound (invariant 3): `maxRoomDevices` devices of 150 bytes.
 */
import { Schema } from "effect"
import { Seq } from "../../common/log/Cursor.ts"
import { Device, Incarnation, KeyEpoch, type UserDevice } from "../../common/log/Sealing.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import { UserName } from "../../common/name/UserName.ts"
import { AccountId } from "../session/AccountId.ts"

/** A device, and whose it is. */
export const OwnedDevice = Schema.Struct({ account: AccountId, device: Device })
export type OwnedDevice = typeof OwnedDevice.Type

export const SealedDevice = Schema.Struct({
  ...OwnedDevice.fields,
  user: UserName,
  /** By which entry of its account's list it was there when it was let in: one that was taken off and put back is another. */
  n: Schema.Natural,
  /** Where its account was put out. It is still to be removed from the group, and reads nothing behind that place. */
  out: Schema.optionalKey(Seq)
})
export type SealedDevice = typeof SealedDevice.Type

const Party = Schema.Struct({ user: UserName, account: AccountId })

export const Keys = Schema.Struct({
  /** Of the group there is; 0 before the first. */
  incarnation: Incarnation,
  keyEpoch: KeyEpoch,
  /** Of the entry by which it is so; 0 before the first. */
  seq: Seq,
  devices: Schema.Array(SealedDevice),
  /** It is the private conversation of these two. */
  between: Schema.optionalKey(Schema.Tuple([Party, Party]))
})
export type Keys = typeof Keys.Type

/** Of a room in which no device has made a group yet. */
export const keyless: Keys = { incarnation: 0, keyEpoch: 0, seq: 0, devices: [] }

/** From where on a device may read, or no more, by an entry: `from` that place itself on, or what stands behind it. */
export const Changes = Schema.Struct({
  begun: Schema.Array(OwnedDevice),
  from: Schema.Literals(["here", "behind"]),
  ended: Schema.Array(OwnedDevice)
})
export type Changes = typeof Changes.Type

export const isSameDevice = (one: OwnedDevice, other: OwnedDevice): boolean =>
  one.account === other.account && one.device === other.device

/** Names a device as entries do. */
export type DeviceKey = string
export const deviceKey = ({ device, user }: UserDevice): DeviceKey => keyUnder(nameKey(user), device)
const keyUnder = (user: NameKey, device: Device): DeviceKey => `${user} ${device}`

/** The devices that are to be removed from the group: of who is out, or which are `gone` for other reasons. */
export const pending = ({ devices }: Keys, gone: ReadonlyArray<OwnedDevice>): ReadonlyArray<SealedDevice> =>
  devices.filter((one) => one.out !== undefined || gone.some((other) => isSameDevice(one, other)))

/** Somebody is put out by the entry at this place. */
export const putOut = (before: Keys, account: AccountId | undefined, seq: Seq): Keys =>
  before.devices.some((one) => one.account === account && one.out === undefined)
    ? {
        ...before,
        devices: before.devices.map((one) =>
          one.account === account && one.out === undefined ? { ...one, out: seq } : one
        )
      }
    : before

/** With whom this account has the conversation, if it is one. */
export const partnerIn = ({ between }: Keys, account: AccountId | undefined): typeof Party.Type | undefined =>
  between?.find((one) => one.account !== account)

/** Whether this account has a part in it: anybody, where it is no private conversation. */
export const isFor = ({ between }: Keys, account: AccountId | undefined): boolean =>
  between === undefined || between.some((one) => one.account === account)

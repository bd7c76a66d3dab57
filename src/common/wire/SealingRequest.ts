/**
 * Requests about encrypted conversations (MLS, RFC 9420, suite 1): those that make an entry in an encrypted room, and those about
 * devices, the packages by which they are let in, and the welcomes to them. Binary fields are base64.
 */
import { Schema } from "effect"
import { Seq } from "../log/Cursor.ts"
import {
  base64,
  Device,
  Incarnation,
  maxAdds,
  maxWelcomeBytes,
  sealing,
  UserDevice,
  type Sealing
} from "../log/Sealing.ts"
import { RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"
import { MessageKey, RequestId } from "./RequestId.ts"

/** Of a key package; and how many of them a device may publish at once, and have waiting. */
export const maxKeyPackageBytes = 2048
export const maxPackagesAtOnce = 20
export const maxKeyPackages = 100
/** How many entries a list of devices may have, and how many of them one reply holds. */
export const maxDeviceEntries = 1000
export const maxEntriesAtOnce = 64

/**
 * One entry of an account's list of devices: a chain, each signed by a device that is in it. What is hashed and signed, and how,
 * the server does not look at; an empty `prev` begins a new list.
 */
export const DeviceEntry = Schema.Struct({
  n: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  prev: base64(48, 0),
  op: Schema.Literals(["add", "remove"]),
  device: Device,
  publicKey: base64(64, 0),
  by: Device,
  signature: base64(128)
})
export type DeviceEntry = typeof DeviceEntry.Type

export const KeyPackage = base64(maxKeyPackageBytes)

const id = Schema.optionalKey(RequestId)
const entry = { id, room: RoomName, key: MessageKey }
const { KeysCommitted, Sealed } = sealing

export const sealingRequests = {
  SealedMessage: { ...entry, keyEpoch: Sealed.keyEpoch, data: Sealed.data },
  CommitKeys: {
    ...entry,
    keyEpoch: KeysCommitted.keyEpoch,
    data: KeysCommitted.data,
    adds: KeysCommitted.adds,
    removes: KeysCommitted.removes,
    welcome: Schema.optionalKey(base64(maxWelcomeBytes))
  },
  ResetKeys: { ...entry, incarnation: Incarnation }
}
export const SealingRequest = Schema.TaggedUnion(sealingRequests)
export type SealingRequest = typeof SealingRequest.Type

export const deviceRequests = {
  PublishDevice: { id, entry: DeviceEntry },
  GetDevices: { id, user: UserName, after: Schema.optionalKey(Schema.Natural) },
  PublishKeyPackages: {
    id,
    packages: Schema.Array(KeyPackage).check(Schema.isMaxLength(maxPackagesAtOnce)),
    lastResort: Schema.optionalKey(KeyPackage)
  },
  ClaimKeyPackages: {
    id,
    devices: Schema.Array(UserDevice).check(Schema.isMinLength(1), Schema.isMaxLength(maxAdds))
  },
  /** `after`: behind what the `next` of the last reply stood for. */
  GetWelcomes: { id, after: Schema.optionalKey(Schema.Natural) },
  AckWelcome: { id, room: RoomName, seq: Seq }
}
export const DeviceRequest = Schema.TaggedUnion(deviceRequests)
export type DeviceRequest = typeof DeviceRequest.Type

const of =
  <Tag extends string>(requests: Readonly<Record<Tag, unknown>>) =>
  <Message extends { readonly _tag: string }>(message: Message): message is Extract<Message, { readonly _tag: Tag }> =>
    Object.hasOwn(requests, message._tag)
export const isSealingRequest = of(sealingRequests)
export const isDeviceRequest = of(deviceRequests)

/** What it asks for, of a device. */
export const sealingOf = (request: SealingRequest, device: Device): Sealing => {
  switch (request._tag) {
    case "SealedMessage":
      return { _tag: "Sealed", device, keyEpoch: request.keyEpoch, data: request.data }
    case "CommitKeys": {
      const { adds, data, keyEpoch, removes } = request
      return { _tag: "KeysCommitted", device, keyEpoch, data, adds, removes }
    }
    case "ResetKeys":
      return { _tag: "KeysReset", device, incarnation: request.incarnation }
  }
}

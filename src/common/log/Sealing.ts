/**
 * What stands in the log of an encrypted room beside what is done to the room: bytes that nobody but its devices can read (MLS,
 * RFC 9420), the commits that change who can, and fresh beginnings. Those who keep the log read nothing of it but the header.
 *
 * Bounds: of each the bytes below, so that every line that carries one fits into 64 KiB; base64 makes four characters of three bytes.
 */
import { Schema } from "effect"
import { UserName } from "../name/UserName.ts"
import { line } from "../text/Content.ts"

/** Of a message: a content of 8192 characters, of four bytes each, padded to 44 KiB, and what MLS adds. */
export const maxSealedBytes = 47 * 1024
/**
 * A commit in a group of 100 devices has 15,000 bytes at most, if few have changed keys before; the welcome to the last of them has
 * 45,600, where all have, with names of 32 letters of four bytes and ids of 64 characters. One line holds both: not both at their most.
 */
export const maxCommitBytes = 24_000
export const maxWelcomeBytes = 46_000
/** So many devices an encrypted room holds, and so many one commit lets in, and puts out. */
export const maxRoomDevices = 100
export const maxAdds = 8
export const maxRemoves = 24

/** RFC 4648, section 4, in the one form there is for some bytes: with padding, and no bits left over. */
const canonical = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?$/

/** So many bytes, as base64. */
export const base64 = (maxBytes: number, minBytes: 0 | 1 = 1) =>
  Schema.String.check(
    Schema.makeFilter<string>((text) => text.length >= minBytes && bytesIn(text) <= maxBytes && canonical.test(text), {
      message: `must be base64 (RFC 4648, with padding) of ${minBytes} to ${maxBytes} bytes`,
      arbitraryConstraint: { patterns: [{ source: "^(?:[0-9A-Za-z+/]{4}){1,6}$", flags: "" }] }
    })
  )

/** How many bytes a text of base64 stands for. */
const bytesIn = (text: string): number =>
  Math.floor((text.length * 3) / 4) - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0)

/** Names one device of an account. Never reused. */
export const Device = line(64).pipe(Schema.brand("DeviceId"))
export type Device = typeof Device.Type

/** A device of somebody. */
export const UserDevice = Schema.Struct({ user: UserName, device: Device })
export type UserDevice = typeof UserDevice.Type

/** How many commits a group has had: its epoch, as MLS counts. */
export const KeyEpoch = Schema.Natural
/** Which group of this room it is, counted from 1; before there was one, 0. */
export const Incarnation = Schema.Natural

const adds = Schema.Array(UserDevice).check(Schema.isMaxLength(maxAdds))
const removes = Schema.Array(UserDevice).check(Schema.isMaxLength(maxRemoves))

export const sealing = {
  /** Something was said; what, only devices of that key epoch can tell. */
  /** `unheard`: whoever else is in this conversation of two had blocked the sender, and is not given it. Never shown. */
  Sealed: {
    device: Device,
    keyEpoch: KeyEpoch,
    data: base64(maxSealedBytes),
    unheard: Schema.optionalKey(Schema.Literal(true))
  },
  /** The group of that key epoch is the next one from here on. */
  KeysCommitted: { device: Device, keyEpoch: KeyEpoch, data: base64(maxCommitBytes), adds, removes },
  /** The room has a fresh group, of one device. */
  KeysReset: { device: Device, incarnation: Incarnation }
}
export const Sealing = Schema.TaggedUnion(sealing)
export type Sealing = typeof Sealing.Type

export const isSealing = <Body extends { readonly _tag: string }>(
  body: Body
): body is Extract<Body, { readonly _tag: Sealing["_tag"] }> => tags.has(body._tag)
const tags: ReadonlySet<string> = new Set(Object.keys(sealing))

/** The request that asks for an entry of this kind. */
export const requestOf: Readonly<Record<Sealing["_tag"], string>> = {
  Sealed: "SealedMessage",
  KeysCommitted: "CommitKeys",
  KeysReset: "ResetKeys"
}

/** The name of a group, of which the header of each of its messages has the UTF-8. */
export const groupIdOf = (room: string, incarnation: number): string => `${room}/${incarnation}`

/**
 * Who is to be let into a group and who is to be removed from it, and whose turn it is to do that. Pure.
 *
 * All members see the same need. So that not all of them answer it at once, they have an order, another one in each key epoch, and
 * each waits for as long as those before it would take; who comes back and finds the need gone does nothing. Two that commit all the
 * same cost one of them a refusal, and nothing else.
 */
import { createHash } from "node:crypto"
import { maxAdds, maxRemoves, maxRoomDevices } from "../../common/log/Sealing.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { DeviceId } from "../../common/wire/AccountRequest.ts"
import { type Identity, identityKey } from "../crypto/Identity.ts"
import { devicesOf, isHeld, listedDevices, type Pin } from "./Pin.ts"

export interface Need {
  /** All who are to be let in; `most` at once. */
  readonly missing: ReadonlyArray<Identity>
  readonly most: number
  readonly removes: ReadonlyArray<Identity>
}

export interface Membership {
  readonly own: Identity
  /** Who is in the group, as its tree says. */
  readonly inGroup: ReadonlyArray<Identity & { readonly publicKey: Uint8Array }>
  /** Who is in the room, as the server says. */
  readonly members: ReadonlyArray<UserName>
  /** What is known of the lists of devices of all of these. */
  readonly pins: ReadonlyMap<string, Pin>
  /** Who was kicked or banned, and is to go even if they are back. */
  readonly toGo: ReadonlySet<string>
  /** Whose change of keys nobody could follow. Who is in stays: the server lets nobody remove a member's. */
  readonly leftOut: ReadonlySet<string>
}

/** `most` and `removes`: what one commit may hold. */
export const needOf = ({ inGroup, leftOut, members, own, pins, toGo }: Membership): Need => {
  const keys = new Set(members.map((user) => nameKey(user)))
  const isOwn = (identity: Identity) => identityKey(identity) === identityKey(own)
  const mayStay = (identity: Identity & { readonly publicKey: Uint8Array }) => {
    const pin = pins.get(nameKey(identity.user))
    if (toGo.has(identityKey(identity)) || !keys.has(nameKey(identity.user))) return false
    // Of a list that could not be had, nothing is known.
    if (pin === undefined) return true
    return isIn(pin, identity)
  }
  const removes = inGroup.filter((identity) => !isOwn(identity) && !mayStay(identity)).slice(0, maxRemoves)
  const going = new Set(removes.map(identityKey))
  const staying = new Set(inGroup.map(identityKey).filter((key) => !going.has(key)))
  const adds = members.flatMap((user): ReadonlyArray<Identity> => {
    const pin = pins.get(nameKey(user))
    return pin === undefined ? [] : [...devicesOf(pin).keys()].map((device) => identityOf(pin.user, device))
  })
  const missing = adds.filter((identity) => {
    const key = identityKey(identity)
    return !staying.has(key) && !leftOut.has(key)
  })
  return { missing, most: Math.max(0, Math.min(maxAdds, maxRoomDevices - staying.size)), removes }
}

/**
 * Whether somebody in the group has to go before anything more is said there, by what this device knows itself: it was told that
 * they were put out, or their list has gone on without that device. An honest server asks for the same.
 */
export const mustGo = ({ inGroup, own, pins, toGo }: Pick<Membership, "inGroup" | "own" | "pins" | "toGo">): boolean =>
  inGroup.some((identity) => {
    const key = identityKey(identity)
    if (key === identityKey(own)) return false
    const pin = pins.get(nameKey(identity.user))
    if (toGo.has(key) || pin === undefined || isHeld(pin)) return toGo.has(key)
    return devicesOf(pin).get(identity.device) !== Buffer.from(identity.publicKey).toString("base64")
  })

const identityOf = (user: UserName, device: string): Identity => ({ user, device: DeviceId.make(device) })

/**
 * Who of the group can change keys: who is to go, or is not here, is not waited for. Not all need to know the same: two that commit at
 * once cost one of them a refusal.
 */
export const whoAct = ({ gone, inGroup, own, pins, toGo }: Acting): ReadonlyArray<Identity> =>
  inGroup.filter((identity) => {
    const key = identityKey(identity)
    if (key === identityKey(own)) return true
    const pin = pins.get(nameKey(identity.user))
    return !toGo.has(key) && !gone.has(nameKey(identity.user)) && (pin === undefined || isIn(pin, identity))
  })

/** `gone`: who is not here, by the keys of their names, as the server says. */
type Acting = Pick<Membership, "inGroup" | "own" | "pins" | "toGo"> & { readonly gone: ReadonlySet<string> }

const isIn = (pin: Pin, { device, publicKey }: Membership["inGroup"][number]): boolean =>
  listedDevices(pin).get(device) === Buffer.from(publicKey).toString("base64")

/** The longest that anybody waits for others, in milliseconds. */
const longestTurn = 6000

/** How long to wait for those who come first in this key epoch, `pause` for each, in milliseconds. */
export const turnOf = (own: Identity, inGroup: ReadonlyArray<Identity>, keyEpoch: number, pause: number): number => {
  const placeOf = (identity: Identity) =>
    createHash("sha256")
      .update(JSON.stringify([keyEpoch, identityKey(identity)]))
      .digest("hex")
  const mine = placeOf(own)
  const rank = inGroup.filter((identity) => placeOf(identity) < mine).length
  return rank * Math.min(pause, longestTurn / Math.max(1, inGroup.length))
}

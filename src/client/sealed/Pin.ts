/**
 * What is remembered of others' lists of devices, and what a list that the server gives now means. Pure.
 *
 * 1. The first list of an account is believed (trust on first use), and from then on only what follows from it.
 * 2. A list that goes on shows who is new and who is gone. One that begins as before and does not have the entry that was the newest is
 *    refused.
 * 3. A new chain is remembered beside the old one, and held: nothing is sent to its devices until its owner is trusted again.
 * 4. What people say of a chain is about the one that they were shown, and not about one that has come since. Of several that come
 *    one after the other, the first is shown by telling of it, and the others only by their numbers.
 */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import type { DeviceChain } from "./DeviceChain.ts"

const Keys = Schema.Record(Schema.String, Schema.String)

const Chain = Schema.Struct({
  root: Schema.String,
  n: Schema.Natural,
  hash: Schema.String,
  devices: Keys,
  ever: Keys
})
type Chain = typeof Chain.Type

const Mark = Schema.Struct({ root: Schema.String, n: Schema.Natural, hash: Schema.String })
type Mark = typeof Mark.Type

export const Pin = Schema.Struct({
  user: UserName,
  chain: Chain,
  /** A chain that began anew, and is not trusted yet. */
  held: Schema.optionalKey(Chain),
  /** Whose safety number was compared: the root it had. */
  verified: Schema.optionalKey(Schema.String),
  /** The root that people were shown last, by its number or by being told that a chain has begun anew. */
  shown: Schema.optionalKey(Schema.String),
  /** The root whose number they were shown last. */
  numbered: Schema.optionalKey(Schema.String),
  /** Keys of devices of former chains, newest first: who catches up meets them. */
  former: Schema.Array(Schema.Struct({ device: Schema.String, publicKey: Schema.String })),
  /** How far the chains before were known, newest first: one of them that comes again is to have that. */
  past: Schema.optionalKey(Schema.Array(Mark))
})
export type Pin = typeof Pin.Type

/** What people are to be shown. */
export type PinNews =
  | { readonly _tag: "FirstSeen"; readonly user: UserName }
  | { readonly _tag: "DeviceAdded"; readonly user: UserName; readonly device: string }
  | { readonly _tag: "DeviceRemoved"; readonly user: UserName; readonly device: string }
  /** `wasVerified`: their safety number was compared, and is another one now. That is loud, for somebody may be in between. */
  | { readonly _tag: "ChainReplaced"; readonly user: UserName; readonly wasVerified: boolean }
  | { readonly _tag: "ChainRefused"; readonly user: UserName; readonly issue: string }

const maxFormer = 256
const maxPast = 16

const kept = ({ devices, ever, hash, n, root }: DeviceChain): Chain => ({
  root,
  n,
  hash,
  devices: Object.fromEntries(devices),
  ever: Object.fromEntries(ever)
})

/** The chain to follow on from. */
export const chainOf = ({ chain, held, user }: Pin): DeviceChain => {
  const { devices, ever, ...rest } = held ?? chain
  return { user, ...rest, devices: new Map(Object.entries(devices)), ever: new Map(Object.entries(ever)) }
}

interface Pinned {
  readonly pin: Pin
  readonly news: ReadonlyArray<PinNews>
}

/** The first time that one sees a list of this account. */
export const first = (chain: DeviceChain): Pinned => ({
  pin: { user: chain.user, chain: kept(chain), former: [] },
  news: [{ _tag: "FirstSeen", user: chain.user }]
})

/** The list has gone on to this. */
export const advanced = (pin: Pin, next: DeviceChain): Pinned => {
  const before = pin.held ?? pin.chain
  const added = [...next.devices.keys()].filter((device) => !Object.hasOwn(before.devices, device))
  const removed = Object.keys(before.devices).filter((device) => !next.devices.has(device))
  return {
    pin: pin.held === undefined ? { ...pin, chain: kept(next) } : { ...pin, held: kept(next) },
    news: [
      ...added.map((device) => ({ _tag: "DeviceAdded" as const, user: pin.user, device })),
      ...removed.map((device) => ({ _tag: "DeviceRemoved" as const, user: pin.user, device }))
    ]
  }
}

const markOf = ({ hash, n, root }: Chain): Mark => ({ root, n, hash })

/** How far a chain with this root was known; undefined of one that was never met. */
export const metAt = ({ chain, held, past = [] }: Pin, root: string): Mark | undefined =>
  [...(held === undefined ? [] : [held]), chain, ...past].find((one) => one.root === root)

/** How long the list is, as it is known, that a device is or was in. */
export const lengthFor = (pin: Pin | undefined, device: string): number | undefined =>
  [pin?.held, pin?.chain].find((one) => one !== undefined && Object.hasOwn(one.ever, device))?.n

/** The list has begun anew. */
export const replaced = (pin: Pin, next: DeviceChain): Pinned => ({
  pin: {
    ...pin,
    held: kept(next),
    past: [markOf(pin.held ?? pin.chain), ...(pin.past ?? [])]
      .filter(({ root }, index, all) => all.findIndex((one) => one.root === root) === index)
      .slice(0, maxPast),
    // Who tells of one list and gives another behind it does not have the second one trusted for the first.
    ...(pin.held === undefined && { shown: next.root })
  },
  news: [
    { _tag: "ChainReplaced", user: pin.user, wasVerified: pin.verified !== undefined && pin.verified !== next.root }
  ]
})

/** The root that it is about now. */
export const rootOf = ({ chain, held }: Pin): string => (held ?? chain).root

/** People have seen the number of this root. */
export const numberShown = (pin: Pin, root: string): Pin => ({ ...pin, shown: root, numbered: root })

/** Whether people have been shown the number that it has now: none yet, or another one. */
export const seenOf = (pin: Pin): "none" | "other" | "same" => {
  if (pin.numbered === undefined) return "none"
  return pin.numbered === rootOf(pin) ? "same" : "other"
}

/** Whether the chain that is held is the one that people were shown. */
export const isShown = ({ held, shown }: Pin): boolean => held === undefined || shown === held.root

/** The safety number of its owner was compared, as it is now. */
export const verified = (pin: Pin): Pin => ({ ...pin, verified: rootOf(pin) })

/** Whether the safety number is one that was compared. */
export const isVerified = (pin: Pin | undefined): boolean => pin !== undefined && pin.verified === rootOf(pin)

/** Whether another one was compared than the one that it is now. */
export const wasVerified = (pin: Pin): boolean => pin.verified !== undefined && !isVerified(pin)

/** Its owner says that the new chain is theirs. A number that was compared before is not theirs any more. */
export const trusted = (pin: Pin): Pin => {
  const { chain: _, held, verified: compared, ...rest } = pin
  if (held === undefined) return pin
  const before = Object.entries(pin.chain.ever).map(([device, publicKey]) => ({ device, publicKey }))
  return {
    ...rest,
    ...(compared === held.root && { verified: compared }),
    chain: held,
    former: [...before, ...pin.former].slice(0, maxFormer)
  }
}

export const isHeld = (pin: Pin): boolean => pin.held !== undefined

/** The devices that may be let in now. Of a chain that is held there are none. */
export const devicesOf = ({ chain, held }: Pin): ReadonlyMap<string, string> =>
  held === undefined ? new Map(Object.entries(chain.devices)) : new Map()

/** The devices that are in the list now, whether it is trusted or not. */
export const listedDevices = ({ chain, held }: Pin): ReadonlyMap<string, string> =>
  new Map(Object.entries((held ?? chain).devices))

/**
 * Whether this key is, or was at some time, the one of this device; also in a chain that is held. Others may trust that one already and
 * let its devices in: who refused to follow them would be out of step with everybody. Nothing is said to these devices (`isHeld`).
 */
export const isKnown = ({ chain, former, held }: Pin, device: string, publicKey: string): boolean =>
  chain.ever[device] === publicKey ||
  held?.ever[device] === publicKey ||
  former.some((one) => one.device === device && one.publicKey === publicKey)

/**
 * This device's place in the list of its account: put there by its own word where there is no list, by another device's where there
 * is one, and never by the server's. Its key packages, of which there are to be enough.
 */
import { Effect } from "effect"
import { Base64 } from "effect/encoding"
import type { UserDevice } from "../../common/log/Sealing.ts"
import type { DeviceEntry } from "../../common/wire/SealingRequest.ts"
import type { RequestError } from "../core/ClientError.ts"
import { type Device, makeDevice } from "../crypto/Device.ts"
import { isSameIdentity } from "../crypto/Identity.ts"
import { isFresh, makeKeyPackage, readPrivateKeys } from "../crypto/KeyPackage.ts"
import type { Ask } from "./Ask.ts"
import * as DeviceChain from "./DeviceChain.ts"
import * as LinkCode from "./LinkCode.ts"
import type { Lists } from "./Lists.ts"
import type { Tell } from "./News.ts"
import * as Pin from "./Pin.ts"
import { Copied, DeviceSpent, ListNotChanged, NoSuchCode, NoSuchDevice } from "./SealedError.ts"
import type { SealedStore, StoreError } from "./SealedStore.ts"

export interface Home {
  readonly ask: Ask
  readonly lists: Lists
  readonly store: SealedStore
  readonly tell: Tell
}

/** Of the packages that are handed out once, so many are to wait with the server; below the least, more are made. */
const stock = 16
const leastStock = 8

const publish = (ask: Ask, entry: DeviceEntry) => ask({ _tag: "PublishDevice", entry })

/** The list of this device's account, as it is now. */
const chainOf = Effect.fnUntraced(function* ({ lists }: Home, { user }: UserDevice) {
  lists.changed(user)
  const pin = yield* lists.look(user)
  return pin?.held ?? pin?.chain
})

/**
 * Before any list of this account is believed: one that has this device in it, which no other one has signed in, begins with it. A
 * list of the server's own, with this device's key in it, would have the server's devices in it too. The key is given up then:
 * nothing that was ever signed with it is to count.
 */
const refuseForeign = Effect.fnUntraced(function* ({ lists, store, tell }: Home, kept: Device) {
  const { device, user } = kept.identity
  if (lists.pinOf(user) !== undefined) return
  const entries = yield* lists.entries(user)
  const [root] = entries
  const key = Base64.encode(kept.publicKey)
  if (root === undefined || !entries.some((one) => one.device === device && one.publicKey === key)) return
  const begun = yield* DeviceChain.beginning(kept, root.n)
  if ((yield* DeviceChain.hashOf(user, begun)) === (yield* DeviceChain.hashOf(user, root))) return
  yield* store.renewed(yield* makeDevice(kept.identity))
  tell({ _tag: "ChainRefused", user, issue: "it has this device in it, and was begun by another one" })
})

/**
 * The device of this login, if it is in the list; undefined if another device has to sign it in first. Where there is no list, this
 * device begins it.
 */
export const settle = Effect.fnUntraced(function* (
  home: Home,
  identity: UserDevice
): Effect.fn.Return<Device | undefined, RequestError | StoreError> {
  const before = yield* home.store.device
  if (before !== undefined && !isSameIdentity(before.identity, identity)) return undefined
  if (before !== undefined) yield* refuseForeign(home, before)
  const kept = yield* home.store.device
  const chain = yield* chainOf(home, identity)
  // One that began anew, and nobody here has said is one's own, has nobody's devices in it.
  if (home.lists.pinOf(identity.user)?.held !== undefined) return undefined
  if (chain !== undefined) {
    return kept && chain.devices[identity.device] === Base64.encode(kept.publicKey) ? kept : undefined
  }
  const device = kept ?? (yield* makeDevice(identity))
  if (kept === undefined) yield* home.store.keepDevice(device)
  // Two devices that begin at once: the second is refused, and looks again.
  yield* publish(home.ask, yield* DeviceChain.beginning(device, 1)).pipe(
    Effect.catchReason("RequestRejected", "StaleDeviceList", () => Effect.void)
  )
  yield* refuseForeign(home, device)
  const begun = yield* chainOf(home, identity)
  const now = yield* home.store.device
  return now && begun?.devices[identity.device] === Base64.encode(now.publicKey) ? now : undefined
})

/** A login has one device for good: whose keys were copied needs another one. */
const refuseCopied = Effect.fnUntraced(function* ({ store }: Home, identity: UserDevice) {
  const kept = yield* store.device
  const isSame = kept !== undefined && isSameIdentity(kept.identity, identity)
  if (isSame && (yield* store.isCopied)) return yield* new Copied({ device: identity.device })
})

/**
 * A new list that begins with this device: everybody who knew the one before has to trust it first. Gives what another device had
 * left in this state to be sent.
 */
export const beginAnew = Effect.fnUntraced(function* (home: Home, identity: UserDevice) {
  yield* refuseCopied(home, identity)
  const entries = yield* home.lists.entries(identity.user)
  const kept = yield* home.store.device
  const isOwn = kept !== undefined && isSameIdentity(kept.identity, identity)
  const device = isOwn ? kept : yield* makeDevice(identity)
  const unsent = isOwn ? [] : yield* home.store.renewed(device)
  const beginning = yield* DeviceChain.beginning(device, (entries.at(-1)?.n ?? 0) + 1)
  // As this device has signed it, before the server is asked: another list that it gives does not follow from this one, and is refused.
  const begun = yield* DeviceChain.follow(identity.user, undefined, [beginning])
  const pinned =
    begun !== undefined && DeviceChain.isChain(begun)
      ? home.lists.change(identity.user, (pin) => Effect.succeed(Pin.trusted(Pin.replaced(pin, begun).pin)))
      : Effect.void
  yield* home.lists.alone(Effect.andThen(publish(home.ask, beginning), pinned))
  yield* refuseForeign(home, device)
  yield* chainOf(home, identity)
  return unsent
})

/** The list with this root is one's own, by what this device knows itself; another one that the server gives is not. */
const isOnesOwn = ({ lists }: Home, { user }: UserDevice, root: string) =>
  lists.change(user, (pin) => Effect.succeed(pin.held?.root === root ? Pin.trusted(pin) : pin))

/** Signs another device of this account in, and gives the code to type there. */
export const signIn = Effect.fnUntraced(function* (home: Home, own: Device, device: UserDevice["device"]) {
  const code = yield* LinkCode.make
  const chain = yield* chainOf(home, own.identity)
  if (chain?.ever[device] !== undefined) return yield* new DeviceSpent({ device })
  const linked = yield* LinkCode.deviceOf({ user: own.identity.user, device }, code, chain?.root ?? "")
  if (linked === undefined) return yield* new NoSuchCode()
  yield* extend(home, own, { op: "add", device, publicKey: Base64.encode(linked.publicKey) })
  return code
})

/** Takes a device out of the list; it is removed from every conversation by the next who speaks there. */
export const signOut = Effect.fnUntraced(function* (home: Home, own: Device, device: UserDevice["device"]) {
  const chain = yield* chainOf(home, own.identity)
  if (chain?.devices[device] === undefined) return yield* new NoSuchDevice({ device })
  yield* extend(home, own, { op: "remove", device, publicKey: "" })
})

const extend = Effect.fnUntraced(function* (
  home: Home,
  own: Device,
  change: Pick<DeviceEntry, "op" | "device" | "publicKey">
) {
  yield* chainOf(home, own.identity)
  const pin = home.lists.pinOf(own.identity.user)
  const chain = pin && Pin.chainOf(pin)
  const entry = yield* DeviceChain.sign(own, { n: (chain?.n ?? 0) + 1, prev: chain?.hash ?? "", ...change })
  // What others refuse would be the end of this list, for nothing follows from it.
  const followed = yield* DeviceChain.follow(own.identity.user, chain, [entry])
  if (followed === undefined || !DeviceChain.isChain(followed)) {
    return yield* new ListNotChanged({ issue: followed?.issue ?? "there is none" })
  }
  yield* publish(home.ask, entry)
  yield* chainOf(home, own.identity)
})

/** The device that a code makes, if the list has it, in place of one that this state was of; and what that one had not sent. */
export const linkBy = Effect.fnUntraced(function* (home: Home, identity: UserDevice, code: string) {
  yield* refuseCopied(home, identity)
  const chain = yield* chainOf(home, identity)
  const device = yield* LinkCode.deviceOf(identity, code, chain?.root ?? "")
  const isIn = device !== undefined && chain?.devices[identity.device] === Base64.encode(device.publicKey)
  if (device === undefined || !isIn) return yield* new NoSuchCode()
  yield* isOnesOwn(home, identity, chain.root)
  return { device, unsent: yield* home.store.renewed(device) }
})

/** Sees to it that others can let this device in while it is away. Private halves are stored before the public ones are given away. */
export const restock = Effect.fnUntraced(function* ({ ask, store }: Home, own: Device) {
  const { left } = yield* ask({ _tag: "PublishKeyPackages", packages: [] })
  const kept = yield* store.packages
  const fresh = yield* Effect.filter(kept, ({ privateBytes }) =>
    readPrivateKeys(privateBytes).pipe(
      Effect.flatMap((keys) => (keys.kind === "lastResort" ? isFresh(keys) : Effect.succeed(false))),
      Effect.orElseSucceed(() => false)
    )
  )
  const hasLast = fresh.length > 0
  if (left >= leastStock && hasLast) return
  const made = yield* Effect.forEach(Array.from({ length: Math.max(0, stock - left) }), () =>
    makeKeyPackage(own, "once")
  )
  const last = hasLast ? undefined : yield* makeKeyPackage(own, "lastResort")
  yield* store.keepPackages([...made, ...(last === undefined ? [] : [last])])
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")
  yield* ask({
    _tag: "PublishKeyPackages",
    packages: made.map(({ publicBytes }) => base64(publicBytes)),
    ...(last !== undefined && { lastResort: base64(last.publicBytes) })
  })
})

/**
 * Changes of keys by this device: who is to be let in and who is to be removed, made into a commit that is stored and waits to be
 * sent (see Tending.ts for whose turn it is).
 */
import { Array as Arr, Effect, Order, Result } from "effect"
import { groupIdOf, maxCommitBytes, maxWelcomeBytes } from "../../common/log/Sealing.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { Request } from "../core/Request.ts"
import { commit, type PendingCommit } from "../crypto/Commit.ts"
import { TooLarge } from "../crypto/CryptoError.ts"
import { create, encodeGroup, type Group, membersOf } from "../crypto/Group.ts"
import { type Identity, identityKey } from "../crypto/Identity.ts"
import { type KeyPackage, readKeyPackage } from "../crypto/KeyPackage.ts"
import type { Kept, Pending } from "./Kept.ts"
import { devicesOf, isHeld, listedDevices, type Pin, wasVerified } from "./Pin.ts"
import { noted } from "./Repeated.ts"
import { NotTrusted } from "./SealedError.ts"
import type { StoreError } from "./SealedStore.ts"
import { mustGo, needOf, turnOf, whoAct } from "./Tending.ts"
import type { Workshop } from "./Workshop.ts"

export type Tended =
  | { readonly _tag: "Nothing" }
  /** There is a need that cannot be met now: who is to be let in has left no keys. */
  | { readonly _tag: "Later" }
  /** `addsAtOnce`: as many as fitted. */
  | { readonly _tag: "Made"; readonly kept: Kept; readonly pending: Pending; readonly addsAtOnce: number }

/** How long to wait for those whose turn comes first, in milliseconds. */
export const turnIn = (
  { lists, own: { identity: own }, patience }: Workshop,
  { more }: Kept,
  group: Group,
  gone: ReadonlySet<string>
): number => {
  const toGo = new Set((more.toGo ?? []).map(identityKey))
  const acting = whoAct({ own, inGroup: membersOf(group), pins: lists.pins, toGo, gone })
  return turnOf(own, acting, group.keyEpoch, patience)
}

/** The longest list of a room's members that is asked for, in pages: an endless one is a server's lie. */
const maxMemberPages = 20

/** As the server's pages have them. */
const byName = Order.mapInput(Order.String, (user: UserName) => nameKey(user))

/** Every member of the room, here or away, as the server says; of a conversation of two, both. */
export const membersIn = Effect.fnUntraced(function* (
  { ask, own }: Workshop,
  room: RoomName,
  other: UserName | undefined
) {
  if (other !== undefined) return [own.identity.user, other]
  const users: Array<UserName> = []
  for (let isMore = true, pages = 0; isMore && pages < maxMemberPages; pages++) {
    const after = users.at(-1)
    const page = yield* ask({ _tag: "ListRoomUsers", room, ...(after !== undefined && { after }) })
    const names = Arr.sort([...page.users, ...(page.away ?? [])], byName)
    users.push(...names)
    isMore = page.more === true && names.length > 0
  }
  return users
})

const needIn = Effect.fnUntraced(function* (workshop: Workshop, kept: Kept, group: Group, other: UserName | undefined) {
  const { lists, own } = workshop
  const members = yield* membersIn(workshop, kept.room, other)
  yield* Effect.forEach(members, (user) => lists.look(user), { discard: true })
  const { leftOut = [], toGo = [] } = kept.more
  const keysOf = (devices: ReadonlyArray<Identity>) => new Set(devices.map(identityKey))
  return needOf({
    own: own.identity,
    inGroup: membersOf(group),
    members,
    pins: lists.pins,
    toGo: keysOf(toGo),
    leftOut: keysOf(leftOut)
  })
})

/** Whether nothing may be said before somebody is removed. */
export const mustRemove = ({ lists, own }: Workshop, { group, more }: Kept): boolean => {
  const toGo = new Set((more.toGo ?? []).map(identityKey))
  return group !== undefined && mustGo({ own: own.identity, inGroup: membersOf(group), pins: lists.pins, toGo })
}

/** What the server takes of one commit, in bytes: of each, and of the line that holds both, and whom they are about. */
const limits = { commit: maxCommitBytes, welcome: maxWelcomeBytes, line: 65_536 }

/** Of a CommitKeys beside its bytes, its room and whom it names: tags, an id and a key of 64 characters, and numbers. */
const besideBytes = 400

const base64Bytes = (bytes: Uint8Array | undefined): number => 4 * Math.ceil((bytes?.length ?? 0) / 3)
const named = ({ device, user }: Identity) => ({ user, device })

const lineBytes = (group: Group, { bytes, welcome }: PendingCommit, whom: ReadonlyArray<Identity>): number =>
  base64Bytes(bytes) +
  base64Bytes(welcome) +
  Buffer.byteLength(group.groupId) +
  Buffer.byteLength(JSON.stringify(whom.map(named))) +
  besideBytes

/**
 * A commit that the server takes: with long names, of half of those who wait, and half of these again; where not even one fits,
 * of removals alone. Fails if nothing is left, or for another reason.
 */
export const fitting = Effect.fnUntraced(function* (
  group: Group,
  packages: ReadonlyArray<KeyPackage>,
  removes: ReadonlyArray<Identity>,
  most = limits
) {
  for (let count = packages.length; ; count = Math.floor(count / 2)) {
    const adds = packages.slice(0, count)
    const made = yield* Effect.result(commit(group, { adds, removes }))
    const isLast = count === 0 || (count === 1 && removes.length === 0)
    if (Result.isFailure(made)) {
      if (made.failure._tag !== "TooLarge" || isLast) return yield* made.failure
      continue
    }
    const { pending } = made.success
    const { bytes, welcome } = pending
    const whom = [...adds.map(({ identity }) => identity), ...removes]
    const isEachOne = bytes.length <= most.commit && (welcome?.length ?? 0) <= most.welcome
    const fits = isEachOne && lineBytes(group, pending, whom) <= most.line
    if (fits) return { ...made.success, adds }
    if (isLast) return yield* new TooLarge({ bytes: bytes.length, limit: most.commit })
  }
})

interface Manner {
  /** How many were let in at once when it was too large before. */
  readonly addsAtOnce: number
  /** Keys are to change in any case. */
  readonly freshens: boolean
  /** How often devices had left nothing to be let in by: changed here; those alone that wait. */
  readonly inVain: Map<string, number>
}

/** Makes the commit that is needed, if one is. */
export const tend = Effect.fnUntraced(function* (
  workshop: Workshop,
  kept: Kept,
  other: UserName | undefined,
  { addsAtOnce, freshens, inVain }: Manner
): Effect.fn.Return<Tended, RequestError | StoreError> {
  const { group } = kept
  if (group === undefined) return { _tag: "Nothing" }
  const { missing, most, removes } = yield* needIn(workshop, kept, group, other)
  // Who left nothing to be let in by stands behind those who may have: a list can name devices that there are not.
  const triesOf = (one: Identity) => inVain.get(identityKey(one)) ?? 0
  const adds = missing.toSorted((one, other) => triesOf(one) - triesOf(other)).slice(0, Math.min(most, addsAtOnce))
  // With nobody to let in or to remove, it is a change to fresh keys alone.
  const isDue = removes.length > 0 || freshens
  if (adds.length === 0 && !isDue) return { _tag: "Nothing" }
  const packages = adds.length === 0 ? [] : yield* claim(workshop, adds)
  const came = new Set(packages.map(({ identity }) => identityKey(identity)))
  for (const one of adds) {
    if (came.has(identityKey(one))) continue
    // Perhaps they are nobody's any more: nobody tells when a name is somebody else's.
    if (triesOf(one) === 0) workshop.lists.changed(one.user)
    inVain.set(identityKey(one), triesOf(one) + 1)
  }
  const isMissing = new Set(missing.map(identityKey))
  for (const key of inVain.keys()) if (!isMissing.has(key) || came.has(key)) inVain.delete(key)
  if (packages.length === 0 && !isDue) return { _tag: "Later" }
  const made = yield* Effect.result(fitting(group, packages, removes))
  if (Result.isFailure(made)) return { _tag: "Later" }
  const { adds: added, group: used, pending: change } = made.success
  const next: Kept = { ...kept, group: used, more: noted(kept.more, change.bytes) }
  const pending: Pending = {
    key: yield* workshop.newKey,
    incarnation: kept.incarnation,
    keyEpoch: group.keyEpoch,
    change: {
      _tag: "Commit",
      data: change.bytes,
      next: encodeGroup(change.next),
      ...(change.welcome !== undefined && { welcome: change.welcome }),
      adds: added.map(({ identity }) => named(identity)),
      removes: removes.map(named)
    }
  }
  yield* workshop.store.committing(next, pending)
  const isTooMany = added.length < packages.length
  return { _tag: "Made", kept: next, pending, addsAtOnce: isTooMany ? Math.max(1, added.length) : addsAtOnce }
})

/** So many packages of a device an account is given in an hour before that of last resort, which is behind them. */
const claimsAtMost = 11

/**
 * The key packages of these devices, as far as they left any that hold. A device that was away for long, or has other keys
 * than it had, has left some that are of no use, and perhaps one behind them that is.
 */
const claim = Effect.fnUntraced(function* ({ ask, lists }: Workshop, adds: ReadonlyArray<Identity>) {
  const isDevice = (identity: Identity, publicKey: Uint8Array) => {
    const pin = lists.pinOf(identity.user)
    const key = Buffer.from(publicKey).toString("base64")
    return wanted.has(identityKey(identity)) && pin !== undefined && devicesOf(pin).get(identity.device) === key
  }
  const read: Array<KeyPackage> = []
  const given = new Set<string>()
  let wanted = new Map(adds.map((one) => [identityKey(one), one]))
  for (let claims = 0; claims < claimsAtMost && wanted.size > 0; claims++) {
    const devices = [...wanted.values()].map(({ device, user }) => ({ user, device }))
    const { packages } = yield* ask({ _tag: "ClaimKeyPackages", devices })
    const tooOld = new Map<string, Identity>()
    for (const { data } of packages) {
      // That of last resort is given again and again: behind one that is of no use there is nothing.
      if (given.has(data)) continue
      given.add(data)
      const found = yield* Effect.result(readKeyPackage(new Uint8Array(Buffer.from(data, "base64")), isDevice))
      if (Result.isSuccess(found)) read.push(found.success)
      else if (found.failure._tag === "KeyPackageExpired" || found.failure._tag === "Untrusted") {
        const { device, user } = found.failure
        for (const [key, one] of wanted) if (one.user === user && one.device === device) tooOld.set(key, one)
      }
    }
    wanted = tooOld
  }
  return read
})

/** A fresh group of this device alone, stored and waiting to be sent. */
export const makeReset = Effect.fnUntraced(function* (
  { newKey, own, store }: Workshop,
  kept: Kept,
  incarnation: number
) {
  const group = yield* create(own, groupIdOf(kept.room, incarnation))
  const key = yield* newKey
  const pending: Pending = { key, incarnation, keyEpoch: 0, change: { _tag: "Reset", next: encodeGroup(group) } }
  yield* store.committing(kept, pending)
  return pending
})

export const requestOf = (room: RoomName, { change, incarnation, key, keyEpoch }: Pending): ChangeRequest => {
  if (change._tag === "Reset") return { _tag: "ResetKeys", room, incarnation, key }
  const { adds, data, removes, welcome } = change
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")
  return {
    _tag: "CommitKeys",
    room,
    keyEpoch,
    data: base64(data),
    adds,
    removes,
    ...(welcome !== undefined && { welcome: base64(welcome) }),
    key
  }
}
type ChangeRequest = Extract<Request, { readonly _tag: "CommitKeys" | "ResetKeys" }>

/** Whose new list of devices is not trusted yet: of a conversation of two the other one; in a room who of them others have let in. */
export const whoIsHeld = (
  { lists, own }: Workshop,
  other: UserName | undefined,
  group: Group
): NotTrusted | undefined => {
  for (const user of [other, own.identity.user]) {
    const pin = user === undefined ? undefined : lists.pinOf(user)
    if (pin !== undefined && isHeld(pin)) return untrusted(pin)
  }
  for (const { device, publicKey, user } of membersOf(group)) {
    const pin = lists.pins.get(nameKey(user))
    if (
      pin !== undefined &&
      isHeld(pin) &&
      listedDevices(pin).get(device) === Buffer.from(publicKey).toString("base64")
    ) {
      return untrusted(pin)
    }
  }
  return undefined
}

const untrusted = (pin: Pin) => new NotTrusted({ user: pin.user, wasVerified: wasVerified(pin) })

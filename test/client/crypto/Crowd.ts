/** Devices for tests of sealed groups, and what they do with each other when nothing goes wrong. */
import { Effect } from "effect"
import { apply } from "../../../src/client/crypto/Apply.ts"
import { type Change, commit } from "../../../src/client/crypto/Commit.ts"
import { type Device, makeDevice } from "../../../src/client/crypto/Device.ts"
import { create, type Group } from "../../../src/client/crypto/Group.ts"
import type { Identity } from "../../../src/client/crypto/Identity.ts"
import { join } from "../../../src/client/crypto/Join.ts"
import { makeKeyPackage, readKeyPackage } from "../../../src/client/crypto/KeyPackage.ts"
import type { IsTrusted } from "../../../src/client/crypto/Trust.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"

export const groupId = "dev/1"

export const identity = (user: string, device = "desk"): Identity => ({
  user: UserName.make(user),
  device: DeviceId.make(device)
})

export const trustingAll: IsTrusted = () => true

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const deviceOf = (user: string, device?: string) => makeDevice(identity(user, device))

/** A key package of this device, both halves, and as others read it. */
export const packageOf = Effect.fnUntraced(function* (device: Device) {
  const own = yield* makeKeyPackage(device, "once")
  return { own, read: yield* readKeyPackage(own.publicBytes, trustingAll) }
})

/** What a commit makes of the group of its committer, and the bytes for everybody else. */
export const commits = Effect.fnUntraced(function* (group: Group, change: Change = {}) {
  const { pending } = yield* commit(group, change)
  return pending
})

/** Adds a device: the group of who added it, and the group of the added. */
export const adding = Effect.fnUntraced(function* (group: Group, device: Device) {
  const { own, read } = yield* packageOf(device)
  const pending = yield* commits(group, { adds: [read] })
  const welcome = pending.welcome ?? new Uint8Array(0)
  const joined = yield* join(device, { groupId: group.groupId, welcome, privateBytes: own.privateBytes }, trustingAll)
  return { adder: pending.next, added: joined.group, bytes: pending.bytes }
})

/** Applies a commit that does not remove this device. */
export const following = Effect.fnUntraced(function* (group: Group, bytes: Uint8Array) {
  const applied = yield* apply(group, bytes, trustingAll)
  return applied.group ?? (yield* Effect.die("removed"))
})

/** Ada's and Bob's groups, of one key epoch. */
export const pair = Effect.gen(function* () {
  const ada = yield* deviceOf("ada")
  const bob = yield* deviceOf("bob")
  const { added, adder } = yield* adding(yield* create(ada, groupId), bob)
  return { ada, bob, ofAda: adder, ofBob: added }
})

/** Ada's, Bob's and Cy's groups, of one key epoch. */
export const three = Effect.gen(function* () {
  const { ada, bob, ofAda, ofBob } = yield* pair
  const cy = yield* deviceOf("cy")
  const { added, adder, bytes } = yield* adding(ofAda, cy)
  return { ada, bob, cy, ofAda: adder, ofBob: yield* following(ofBob, bytes), ofCy: added }
})

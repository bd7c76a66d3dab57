/**
 * Groups whose trees are as large as they get: names of 32 letters, of four bytes each, and every device has committed. So that it
 * takes seconds of the processor and not minutes, nobody joins: each commits with its own keys in the group of whoever did before.
 */
import { Effect } from "effect"
import { commit } from "../../../src/client/crypto/Commit.ts"
import type { Device } from "../../../src/client/crypto/Device.ts"
import { create, type Group, groupOf, memberOf } from "../../../src/client/crypto/Group.ts"
import { readPrivateKeys } from "../../../src/client/crypto/KeyPackage.ts"
import { deviceOf, packageOf } from "./Crowd.ts"

const firstLetter = 0x20000

/** Of 32 letters of four bytes; and ids of devices of 64 characters, where servers give numbers. */
const nameAt = (index: number) => `${String.fromCodePoint(firstLetter + index)}${"\u{20000}".repeat(31)}`
const deviceAt = (index: number) => `${index}`.padStart(64, "0")

/** As a room and an incarnation are called: of 64 letters of four bytes. */
export const longestRoom = "\u{20000}".repeat(64)
const groupId = `${longestRoom}/1000000`

export const newcomer = Effect.fnUntraced(function* (index: number) {
  const device = yield* deviceOf(nameAt(index), deviceAt(index))
  const { own, read } = yield* packageOf(device)
  const { leafKey } = yield* readPrivateKeys(own.privateBytes)
  return { device, read, leafKey }
})
export type Newcomer = Effect.Success<ReturnType<typeof newcomer>>

/** This group, as another one in it has it who has come just now. */
const asOf = ({ state }: Group, leaf: number, device: Device, leafKey: Uint8Array) =>
  groupOf({
    ...state,
    privatePath: { leafIndex: leaf, privateKeys: { [leaf * 2]: leafKey } },
    signaturePrivateKey: device.privateKey
  })

/** Each of these commits once. */
export const committedBy = Effect.fnUntraced(function* (group: Group, those: ReadonlyArray<Newcomer>) {
  let now = group
  for (const { device, leafKey } of those) {
    const leaf = memberOf(now, device.identity)?.leaf ?? (yield* Effect.die("not in"))
    now = (yield* commit(asOf(now, leaf, device, leafKey), {})).pending.next
  }
  return now
})

/** Adds so many to a group, by eight. */
const addedTo = Effect.fnUntraced(function* (group: Group, those: ReadonlyArray<Newcomer>) {
  let now = group
  for (let at = 0; at < those.length; at += 8) {
    now = (yield* commit(now, { adds: those.slice(at, at + 8).map(({ read }) => read) })).pending.next
  }
  return now
})

/** Of so many devices; the last who has committed has it. Whoever comes commits while there are few. */
export const full = Effect.fnUntraced(function* (count: number) {
  let group = yield* create(yield* deviceOf(nameAt(0), deviceAt(0)), groupId)
  for (let at = 1; at < count; at += 8) {
    const size = Math.min(8, count - at)
    const those = yield* Effect.forEach(Array.from({ length: size }), (_, index) => newcomer(at + index))
    group = yield* committedBy(yield* addedTo(group, those), those)
  }
  return group
})

/**
 * A group as large as a room may be: what is sent fits a frame, and what is done is done soon enough.
 *
 * `CRYPTO_FIGURES=1` prints sizes and times; `CRYPTO_COMMITTERS=50` lets so many devices commit first, which fills the tree
 * with as much as it ever holds (a minute of processor time).
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { apply } from "../../../src/client/crypto/Apply.ts"
import { commit, maxAdds } from "../../../src/client/crypto/Commit.ts"
import type { Device } from "../../../src/client/crypto/Device.ts"
import { create, encodeGroup, type Group, maxDevices, membersOf } from "../../../src/client/crypto/Group.ts"
import { join } from "../../../src/client/crypto/Join.ts"
import { open, seal } from "../../../src/client/crypto/Message.ts"
import { bytesOf, deviceOf, following, packageOf, trustingAll } from "./Crowd.ts"

const committers = Number(process.env["CRYPTO_COMMITTERS"] ?? 3)
const isPrinted = process.env["CRYPTO_FIGURES"] !== undefined
const frameBytes = 64 * 1024

/** As a room and an incarnation are called. */
const groupId = `${"r".repeat(32)}/6f1c1a1e-7f0a-4f52-9c58-0f2f6f3b9a10`
const nameOf = (index: number) => `${"u".repeat(28)}${index}`
const deviceId = (index: number) => `2d0b5c1e-3f5e-4d3a-9b1f-${`${index}`.padStart(12, "0")}`

/** A CommitKeys with its welcome, or a SealedMessage, as a line. */
const lineBytes = (message: Readonly<Record<string, unknown>>) => JSON.stringify(message).length + 1
const base64 = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("base64")
const key = "2d0b5c1e-3f5e-4d3a-9b1f-000000000000"

const figures: Array<string> = []

/** The middle of so many times, in milliseconds of the processor. */
const p50 = Effect.fnUntraced(function* <A, E>(label: string, times: number, action: Effect.Effect<A, E>) {
  const taken: Array<number> = []
  let last: A | undefined
  for (let time = 0; time < times; time++) {
    const before = process.cpuUsage()
    last = yield* action
    const { system, user } = process.cpuUsage(before)
    taken.push((system + user) / 1000)
  }
  const middle = taken.toSorted((one, other) => one - other)[Math.floor(times / 2)] ?? 0
  figures.push(`${label}: ${middle.toFixed(1)} ms`)
  return last ?? (yield* Effect.die("no time at all"))
})

/** Ada's group of so many devices, and those of the first few others. */
const grown = Effect.fnUntraced(function* (count: number) {
  let ada = yield* create(yield* deviceOf(nameOf(0), deviceId(0)), groupId)
  let others: ReadonlyArray<{ readonly device: Device; readonly group: Group }> = []
  for (let index = 1; index < count; index += maxAdds) {
    const size = Math.min(maxAdds, count - index)
    const devices = yield* Effect.forEach(Array.from({ length: size }), (_, at) =>
      deviceOf(nameOf(index + at), deviceId(index + at))
    )
    const packages = yield* Effect.forEach(devices, packageOf)
    const { pending } = yield* commit(ada, { adds: packages.map(({ read }) => read) })
    const { bytes, next, welcome = new Uint8Array(0) } = pending
    ada = next
    others = yield* Effect.forEach(others, ({ device, group }) =>
      Effect.map(following(group, bytes), (group) => ({ device, group }))
    )
    // Every second device: each of them gives another parent a key.
    for (const [at, device] of devices.entries()) {
      if (others.length >= committers || (index + at) % 2 === 0) continue
      const privateBytes = packages[at]?.own.privateBytes ?? new Uint8Array(0)
      others = [
        ...others,
        { device, group: (yield* join(device, { groupId, welcome, privateBytes }, trustingAll)).group }
      ]
    }
  }
  for (const by of others.map(({ device }) => device)) {
    const committer = others.find(({ device }) => device === by)
    if (committer === undefined) continue
    const { pending } = yield* commit(committer.group, {})
    ada = yield* following(ada, pending.bytes)
    others = yield* Effect.forEach(others, ({ device, group }) =>
      Effect.map(device === by ? Effect.succeed(pending.next) : following(group, pending.bytes), (group) => ({
        device,
        group
      }))
    )
  }
  return { ada, others: others.map(({ group }) => group) }
})

const measured = Effect.fnUntraced(function* (devices: number) {
  const { ada, others } = yield* grown(devices)
  const [bob = ada] = others
  const name = `${devices} devices`
  figures.push(`${name}, state: ${encodeGroup(ada).length} bytes`)
  const times = devices > 20 ? 3 : 9

  const sealed = yield* p50(`${name}, seal`, 3 * times, seal(ada, bytesOf("x".repeat(64))))
  yield* p50(`${name}, open`, 3 * times, open(bob, sealed.bytes))
  const renewal = yield* p50(`${name}, commit`, times, commit(ada, {}))
  yield* p50(`${name}, apply`, times, apply(bob, renewal.pending.bytes, trustingAll))
  const removes = [membersOf(ada).at(-1)].flatMap((member) => (member === undefined ? [] : [member]))
  const removal = yield* p50(`${name}, remove one`, times, commit(ada, { removes }))
  yield* p50(`${name}, apply a removal`, times, apply(bob, removal.pending.bytes, trustingAll))

  const newcomers = yield* Effect.forEach(Array.from({ length: maxAdds }), (_, at) =>
    deviceOf(nameOf(200 + at), deviceId(200 + at))
  )
  const packages = yield* Effect.forEach(newcomers, packageOf)
  const adds = packages.map(({ read }) => read)
  yield* p50(`${name}, add one`, times, commit(ada, { adds: adds.slice(0, 1) }))
  const { pending } = yield* p50(`${name}, add eight and remove one`, times, commit(ada, { adds, removes }))
  const { bytes, welcome } = pending
  const [device] = newcomers
  const [first] = packages
  if (device === undefined || first === undefined || welcome === undefined) return yield* Effect.die("nobody is added")
  const invitation = { groupId, welcome, privateBytes: first.own.privateBytes }
  yield* p50(`${name}, join`, times, join(device, invitation, trustingAll))

  const room = groupId.split("/")[0]
  const named = (identity: { readonly user: string; readonly device: string }) => ({
    user: identity.user,
    device: identity.device
  })
  const lines = {
    message: lineBytes({ _tag: "SealedMessage", id: key, room, keyEpoch: 1e6, data: base64(sealed.bytes), key }),
    commit: lineBytes({
      _tag: "CommitKeys",
      id: key,
      room,
      keyEpoch: 1e6,
      data: base64(bytes),
      adds: newcomers.map(({ identity }) => named(identity)),
      removes: removes.map(named),
      welcome: base64(welcome),
      key
    })
  }
  const sizes = { message: sealed.bytes.length, renewal: renewal.pending.bytes.length, commit: bytes.length }
  figures.push(
    `${name}, bytes: ${JSON.stringify({ ...sizes, welcome: welcome.length })}, lines: ${JSON.stringify(lines)}`
  )
  return { lines, group: pending.next }
})

describe("A group of as many devices as a room may have", () => {
  it.live("has a line for each message, commit and welcome that fits a frame", () =>
    Effect.gen(function* () {
      yield* measured(10)
      // Of the change that is measured, eight more and one fewer.
      const { group, lines } = yield* measured(maxDevices - maxAdds + 1)
      assert.strictEqual(membersOf(group).length, maxDevices)
      assert.isBelow(lines.message, 1024)
      assert.isBelow(lines.commit, frameBytes)
      if (isPrinted) yield* Effect.sync(() => process.stdout.write(`${figures.join("\n")}\n`))

      const { read } = yield* packageOf(yield* deviceOf("one.more"))
      const error = yield* Effect.flip(commit(group, { adds: [read] }))
      assert.deepInclude(error, { _tag: "TooManyDevices", limit: maxDevices })
    })
  )
})

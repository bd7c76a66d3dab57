/**
 * A group as large as a room may be: what is sent fits a frame, and what is done is done soon enough.
 *
 * `CRYPTO_FIGURES=1` prints sizes and times, of a tree that holds as much as one ever does: every device has committed.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { apply } from "../../../src/client/crypto/Apply.ts"
import { commit, maxAdds } from "../../../src/client/crypto/Commit.ts"
import { create, encodeGroup, maxDevices, membersOf } from "../../../src/client/crypto/Group.ts"
import { join } from "../../../src/client/crypto/Join.ts"
import { open, seal } from "../../../src/client/crypto/Message.ts"
import { bytesOf, deviceOf, following, packageOf, trustingAll } from "./Crowd.ts"

const isPrinted = process.env["CRYPTO_FIGURES"] !== undefined

/** How many devices are added at once, the first of whom then commits. */
const batch = isPrinted ? 1 : maxAdds
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

/** Ada's group of so many devices, some of which committed once, and that of the last who joined. */
const grown = Effect.fnUntraced(function* (count: number) {
  let ada = yield* create(yield* deviceOf(nameOf(0), deviceId(0)), groupId)
  for (let index = 1; ; index += batch) {
    const size = Math.min(batch, count - index)
    const devices = yield* Effect.forEach(Array.from({ length: size }), (_, at) =>
      deviceOf(nameOf(index + at), deviceId(index + at))
    )
    const packages = yield* Effect.forEach(devices, packageOf)
    const { pending } = yield* commit(ada, { adds: packages.map(({ read }) => read) })
    const [device] = devices
    const [first] = packages
    if (device === undefined || first === undefined || pending.welcome === undefined) return yield* Effect.die("nobody")
    const invitation = { groupId, welcome: pending.welcome, privateBytes: first.own.privateBytes }
    const { group } = yield* join(device, invitation, trustingAll)
    if (index + batch >= count) return { ada: pending.next, bob: group }
    const renewal = yield* commit(group, {})
    ada = yield* following(pending.next, renewal.pending.bytes)
  }
})

const measured = Effect.fnUntraced(function* (devices: number) {
  const { ada, bob } = yield* grown(devices)
  const name = `${devices} devices`
  figures.push(`${name}, state: ${encodeGroup(ada).length} bytes`)
  const times = devices > 20 ? 3 : 9

  const sealed = yield* p50(`${name}, seal`, 3 * times, seal(ada, bytesOf("x".repeat(64))))
  yield* p50(`${name}, open`, 3 * times, open(bob, sealed.bytes))
  const renewal = yield* p50(`${name}, commit`, times, commit(ada, {}))
  yield* p50(`${name}, apply`, times, apply(bob, renewal.pending.bytes, trustingAll))
  const removes = [membersOf(ada).at(-2)].flatMap((member) => (member === undefined ? [] : [member]))
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

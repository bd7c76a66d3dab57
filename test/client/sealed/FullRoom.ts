/**
 * An encrypted room as full as one may be, of real devices over a real server: all are let in, each reads what each other one says, one
 * leaves and the others go on. Every line is measured where it goes by.
 */
import * as process from "node:process"
import { Array as Arr, Effect, Exit, Scope } from "effect"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import * as FileServer from "../../durability/FileServer.ts"
import * as Wire from "../../support/Wire.ts"
import { type Device, enter, homeOf, isIn, makeVault, say, switchOn, texts, until } from "./Devices.ts"

export interface FullRoomOptions {
  readonly devices: number
  readonly folder: string
  /** Hears how far it is. */
  readonly onProgress?: (what: string) => void
}

/** As long as names may be, of letters that have four bytes each. */
const letter = "𐐨"
const room = RoomName.make(letter.repeat(64))
const nameOf = (index: number) => UserName.make(`${letter.repeat(28)}${`${index}`.padStart(4, "0")}`)

/** So many come to the server at once, and to the room. */
const atOnce = 8

/** Of a busy machine, in milliseconds. */
const patience = 600_000

type Side = "client" | "server"

const maxLineBytes = 65_536
/** What is asked for by the page is bounded by itself, see src/common/wire/PROTOCOL.md: who is far behind gets much at once. */
const maxPageBytes = 1024 * 1024

/** The longest line of each kind that either side has said, in bytes with its line feed. */
const watching = () => {
  const longest = { client: new Map<string, number>(), server: new Map<string, number>() }
  const watch = (line: string, by: Side) => {
    const [, tag = "?"] = /"_tag":"(\w+)"/.exec(line) ?? []
    longest[by].set(tag, Math.max(Buffer.byteLength(line) + 1, longest[by].get(tag) ?? 0))
  }
  const tooLong = (by: Side) =>
    [...longest[by]]
      .filter(([tag, bytes]) => bytes >= (tag === "History" ? maxPageBytes : maxLineBytes))
      .map(([tag, bytes]) => `a ${tag} of the ${by} has ${bytes} bytes`)
  return { longest, watch, tooLong }
}

const sorted = (lines: ReadonlyMap<string, number>) =>
  Object.fromEntries([...lines].toSorted(([, one], [, other]) => other - one))

export const run = Effect.fnUntraced(function* ({ devices: count, folder, onProgress = () => {} }: FullRoomOptions) {
  const { longest, tooLong, watch } = watching()
  const server = yield* FileServer.start(`${folder}/chat.sqlite`, { LOG_LEVEL: "error" })
  const wire = Wire.make(watch)
  wire.lead(server.port)
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10
  const story: Array<string> = []
  const tell = (what: string) => {
    const { system, user } = process.cpuUsage(cpu)
    const line = `${what} after ${seconds()} s, ${((system + user) / 1e6).toFixed(1)} s of the processor`
    story.push(line)
    onProgress(line)
  }

  const { port } = yield* wire.door
  const whole = yield* Effect.scope
  const scopes = new Map<Device, Scope.Closeable>()
  const switchedOn = Effect.fnUntraced(function* (index: number) {
    const scope = yield* Scope.fork(whole)
    const device = yield* Scope.provide(
      switchOn(port, { ...homeOf(folder, `${index}`, "desk"), user: nameOf(index) }),
      scope
    )
    scopes.set(device, scope)
    yield* device.rooms.ready
    return device
  })
  const devices = yield* Effect.forEach(Arr.range(1, count), switchedOn, { concurrency: atOnce })
  tell(`${count} devices are there`)
  const [first, ...others] = devices
  const leaver = others.at(-1)
  if (first === undefined || leaver === undefined) return yield* Effect.die("nobody is there")

  yield* makeVault(first, room)
  yield* Effect.forEach(others, (device) => enter(device, room), { concurrency: atOnce })
  for (const device of devices)
    yield* until(`${device.home.name} is in with all others`, isIn(device, room, count), patience)
  tell("all are let in")

  const said = devices.map((_, index) => `from ${index}`)
  yield* Effect.forEach(devices, (device, index) => say(device, `from ${index}`, room), { concurrency: "unbounded" })
  const wrong: Array<string> = []
  const read = Effect.fnUntraced(function* (device: Device, all: ReadonlyArray<string>) {
    const isAll = Effect.map(texts(device, room), (some) => all.every((text) => some.includes(text)))
    yield* until(`${device.home.name} has read ${all.length}`, isAll, patience)
    const some = yield* texts(device, room)
    if (some.length !== all.length) wrong.push(`${device.home.name} has read ${some.length} of ${all.length}`)
  })
  for (const device of devices) yield* read(device, said)
  tell("each has read what each has said")

  yield* leaver.client.request({ _tag: "LeaveRoom", room })
  yield* say(first, "without you", room)
  const staying = devices.filter((device) => device !== leaver)
  for (const device of staying) {
    yield* read(device, [...said, "without you"])
    yield* until(`${device.home.name} is in with those who stay`, isIn(device, room, count - 1), patience)
  }
  if ((yield* texts(leaver, room)).includes("without you")) wrong.push("who has left reads on")
  tell("the others went on without one")
  yield* Effect.forEach(scopes.values(), (scope) => Scope.close(scope, Exit.void), {
    concurrency: atOnce,
    discard: true
  })
  wrong.push(...tooLong("client"), ...tooLong("server"))
  return { wrong, story, client: sorted(longest.client), server: sorted(longest.server) }
})

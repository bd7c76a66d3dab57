/** Two people in an encrypted room of a server that lies, and what they see of it. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { SealedNews } from "../../../src/client/sealed/News.ts"
import type { RoomName } from "../../../src/common/name/RoomName.ts"
import { silently } from "../../support/FaultyServer.ts"
import * as LyingServer from "../../support/LyingServer.ts"
import * as TestServer from "../../support/TestServer.ts"
import {
  type Device,
  enter,
  homeOf,
  isIn,
  makeVault,
  say,
  type SwitchOptions,
  switchOn,
  until,
  vault
} from "./Devices.ts"
import { folder } from "./Folder.ts"

type Line = LyingServer.Line
export type Lying = LyingServer.LyingServer

/** A real server that lies as it is told to, and a folder for what devices keep. */
export const world = Effect.gen(function* () {
  const server = yield* silently(TestServer.start())
  const lying = yield* LyingServer.start(server.port)
  const path = yield* folder
  const on = (user: string, device = "desk", options?: SwitchOptions) =>
    switchOn(lying.port, homeOf(path, user, device), options)
  return { server, lying, path, on }
})

/** Ada has made the vault and ben was let in. */
export const twoWith = Effect.fnUntraced(function* (options: SwitchOptions) {
  const { lying, on, path, server } = yield* world
  const ada = yield* on("ada", "desk", options)
  const ben = yield* on("ben", "desk", options)
  yield* makeVault(ada)
  yield* enter(ben)
  yield* until("ben is let in", isIn(ben, vault, 2))
  return { server, lying, path, on, ada, ben }
})
export const two = twoWith({})

/** Everything that stands there, as short as it can be told: what could not be read by its reason and its words. */
export const lines = ({ rooms }: Device, room: RoomName = vault) =>
  Effect.map(rooms.rows(room), (rows) =>
    rows.map(({ line }) => {
      const named = (devices: ReadonlyArray<{ readonly user: string }>) => devices.map(({ user }) => user).join(" ")
      switch (line._tag) {
        case "Opened": {
          const { saying } = line
          if (saying._tag === "Said") return `${line.from}: ${saying.content}`
          return saying._tag === "Edited"
            ? `${line.from} edits ${saying.target}: ${saying.content}`
            : `${line.from} ${saying.reaction} ${saying.target}`
        }
        case "Unreadable":
          return `${line.from}: (${line.reason}) ${line.message}`
        case "Changed":
          return `${line.from} changed keys: +${named(line.added)} -${named(line.removed)}`
        case "PutOut":
          return `put out by ${line.from}`
        case "LetIn":
          return "let in"
        case "Erased":
          return `erased by ${line.by}`
        case "Stood":
          return `${line.entry.from}: ${line.entry._tag}`
      }
    })
  )

/** Waits until the last line is this, and gives all that stand behind the last change of keys. */
/** A bound for what would wait for ever, in milliseconds. */
const patience = 8000

export const untilLine = Effect.fnUntraced(function* (device: Device, last: string, room: RoomName = vault) {
  let seen: ReadonlyArray<string> = []
  yield* until(
    `${device.home.name} reads: ${last}`,
    Effect.map(lines(device, room), (all) => {
      seen = all
      return all.includes(last)
    }),
    patience
  ).pipe(Effect.onError(() => Effect.sync(() => assert.fail(`${last} is not in ${JSON.stringify(seen)}`))))
  return seen.slice(seen.findLastIndex((line) => line === "let in" || line.includes("changed keys")) + 1)
})

export const untilNews = Effect.fnUntraced(function* <Tag extends SealedNews["_tag"]>(device: Device, tag: Tag) {
  const isIt = (news: SealedNews): news is Extract<SealedNews, { readonly _tag: Tag }> => news._tag === tag
  yield* until(
    `${device.home.name} is told of ${tag}`,
    Effect.sync(() => device.news.some(isIt)),
    patience
  )
  const found = device.news.find(isIt)
  assert(found !== undefined)
  return found
})

export const told = <Tag extends SealedNews["_tag"]>({ news }: Device, ...tags: ReadonlyArray<Tag>) => {
  const isOne = (one: SealedNews): one is Extract<SealedNews, { readonly _tag: Tag }> =>
    tags.some((tag) => tag === one._tag)
  return news.filter(isOne)
}

/** Said, and read by all of these. */
export const converse = Effect.fnUntraced(function* (from: Device, text: string, ...to: ReadonlyArray<Device>) {
  yield* say(from, text)
  for (const device of to) yield* untilLine(device, `${from.home.user}: ${text}`)
})

export const isSealed = ({ _tag, room }: Line) => _tag === "Sealed" && room === vault
/** The text of a place in base64 with one bit of it changed. */
export const altered = (line: Line, field: string, at: number): Line => {
  const bytes = Buffer.from(String(line[field]), "base64")
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = (bytes[index] ?? 0) ^ 1
  return { ...line, [field]: bytes.toString("base64") }
}

/** A lie to one person about what stands in a log, as it comes and in pages. */
export const aboutEntries =
  (user: string, change: (entry: Line) => ReadonlyArray<Line> | undefined): LyingServer.Lie =>
  (line, talk) => {
    if (talk.user !== user) return undefined
    const { messages } = line
    if (line._tag !== "History" || !Array.isArray(messages)) return line["seq"] === undefined ? undefined : change(line)
    const entries: ReadonlyArray<Line> = messages
    return [{ ...line, messages: entries.flatMap((entry) => change(entry) ?? [entry]) }]
  }

/** The newest line of this kind that the server has told anybody. */
export const newest = ({ overheard }: Lying, tag: string, room: string = vault): Line => {
  const found = overheard.findLast((line) => line._tag === tag && line["room"] === room && line["seq"] !== undefined)
  assert(found !== undefined, `there was no ${tag}`)
  return found
}

/**
 * Puts an entry of the server's own at the end of a log as one person sees it, live and in pages. What follows stands one place
 * further on for them.
 */
export const makeUp = (
  lying: Lying,
  user: string,
  entry: Omit<Line, "room" | "seq" | "at">,
  room: string = vault
): number => {
  const seqs = lying.overheard.flatMap((line) => (line["room"] === room ? [Number(line["seq"] ?? 0)] : []))
  const seq = Math.max(...seqs) + 1
  const made: Line = { ...entry, _tag: String(entry._tag), room, seq, at: 1 }
  const pages = new Map<unknown, number>()
  const further = <Thing extends object>(thing: Thing): Thing =>
    "seq" in thing && typeof thing.seq === "number" && thing.seq >= seq ? { ...thing, seq: thing.seq + 1 } : thing
  const back = (place: unknown) => (typeof place === "number" && place >= seq ? place - 1 : place)
  lying.asked((line, talk) => {
    if (talk.user !== user || line["room"] !== room) return undefined
    const { after } = line
    if (line._tag === "GetHistory") {
      pages.set(line["id"], Number(after ?? 0))
      return [{ ...line, after: back(after) }]
    }
    return line._tag === "AckWelcome" ? [{ ...line, seq: back(line["seq"]) }] : undefined
  })
  lying.told((line, talk) => {
    if (talk.user !== user) return undefined
    const { keys, messages, reason, welcomes } = line
    const after = pages.get(line["id"])
    if (line._tag === "History" && Array.isArray(messages) && after !== undefined) {
      const entries: ReadonlyArray<Line> = messages
      const before = entries.filter((one) => Number(one["seq"]) < seq)
      const behind = entries.slice(before.length)
      const isHere = after < seq && (behind.length > 0 || line["more"] !== true)
      return [{ ...line, messages: [...before, ...(isHere ? [made] : []), ...behind.map(further)] }]
    }
    if (line._tag === "Welcomes" && Array.isArray(welcomes)) return [{ ...line, welcomes: welcomes.map(further) }]
    if (line._tag === "Rejected" && typeof reason === "object" && reason !== null)
      return [{ ...line, reason: further(reason) }]
    if (line["room"] !== room) return undefined
    const joined = line._tag === "RoomJoined" && { seq: Math.max(seq, Number(line["seq"]) + 1) }
    return [{ ...further(line), ...joined, ...(typeof keys === "object" && keys !== null && { keys: further(keys) }) }]
  })
  for (const talk of lying.talksOf(user)) talk.tell(made)
  return seq
}

/** The key packages, each for once, that somebody has left with the server. */
export const packagesOf = ({ overheard }: Lying, user: string): ReadonlyArray<string> =>
  overheard.flatMap(({ _tag, packages }) => {
    if (_tag !== "PublishKeyPackages" || !Array.isArray(packages)) return []
    const published: ReadonlyArray<string> = packages
    return published.filter((data) => Buffer.from(data, "base64").includes(user))
  })

export const lastResortOf = ({ overheard }: Lying, user: string) =>
  overheard.find(({ lastResort }) => Buffer.from(String(lastResort), "base64").includes(user))?.["lastResort"]

/**
 * What devices say in tests of encrypted conversations. They know nothing of MLS, as the server does not: their bytes have the header
 * that is looked at, and behind it whatever a test likes to find again. Nothing is assumed of the server's code but what it must read.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as Talk from "./AccountTalk.ts"
import type { Line, RawClient } from "./RawClient.ts"
import { sealedBytes, type SealedHead } from "./SealedBytes.ts"
import type { TestServer } from "./TestServer.ts"

/** A connection of a device that is in its account's list. */
export interface Device extends Talk.Entered {
  readonly user: string
}

const bytes = (text: string) => Buffer.from(text).toString("base64")

let keys = 0
/** Unique for good, in one run. */
const newKey = (): string => `a key of the tests ${++keys}`

const entryOf = (n: number, device: string, more: object = {}) => ({
  n,
  prev: n === 1 ? "" : bytes(`hash of entry ${n - 1}`),
  op: "add",
  device,
  publicKey: bytes(`the public key of ${device}`.slice(0, 32)),
  by: device,
  signature: bytes(`the signature of entry ${n}`),
  ...more
})

export const publish = (client: RawClient, n: number, device: string, more: object = {}) =>
  client.ask({ _tag: "PublishDevice", entry: entryOf(n, device, more) })

/** What was asked, and refused or not. */
const well = (line: Line, tag: string): Line => {
  assert.strictEqual(line._tag, tag, JSON.stringify(line).slice(0, 500))
  return line
}

/** A new account whose first device is in its list. */
export const newcomer = Effect.fnUntraced(function* (server: Pick<TestServer, "connect">, user: string) {
  const entered = yield* Talk.register(server, user)
  well(yield* publish(entered.client, 1, entered.device), "DevicePublished")
  return { ...entered, user } satisfies Device
})

/** Another device of an account, put into the list by the first as entry `n`. */
export const another = Effect.fnUntraced(function* (server: Pick<TestServer, "connect">, first: Device, n: number) {
  const entered = yield* Talk.logIn(server, first.user)
  well(yield* publish(first.client, n, entered.device, { by: first.device }), "DevicePublished")
  return { ...entered, user: first.user } satisfies Device
})

export const comeBack = Effect.fnUntraced(function* (server: Pick<TestServer, "connect">, { token, user }: Device) {
  return { ...(yield* Talk.comeBack(server, user, token)), user } satisfies Device
})

export const join = ({ client }: Device, room: string, after?: unknown) =>
  Effect.map(client.ask({ _tag: "JoinRoom", room, ...(after !== undefined && { after }) }), (line) =>
    well(line, "RoomJoined")
  )

export const reset = ({ client }: Device, room: string, incarnation = 1) =>
  client.ask({ _tag: "ResetKeys", room, incarnation, key: newKey() })

export const named = ({ device, user }: Pick<Device, "device" | "user">) => ({ user, device })

export interface Commit {
  readonly incarnation?: number
  readonly keyEpoch: number
  readonly adds?: ReadonlyArray<Pick<Device, "device" | "user">>
  readonly removes?: ReadonlyArray<Pick<Device, "device" | "user">>
  readonly more?: object
}

export const commitRequest = (room: string, { adds = [], incarnation = 1, keyEpoch, more, removes = [] }: Commit) => ({
  _tag: "CommitKeys",
  room,
  keyEpoch,
  data: sealedBytes({ room, incarnation, keyEpoch, contentType: "commit" }),
  adds: adds.map(named),
  removes: removes.map(named),
  ...(adds.length > 0 && { welcome: bytes(`welcome to ${room} behind ${incarnation}.${keyEpoch}`) }),
  key: newKey(),
  ...more
})

/** The same header before bytes of a test's own. */
export const padded = (room: string, head: Omit<SealedHead, "room">, bytes: Uint8Array): string =>
  sealedBytes({ room, ...head }, Buffer.from(bytes).toString("latin1"))

export const commit = ({ client }: Device, room: string, what: Commit) => client.ask(commitRequest(room, what))

export const sealRequest = (room: string, keyEpoch: number, content: string, incarnation = 1) => ({
  _tag: "SealedMessage",
  room,
  keyEpoch,
  data: sealedBytes({ room, incarnation, keyEpoch }, content),
  key: newKey()
})

export const seal = ({ client }: Device, room: string, keyEpoch: number, content: string, incarnation = 1) =>
  client.ask(sealRequest(room, keyEpoch, content, incarnation))

/** Entries as short as they can be told: their places, and what was said where something was. */
const outline = (lines: ReadonlyArray<Line>): ReadonlyArray<string> =>
  lines
    .filter(({ _tag, seq }) => seq !== undefined && !["Sent", "RoomJoined", "ReadMarked"].includes(_tag))
    .map(({ _tag, data, seq }) =>
      _tag === "Sealed" ? `${String(seq)} ${contentIn(String(data))}` : `${String(seq)} ${_tag}`
    )

const contentIn = (data: string): string =>
  /\n([ -~]*?)#{17}$/.exec(Buffer.from(data, "base64").toString("latin1"))?.[1] ?? ""

/** What came until now of entries; what else came is gone. */
export const heard = ({ client }: Device) => Effect.map(client.soFar, outline)

/** All of a room's history that this device may read, in pages of so many. */
export const history = Effect.fnUntraced(function* ({ client }: Device, room: string, limit = 500, isForwards = true) {
  const pages: Array<ReadonlyArray<string>> = []
  let at: number | undefined = isForwards ? 0 : undefined
  for (let more = true; more;) {
    const range: object = isForwards ? { after: at } : at === undefined ? {} : { before: at }
    const page: Line = well(yield* client.ask({ _tag: "GetHistory", room, limit, ...range }), "History")
    const found = Talk.listIn(page, "messages")
    pages.push(outline(found))
    const end: Line | undefined = isForwards ? found.at(-1) : found[0]
    at = end === undefined ? at : Number(end["seq"])
    more = page["more"] === true && found.length > 0
  }
  return (isForwards ? pages : pages.toReversed()).flat()
})

/**
 * Conversations in which more is done than said: the lobby and a room, on a server that keeps its logs in memory and on one
 * that keeps them in a database, since what is promised is the same.
 *
 * Ada and Ben are in from the beginning, and the clock stands still at `at` until a test moves it.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { History } from "../../src/server/history/History.ts"
import * as Database from "../../src/server/store/Database.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import type { Line, RawClient } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"

export const at = 1_750_000_000_000

/** A conversation on a server: what a message to it has, and what every other request about it has. */
export interface Conversation {
  readonly place: string
  readonly history: Layer.Layer<History>
  readonly message: { readonly _tag: "GlobalMessage" } | { readonly _tag: "RoomMessage"; readonly room: string }
  readonly where: { readonly room?: string }
}

const inDatabase = Layer.unwrap(
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-entries-" })
    return Database.layerFile({ file: `${folder}/chat.sqlite`, retention: "forever" })
  })
).pipe(Layer.provide(NodeServices.layer), Layer.orDie)

const lobby: Pick<Conversation, "message" | "where"> = { message: { _tag: "GlobalMessage" }, where: {} }
const dev: Pick<Conversation, "message" | "where"> = {
  message: { _tag: "RoomMessage", room: "dev" },
  where: { room: "dev" }
}

/** A database knows no difference between the lobby and a room, and takes its time. */
export const conversations: ReadonlyArray<Conversation> = [
  { place: "the lobby, in memory", history: MemoryHistory.layer, ...lobby },
  { place: "a room, in memory", history: MemoryHistory.layer, ...dev },
  { place: "a room, in a database", history: inDatabase, ...dev }
]

/** A client that is in the conversation. `after` is the place of the last entry it has seen; nothing is read ahead. */
export const comeTo = Effect.fnUntraced(function* (
  server: TestServer.TestServer,
  { where }: Conversation,
  user: string,
  after?: { readonly epoch: unknown; readonly seq: number }
) {
  const client = yield* server.connect()
  const isLobby = where.room === undefined
  const hello = { _tag: "Handshake", user, ...(isLobby && after && { after: { lobby: after } }) }
  const welcome = yield* client.ask(hello)
  assert.strictEqual(welcome._tag, "Welcome", JSON.stringify(welcome))
  if (isLobby) return { client, standing: Object(welcome["lobby"]) }
  yield* client.ask({ _tag: "CreateRoom", ...where })
  const standing = yield* client.ask({ _tag: "JoinRoom", ...where, ...(after && { after }) })
  assert.strictEqual(standing._tag, "RoomJoined", JSON.stringify(standing))
  return { client, standing: Object(standing) }
})

/** Ada and Ben, with nothing left to read, and the epoch of the log. */
export const talking = Effect.fnUntraced(function* (
  conversation: Conversation,
  settings: Readonly<Record<string, string>> = {}
) {
  yield* TestClock.setTime(at)
  const server = yield* TestServer.start({ settings, history: conversation.history })
  const { client: ada, standing } = yield* comeTo(server, conversation, "Ada")
  const { client: ben } = yield* comeTo(server, conversation, "Ben")
  yield* Effect.all([ada.soFar, ben.soFar])
  return { server, ada, ben, epoch: standing.epoch }
})

const kinds: ReadonlySet<string> = new Set([
  "GlobalMessage",
  "RoomMessage",
  "PrivateMessage",
  "Edited",
  "Deleted",
  "Reacted",
  "Tombstone"
])
export const isEntry = ({ _tag }: Line): boolean => kinds.has(_tag)

/** The entries that have come to a client and were not read yet. */
export const entriesFor = (client: RawClient) => Effect.map(client.soFar, (lines) => lines.filter(isEntry))

/** Says each of these in turn, and waits for it to be stored. */
export const say = (client: RawClient, { message }: Conversation, ...contents: ReadonlyArray<string>) =>
  Effect.forEach(contents, (content) => client.ask({ ...message, content }), { discard: true })

/** Asks, and expects it to be stored; gives its place. */
export const done = (client: RawClient, request: object) =>
  Effect.map(client.ask(request), (reply) => {
    assert.strictEqual(reply._tag, "Sent", JSON.stringify(reply))
    return Number(reply["seq"])
  })

/** Sends these in one packet, and gives all that comes until the last is answered: replies have their numbers for ids. */
export const atOnce = Effect.fnUntraced(function* (client: RawClient, requests: ReadonlyArray<object>) {
  const numbered = requests.map((request, index) => ({ ...request, id: `${index + 1}` }))
  yield* client.send(...numbered)
  const lines = yield* client.upTo(({ id }) => id === `${requests.length}`)
  return { lines, replies: lines.filter(({ id }) => id !== undefined) }
})

/** What History says. */
export const historyOf = Effect.fnUntraced(function* (
  client: RawClient,
  { where }: Conversation,
  range: Readonly<Record<string, unknown>> = {}
) {
  const reply = yield* client.ask({ _tag: "GetHistory", ...where, ...range })
  assert.strictEqual(reply._tag, "History", JSON.stringify(reply))
  const { messages, more } = reply
  assert(Array.isArray(messages))
  const standing: ReadonlyArray<Readonly<Record<string, unknown>>> = messages
  return { messages: standing, more }
})

/** A key for a request, from any short word. */
export const keyOf = (word: string): string => word.padStart(16, "-")

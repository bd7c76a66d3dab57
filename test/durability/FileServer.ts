/** A server process on a database file of the test's, and what clients ask it about its logs. */
import { Effect, FileSystem, Schema } from "effect"
import type { StandingMessage } from "../../src/common/wire/EntryMessage.ts"
import { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { connect, type RawClient } from "../support/RawClient.ts"
import * as ServerHere from "../support/ServerHere.ts"
import * as ServerProcess from "../support/ServerProcess.ts"
import { diskFolder } from "../support/TemporaryFolder.ts"

/** On a disk. */
export const newFolder = Effect.flatMap(FileSystem.FileSystem, (files) =>
  files.makeTempDirectoryScoped({ directory: diskFolder(), prefix: "parley-durability-" })
)

/** Where a database will be. */
export const newFile = Effect.map(newFolder, (folder) => `${folder}/chat.sqlite`)

/** The same in memory, where that is possible: for what waits for no disk. */
export const newFileInMemory = Effect.flatMap(FileSystem.FileSystem, (files) =>
  Effect.map(files.makeTempDirectoryScoped({ prefix: "parley-test-" }), (folder) => `${folder}/chat.sqlite`)
)

/** What a server on this file is started with. */
export const environment = (file: string) => ({
  HOST: "127.0.0.1",
  PORT: "0",
  DATABASE: file,
  MESSAGE_RATE: "0"
})

/** A process: for what happens to it, or must not happen to others. */
export const start = (file: string, settings: Readonly<Record<string, string>> = {}) =>
  ServerProcess.start({ env: { ...environment(file), ...settings } })

/** The same in this process, which takes a third of the time: to find out what there is. Stopped when the scope closes. */
export const startHere = (file: string, settings: Readonly<Record<string, string>> = {}) =>
  ServerHere.start({ env: { ...environment(file), ...settings } })

/** A client that has been welcomed; `after` is where it was in the lobby. */
export const join = Effect.fnUntraced(function* (port: number, user: string, after?: object) {
  const client = yield* connect({ port })
  yield* client.send({ _tag: "Handshake", user, ...(after && { after: { lobby: after } }) })
  yield* client.find("Welcome")
  return client
})

/** The lobby's, from the answer to a JoinRoom: a room's epoch is the lobby's and a number. */
export const lobbyEpoch = (joined: Readonly<Record<string, unknown>>): string | undefined =>
  String(joined["epoch"]).split(".")[0]

const decodeHistory = Schema.decodeUnknownEffect(ServerMessage.cases.History)

/** All there is of a log: the lobby's, or a room's that this client is in. */
export const readLog = Effect.fnUntraced(function* (client: RawClient, where: { readonly room?: string } = {}) {
  const log: Array<StandingMessage> = []
  let hasMore = true
  while (hasMore) {
    const after = log.at(-1)?.seq ?? 0
    const { messages, more } = yield* decodeHistory(
      yield* client.ask({ _tag: "GetHistory", ...where, after, limit: 500 })
    )
    log.push(...messages)
    hasMore = more
  }
  return log
})

/** Messages as short as they can be told: their places, and what they say. */
export const outline = (messages: ReadonlyArray<Readonly<Record<string, unknown>>>): ReadonlyArray<string> =>
  messages.map(({ content, seq }) => `${String(seq)} ${String(content)}`)

/** A key for a message, from any short word. */
export const keyOf = (word: string): string => word.padStart(16, "-")

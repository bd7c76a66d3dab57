/** History over a real database, whose connections a test has too: to spoil what is in it, or look into it. */
import { readFileSync, writeFileSync } from "node:fs"
import { Array as Arr, Context, Effect, FileSystem, Layer, Queue, type Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Conversation } from "../../../src/common/log/Conversation.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { SearchIndex } from "../../../src/server/search/SearchIndex.ts"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import * as LogTables from "../../../src/server/store/LogTables.ts"
import { migrate } from "../../../src/server/store/Migrations.ts"
import { randomEpoch } from "../../../src/server/store/RandomEpoch.ts"
import * as SqlHistory from "../../../src/server/store/SqlHistory.ts"

export const newFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return `${yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })}/chat.sqlite`
})

/** What stands between the history and its writing connection; nothing, unless a test says otherwise. */
type Between = (writer: SqlClient.SqlClient) => Effect.Effect<SqlClient.SqlClient, SqlError, Scope.Scope>

/** Opens the file for as long as the scope is open. */
export const open = Effect.fnUntraced(function* (file: string, between: Between = Effect.succeed) {
  const sql = yield* SqliteClient.make({
    filename: file,
    setup: ["PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON"]
  })
  yield* Effect.provideService(migrate(), SqlClient.SqlClient, sql)
  const epoch = yield* LogTables.make(sql).epoch(yield* randomEpoch)
  const reader = yield* SqliteClient.make({ filename: file, isReadOnly: true })
  const emptied = yield* Queue.unbounded<RoomName>()
  const writer = yield* between(sql)
  const services = yield* Layer.build(
    SqlHistory.layer.pipe(
      Layer.provide(
        Layer.succeed(SqlHistory.Connections, { writer, reader, epoch, emptied, noteDeletedUnsafe: () => {} })
      ),
      Layer.provide(Layer.mock(SearchIndex, { noteUnsafe: () => {}, makingRoom: (store) => store }))
    )
  )
  return { history: Context.get(services, History), sql, emptied }
})

/** The same with a file of its own. */
export const fresh = (between?: Between) => Effect.flatMap(newFile, (file) => open(file, between))

export const lobby: Conversation = { _tag: "Lobby" }
export const room = (name: string): Conversation => ({ _tag: "Room", room: RoomName.make(name) })

export const entry = (content: string, over: Partial<NewEntry> = {}): NewEntry => ({
  conversation: lobby,
  from: UserName.make("ada"),
  author: undefined,
  body: { _tag: "Said", content },
  at: 1,
  key: undefined,
  ...over
})

/** Stores these contents in the lobby, at the times 1, 2, 3… */
export const say = (history: History["Service"], contents: ReadonlyArray<string>) => {
  const entries = contents.map((content, index) => entry(content, { at: index + 1 }))
  return Arr.isReadonlyArrayNonEmpty(entries) ? history.append(entries) : Effect.succeed([])
}

export const everything = { before: undefined, after: 0, limit: 500 }

/** Overwrites the header of the page of the file that holds this text, as a bad disk might. */
export const spoil = (file: string, text: string) => {
  const bytes = readFileSync(file)
  const pageBytes = bytes.readUInt16BE(16)
  const page = Math.floor(bytes.indexOf(text) / pageBytes)
  bytes.fill(0xff, page * pageBytes, page * pageBytes + 8)
  writeFileSync(file, bytes)
}

/** The index beside a database: what it takes in, and what it lets go. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { TestClock } from "effect/testing"
import { indexSetup } from "../../../src/server/history/Database.ts"
import * as LogTables from "../../../src/server/history/LogTables.ts"
import { migrate } from "../../../src/server/history/Migrations.ts"
import * as OldestMessages from "../../../src/server/history/OldestMessages.ts"
import { randomEpoch } from "../../../src/server/history/RandomEpoch.ts"
import type { Conversation } from "../../../src/server/messages/Conversation.ts"
import { SearchIndex } from "../../../src/server/search/SearchIndex.ts"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"

const lobby: Conversation = { _tag: "Lobby" }

/** A database with some messages in the lobby, and the index beside it. */
const fresh = Effect.fnUntraced(function* (messages: number) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  const database = yield* SqliteClient.make({ filename: `${folder}/chat.sqlite`, setup: ["PRAGMA journal_mode = WAL"] })
  yield* Effect.provideService(migrate(), SqlClient.SqlClient, database)
  const tables = LogTables.make(database)
  yield* tables.epoch(yield* randomEpoch)
  yield* tables.open(new Map([["lobby", lobby]]))
  yield* tables.insertRows(
    Array.from({ length: messages }, (_, index) => [1, index + 1, 1000 + index, "ada", "ripe", null])
  )
  const sql = yield* SqliteClient.make({
    filename: `${folder}/chat.sqlite-search`,
    setup: indexSetup(`${folder}/chat.sqlite`),
    functions: new URL("../../../src/server/search/SearchFunctions.ts", import.meta.url)
  })
  const index = Context.get(yield* Layer.build(SearchIndex.layer(sql)), SearchIndex)
  /** Lets the index do what it does in the background, until so many messages are in it. */
  const holds = (count: number) =>
    Effect.andThen(TestClock.adjust("100 millis"), sql`SELECT COUNT(*) FROM words_docsize`.values).pipe(
      Effect.repeat({ until: (rows) => rows[0]?.[0] === count }),
      Effect.asVoid
    )
  const find = (limit: number) =>
    index.search({
      conversations: new Map([[1, lobby]]),
      isBySeq: true,
      search: { query: "ripe", before: undefined, limit }
    })
  return { database, find, holds, index, tables }
})

layer(NodeFileSystem.layer)("the search index", (it) => {
  it.effect("takes in what was stored before it was there, in more than one step", () =>
    Effect.gen(function* () {
      const { holds } = yield* fresh(1200)
      yield* holds(1200)
    })
  )

  it.effect("finds what it has not taken in yet", () =>
    Effect.gen(function* () {
      const { find } = yield* fresh(3)
      const { found, next } = yield* find(2)
      assert.deepStrictEqual(
        found.map(({ entry }) => entry.seq),
        [3, 2]
      )
      assert.strictEqual(next, 2)
    })
  )

  it.effect("lets go of the words of what was deleted, also of everything", () =>
    Effect.gen(function* () {
      const { database, find, holds, index } = yield* fresh(1200)
      yield* holds(1200)
      yield* database.withTransaction(OldestMessages.make(database).deleteOldest(1700, 700))
      index.noteUnsafe()
      yield* holds(500)
      yield* database.withTransaction(OldestMessages.make(database).deleteOldest(9999, 700))
      index.noteUnsafe()
      yield* holds(0)
      assert.deepStrictEqual((yield* find(1)).found, [])
    })
  )
})

/** A database and the search index beside it, both of the test's. */
import { Context, Effect, FileSystem, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { TestClock } from "effect/testing"
import type { Conversation } from "../../../src/common/log/Conversation.ts"
import type { View } from "../../../src/common/log/Timeline.ts"
import { SearchIndex } from "../../../src/server/search/SearchIndex.ts"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import { indexSetup } from "../../../src/server/store/Database.ts"
import * as LogTables from "../../../src/server/store/LogTables.ts"
import { migrate } from "../../../src/server/store/Migrations.ts"
import { randomEpoch } from "../../../src/server/store/RandomEpoch.ts"
import * as StoredRows from "./StoredRows.ts"

export const lobby: Conversation = { _tag: "Lobby" }

/** What a message says; nothing of a tombstone. */
export const contentOf = (message: View): string => (message._tag === "Message" ? message.content : "")

/** What an index calls. */
export const functions = new URL("../../../src/server/search/SearchFunctions.ts", import.meta.url)

/** A database with these messages in the lobby, and the index beside it. `spare` as in SearchIndex. */
export const fresh = Effect.fnUntraced(function* (
  messages: number | ReadonlyArray<string>,
  spare?: Effect.Effect<unknown>
) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  const file = `${folder}/chat.sqlite`
  const database = yield* SqliteClient.make({ filename: file, setup: ["PRAGMA journal_mode = WAL"] })
  yield* Effect.provideService(migrate(), SqlClient.SqlClient, database)
  yield* LogTables.make(database).epoch(yield* randomEpoch)
  const log = StoredRows.make(database)
  yield* log.open
  const contents = typeof messages === "number" ? Array.from({ length: messages }, () => "ripe") : messages
  yield* log.append(contents.map((content, index) => StoredRows.said(index + 1, content)))
  const sql = yield* SqliteClient.make({
    filename: `${file}-search`,
    setup: indexSetup(file),
    functions
  })
  const index = Context.get(yield* Layer.build(SearchIndex.layer(sql, spare)), SearchIndex)
  /** Lets the index do what it does in the background, until so many messages are in it. */
  const holds = (count: number) =>
    Effect.andThen(TestClock.adjust("100 millis"), sql`SELECT COUNT(*) FROM words_docsize`.values).pipe(
      Effect.repeat({ until: (rows) => rows[0]?.[0] === count }),
      Effect.asVoid
    )
  const search = (query: string, options: { limit?: number; before?: number | undefined; maxBytes?: number } = {}) =>
    index.search({
      conversations: new Map([[1, lobby]]),
      isBySeq: true,
      search: { query, before: options.before, limit: options.limit ?? 500 },
      maxBytes: options.maxBytes
    })
  const seqs = (query: string) => Effect.map(search(query), ({ found }) => found.map(({ message }) => message.seq))
  const find = (limit: number) => search("ripe", { limit })
  return { append: log.append, database, file, find, holds, index, search, seqs, sql }
})

/** So many texts of 8,192 characters behind the first message, stored at once. */
export const storeLong = (database: SqlClient.SqlClient, count: number) => database`
  WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < ${count})
  INSERT INTO messages (conversation, seq, at, sender, content)
  SELECT 1, value + 1, 1, 'ada', replace(hex(zeroblob(4096)), '00', '中国')
  FROM numbers`

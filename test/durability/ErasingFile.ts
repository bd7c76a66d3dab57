/**
 * A database in a file with all that a server has beside it, but for History: what writes, follows, takes in and erases. Rows
 * are stored as StoredRows does.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Context, Effect, Layer, Queue } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Conversation } from "../../src/common/log/Conversation.ts"
import { SearchIndex } from "../../src/server/search/SearchIndex.ts"
import * as SqliteClient from "../../src/server/sql/SqliteClient.ts"
import * as Checkpoints from "../../src/server/store/Checkpoints.ts"
import { indexSetup } from "../../src/server/store/Database.ts"
import * as Erasing from "../../src/server/store/Erasing.ts"
import * as FileWatch from "../../src/server/store/FileWatch.ts"
import * as LogTables from "../../src/server/store/LogTables.ts"
import { migrate } from "../../src/server/store/Migrations.ts"
import { randomEpoch } from "../../src/server/store/RandomEpoch.ts"
import * as StoredRows from "../server/search/StoredRows.ts"

const writerSetup = [
  "PRAGMA synchronous = FULL",
  `PRAGMA busy_timeout = ${Checkpoints.busyMillis}`,
  "PRAGMA wal_autocheckpoint = 0",
  `PRAGMA journal_size_limit = ${FileWatch.keptBytes}`,
  "PRAGMA secure_delete = ON"
]

const lobby: Conversation = { _tag: "Lobby" }

/** Opens it for as long as the scope is open; what was deleted before is erased as it is open. */
export const open = Effect.fnUntraced(function* (file: string) {
  let watch: FileWatch.FileWatch | undefined
  const writer = yield* SqliteClient.make({ filename: file, setup: writerSetup, guarded: () => watch?.guarded() ?? [] })
  const [[tables] = []] = yield* writer`SELECT COUNT(*) FROM sqlite_schema`.values
  if (tables === 0) yield* writer`PRAGMA auto_vacuum = INCREMENTAL`
  yield* writer`PRAGMA journal_mode = WAL`
  yield* Effect.provideService(migrate(), SqlClient.SqlClient, writer)
  yield* LogTables.make(writer).epoch(yield* randomEpoch)
  const sql = yield* SqliteClient.make({
    filename: `${file}-search`,
    setup: [...indexSetup(file), "PRAGMA main.secure_delete = ON"],
    functions: new URL("../../src/server/search/SearchFunctions.ts", import.meta.url)
  })
  const own = yield* SqliteClient.make({
    filename: file,
    setup: ["PRAGMA synchronous = FULL", "PRAGMA busy_timeout = 0"]
  })
  watch = yield* FileWatch.make(file)
  yield* Effect.forkScoped(watch.run)
  const log = { database: file, own, watch, writer }
  yield* Effect.forkScoped(Checkpoints.run(log))
  const deleted = yield* Queue.sliding<void>(1)
  const services = yield* Layer.build(
    Layer.provideMerge(Erasing.layer({ ...log, deleted }), SearchIndex.layer(sql)).pipe(
      Layer.provide(NodeFileSystem.layer)
    )
  )
  const index = Context.get(services, SearchIndex)
  const rows = StoredRows.make(writer)
  const count = (query: Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, SqlError>) =>
    Effect.map(query, (rows) => Number(rows[0]?.[0]))

  return {
    rows,
    writer,
    store: (entries: Parameters<typeof rows.append>[0]) =>
      Effect.tap(rows.append(entries), () =>
        Effect.sync(() => {
          index.noteUnsafe()
          Queue.offerUnsafe(deleted, undefined)
        })
      ),
    /** Places of the messages that are found, newest first. */
    search: (query: string) =>
      Effect.map(
        index.search({
          conversations: new Map([[1, lobby]]),
          isBySeq: true,
          search: { query, before: undefined, limit: 500 }
        }),
        ({ found }) => found.map(({ message }) => message.seq)
      ),
    /** How many entries the index has not taken in. */
    behind: count(sql`SELECT (SELECT MAX(id) FROM chat.messages) - through FROM progress`.values),
    left: count(writer`SELECT COUNT(*) FROM erasures`.values)
  }
})

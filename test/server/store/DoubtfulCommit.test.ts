/** A commit that is carried out and reported as failed, on a real database: what the log says counts, not the report. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Queue } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import { UserName } from "../../../src/common/name/UserName.ts"
import { Content } from "../../../src/common/text/Content.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { SearchIndex } from "../../../src/server/search/SearchIndex.ts"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import * as LogTables from "../../../src/server/store/LogTables.ts"
import { migrate } from "../../../src/server/store/Migrations.ts"
import { randomEpoch } from "../../../src/server/store/RandomEpoch.ts"
import * as SqlHistory from "../../../src/server/store/SqlHistory.ts"
import { silently } from "../../support/FaultyServer.ts"
import { textOf } from "../history/HistoryAsked.ts"

/** The connection of a client, but the answer to an INSERT of messages is lost while `isLosing`. */
const losingAnswers = Effect.fnUntraced(function* (inner: SqlClient.SqlClient, isLosing: () => boolean) {
  const connection = yield* inner.reserve
  const lost = new SqlError({ reason: classifySqliteError(new Error("The answer was lost")) })
  const losing: Connection = {
    ...connection,
    execute: (sql, parameters, transform) =>
      Effect.tap(connection.execute(sql, parameters, transform), () =>
        isLosing() && sql.includes("INSERT INTO messages") ? Effect.fail(lost) : Effect.void
      )
  }
  return yield* SqlClient.make({
    acquirer: Effect.succeed(losing),
    compiler: Statement.makeCompilerSqlite(),
    driver: "losing",
    spanAttributes: []
  }).pipe(Effect.provide(Reactivity.layer))
})

/** A History whose answers can be lost, with the lobby written to once. */
const fresh = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  let isLosing = false
  const sql = yield* SqliteClient.make({ filename: `${folder}/chat.sqlite` })
  yield* Effect.provideService(migrate(), SqlClient.SqlClient, sql)
  const epoch = yield* LogTables.make(sql).epoch(yield* randomEpoch)
  const writer = yield* losingAnswers(sql, () => isLosing)
  const reader = writer
  const services = yield* Layer.build(
    SqlHistory.layer.pipe(
      Layer.provide(
        Layer.succeed(SqlHistory.Connections, {
          writer,
          reader,
          epoch,
          emptied: yield* Queue.unbounded<never>(),
          noteDeletedUnsafe: () => {}
        })
      ),
      Layer.provide(Layer.mock(SearchIndex, { noteUnsafe: () => {}, makingRoom: (store) => store }))
    )
  )
  const history = yield* Effect.provide(History, services)
  yield* history.append([entry("one")])
  return {
    history,
    lose: (lost: boolean) => {
      isLosing = lost
    }
  }
})

const entry = (content: string): NewEntry => ({
  conversation: { _tag: "Lobby" },
  from: UserName.make("ada"),
  author: undefined,
  body: { _tag: "Said", content: Content.make(content) },
  at: 1,
  key: `0123456789abcdef ${content}`
})

layer(NodeFileSystem.layer)("after a commit whose answer was lost", (it) => {
  it.effect("its entries are refused, and the newest place is the log's", () =>
    Effect.gen(function* () {
      const { history, lose } = yield* fresh
      lose(true)
      const refused = yield* Effect.flip(history.append([entry("two"), entry("three")]))
      assert.strictEqual(refused._tag, "StorageUnavailable")
      assert.strictEqual((yield* history.newest({ _tag: "Lobby" })).seq, 3)
    }).pipe(silently)
  )

  it.effect("an entry that comes next has the next place, and a repeat has the place it was given", () =>
    Effect.gen(function* () {
      const { history, lose } = yield* fresh
      lose(true)
      yield* Effect.flip(history.append([entry("two")]))
      lose(false)
      assert.deepStrictEqual(yield* history.append([entry("three"), entry("two")]), [
        { seq: 3, at: 1, repeated: false },
        { seq: 2, at: 1, repeated: true }
      ])
      const { entries } = yield* history.read({ _tag: "Lobby" }, { after: 0, before: undefined, limit: 10 })
      assert.deepStrictEqual<ReadonlyArray<string>>(entries.map(textOf), ["one", "two", "three"])
    }).pipe(silently)
  )
})

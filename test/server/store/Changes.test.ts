import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Effect, Exit, Layer, Queue } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import type { RoomName } from "../../../src/common/name/RoomName.ts"
import { SearchIndex } from "../../../src/server/search/SearchIndex.ts"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import { Changes, maxChanges } from "../../../src/server/store/Changes.ts"
import { Connections } from "../../../src/server/store/SqlHistory.ts"
import { newFile } from "./OpenLog.ts"

/** Changes of a table `numbers`, in which each number stands once; and what the writer was told to begin. */
const changing = <A, E>(
  use: (make: Changes["Service"]["make"], sql: SqlClient.SqlClient, begun: () => number) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const sql = yield* SqliteClient.make({ filename: yield* newFile })
    yield* sql`CREATE TABLE numbers (number INTEGER PRIMARY KEY)`
    let begun = 0
    const counting: SqlClient.SqlClient = new Proxy(sql, {
      get: (target, name) => {
        if (name === "withTransaction") begun++
        return Reflect.get(target, name)
      }
    })
    const emptied = yield* Queue.unbounded<RoomName>()
    const connections = Layer.succeed(Connections, {
      writer: counting,
      reader: sql,
      epoch: Epoch.make("test"),
      emptied,
      noteDeletedUnsafe: () => {}
    })
    const run = Effect.gen(function* () {
      const { make } = yield* Changes
      return yield* use(make, sql, () => begun)
    })
    return yield* Effect.provide(
      run,
      Layer.provide(Changes.layer, [
        connections,
        Layer.mock(SearchIndex, { noteUnsafe: () => {}, makingRoom: (store) => store })
      ])
    )
  }).pipe(Effect.scoped)

const numbersIn = (sql: SqlClient.SqlClient) =>
  Effect.map(sql`SELECT number FROM numbers ORDER BY number`.values, (rows) => rows.map(([number]) => number))

layer(NodeFileSystem.layer)("Changes", (it) => {
  it.effect("are committed many at once, each with its own answer", () =>
    changing((make, sql, begun) =>
      Effect.gen(function* () {
        const count = 10 * maxChanges
        const answers = yield* Effect.forEach(
          Arr.range(1, count),
          (number) => make(Effect.as(sql`INSERT INTO numbers VALUES (${number})`, `done ${number}`)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          answers,
          Arr.range(1, count).map((number) => `done ${number}`)
        )
        assert.deepStrictEqual(yield* numbersIn(sql), Arr.range(1, count))
        // As many in each transaction as it takes, but for what came first and last.
        assert.isAtLeast(begun(), 10)
        assert.isAtMost(begun(), 12)
      })
    )
  )

  it.effect("that fail, in whatever way, sink no others and leave nothing of themselves", () =>
    changing((make, sql) =>
      Effect.gen(function* () {
        const insert = (number: number) => sql`INSERT INTO numbers VALUES (${number})`
        const outcomes = yield* Effect.forEach(
          [
            insert(1),
            Effect.andThen(insert(2), insert(1)),
            insert(3),
            Effect.andThen(insert(4), Effect.die(new Error("a defect"))),
            insert(5),
            sql`SELECT nothing`
          ],
          (change) => Effect.exit(make(change)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(outcomes.map(Exit.isSuccess), [true, false, true, false, true, false])
        assert.deepStrictEqual(yield* numbersIn(sql), [1, 3, 5])
        // And it goes on.
        yield* make(insert(6))
        assert.deepStrictEqual(yield* numbersIn(sql), [1, 3, 5, 6])
      })
    )
  )

  it.effect("are carried out in the order in which they came", () =>
    changing((make, sql) =>
      Effect.gen(function* () {
        const newest = sql`SELECT MAX(number) FROM numbers`.values
        const seen = yield* Effect.forEach(
          Arr.range(1, 3 * maxChanges),
          (number) => make(Effect.andThen(sql`INSERT INTO numbers VALUES (${number})`, newest)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          seen.map(([row]) => row?.[0]),
          Arr.range(1, 3 * maxChanges)
        )
      })
    )
  )
})

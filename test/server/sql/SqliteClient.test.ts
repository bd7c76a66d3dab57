/** The connection to SQLite, in its thread. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"

const functions = new URL("ThreadFunctions.ts", import.meta.url)

/** A client on a file of its own with one table, and the file's name. */
const fresh = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  const filename = `${folder}/test.sqlite`
  const sql = yield* SqliteClient.make({ filename, functions, setup: ["PRAGMA journal_mode = WAL"] })
  yield* sql`CREATE TABLE notes (id INTEGER PRIMARY KEY, text)`
  return { filename, sql }
})

layer(NodeFileSystem.layer)("a SQLite client", (it) => {
  it.effect("binds what SQLite has, and true and false as 1 and 0", () =>
    Effect.gen(function* () {
      const { sql } = yield* fresh
      for (const value of ["ä\u0000'\"", 1.5, null, true, new Uint8Array([0, 255])]) {
        yield* sql`INSERT INTO notes (text) VALUES (${value})`
      }
      assert.deepStrictEqual(yield* sql`SELECT text FROM notes ORDER BY id`.values, [
        ["ä\u0000'\""],
        [1.5],
        [null],
        [1],
        [new Uint8Array([0, 255])]
      ])
    })
  )

  it.effect("inserts a rowid beyond 2^53 without calling it a failure", () =>
    Effect.gen(function* () {
      const { sql } = yield* fresh
      yield* sql`INSERT INTO notes (id, text) VALUES (9007336693694466, 'far')`
      assert.deepStrictEqual(yield* sql`SELECT text FROM notes`.values, [["far"]])
    })
  )

  it.effect("answers many askers at once, each with its own rows, and keeps a transaction to itself", () =>
    Effect.gen(function* () {
      const { sql } = yield* fresh
      const numbers = Array.from({ length: 50 }, (_, index) => index)
      const add = (number: number) =>
        sql.withTransaction(
          Effect.gen(function* () {
            const [[count] = []] = yield* sql`SELECT COUNT(*) FROM notes`.values
            yield* sql`INSERT INTO notes (id, text) VALUES (${count}, ${number})`
          })
        )
      yield* Effect.forEach(numbers, add, { concurrency: "unbounded" })
      const answers = yield* Effect.forEach(numbers, (number) => sql`SELECT ${number} AS n`, {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        answers.map(([row]) => row?.["n"]),
        numbers
      )
      assert.deepStrictEqual(yield* sql`SELECT MAX(id), COUNT(*) FROM notes`.values, [[49, 50]])
    })
  )

  it.effect("undoes a transaction that fails", () =>
    Effect.gen(function* () {
      const { sql } = yield* fresh
      const failing = Effect.andThen(sql`INSERT INTO notes (text) VALUES ('lost')`, sql`SELECT nonsense FROM nowhere`)
      const error = yield* Effect.flip(sql.withTransaction(failing))
      assert.match(error.message, /no such table: nowhere/)
      assert.deepStrictEqual(yield* sql`SELECT COUNT(*) FROM notes`.values, [[0]])
    })
  )

  it.effect("calls the functions of a module", () =>
    Effect.gen(function* () {
      const { sql } = yield* fresh
      assert.deepStrictEqual(yield* sql`SELECT shout('hey')`.values, [["HEY!"]])
    })
  )

  it.effect("opens the database again after its thread has ended, with what was committed and nothing else", () =>
    Effect.gen(function* () {
      const { sql } = yield* fresh
      yield* sql`INSERT INTO notes (text) VALUES ('kept')`
      const dying = sql.withTransaction(
        Effect.andThen(sql`INSERT INTO notes (text) VALUES ('lost')`, sql`SELECT endThread()`)
      )
      const waiting = sql`SELECT text FROM notes`.values
      const [died, read] = yield* Effect.all([Effect.exit(dying), Effect.exit(waiting)], { concurrency: "unbounded" })
      assert.strictEqual(died._tag, "Failure")
      assert.deepStrictEqual(read._tag === "Success" ? read.value : read, [["kept"]])
      yield* sql`INSERT INTO notes (text) VALUES ('afterwards')`
      assert.deepStrictEqual(yield* sql`SELECT text FROM notes ORDER BY id`.values, [["kept"], ["afterwards"]])
    })
  )
})

/** What happens to a file of today when the parley of tomorrow cannot bring it up to date. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { migrations } from "../../src/server/store/Migrations.ts"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"
import * as StoredLog from "./StoredLog.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const lines = Array.from({ length: 300 }, (_, index) => ({ content: `line ${index + 1}`, key: `${index}` }))

/** Gets far, and fails at its last statement. */
const breaking = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE reactions (message INTEGER NOT NULL, emoji TEXT NOT NULL)`
  yield* sql`ALTER TABLE messages ADD COLUMN edited INTEGER`
  yield* sql`DELETE FROM messages WHERE id % 2 = 0`
  yield* sql`INSERT INTO no_such_table VALUES (1)`
})
const dying = Effect.andThen(breaking.pipe(Effect.ignore), Effect.die(new Error("out of luck")))

realTime("a migration that fails", (it) => {
  it.effect.each([
    { how: "with an error", migration: breaking, says: /chat\.sqlite.*no such table.*The file is as it was/ },
    { how: "with a defect", migration: dying, says: /out of luck/ }
  ])("$how says so and leaves the file as it was, for the old version to open", ({ migration, says }) =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFile
      yield* Logbook.fill(file, lines)
      const before = { bytes: yield* files.readFile(file), log: StoredLog.read(file) }

      const schema = { ...migrations, "99_broken": migration }
      const outcome = yield* Effect.exit(Effect.scoped(Logbook.open(file, { schema })))
      assert.strictEqual(outcome._tag, "Failure")
      assert.match(String(outcome), says)

      assert.deepStrictEqual(yield* files.readFile(file), before.bytes)
      assert.deepStrictEqual(StoredLog.read(file), before.log)
      const history = yield* Logbook.open(file)
      assert.lengthOf(yield* Logbook.contents(history), lines.length)
      const [stored] = yield* Logbook.write(history, [{ content: "and on" }])
      assert.propertyVal(stored, "seq", lines.length + 1)
    })
  )

  it.effect("is not half remembered: once it is mended, it is carried out as a whole", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFile
      yield* Logbook.fill(file, lines)
      yield* Effect.exit(Effect.scoped(Logbook.open(file, { schema: { ...migrations, "99_broken": breaking } })))
      const mended = Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE TABLE reactions (message INTEGER NOT NULL, emoji TEXT NOT NULL)`
      })
      const history = yield* Logbook.open(file, { schema: { ...migrations, "99_broken": mended } })
      assert.lengthOf(yield* Logbook.contents(history), lines.length)
    })
  )
})

/** What happens to a file of today when the parley of tomorrow cannot bring it up to date. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Epoch } from "../../src/common/log/Cursor.ts"
import type { Body } from "../../src/common/log/Entry.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { inspect } from "../../src/server/admin/Verify.ts"
import type { NewEntry } from "../../src/server/history/History.ts"
import * as SqliteClient from "../../src/server/sql/SqliteClient.ts"
import { checksum } from "../../src/server/store/Checksum.ts"
import { applicationId } from "../../src/server/store/Database.ts"
import { migrate, migrations } from "../../src/server/store/Migrations.ts"
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
      const file = yield* FileServer.newFileInMemory
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
      const file = yield* FileServer.newFileInMemory
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

/** A database as parley left it before there were kinds of entries: tables 1 and 2, with rows. */
const before = Effect.fnUntraced(function* (file: string) {
  const sql = yield* SqliteClient.make({ filename: file, setup: ["PRAGMA auto_vacuum = INCREMENTAL"] })
  const first = Object.fromEntries(Object.entries(migrations).slice(0, 2))
  yield* sql`PRAGMA application_id = ${sql.literal(`${applicationId}`)}`
  yield* sql`PRAGMA journal_mode = WAL`
  yield* Effect.provideService(migrate(first), SqlClient.SqlClient, sql)
  yield* sql`INSERT INTO incarnation (epoch, removed_through) VALUES ('today', 7)`
  yield* sql`INSERT INTO conversations VALUES (1, 'lobby', 'Lobby', '', 2), (9, 'room:dev', 'Room', 'Dev', 0)`
  for (const [conversation, places] of [
    [1, [3, 4, 5]],
    [9, [1, 2]]
  ] as const) {
    for (const seq of places) {
      const content = `text ${seq} 😀`
      const sum = checksum(conversation, seq, 1000 + seq, "ada", content)
      yield* sql`
        INSERT INTO messages (conversation, seq, at, sender, content, idempotency_key, checksum)
        VALUES (${conversation}, ${seq}, ${1000 + seq}, 'ada', ${content}, ${`ada ${FileServer.keyOf(`${seq}`)}`}, ${sum})`
    }
  }
}, Effect.scoped)

realTime("a database from before there were kinds of entries", (it) => {
  it.effect("opens with all there was, and its messages may be answered, reacted to and erased", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      yield* before(file)
      const history = yield* Logbook.open(file)
      assert.deepStrictEqual(yield* Logbook.contents(history), ["3 text 3 😀", "4 text 4 😀", "5 text 5 😀"])
      assert.deepStrictEqual(history.rooms, [RoomName.make("Dev")])
      assert.deepStrictEqual(yield* history.newest(Logbook.room("dev")), { epoch: Epoch.make("today.9"), seq: 2 })
      assert.deepStrictEqual(yield* history.newest(Logbook.room("new")), { epoch: Epoch.make("today.10"), seq: 0 })
      const [again] = yield* Logbook.write(history, [{ content: "text 4 😀", key: "4" }])
      assert.deepStrictEqual(again, { seq: 4, at: 1004, repeated: true })
      const { targets } = yield* history.facts(Logbook.lobby, { keys: [], targets: [2, 3], reactors: [] })
      assert.deepStrictEqual(
        Array.from(targets.values(), ({ author, is }) => [is, author]),
        [
          ["Message", undefined],
          ["Gone", undefined]
        ]
      )
      const act = (body: Body): NewEntry => ({
        conversation: Logbook.lobby,
        from: UserName.make("bob"),
        author: undefined,
        body,
        at: 2000,
        key: undefined
      })
      yield* history.append([
        act({ _tag: "Reacted", target: 3, reaction: "👍" }),
        act({ _tag: "Deleted", target: 4 }),
        act({ _tag: "Said", content: "yes", replyTo: 5 })
      ])
      const { messages } = yield* history.standing(Logbook.lobby, { after: 0, before: undefined, limit: 10 })
      assert.deepStrictEqual(
        messages.map((one) => [one.seq, one._tag === "Message" ? one.reactions.length : one._tag]),
        [
          [3, 1],
          [4, "Tombstone"],
          [5, 0],
          [8, 0]
        ]
      )
      const { problems } = yield* Effect.provideService(inspect(file, file), Progress, Progress.silent)
      assert.deepStrictEqual(
        problems.filter((problem) => !problem.includes("effect_sql")),
        []
      )
    })
  )

  it.effect("stays as it was if it cannot be brought up to date", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFileInMemory
      yield* before(file)
      const bytes = yield* files.readFile(file)
      // All that is missing is added in one transaction, so what fails behind it takes the kinds back, too.
      const schema = { ...migrations, "99_broken": breaking }
      assert.match(String(yield* Effect.exit(Effect.scoped(Logbook.open(file, { schema })))), /no such table/)
      assert.deepStrictEqual(yield* files.readFile(file), bytes)
      assert.lengthOf(yield* Logbook.contents(yield* Logbook.open(file)), 3)
    })
  )
})

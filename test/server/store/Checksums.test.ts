/** Every row has its checksum: those that are stored, and those of a database from before there were any. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import { checksum } from "../../../src/server/store/Checksum.ts"
import { migrate, migrations } from "../../../src/server/store/Migrations.ts"
import { silently } from "../../support/FaultyServer.ts"
import { entry, everything, fresh, lobby, newFile, open, room, spoil } from "./OpenLog.ts"

/** How many rows there are, and which of them do not have the checksum they should. */
const check = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const rows = yield* sql`SELECT conversation, seq, at, sender, content, checksum FROM messages`.values
  const wrong = rows.filter(
    ([conversation, seq, at, sender, content, stored]) =>
      stored !== checksum(Number(conversation), Number(seq), Number(at), String(sender), String(content))
  )
  return { count: rows.length, wrong }
})

/** A database as the first parley left it. */
const old = Effect.fnUntraced(function* (file: string, messages: number) {
  const sql = yield* SqliteClient.make({ filename: file })
  const first = Object.fromEntries(Object.entries(migrations).slice(0, 1))
  yield* Effect.provideService(migrate(first), SqlClient.SqlClient, sql)
  yield* sql`INSERT INTO incarnation VALUES ('old')`
  yield* sql`INSERT INTO conversations VALUES (1, 'lobby', 'Lobby', '', 0), (2, 'room:dev', 'Room', 'dev', 0)`
  yield* sql`
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${messages})
    INSERT INTO messages (conversation, seq, at, sender, content)
    SELECT 1 + n % 2, (n + 1) / 2, n, 'Zoë', 'é 漢 😀 ' || n FROM numbers`
  yield* sql`DELETE FROM messages WHERE id % 1000 = 7`
  return sql
})

layer(NodeFileSystem.layer)("the checksums", (it) => {
  it.effect("fit everything that is stored", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* history.append([
        entry("é 😀", { at: 70 }),
        entry("a", { at: 3 }),
        entry("b", { conversation: room("dev") })
      ])
      yield* history.append([entry("c", { key: "0123456789abcdef" }), entry("c", { key: "0123456789abcdef" })])
      assert.deepStrictEqual(yield* check(sql), { count: 4, wrong: [] })
    })
  )

  it.effect("are given to all rows of an older database, of which nothing else is changed", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const before = yield* Effect.scoped(
        Effect.flatMap(old(file, 2500), (sql) => sql`SELECT * FROM messages ORDER BY id`)
      )
      const { history, sql } = yield* open(file)
      assert.deepStrictEqual(yield* check(sql), { count: 2497, wrong: [] })
      const after = yield* sql`
        SELECT id, conversation, seq, at, sender, content, idempotency_key FROM messages ORDER BY id`
      assert.deepStrictEqual(after, before)
      assert.deepStrictEqual([...history.rooms], ["dev"])
      assert.strictEqual((yield* history.newest(room("dev"))).epoch, "old.2")
    })
  )

  it.effect("are left out of a row that cannot have one, which keeps nobody from starting", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.scoped(
        Effect.flatMap(old(file, 20), (sql) => sql`UPDATE messages SET content = x'00ff' WHERE id = 3`)
      )
      const { sql } = yield* open(file)
      const rows = yield* sql`SELECT id FROM messages WHERE checksum IS NULL`.values
      assert.deepStrictEqual(rows.flat(), [3])
    })
  )

  it.effect("are left out of a damaged database, which is opened and written to all the same", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.scoped(old(file, 2500))
      spoil(file, "😀 1200")
      const { history, sql } = yield* open(file)
      assert.lengthOf((yield* history.read(lobby, { ...everything, after: 400 })).entries, 500)
      yield* history.append([entry("a")])
      const [newest] = yield* sql`SELECT checksum FROM messages ORDER BY id DESC LIMIT 1`.values
      assert.isNumber(newest?.[0])
      const [oldest] = yield* sql`SELECT checksum FROM messages ORDER BY id LIMIT 1`.values
      assert.isNull(oldest?.[0])
    }).pipe(silently)
  )
})

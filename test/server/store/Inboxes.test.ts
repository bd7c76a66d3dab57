/** Inboxes as rows of a database: what a page of one partner costs, what can be asked of them, and what deleting leaves. */
import { readFileSync } from "node:fs"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Result } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Inbox } from "../../../src/common/log/Conversation.ts"
import type { Body } from "../../../src/common/log/Entry.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { Partner } from "../../../src/server/history/Partner.ts"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import * as Database from "../../../src/server/store/Database.ts"
import * as StandingRows from "../../../src/server/store/StandingRows.ts"
import * as Eventually from "../../durability/Eventually.ts"
import { fresh as freshStore, newFile, open } from "./OpenLog.ts"

const withFiles = Effect.provide(NodeFileSystem.layer)
const fresh = () => withFiles(freshStore())

const inbox = (user: string, account: number): Inbox => ({ _tag: "Inbox", user: UserName.make(user), account })
const ada = inbox("ada", 1)
const bob = inbox("bob", 2)
const cleo = inbox("cleo", 3)

const exchange = (from: Inbox, to: Inbox, body: Body): NewEntry => ({
  conversation: from,
  twin: to,
  from: from.user,
  to: to.user,
  author: undefined,
  body,
  at: 1_790_000_000_000,
  key: undefined
})
const say = (from: Inbox, to: Inbox, content: string) => exchange(from, to, { _tag: "Said", content })
const newest = { before: undefined, after: undefined, limit: 50 }

/** The number of ada's inbox. */
const numberOf = (sql: SqlClient.SqlClient) =>
  Effect.map(sql`SELECT id FROM conversations WHERE conversation_key = 'inbox:#1'`.values, (rows) =>
    Number(rows[0]?.[0])
  )

describe("An inbox in a database", () => {
  it.live("has one epoch for good, also before anything is in it: what then comes is missed by nobody", () =>
    Effect.gen(function* () {
      const file = yield* withFiles(newFile)
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const { history } = yield* open(file)
          return yield* Effect.forEach([ada, bob, cleo], history.newest)
        })
      )
      assert.strictEqual(new Set(before.map(({ epoch }) => epoch)).size, 3)
      const { history } = yield* open(file)
      yield* history.append([say(cleo, bob, "the first")])
      const after = yield* Effect.forEach([cleo, bob, ada], history.newest)
      assert.deepStrictEqual(
        after.map(({ epoch }) => epoch),
        before.map(({ epoch }) => epoch).toReversed()
      )
    })
  )

  it.live("reads what it has with one partner without looking at the rest, however much that is", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* history.append([say(ada, bob, "one"), say(bob, ada, "two"), say(cleo, ada, "other")])
      const number = yield* numberOf(sql)
      yield* sql`
        WITH RECURSIVE numbers (n) AS (SELECT 4 UNION ALL SELECT n + 1 FROM numbers WHERE n < 50000)
        INSERT INTO messages (conversation, seq, at, sender, content, kind, receiver, partner)
        SELECT ${number}, n, 5, 'cleo', 'x', 'Said', 'ada', '#3' FROM numbers`
      const source = StandingRows.make(sql)
      const range = { ...newest, with: Partner.make("#2") }
      for (const isForwards of [true, false]) {
        const [text, parameters] = source.rows(number, range, isForwards).compile()
        const plan = yield* sql.unsafe(`EXPLAIN QUERY PLAN ${text}`, parameters).values
        const steps = plan.map((step) => String(step.at(-1))).filter((step) => step.startsWith("S"))
        assert.deepStrictEqual(steps, [
          "SEARCH messages USING COVERING INDEX messages_private_standing (conversation=? AND partner=? AND seq>? AND seq<?)",
          "SCAN page",
          "SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)",
          "SEARCH standing USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN"
        ])
      }
      const { messages, more } = yield* history.standing(ada, range, 1_000_000)
      assert.deepStrictEqual([messages.map(({ seq }) => seq), more], [[1, 2], false])
    }).pipe(Effect.scoped)
  )

  it.live("gives no place to half an exchange, if one of its rows is refused", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* history.append([say(ada, bob, "one")])
      yield* sql`
        CREATE TRIGGER no_second BEFORE INSERT ON messages WHEN NEW.partner = '#1' AND NEW.content = 'two' BEGIN
          SELECT RAISE(ABORT, 'no');
        END`.unprepared
      assert.isTrue(Result.isFailure(yield* Effect.result(history.append([say(ada, bob, "two")]))))
      assert.deepStrictEqual((yield* history.newest(ada)).seq, 1)
      assert.lengthOf((yield* history.read(ada, newest)).entries, 1)
      const [mine] = yield* history.append([say(ada, cleo, "three")])
      assert.deepInclude(mine, { seq: 2, repeated: false })
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
  )

  it.live("leaves nothing of what was deleted, on neither side, in any file", () =>
    Effect.gen(function* () {
      const file = yield* withFiles(newFile)
      const secret = "Zugzwangler"
      const layer = Database.layerFile({ file, retention: "forever" }).pipe(Layer.provide(NodeFileSystem.layer))
      const history = Context.get(yield* Layer.build(layer), History)
      yield* history.append([say(cleo, bob, "first"), say(ada, bob, "plain")])
      yield* history.append([exchange(ada, bob, { _tag: "Edited", target: 1, content: secret })])
      const search = { query: secret, before: undefined, limit: 9 }
      for (const one of [ada, bob]) assert.lengthOf((yield* history.search([one], search)).found, 1)
      yield* history.append([exchange(ada, bob, { _tag: "Deleted", target: 1 })])
      for (const one of [ada, bob]) {
        assert.lengthOf((yield* history.search([one], search)).found, 0)
        assert.notInclude(JSON.stringify(yield* history.read(one, newest)), secret)
      }
      const traces = () =>
        ["", "-wal", "-search", "-search-wal"].filter((ending) =>
          readFileSync(`${file}${ending}`).toString("latin1").toLowerCase().includes(secret.toLowerCase())
        )
      yield* Eventually.ask("nothing of it was left", Effect.sync(traces), (found) => found.length === 0)
      const sql = yield* SqliteClient.make({ filename: file, isReadOnly: true })
      for (const table of ["standing", "reactors"]) {
        assert.deepStrictEqual(yield* sql`SELECT COUNT(*) FROM ${sql(table)}`.values, [[0]])
      }
    }).pipe(Effect.scoped)
  )
})

/** A commit that SQLite refuses: who is refused then, and how fast. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Effect, Result } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import { silently } from "../../support/FaultyServer.ts"
import { entry, everything, fresh, room } from "./OpenLog.ts"

/** Sees every INSERT of messages, which fails with this result code of SQLite's while there is one. */
const watching = (state: { code: number | undefined; inserts: number }) =>
  Effect.fnUntraced(function* (inner: SqlClient.SqlClient) {
    const connection = yield* inner.reserve
    const failure = () => {
      const cause = Object.assign(new Error("spoilt by the test"), { errno: state.code })
      return new SqlError({ reason: classifySqliteError(cause) })
    }
    return yield* SqlClient.make({
      acquirer: Effect.succeed({
        ...connection,
        execute: (sql, parameters, transform) => {
          if (!sql.includes("INSERT INTO messages")) return connection.execute(sql, parameters, transform)
          state.inserts++
          return state.code === undefined
            ? connection.execute(sql, parameters, transform)
            : Effect.andThen(connection.execute("SELECT 1", [], undefined), Effect.fail(failure()))
        }
      }),
      compiler: Statement.makeCompilerSqlite(),
      driver: "watching",
      spanAttributes: []
    }).pipe(Effect.provide(Reactivity.layer))
  })

/** Forbids some contents, as a row that breaks a constraint would. */
const forbid = `
  CREATE TRIGGER forbid BEFORE INSERT ON messages WHEN NEW.content LIKE 'bad%'
  BEGIN SELECT RAISE(ABORT, 'a constraint of the test'); END`

layer(NodeFileSystem.layer)("a commit that the database refuses", (it) => {
  it.effect("because of some rows is stored without the appends that have them", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* history.append([entry("first")])
      yield* sql.unsafe(forbid)
      const contents = Arr.makeBy(60, (index) => (index % 17 === 5 ? `bad ${index}` : `good ${index}`))
      const conversationOf = (index: number) => (index % 3 === 0 ? room("dev") : room(`room${index % 7}`))
      const outcomes = yield* Effect.forEach(
        contents,
        (content, index) => Effect.result(history.append([entry(content, { conversation: conversationOf(index) })])),
        { concurrency: "unbounded" }
      )
      for (const [index, content] of contents.entries()) {
        const outcome = outcomes[index]
        assert.strictEqual(outcome !== undefined && Result.isSuccess(outcome), content.startsWith("good"), content)
        if (outcome === undefined || Result.isFailure(outcome)) continue
        const { entries } = yield* history.read(conversationOf(index), everything)
        assert.deepInclude(entries[(outcome.success[0]?.seq ?? 0) - 1]?.body, { content })
      }
      const [count] = yield* sql`SELECT COUNT(*) AS count FROM messages`
      assert.strictEqual(count?.["count"], 1 + contents.filter((content) => content.startsWith("good")).length)
    }).pipe(silently)
  )

  it.effect("because of the disk is refused as a whole, with one attempt", () =>
    Effect.gen(function* () {
      const state: { code: number | undefined; inserts: number } = { code: undefined, inserts: 0 }
      const { history } = yield* fresh(watching(state))
      yield* history.append([entry("first")])
      // FULL, IOERR, BUSY.
      for (const code of [13, 10, 5]) {
        state.code = code
        state.inserts = 0
        const outcomes = yield* Effect.forEach(
          Arr.makeBy(50, (index) => entry(`${index}`)),
          (one) => Effect.result(history.append([one])),
          { concurrency: "unbounded" }
        )
        assert.isTrue(outcomes.every(Result.isFailure))
        assert.strictEqual(state.inserts, 1)
      }
      state.code = undefined
      assert.deepStrictEqual(yield* history.append([entry("last")]), [{ seq: 2, at: 1, repeated: false }])
    }).pipe(silently)
  )
})

/** What does not wait for the disk: the end of a client whose thread does, and what need not be synced. */
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Scope } from "effect"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import * as UnsyncedTransaction from "../../../src/server/sql/UnsyncedTransaction.ts"
import * as FileServer from "../../durability/FileServer.ts"
import * as Logbook from "../../durability/Logbook.ts"

/** With real time; a statement waits up to a minute for a lock, as it would for a disk. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })
const patient = ["PRAGMA journal_mode = WAL", "PRAGMA busy_timeout = 60000"]

/** Another program that writes, and so keeps everybody else from it until the scope closes. */
const occupy = (filename: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const database = new DatabaseSync(filename)
      database.exec("BEGIN IMMEDIATE")
      return database
    }),
    (database) => Effect.sync(() => database.close())
  )

/** Far more than a busy machine adds to the second that a statement under way is waited for, and half of what that waits. */
const soon = Duration.seconds(30)

const fresh = Effect.fnUntraced(function* (options?: Partial<SqliteClient.SqliteOptions>) {
  const filename = `${yield* FileServer.newFolder}/test.sqlite`
  const scope = yield* Scope.make()
  const sql = yield* Scope.provide(SqliteClient.make({ filename, setup: patient, ...options }), scope)
  yield* sql`CREATE TABLE notes (text)`
  return { filename, scope, sql }
})

realTime("a SQLite client whose thread is in a statement that takes for ever", (it) => {
  it.effect("is closed a second later, and the statement fails", () =>
    Effect.gen(function* () {
      const { filename, scope, sql } = yield* fresh()
      yield* occupy(filename)
      const asked = yield* Effect.forkScoped(Effect.exit(sql`INSERT INTO notes VALUES ('never')`), {
        startImmediately: true
      })
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      assert.isTrue(Duration.isLessThan(took, soon), Duration.format(took))
      assert.isTrue(Exit.isFailure(yield* Fiber.join(asked)))
    })
  )

  it.effect("lets go of whoever waits when all is about to close, in the middle of a transaction too", () =>
    Effect.gen(function* () {
      const closing = Deferred.makeUnsafe<void>()
      const { filename, sql } = yield* fresh({ closing })
      yield* occupy(filename)
      const both = [sql.withTransaction(sql`INSERT INTO notes VALUES ('never')`), sql`INSERT INTO notes VALUES ('nor')`]
      const asked = yield* Effect.forkScoped(Effect.forEach(both, Effect.exit, { concurrency: "unbounded" }), {
        startImmediately: true
      })
      yield* Deferred.succeed(closing, undefined)
      const [took] = yield* Effect.timed(Fiber.interrupt(asked))
      assert.isTrue(Duration.isLessThan(took, soon), Duration.format(took))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(sql`SELECT 1`)))
    })
  )

  const closeLog = Effect.gen(function* () {
    const file = yield* FileServer.newFileInMemory
    const scope = yield* Scope.make()
    const history = yield* Scope.provide(Logbook.open(file), scope)
    yield* Logbook.write(history, [{ content: "one" }])
    yield* occupy(file)
    yield* Effect.forkScoped(Logbook.write(history, [{ content: "two" }]), { startImmediately: true })
    // In the queue behind it, and in need of a transaction.
    yield* Effect.forkScoped(Logbook.write(history, [{ content: "leaf", conversation: Logbook.room("garden") }]), {
      startImmediately: true
    })
    const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
    return took
  }).pipe(Effect.scoped)

  it.effect("does not keep a server's log from being closed in time", () =>
    Effect.gen(function* () {
      // There a statement waits for five seconds: a machine that is too busy to tell is asked again.
      const took = yield* Effect.repeat(closeLog, { until: Duration.isLessThan(Duration.millis(4900)), times: 2 })
      assert.isTrue(Duration.isLessThan(took, Duration.millis(4900)), Duration.format(took))
    })
  )
})

realTime("a transaction that is not synced", (it) => {
  it.effect("is all or nothing, nobody comes in between, and the next one is synced again", () =>
    Effect.gen(function* () {
      const { scope, sql } = yield* fresh()
      yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
      const levels = Effect.map(sql`PRAGMA synchronous`.values, ([row]) => row?.[0])
      const add = (text: string) => sql`INSERT INTO notes VALUES (${text})`
      yield* sql`PRAGMA synchronous = FULL`

      const several = UnsyncedTransaction.run(sql, Effect.andThen(add("one"), Effect.andThen(add("two"), levels)))
      const [inside, outside] = yield* Effect.all([several, levels], { concurrency: "unbounded" })
      assert.deepStrictEqual([inside, outside], [1, 2])

      const failing = UnsyncedTransaction.run(sql, Effect.andThen(add("three"), sql`SELECT nonsense FROM nowhere`))
      assert.match((yield* Effect.flip(failing)).message, /no such table/)
      assert.strictEqual(yield* levels, 2)
      assert.deepStrictEqual(yield* sql`SELECT text FROM notes`.values, [["one"], ["two"]])
    })
  )
})

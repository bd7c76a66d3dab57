/**
 * A `SqlClient` over Node's own SQLite. There is no release of `@effect/sql-sqlite-node` for effect 4.1; once there is,
 * it replaces this file and `SqliteThread.ts`, and nothing above has to change.
 *
 * Each client is one connection in a thread of its own, so that neither a slow disk nor a long query holds up the event
 * loop. Questions are answered in order. A thread that ends unasked fails what it was asked; the next statement opens
 * the database again. A round trip takes 0.1 to 0.2 ms.
 *
 * Bounds: the semaphore lets one statement, or one transaction, be under way. A thread that is in a statement cannot be
 * ended, only be left alone: once `closing` is done, or its scope closes, nobody waits for one longer than `patience`.
 */
import { Worker } from "node:worker_threads"
import { Deferred, Effect, Exit, type Scope, Semaphore, Stream } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import type { FileIdentity } from "./FileIdentity.ts"
import type { Answer, Question, Setup } from "./SqliteThread.ts"

/** A commit takes some milliseconds. What takes longer than this waits for a disk that does not answer. */
const patience = "1 second"

export interface SqliteOptions {
  /** A file; it is created if it is missing, unless only to be read. */
  readonly filename: string
  readonly isReadOnly?: boolean
  /** What has the connection, if it is to be no thread of this process. */
  readonly start?: (setup: Setup) => Host
  /** Statements to run whenever the connection is opened: pragmas, ATTACH. */
  readonly setup?: ReadonlyArray<string>
  /** A module without imports whose exported functions can be called in SQL. */
  readonly functions?: URL
  /**
   * Done when the server is about to close: statements under way fail `patience` later. Uninterruptible ones, as they all
   * are, would otherwise keep their fibers, and the scopes those are in, for as long as the disk takes.
   */
  readonly closing?: Deferred.Deferred<void>
  /** Files that have to be what they were: otherwise whatever writes fails, with SQLITE_READONLY_DBMOVED. */
  readonly guarded?: () => ReadonlyArray<FileIdentity>
}

type Shape = Question["rowsAs"]
type Row = Record<string, unknown>
type Asked = Deferred.Deferred<ReadonlyArray<Row>, SqlError>

interface Thread extends Connection {
  readonly isGone: () => boolean
  readonly isTransaction: () => boolean
  readonly close: Effect.Effect<void>
  /** Fails what it was asked and leaves it to itself. */
  readonly abandonUnsafe: () => void
}

/** Opens the database, for as long as the scope is open. */
export const make = Effect.fnUntraced(function* (
  options: SqliteOptions
): Effect.fn.Return<SqlClient.SqlClient, SqlError, Scope.Scope> {
  let current: Thread = yield* Effect.acquireRelease(openThread(options), (): Effect.Effect<void> =>
    Effect.suspend(() => current.close)
  )

  let isClosing = false
  const closing = options.closing ?? Deferred.makeUnsafe<void>()
  yield* Deferred.await(closing).pipe(
    Effect.andThen(Effect.sleep(patience)),
    Effect.andThen(
      Effect.sync(() => {
        isClosing = true
        current.abandonUnsafe()
      })
    ),
    Effect.forkScoped
  )

  // Run under the semaphore, so that it is not opened twice.
  const connection = Effect.suspend(() =>
    current.isGone() && !isClosing
      ? Effect.tap(openThread(options), (thread) =>
          Effect.sync(() => {
            current = thread
          })
        )
      : Effect.succeed(current)
  )
  return yield* SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection,
      semaphore: yield* Semaphore.make(1),
      isTransaction: (thread) => thread.isTransaction()
    }),
    compiler: Statement.makeCompilerSqlite(),
    driver: "sqlite-node",
    spanAttributes: [["db.system.name", "sqlite"]],
    // A transaction that reads first and writes later would fail if it could not become a writer then.
    beginTransaction: "BEGIN IMMEDIATE",
    prepareTransactionControls: true
  }).pipe(Effect.provide(Reactivity.layer))
})

const openThread = Effect.fnUntraced(function* (options: SqliteOptions): Effect.fn.Return<Thread, SqlError> {
  const setup: Setup = {
    filename: options.filename,
    isReadOnly: options.isReadOnly ?? false,
    statements: options.setup ?? [],
    functions: options.functions?.href
  }
  const opened = Deferred.makeUnsafe<ReadonlyArray<Row>, SqlError>()
  /** In the order they were asked; the first is being answered. */
  let asked: Array<Asked> = [opened]
  let isGone = false
  let isTransaction = false
  /** What the thread was told last: it need not be copied with every question. */
  let guarded: ReadonlyArray<FileIdentity> | undefined
  const gone = Deferred.makeUnsafe<void>()
  const worker = (options.start ?? startThread)(setup)

  const failAll = (cause: unknown) => {
    isGone = true
    isTransaction = false
    const failed = asked
    asked = []
    for (const deferred of failed) Deferred.doneUnsafe(deferred, Exit.fail(threadFailed(cause)))
  }
  worker.on("message", (answer: Answer<Row>) => {
    if (isGone) return
    isTransaction = answer.isTransaction
    const exit = answer._tag === "Rows" ? Exit.succeed(answer.rows) : Exit.fail(statementFailed(answer))
    const first = asked.shift()
    if (first !== undefined) Deferred.doneUnsafe(first, exit)
  })
  worker.on("error", failAll)
  worker.on("exit", (code) => {
    failAll(new Error(`The thread that had the database open ended with code ${code}`))
    Deferred.doneUnsafe(gone, Exit.void)
  })

  /** Uninterruptible: a statement that was asked runs in any case, and the next one must not overtake it. */
  const ask = (sql: string, parameters: ReadonlyArray<unknown>, rowsAs: Shape, isKept: boolean) =>
    Effect.uninterruptible(
      Effect.suspend(() => {
        if (isGone) return Effect.fail(threadFailed(new Error("The database is closed")))
        const deferred: Asked = Deferred.makeUnsafe()
        asked.push(deferred)
        const isNew = guarded !== options.guarded?.()
        guarded = options.guarded?.()
        worker.postMessage({
          sql,
          parameters,
          rowsAs,
          isKept,
          ...(isNew && { guarded: guarded ?? [] })
        } satisfies Question)
        return Deferred.await(deferred)
      })
    )
  const objects = (
    sql: string,
    parameters: ReadonlyArray<unknown>,
    transform: Transform | undefined,
    isKept: boolean
  ) => Effect.map(ask(sql, parameters, "objects", isKept), (rows) => (transform === undefined ? rows : transform(rows)))
  const arrays = (sql: string, parameters: ReadonlyArray<unknown>, isKept: boolean) =>
    Effect.map(ask(sql, parameters, "arrays", isKept), (rows) => rows.map((row) => Object.values(row)))

  const abandonUnsafe = () => {
    if (isGone) return
    failAll(new Error("The disk does not answer"))
    // Whatever it does once it can, it does not keep the process.
    worker.unref()
    void worker.terminate()
    Deferred.doneUnsafe(gone, Exit.void)
  }

  yield* Effect.onInterrupt(Deferred.await(opened), () => Effect.sync(abandonUnsafe))
  return {
    execute: (sql, parameters, transform) => objects(sql, parameters, transform, true),
    executeRaw: (sql, parameters) => ask(sql, parameters, "objects", true),
    executeUnprepared: (sql, parameters, transform) => objects(sql, parameters, transform, false),
    executeValues: (sql, parameters) => arrays(sql, parameters, true),
    executeValuesUnprepared: (sql, parameters) => arrays(sql, parameters, false),
    // All rows at once: what may be large is read page by page by those who ask.
    executeStream: (sql, parameters, transform) =>
      Stream.unwrap(Effect.map(objects(sql, parameters, transform, true), Stream.fromIterable)),
    isGone: () => isGone,
    isTransaction: () => isTransaction,
    close: Effect.suspend(() => {
      if (!isGone) worker.postMessage("close")
      return Effect.timeoutOrElse(Deferred.await(gone), {
        duration: patience,
        orElse: () => Effect.sync(abandonUnsafe)
      })
    }),
    abandonUnsafe
  }
})

/** Runs SqliteThread, as a `Worker` does. */
export interface Host {
  on(event: "message", listener: (answer: Answer<Row>) => void): unknown
  on(event: "error", listener: (error: unknown) => void): unknown
  on(event: "exit", listener: (code: number) => void): unknown
  postMessage(question: Question | "close"): void
  terminate(): Promise<unknown>
  /** Does not keep this process from ending. */
  unref(): void
}

const startThread = (setup: Setup): Host =>
  new Worker(new URL("SqliteThread.ts", import.meta.url), { workerData: setup, name: "sqlite" })

type Transform = <A extends object>(rows: ReadonlyArray<A>) => ReadonlyArray<A>

const statementFailed = ({ errno, message }: Extract<Answer, { readonly _tag: "Failed" }>) =>
  new SqlError({ reason: classifySqliteError(Object.assign(new Error(message), { errno }), { message }) })

const threadFailed = (cause: unknown) =>
  new SqlError({ reason: classifySqliteError(cause, { message: "The database could not be asked" }) })

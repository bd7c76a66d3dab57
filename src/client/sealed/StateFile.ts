/**
 * The SQLite file of one device's encrypted conversations: opened by one process at a time, every transaction on the disk before
 * it is done, what is deleted overwritten, and every cell that says more than a place in a log sealed (see Safe.ts).
 *
 * A transaction is a list of statements that is carried out at once, without an await in between: whoever is killed has done all of
 * it or nothing. Names of rooms and of accounts, places and key epochs stand in the clear.
 */
import { dirname } from "node:path"
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite"
import { Effect, FileSystem, Predicate, Result, Schema } from "effect"
import { type KeySource, make as makeSafe, makeKeyFile, type Safe, saltBytes } from "./Safe.ts"
import { StateFailed, StateInUse, WrongKey } from "./StateError.ts"

export interface Statement {
  readonly sql: string
  readonly values: ReadonlyArray<SQLInputValue>
}
export type Row = Readonly<Record<string, SQLOutputValue>>

export interface StateFile {
  readonly path: string
  readonly safe: Safe
  readonly read: (
    sql: string,
    ...values: ReadonlyArray<SQLInputValue>
  ) => Effect.Effect<ReadonlyArray<Row>, StateFailed>
  /** All of them or none. */
  readonly write: (statements: ReadonlyArray<Statement>) => Effect.Effect<void, StateFailed>
}

/** SQLite's number for a lock that others hold. */
const busy = 5

const version = 2

/** In WAL mode a commit waits for the disk once; the lock, once taken, is held until the end. */
const settings = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA foreign_keys = ON;
`

const schema = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS device (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), sealed BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS key_packages (ref TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pins (user TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS groups (
    room TEXT PRIMARY KEY, log TEXT NOT NULL, cursor INTEGER NOT NULL, incarnation INTEGER NOT NULL,
    key_epoch INTEGER, blob BLOB, sealed BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, room TEXT NOT NULL, key TEXT NOT NULL UNIQUE, incarnation INTEGER NOT NULL,
    key_epoch INTEGER NOT NULL, sealed BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS pending (
    room TEXT PRIMARY KEY, key TEXT NOT NULL, incarnation INTEGER NOT NULL, key_epoch INTEGER NOT NULL, sealed BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS plain (
    room TEXT NOT NULL, log TEXT NOT NULL, seq INTEGER NOT NULL, sealed BLOB NOT NULL, target INTEGER,
    PRIMARY KEY (room, log, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS plain_target ON plain (room, log, target) WHERE target IS NOT NULL;
`

const issueOf = (error: unknown): string => (Predicate.isError(error) ? error.message : "it is not known why")

const openDatabase = (path: string): Result.Result<DatabaseSync, StateInUse | StateFailed> =>
  Result.try({
    try: () => {
      const database = new DatabaseSync(path, { timeout: 0 })
      const began = Result.try(() => {
        database.exec(settings)
        // The first write takes the lock for good.
        database.exec(`BEGIN EXCLUSIVE; ${schema} COMMIT`)
      })
      if (Result.isSuccess(began)) return database
      database.close()
      throw began.failure
    },
    catch: (error) =>
      Predicate.hasProperty(error, "errcode") && error.errcode === busy
        ? new StateInUse({ path })
        : new StateFailed({ path, issue: issueOf(error) })
  })

/** Opens it for the scope; makes it, and its folder, where there is none. */
export const open = Effect.fnUntraced(function* (path: string, source: KeySource) {
  const files = yield* FileSystem.FileSystem
  yield* Effect.gen(function* () {
    yield* files.makeDirectory(dirname(path), { recursive: true, mode: 0o700 })
    // The key comes first: a state without a key file is one that opens with a passphrase.
    if (source._tag === "File") yield* makeKeyFile(source.path)
    // Before SQLite makes it, whose files are as open as the umask allows; those beside it are as this one.
    yield* Effect.scoped(files.open(path, { flag: "a", mode: 0o600 }))
  }).pipe(Effect.catchTag("PlatformError", ({ message }) => Effect.fail(new StateFailed({ path, issue: message }))))
  const database = yield* Effect.acquireRelease(
    Effect.suspend(() => Effect.fromResult(openDatabase(path))),
    (opened) => Effect.sync(() => opened.close())
  )

  const attempt = <A>(step: () => A) =>
    Effect.try({ try: step, catch: (error) => new StateFailed({ path, issue: issueOf(error) }) })

  const read: StateFile["read"] = (sql, ...values) => attempt(() => database.prepare(sql).all(...values))

  const write: StateFile["write"] = (statements) =>
    attempt(() => {
      database.exec("BEGIN IMMEDIATE")
      const done = Result.try(() => {
        for (const { sql, values } of statements) database.prepare(sql).run(...values)
        database.exec("COMMIT")
      })
      if (Result.isSuccess(done)) return
      if (database.isTransaction) database.exec("ROLLBACK")
      throw done.failure
    })

  const metaOf = (rows: ReadonlyArray<Row>, name: string) => {
    const value = rows.find((row) => row["name"] === name)?.["value"]
    return value instanceof Uint8Array ? value : undefined
  }
  const meta = yield* read("SELECT name, value FROM meta")
  const salt = metaOf(meta, "salt") ?? globalThis.crypto.getRandomValues(new Uint8Array(saltBytes))
  const safe = yield* makeSafe(path, source, salt)
  const check = metaOf(meta, "check")
  if (check === undefined) {
    const sealed = yield* safe.seal("check", Uint8Array.of(version))
    const put = (name: string, value: Uint8Array) => ({ sql: "INSERT INTO meta VALUES (?, ?)", values: [name, value] })
    yield* write([put("salt", salt), put("check", sealed)])
  } else {
    const [kept] = yield* safe.open("check", check)
    if (kept !== version) return yield* new StateFailed({ path, issue: `it is of version ${kept ?? "none"}` })
  }
  return { path, safe, read, write } satisfies StateFile
})

/** What a cell holds, as JSON. */
export const cell = <S extends Schema.Codec<unknown, unknown>>(schema: S) => {
  const text = Schema.fromJsonString(Schema.toCodecJson(schema))
  const encode = Schema.encodeEffect(text)
  const decode = Schema.decodeEffect(text)
  return {
    seal: ({ safe }: StateFile, place: string, value: S["Type"]) =>
      Effect.flatMap(Effect.orDie(encode(value)), (json) => safe.seal(place, Buffer.from(json))),
    open: (
      { path, safe }: StateFile,
      place: string,
      sealed: unknown
    ): Effect.Effect<S["Type"], WrongKey | StateFailed> =>
      Effect.flatMap(
        sealed instanceof Uint8Array ? safe.open(place, sealed) : Effect.fail(new WrongKey({ path })),
        (json) =>
          Effect.mapError(
            decode(Buffer.from(json).toString()),
            () => new StateFailed({ path, issue: `${place} is of another version` })
          )
      )
  }
}

/**
 * The History of a running server, in the SQLite file that the setting DATABASE names.
 *
 * Four connections, each in a thread of its own: one that writes, one that reads pages, one that has the search index, and
 * one that takes the log into the database. What cannot be opened stops the start with one line that says why and what to
 * do. Nothing is written unless this is the only server on the file (ServerLock) and the file is where it was (FileWatch).
 */
import { pathToFileURL } from "node:url"
import { Deferred, type Duration, Effect, Exit, FileSystem, Layer, Queue, Result, Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { Accounts } from "../accounts/Accounts.ts"
import type { DeviceLists } from "../accounts/DeviceLists.ts"
import type { Memberships } from "../accounts/Memberships.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import type { Governances } from "../history/Governances.ts"
import type { History } from "../history/History.ts"
import type { SealedRooms } from "../history/SealedRooms.ts"
import { maxReports as reportsKept, type Reports } from "../reports/Reports.ts"
import { SearchIndex } from "../search/SearchIndex.ts"
import { CannotOpenDatabase, describeProblem } from "../sql/CannotOpenDatabase.ts"
import type { FileIdentity } from "../sql/FileIdentity.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { isDamaged, summaryOf } from "../sql/SqliteProblem.ts"
import { Changes } from "./Changes.ts"
import * as Checkpoints from "./Checkpoints.ts"
import * as DatabaseFile from "./DatabaseFile.ts"
import * as Erasing from "./Erasing.ts"
import * as FileWatch from "./FileWatch.ts"
import * as LogTables from "./LogTables.ts"
import { makings } from "./Makings.ts"
import * as MemoryStores from "./MemoryStores.ts"
import { migrate, migrations } from "./Migrations.ts"
import { randomEpoch } from "./RandomEpoch.ts"
import * as Reserve from "./Reserve.ts"
import * as Retention from "./Retention.ts"
import * as ServerLock from "./ServerLock.ts"
import * as SqlAccounts from "./SqlAccounts.ts"
import * as SqlDeviceLists from "./SqlDeviceLists.ts"
import * as SqlGovernances from "./SqlGovernances.ts"
import * as SqlHistory from "./SqlHistory.ts"
import * as SqlMemberships from "./SqlMemberships.ts"
import * as SqlReports from "./SqlReports.ts"
import * as SqlSealedRooms from "./SqlSealedRooms.ts"

/** Marks a SQLite file as parley's (sqlite.org/fileformat.html, 1.3.14): "parl" in ASCII. */
export const applicationId = 0x7061726c

/** `cache_size`: 16 MiB. `wal_autocheckpoint`: see Checkpoints. `secure_delete`: what was deleted is overwritten. */
const writerSetup = [
  "PRAGMA synchronous = FULL",
  "PRAGMA foreign_keys = ON",
  `PRAGMA busy_timeout = ${Checkpoints.busyMillis}`,
  "PRAGMA wal_autocheckpoint = 0",
  `PRAGMA journal_size_limit = ${FileWatch.keptBytes}`,
  "PRAGMA cache_size = -16384",
  "PRAGMA secure_delete = ON"
]
const checkpointSetup = ["PRAGMA synchronous = FULL", "PRAGMA busy_timeout = 0", "PRAGMA cache_size = -64"]
const readerSetup = ["PRAGMA query_only = ON", "PRAGMA busy_timeout = 5000", "PRAGMA cache_size = -16384"]
/** The log is attached only to be read: a transaction that writes takes the lock of every database it could write to. */
export const indexSetup = (database: string) => [
  "PRAGMA busy_timeout = 2000",
  "PRAGMA main.locking_mode = EXCLUSIVE",
  "PRAGMA main.secure_delete = ON",
  "PRAGMA auto_vacuum = INCREMENTAL",
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = NORMAL",
  "PRAGMA cache_size = -16384",
  `ATTACH '${pathToFileURL(database).href.replaceAll("'", "''")}?mode=ro' AS chat`
]

export interface DatabaseOptions {
  readonly file: string
  readonly retention: Duration.Duration | "forever"
  /** What brings the tables up to date; today's, unless a test says otherwise. */
  readonly schema?: typeof migrations
  /** Today's bound, unless a test says otherwise. */
  readonly maxReports?: number
}

/** All that a server keeps. */
export type Stores = Accounts | DeviceLists | Governances | History | Memberships | Reports | SealedRooms

/** A database in a file, made with its folder if it is missing. */
export const layerFile = ({
  file,
  maxReports = reportsKept,
  retention,
  schema = migrations
}: DatabaseOptions): Layer.Layer<Stores, CannotOpenDatabase, FileSystem.FileSystem> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { closing, epoch, index, log, reader, reserve, writer } = yield* connect(file, schema)
      const emptied = yield* Queue.unbounded<RoomName>()
      /** One waiting says that there is something to erase. */
      const deleted = yield* Queue.sliding<void>(1)
      const noteDeletedUnsafe = () => void Queue.offerUnsafe(deleted, undefined)
      const history =
        retention === "forever"
          ? SqlHistory.layer
          : Layer.merge(SqlHistory.layer, Retention.layer({ emptied, reserve, retention, watch: log.watch, writer }))
      // Made last, so ended first: from then on nobody waits for the disk.
      const hurry = Layer.effectDiscard(Effect.addFinalizer(() => Deferred.succeed(closing, undefined)))
      const accounts = Layer.provide(
        Layer.mergeAll(
          SqlAccounts.layer,
          SqlMemberships.layer,
          SqlGovernances.layer,
          SqlDeviceLists.layer,
          SqlSealedRooms.layer,
          SqlReports.layer(log, maxReports)
        ),
        Changes.layer
      )
      return Layer.provideMerge(hurry, Layer.mergeAll(history, accounts, Erasing.layer({ ...log, deleted }))).pipe(
        Layer.provide([
          SearchIndex.layer(index, reserve.giveBack),
          Layer.succeed(SqlHistory.Connections, { emptied, epoch, noteDeletedUnsafe, reader, writer })
        ])
      )
    })
  ).pipe(
    Layer.catchTag(["SqlError", "MigrationError", "SchemaError"], (error) =>
      Layer.effectContext<Stores, CannotOpenDatabase, never>(
        new CannotOpenDatabase({ file, problem: describeProblem(error) })
      )
    )
  )

/** As the settings say. */
export const layer: Layer.Layer<Stores, CannotOpenDatabase, ServerConfig | FileSystem.FileSystem> = Layer.unwrap(
  Effect.map(ServerConfig, ({ database, retention }) =>
    database === ":memory:" ? MemoryStores.layer : layerFile({ file: database, retention })
  )
)

const nothing: ReadonlyArray<FileIdentity> = []

const connect = Effect.fnUntraced(function* (file: string, schema: typeof migrations) {
  const unusable = (problem: string) => new CannotOpenDatabase({ file, problem })
  const filename = yield* DatabaseFile.prepare(file)
  const reserve = yield* Reserve.make(filename)
  yield* reserve.beforeStart(removeIndex(filename))

  const closing = Deferred.makeUnsafe<void>()
  let watch: FileWatch.FileWatch | undefined
  const guarded = () => watch?.guarded() ?? nothing
  const writer = yield* SqliteClient.make({ filename, setup: writerSetup, closing, guarded })
  const isNew = yield* checkOrigin(writer, schema, unusable)
  // From here on nobody else writes to it.
  yield* ServerLock.acquire(filename, file)
  yield* DatabaseFile.makePrivate(filename)
  const index = yield* openIndex(filename, closing)
  if (isNew) {
    // Pages can be given back one by one only if this is said before there are any.
    yield* writer`PRAGMA auto_vacuum = INCREMENTAL`
    yield* writer`PRAGMA application_id = ${writer.literal(`${applicationId}`)}`
  }
  yield* writer`PRAGMA journal_mode = WAL`
  yield* Effect.provideService(migrate(schema), SqlClient.SqlClient, writer)
  const epoch = yield* LogTables.make(writer).epoch(yield* randomEpoch)
  const functions = new URL("../../common/name/FoldName.ts", import.meta.url)
  const reader = yield* SqliteClient.make({ filename, isReadOnly: true, setup: readerSetup, functions, closing })
  const own = yield* SqliteClient.make({ filename, setup: checkpointSetup, closing })

  watch = yield* FileWatch.make(filename)
  yield* Effect.forkScoped(watch.run)
  const log = { database: filename, own, watch, writer }
  yield* Effect.forkScoped(Checkpoints.run(log))
  yield* Effect.forkScoped(reserve.keep)
  return { closing, epoch, index, log, reader, reserve, writer }
})

/** Sees to it that the database is ours, and not of a later version; tells whether it is a new one. */
const checkOrigin = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  schema: typeof migrations,
  unusable: (problem: string) => CannotOpenDatabase
) {
  const [[id] = []] = yield* sql`PRAGMA application_id`.values
  const [[tables] = []] = yield* sql`SELECT COUNT(*) FROM sqlite_schema`.values
  if (tables === 0) return true
  if (id !== applicationId) {
    return yield* unusable("it belongs to another program. Set DATABASE to another file.")
  }
  const there = new Set(
    (yield* sql`SELECT type || ' ' || name FROM sqlite_schema WHERE type IN ('table', 'trigger')`.values).flat()
  )
  const missing = (kind: string, name: string) => unusable(`its ${kind} ${name} is missing. ${remedy}`)
  if (!there.has(`table ${record}`)) return yield* missing("table", record)
  const [[newest] = []] = yield* sql`SELECT MAX(migration_id) FROM effect_sql_migrations`.values
  const known = Object.keys(schema).map((name) => Number.parseInt(name, 10))
  if (Number(newest) > Math.max(...known)) {
    return yield* unusable(
      "it was made by a newer version of parley. Use that version, or set DATABASE to another file."
    )
  }
  const gone = makings.find(({ kind, name, since }) => since <= Number(newest) && !there.has(`${kind} ${name}`))
  if (gone !== undefined) return yield* missing(gone.kind, gone.name)
  yield* checkSchema(sql, unusable)
  return false
})

/** Where the migrations are that were carried out: effect/sql's Migrator keeps it. */
const record = "effect_sql_migrations"
const remedy = "Look at it with `pnpm admin verify`, restore a backup, or set DATABASE to another file."

/** Without these, what is sent again would be stored again. */
const neededIndexes = ["messages_by_place", "messages_by_key"]
const knownTrigger = { name: "conversation_removed", table: "conversations" }

/** Whether what is answered as stored would be stored, and once. The rest is for `pnpm admin verify` to find. */
const checkSchema = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  unusable: (problem: string) => CannotOpenDatabase
) {
  const unique = yield* sql`SELECT name FROM pragma_index_list('messages') WHERE "unique" = 1`.values
  const missing = neededIndexes.find((index) => !unique.some(([name]) => name === index))
  if (missing !== undefined) return yield* unusable(`its index ${missing} is missing or not unique. ${remedy}`)
  const triggers = yield* sql`SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger'`.values
  if (triggers.some(([name, table]) => name !== knownTrigger.name || table !== knownTrigger.table)) {
    return yield* unusable(`it has a trigger that is not parley's. ${remedy}`)
  }
})

/** All that is in it can be made again. */
const removeIndex = Effect.fnUntraced(function* (database: string) {
  const files = yield* FileSystem.FileSystem
  for (const ending of ["", "-wal", "-shm"])
    yield* Effect.ignore(files.remove(`${database}-search${ending}`, { force: true }))
})

const openIndex = Effect.fnUntraced(function* (database: string, closing: Deferred.Deferred<void>) {
  const filename = `${database}-search`
  const options: SqliteClient.SqliteOptions = {
    filename,
    closing,
    setup: indexSetup(database),
    functions: new URL("../search/SearchFunctions.ts", import.meta.url)
  }
  const beginAnew = Effect.fnUntraced(function* (problem: string) {
    yield* Effect.logWarning(`The search index ${filename} cannot be read (${problem}) and is made anew`)
    yield* removeIndex(database)
    yield* DatabaseFile.makeFile(filename)
    return yield* SqliteClient.make(options)
  })
  const open = Effect.gen(function* () {
    const sql = yield* SqliteClient.make(options)
    const damage = yield* damageOf(sql)
    return damage === undefined ? Result.succeed(sql) : Result.fail(damage)
  }).pipe(
    Effect.catchIf(
      ({ reason }) => isDamaged(reason.cause),
      (error) => Effect.succeed(Result.fail(summaryOf(error)))
    )
  )
  // SQLite would let others read it.
  yield* Effect.ignore(DatabaseFile.makeFile(filename))
  const scope = yield* Scope.fork(yield* Effect.scope)
  const opened = yield* Scope.provide(open, scope)
  if (Result.isSuccess(opened)) return opened.success
  // Closed later, it would delete the new index's log, which has the name of its own.
  yield* Scope.close(scope, Exit.void)
  return yield* Effect.catchTag(beginAnew(opened.failure), "PlatformError", Effect.die)
})

/** What is wrong with the pages of the index, if anything is. Looking at those of 1,000,000 messages takes 0.2 s. */
const damageOf = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  // One by one: all at once would compare the words with each other, too, which takes 1.4 s.
  const tables = yield* sql`SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0`.values
  for (const [table] of tables) {
    const name = sql.literal(`"${String(table).replaceAll('"', '""')}"`)
    const [[finding] = []] = yield* sql`PRAGMA main.quick_check(${name})`.values
    if (finding !== "ok") return String(finding)
  }
  return undefined
})

/**
 * What is in the index's file, and the steps in which it follows the log.
 *
 * `words` holds the words of each message under its id. Beside its conversation (`c1`) a message stands in a block of each
 * size in `blockSizes`: so many units of text that follow each other, a unit being a byte of content, and 64 for the message
 * itself. A search that is to look at one block asks for the block's term too: a bound on the rowid alone does not end it,
 * for FTS5 looks on for the next match, wherever that is, before it compares.
 *
 * `progress` is one row: the log it belongs to, which messages are in (from `since` through `through`), and how many units
 * were ever taken in. `marks` says for some ids how many units stand before them, every `markUnits` or so.
 *
 * Bounds: a step takes in `stepMessages` messages and `stepUnits` units, or one message. One that cannot be read because
 * the database is damaged there is passed over.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { isDamaged } from "../sql/CannotOpenDatabase.ts"

export type Problem = SqlError | Schema.SchemaError

/** 500 messages of 8 words take 3 ms; so do 64 KiB of Chinese 12 ms. */
const stepMessages = 500
const stepUnits = 65_536
const markUnits = 65_536

/** In units. The letter begins the block's term. */
export const blockSizes = {
  large: { letter: "l", units: 33_554_432 },
  small: { letter: "s", units: 2_097_152 }
} as const

/** Of the tables: an index of another version is made anew. */
const version = 2

const decodeNumbers = Schema.decodeUnknownEffect(Schema.Array(Schema.Array(Schema.NullOr(Schema.Finite))))

/** The first row of a query for numbers. */
export const numbers = Effect.fnUntraced(function* (query: Effect.Effect<ReadonlyArray<unknown>, SqlError>) {
  const [first = []] = yield* decodeNumbers(yield* query)
  return first
})

/** The cost of a message in units. */
const cost = "octet_length(content) + 64"

/** Makes the tables, and begins anew where the index belongs to another log than this one. */
export const prepare = (sql: SqlClient.SqlClient) =>
  sql.withTransaction(
    Effect.gen(function* () {
      const [known] = yield* numbers(sql`PRAGMA main.user_version`.values)
      if (known === version) {
        const [isOfThisLog] = yield* numbers(
          sql`
          SELECT COUNT(*) FROM progress
          WHERE epoch = (SELECT epoch FROM chat.incarnation)
          AND through <= (SELECT COALESCE(MAX(seq), 0) FROM chat.sqlite_sequence WHERE name = 'messages')`.values
        )
        if (isOfThisLog === 1) return
      }
      for (const table of ["progress", "marks", "words"]) yield* sql`DROP TABLE IF EXISTS main.${sql(table)}`
      yield* sql`CREATE TABLE progress (epoch TEXT, since INTEGER, through INTEGER, units INTEGER)`
      yield* sql`INSERT INTO progress SELECT epoch, 0, 0, 0 FROM chat.incarnation`
      yield* sql`CREATE TABLE marks (id INTEGER PRIMARY KEY, units INTEGER)`
      // Words come in the form in which they are compared (SearchWords): this tokenizer parts them at the spaces, and takes
      // every character that is not ASCII as it is, also those that are younger than SQLite's tables of Unicode.
      yield* sql`
        CREATE VIRTUAL TABLE words USING fts5 (
          scope, content, characters, content = '', contentless_delete = 1, tokenize = 'ascii'
        )`
      yield* sql`PRAGMA main.user_version = ${sql.literal(`${version}`)}`
    })
  )

/** Indexes the next messages; tells whether there may be more. `most` messages at once, fewer after damage was met. */
const addSome = (sql: SqlClient.SqlClient, most: number) =>
  sql.withTransaction(
    Effect.gen(function* () {
      const [through = 0, units = 0, upTo, count, added] = yield* numbers(
        sql`
        WITH next AS MATERIALIZED (
          SELECT id, SUM(cost) OVER (ORDER BY id) AS total FROM (
            SELECT id, ${sql.literal(cost)} AS cost FROM chat.messages WHERE id > (SELECT through FROM progress) ORDER BY id LIMIT ${most}
          )
        )
        SELECT through, progress.units, MAX(id), COUNT(id), MAX(total) FROM progress LEFT JOIN next
        ON total <= ${stepUnits} OR id = (SELECT MIN(id) FROM next)`.values
      )
      if (upTo === null || upTo === undefined || added === null || added === undefined) return false
      const blocks = Object.values(blockSizes)
        .map(({ letter, units }) => `|| ' ${letter}' || (before / ${units})`)
        .join(" ")
      yield* sql`
        INSERT INTO words (rowid, scope, content, characters)
        SELECT id, 'c' || conversation ${sql.literal(blocks)}, searchTerms(content), searchCharacters(content)
        FROM (
          SELECT id, conversation, content,
            CAST(${units} AS INTEGER) + SUM(${sql.literal(cost)}) OVER (ORDER BY id) - (${sql.literal(cost)}) AS before
          FROM chat.messages WHERE id > ${through} AND id <= ${upTo}
        ) ORDER BY id`
      const total = Number(units) + added
      yield* sql`UPDATE progress SET through = ${upTo}, units = ${total}`
      yield* sql`
        INSERT INTO marks SELECT ${upTo + 1}, ${total}
        WHERE ${total} - COALESCE((SELECT units FROM marks ORDER BY id DESC LIMIT 1), 0) >= ${markUnits}`
      return count === most || added > stepUnits / 2
    })
  )

/** Steps that take in what was stored; each tells whether there may be more. */
export const makeAddStep = (sql: SqlClient.SqlClient) => {
  let most = stepMessages
  const step: Effect.Effect<boolean, Problem> = Effect.suspend(() => addSome(sql, most)).pipe(
    Effect.tap(() =>
      Effect.sync(() => {
        most = Math.min(most * 2, stepMessages)
      })
    ),
    Effect.catchIf(
      (error) => error._tag === "SqlError" && isDamaged(error.reason.cause),
      (error) => {
        if (most > 1) {
          most = 1
          return Effect.succeed(true)
        }
        return Effect.andThen(
          Effect.logWarning("A message is damaged in the database and will not be found by its words", error),
          Effect.as(sql`UPDATE progress SET through = through + 1`, true)
        )
      }
    )
  )
  return step
}

/**
 * Takes out what is not in the log any more; tells whether there may be more. Cast, since a number that JavaScript binds is
 * a REAL, which FTS5 compares with every row instead of seeking.
 */
export const forgetStep = (sql: SqlClient.SqlClient) =>
  sql.withTransaction(
    Effect.gen(function* () {
      const [since = 0, oldest] = yield* numbers(
        sql`SELECT since, COALESCE((SELECT MIN(id) FROM chat.messages), through + 1) FROM progress`.values
      )
      if (since === null || oldest === null || oldest === undefined || since >= oldest) return false
      const upTo = Math.min(since + stepMessages, oldest)
      yield* sql`DELETE FROM words WHERE rowid >= CAST(${since} AS INTEGER) AND rowid < CAST(${upTo} AS INTEGER)`
      yield* sql`DELETE FROM marks WHERE id < (SELECT MAX(id) FROM marks WHERE id <= ${upTo})`
      yield* sql`UPDATE progress SET since = ${upTo}`
      yield* sql`PRAGMA main.incremental_vacuum(1000)`.unprepared
      return upTo < oldest
    })
  )

/** An index of less than this, in pages of 4 KiB, is not worth being given up. */
const leastPages = 256
const vacuumPages = 256

/**
 * Empties the index and gives its space back to the file system; answers how many bytes. Itself it needs 0.2 MB: after each
 * step the pages it wrote beside the file are given back as well.
 */
export const giveUp = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [pages, bytes] = yield* numbers(
    sql`SELECT page_count, page_count * page_size FROM pragma_page_count('main'), pragma_page_size('main')`.values
  )
  if (pages === null || pages === undefined || pages < leastPages) return 0
  const checkpoint = sql`PRAGMA main.wal_checkpoint(TRUNCATE)`
  yield* Effect.ignore(checkpoint)
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`INSERT INTO words (words) VALUES ('delete-all')`
      yield* sql`DELETE FROM marks`
      yield* sql`UPDATE progress SET since = 0, through = 0, units = 0`
    })
  )
  const step = Effect.gen(function* () {
    yield* checkpoint
    yield* sql`PRAGMA main.incremental_vacuum(${sql.literal(`${vacuumPages}`)})`.unprepared
    const [free] = yield* numbers(sql`PRAGMA main.freelist_count`.values)
    return Number(free) > 0
  })
  yield* Effect.repeat(step, { while: (hasMore) => hasMore })
  yield* checkpoint
  return Number(bytes)
})

/** How much room the file system has for the index. */
export const freeBytes = (sql: SqlClient.SqlClient) =>
  Effect.map(
    numbers(sql`SELECT searchFree(file) FROM pragma_database_list WHERE name = 'main'`.values),
    ([bytes]) => bytes ?? 0
  )

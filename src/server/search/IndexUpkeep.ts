/**
 * What is in the index's file, and the steps in which it follows the log.
 *
 * `words` holds the words of each message, as it stands, under its id; no other entry is in it. Beside its conversation
 * (`c1`), and in an inbox who it was exchanged with (see `partnerTerm`), a message stands in a block of each size in `blockSizes`: so many units of the log that follow each other. What an
 * entry costs in units never changes, so that the block of any message can be found again: 64, and for a message the bytes
 * of its text as it was first said, which its tombstone remembers. A search that is to look at one block asks for the
 * block's term too: a bound on the rowid alone does not end it, for FTS5 looks on for the next match, wherever that is,
 * before it compares.
 *
 * `progress` is one row: the log it belongs to, which entries are in (from `since` through `through`), and how many units
 * were ever taken in. `marks` says for some ids how many units stand before them, every `markUnits` or so.
 *
 * Bounds: a step takes in `stepEntries` entries and `stepBytes` of text, or one entry. One that cannot be read because
 * the database is damaged there is passed over. Of many edits of one message only the newest is work.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Partner } from "../history/Partner.ts"
import { code, isDamaged, resultCode } from "../sql/SqliteProblem.ts"

export type Problem = SqlError | Schema.SchemaError

/** 500 messages of 8 words take 3 ms; so do 64 KiB of Chinese 12 ms. */
const stepEntries = 500
const stepBytes = 65_536
const markUnits = 65_536

/** What a few steps take in. */
const maxOutdated = 1000

/** What finding the block of an older message takes, 0.4 ms, as if it were text. */
const placingBytes = 8192

/** In units. The letter begins the block's term. */
export const blockSizes = {
  large: { letter: "l", units: 33_554_432 },
  small: { letter: "s", units: 2_097_152 }
} as const

/** Of the tables: an index of another version is made anew. */
const version = 3

const decodeNumbers = Schema.decodeUnknownEffect(Schema.Array(Schema.Array(Schema.NullOr(Schema.Finite))))

/** The first row of a query for numbers. */
export const numbers = Effect.fnUntraced(function* (query: Effect.Effect<ReadonlyArray<unknown>, SqlError>) {
  const [first = []] = yield* decodeNumbers(yield* query)
  return first
})

/** What a row of `messages` costs in units; damage of its JSON must not stop the index. */
const unitsOf = `64 + CASE kind WHEN 'Said' THEN octet_length(content)
  WHEN 'Tombstone' THEN CASE WHEN json_valid(content) THEN MAX(CAST(COALESCE(content ->> 'bytes', 0) AS INTEGER), 0) ELSE 0 END
  ELSE 0 END`

/** The text of a row of `messages` that is a message, as it stands. */
export const textOf = "COALESCE((SELECT content FROM chat.standing WHERE standing.id = messages.id), messages.content)"

/** How many bytes that has: known without loading it, but not if it is asked of the expression above. */
export const textBytes = `COALESCE(
  (SELECT octet_length(content) FROM chat.standing WHERE standing.id = messages.id), octet_length(messages.content), 0)`

/** How many bytes of text there are to look at in a row of `messages`, 64 for the row itself. */
export const bytesOf = `64 + CASE kind WHEN 'Said' THEN ${textBytes} ELSE 0 END`

/** Whether a row of `messages` is the newest that was done to the text of its target. */
const isNewest = `(kind = 'Deleted' OR kind = 'Edited' AND NOT EXISTS (
  SELECT 1 FROM chat.messages AS later WHERE later.kind = 'Edited' AND later.conversation = messages.conversation
  AND later.target = messages.target AND later.id > messages.id))`

/** The row of the message that a row of `messages` was done to; nothing if it is not there. */
const targetId = `(SELECT id FROM chat.messages AS done_to
  WHERE done_to.conversation = messages.conversation AND done_to.seq = messages.target)`

/**
 * Messages in the index, from `least` on and before `bound`, whose words there are not those of their text any more, since they
 * were edited by one of the next entries that are to be taken in; newest first. Of more than `maxOutdated` entries that
 * wait, as when the index is made anew, it knows the oldest only. Takes 0.05 ms if none waits, 1 ms for all.
 */
export const outdated = (sql: SqlClient.SqlClient, least: number, bound: number) =>
  Effect.map(
    sql`
    SELECT DISTINCT target_id FROM (
      SELECT ${sql.literal(targetId)} AS target_id FROM (
        SELECT * FROM chat.messages WHERE id > (SELECT through FROM progress) ORDER BY id LIMIT ${maxOutdated}
      ) AS messages
      WHERE kind = 'Edited'
    ) WHERE target_id >= ${least} AND target_id < ${bound} AND target_id <= (SELECT through FROM progress)
    ORDER BY target_id DESC`.values,
    (rows) => rows.flatMap(([id]) => (typeof id === "number" ? [id] : []))
  )

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

/** Takes in the next entries; tells whether there may be more. `most` entries at once, fewer after damage was met. */
const addSome = (sql: SqlClient.SqlClient, most: number) =>
  sql.withTransaction(
    Effect.gen(function* () {
      const [through = 0, before = 0, upTo, count, added, read] = yield* numbers(
        sql`
        WITH next AS MATERIALIZED (
          SELECT id, SUM(units) OVER (ORDER BY id) AS total, SUM(bytes) OVER (ORDER BY id) AS read FROM (
            SELECT id, ${sql.literal(unitsOf)} AS units, ${sql.literal(bytesOf)} + CASE WHEN kind IN ('Edited', 'Deleted')
              AND ${sql.literal(isNewest)} THEN ${placingBytes} + COALESCE((
                SELECT octet_length(content) FROM chat.standing WHERE standing.id = ${sql.literal(targetId)}
              ), 0) ELSE 0 END AS bytes
            FROM chat.messages WHERE id > (SELECT through FROM progress) ORDER BY id LIMIT ${most}
          )
        )
        SELECT through, progress.units, MAX(id), COUNT(id), MAX(total), MAX(read) FROM progress LEFT JOIN next
        ON read <= ${stepBytes} OR id = (SELECT MIN(id) FROM next)`.values
      )
      if (upTo === null || upTo === undefined || added === null || added === undefined) return false
      yield* followEdits(sql, Number(through), upTo)
      yield* sql`
        INSERT INTO words (rowid, scope, content, characters)
        SELECT id, ${scopeOf(sql)}, searchTerms(text), searchCharacters(text)
        FROM (
          SELECT id, conversation, partner, kind, ${sql.literal(textOf)} AS text,
            CAST(${before} AS INTEGER) + SUM(${sql.literal(unitsOf)}) OVER (ORDER BY id) - (${sql.literal(unitsOf)}) AS before
          FROM chat.messages WHERE id > ${through} AND id <= ${upTo}
        ) WHERE kind = 'Said' ORDER BY id`
      const total = Number(before) + added
      yield* sql`UPDATE progress SET through = ${upTo}, units = ${total}`
      yield* sql`
        INSERT INTO marks SELECT ${upTo + 1}, ${total}
        WHERE ${total} - COALESCE((SELECT units FROM marks ORDER BY id DESC LIMIT 1), 0) >= ${markUnits}`
      return count === most || Number(read) > stepBytes / 2
    })
  )

/** The term of what an inbox has with this partner: in hexadecimal, so that it is one term. */
export const partnerTerm = (partner: Partner): string => `w${Buffer.from(partner).toString("hex")}`

/** The terms of a row with its `conversation`, its `partner`, and how many units stand `before` it. */
const scopeOf = (sql: SqlClient.SqlClient) =>
  sql.literal(
    Object.values(blockSizes)
      .map(({ letter, units }) => `|| ' ${letter}' || (before / ${units})`)
      .reduce((all, block) => `${all} ${block}`, "'c' || conversation || COALESCE(' w' || lower(hex(partner)), '')")
  )

/** Takes the words of what was edited or deleted out, and puts those of what was edited in again, under the same blocks. */
const followEdits = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, through: number, upTo: number) {
  const targets = (yield* sql`
    SELECT DISTINCT ${sql.literal(targetId)} AS target_id FROM chat.messages
    WHERE id > ${through} AND id <= ${upTo} AND ${sql.literal(isNewest)} ORDER BY target_id`.values).flatMap(([id]) =>
    typeof id === "number" && id <= through ? [id] : []
  )
  if (targets.length === 0) return
  yield* forget(sql, targets)
  // Back from the next place of which it is known how many units stand before it.
  yield* sql`
    INSERT INTO words (rowid, scope, content, characters)
    SELECT id, ${scopeOf(sql)}, searchTerms(text), searchCharacters(text)
    FROM (
      SELECT id, conversation, partner, text, known_units - (
        SELECT SUM(${sql.literal(unitsOf)}) FROM chat.messages AS since_then
        WHERE since_then.id >= edited.id AND since_then.id < COALESCE(known_id, ${through + 1})
      ) AS before
      FROM (
        SELECT messages.id, conversation, partner, ${sql.literal(textOf)} AS text,
          COALESCE((SELECT units FROM marks WHERE marks.id > messages.id ORDER BY marks.id LIMIT 1), progress.units) AS known_units,
          (SELECT marks.id FROM marks WHERE marks.id > messages.id ORDER BY marks.id LIMIT 1) AS known_id
        FROM chat.messages, progress
        WHERE messages.id IN (SELECT value FROM json_each(${JSON.stringify(targets)})) AND kind = 'Said'
          AND messages.id >= since
      ) AS edited
    ) ORDER BY id`
})

/** Takes these messages out. What they said is in the file until it was merged (see `mergeStep`). */
export const forget = (sql: SqlClient.SqlClient, ids: ReadonlyArray<number>) =>
  sql`DELETE FROM words WHERE rowid IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`

/** Steps that take in what was stored; each tells whether there may be more. */
export const makeAddStep = (sql: SqlClient.SqlClient) => {
  let most = stepEntries
  const isOfDamage = (error: Problem) => error._tag === "SqlError" && isDamaged(error.reason.cause)
  /** Some rows are; where the whole file is no database, none will be read, and whoever watches is told that. */
  const isOfRows = (error: Problem) => error._tag === "SqlError" && resultCode(error.reason.cause) === code.corrupt
  /** What it was done to, if that can be read, is not found by words that it may not say any more. */
  const pass = Effect.gen(function* () {
    // Not in the transaction: SQLite commits nothing in which it has met a damaged page.
    const [target] = yield* Effect.catchIf(
      numbers(
        sql`
        SELECT ${sql.literal(targetId)} FROM chat.messages
        WHERE id = (SELECT through + 1 FROM progress) AND kind IN ('Edited', 'Deleted')`.values
      ),
      isOfDamage,
      () => Effect.succeed([])
    )
    const through = sql`UPDATE progress SET through = through + 1`
    yield* sql.withTransaction(
      Effect.andThen(forget(sql, target === null || target === undefined ? [] : [target]), through)
    )
  })
  let isTold = false
  const tell = (error: Problem) => {
    if (isTold) return Effect.void
    isTold = true
    return Effect.logWarning(
      "A message is damaged in the database and will not be found by its words. pnpm admin verify tells whether others are, too",
      error
    )
  }
  const step: Effect.Effect<boolean, Problem> = Effect.suspend(() => addSome(sql, most)).pipe(
    Effect.tap(() =>
      Effect.sync(() => {
        most = Math.min(most * 2, stepEntries)
      })
    ),
    Effect.catchIf(isOfRows, (error) => {
      if (most > 1) {
        most = 1
        return Effect.succeed(true)
      }
      return Effect.andThen(tell(error), Effect.as(pass, true))
    })
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
      const upTo = Math.min(since + stepEntries, oldest)
      yield* sql`DELETE FROM words WHERE rowid >= CAST(${since} AS INTEGER) AND rowid < CAST(${upTo} AS INTEGER)`
      yield* sql`DELETE FROM marks WHERE id < (SELECT MAX(id) FROM marks WHERE id <= ${upTo})`
      yield* sql`UPDATE progress SET since = ${upTo}`
      yield* sql`PRAGMA main.incremental_vacuum(1000)`.unprepared
      return upTo < oldest
    })
  )

/** In pages of 4 KiB: a step takes 2 to 3 ms, and ten when SQLite takes the log of the index in. */
const mergePages = 16

/**
 * Steps that rewrite all that is in the index without what was taken out of it, so that it is in the file no more; each tells
 * whether there may be more. FTS5 cannot take single words out of a table without contents (sqlite.org/fts5.html, 6.11,
 * 6.15), and with them the index would be twice as large, and a long message would take 100 ms. Measured: 1.8 µs for each
 * message in the index, 0.6 s for 300,000.
 */
export const makeMergeStep = (sql: SqlClient.SqlClient) => {
  let isFirst = true
  return sql.withTransaction(
    Effect.gen(function* () {
      const [before] = yield* numbers(sql`SELECT total_changes()`.values)
      // A negative number makes one level of all levels first.
      const pages = isFirst ? -mergePages : mergePages
      yield* sql`INSERT INTO words (words, rank) VALUES ('merge', CAST(${pages} AS INTEGER))`
      const [after] = yield* numbers(sql`SELECT total_changes()`.values)
      const wasFirst = isFirst
      isFirst = false
      // As FTS5 says that nothing was left to merge.
      return wasFirst || Number(after) - Number(before) >= 2
    })
  )
}

/** Gives pages that are free back to the file system; tells whether there may be more. */
export const vacuumStep = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  yield* sql`PRAGMA main.incremental_vacuum(${sql.literal(`${vacuumPages}`)})`.unprepared
  const [free] = yield* numbers(sql`PRAGMA main.freelist_count`.values)
  return Number(free) > 0
})

/** Takes the index's own log (-wal) into its file and empties it. The connection is the only one there is. */
export const emptyLog = (sql: SqlClient.SqlClient) => sql`PRAGMA main.wal_checkpoint(TRUNCATE)`

/** An index of less than this, in pages of 4 KiB, is not worth being given up. */
const leastPages = 256
const vacuumPages = 256

/**
 * Empties the index and gives its space back to the file system; answers how many bytes. Itself it needs 0.2 MB: after each
 * step the pages it wrote beside the file are given back as well. For that there is `spare`, which is left alone where there is
 * nothing to be had.
 */
export const giveUp = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, spare: Effect.Effect<unknown>) {
  const [pages, bytes] = yield* numbers(
    sql`SELECT page_count, page_count * page_size FROM pragma_page_count('main'), pragma_page_size('main')`.values
  )
  if (pages === null || pages === undefined || pages < leastPages) return 0
  yield* spare
  const checkpoint = emptyLog(sql)
  yield* Effect.ignore(checkpoint)
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`INSERT INTO words (words) VALUES ('delete-all')`
      yield* sql`DELETE FROM marks`
      yield* sql`UPDATE progress SET since = 0, through = 0, units = 0`
    })
  )
  // It is empty from here on, whatever its file still takes.
  const step = Effect.andThen(checkpoint, vacuumStep(sql))
  yield* Effect.ignore(Effect.andThen(Effect.repeat(step, { while: (hasMore) => hasMore }), checkpoint))
  return Number(bytes)
})

/** How much room the file system has for the index. */
export const freeBytes = (sql: SqlClient.SqlClient) =>
  Effect.map(
    numbers(sql`SELECT searchFree(file) FROM pragma_database_list WHERE name = 'main'`.values),
    ([bytes]) => bytes ?? 0
  )

/**
 * Reads parts of a log: as many entries as are asked for, or as have so much content together.
 *
 * What is too much is not read at all: SQLite knows the length of a text without loading it. Where a page of the file
 * is damaged, the part is read in small pieces and those that fail entry by entry, and placeholders stand for what
 * cannot be read: two statements for an entry at most, between which others have their turn.
 */
import { Array as Arr, Effect, type Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Seq } from "../../common/log/Cursor.ts"
import { bytesOf, fitting } from "../history/Fitting.ts"
import type { Page } from "../history/History.ts"
import type { Range } from "../history/Query.ts"
import { LogOnce } from "../notices/LogOnce.ts"
import { isDamaged } from "../sql/CannotOpenDatabase.ts"
import type * as LogTables from "./LogTables.ts"
import { decodeAll, decodeEntry } from "./StoredEntry.ts"

type Problem = SqlError | Schema.SchemaError

/** How much of a damaged log is read at once. */
const pieceEntries = 16

/** A log: its number, what it is called, and the newest place in it. */
export interface ReadLog {
  readonly id: number
  readonly name: string
  readonly newest: Seq
}

export const make = (tables: ReturnType<typeof LogTables.make>) => {
  const damaged = new LogOnce("More messages are damaged. Check the database with: pnpm admin verify")

  /** Rows in the direction that was asked for, and whether there are more. */
  const find = Effect.fnUntraced(function* (id: number, range: Range, isForwards: boolean, maxBytes?: number) {
    if (maxBytes === undefined) {
      const rows = yield* tables.rows(id, range, isForwards)
      return { rows: rows.slice(0, range.limit), more: rows.length > range.limit }
    }
    const sizes = yield* tables.sizes(id, range, isForwards)
    const wanted = sizes.slice(0, range.limit)
    const count = fitting(
      wanted.map(([, bytes = 0]) => bytes),
      maxBytes
    )
    const rows = yield* tables.rows(id, spanOf(wanted.slice(0, count).map(([seq = 0]) => seq)), isForwards)
    return { rows, more: sizes.length > count }
  })

  /** What stands at these places; only the place, or more, of what cannot be read. */
  const findOneByOne = (id: number, seqs: ReadonlyArray<Seq>): Effect.Effect<ReadonlyArray<unknown>, Problem> =>
    Effect.catchIf(tables.rows(id, spanOf(seqs), true), isDamagedPage, () => {
      const [seq = 0] = seqs
      if (seqs.length > 1) {
        const rows = Effect.forEach(seqs, (one) => findOneByOne(id, [one]))
        return Effect.map(rows, (found) => found.flat())
      }
      // Often only the rest of a long content is lost.
      return Effect.catchIf(tables.head(id, seq), isDamagedPage, () => Effect.succeed([{ seq }]))
    })

  /** As `find`, of a log in which there are pages that cannot be read. */
  const findReadable = Effect.fnUntraced(function* (
    { id, name, newest }: ReadLog,
    { after = 0, before = Infinity, limit }: Range,
    isForwards: boolean,
    maxBytes = Infinity
  ) {
    const [standing] = yield* tables.standing([name])
    const low = Math.max(after, standing?.deletedThrough ?? 0) + 1
    const high = Math.min(before - 1, newest)
    const places = Arr.makeBy(Math.min(limit, high - low + 1), (index) => (isForwards ? low + index : high - index))
    const rows: Array<unknown> = []
    let bytes = 0
    let looked = 0
    for (const piece of Arr.chunksOf(places, pieceEntries)) {
      const found = yield* findOneByOne(
        id,
        piece.toSorted((a, b) => a - b)
      )
      rows.push(...(isForwards ? found : found.toReversed()))
      looked += piece.length
      bytes += found.reduce<number>((sum, row) => sum + bytesOf(decodeEntry(row).entry), 0)
      if (bytes > maxBytes) break
    }
    const count = fitting(
      rows.map((row) => bytesOf(decodeEntry(row).entry)),
      maxBytes
    )
    return { rows: rows.slice(0, count), more: count < rows.length || looked < high - low + 1 }
  })

  return {
    /** As `History.read`. */
    read: Effect.fnUntraced(function* (log: ReadLog, range: Range, maxBytes?: number) {
      const isForwards = range.after !== undefined
      const { more, rows } = yield* Effect.catchIf(find(log.id, range, isForwards, maxBytes), isDamagedPage, () =>
        findReadable(log, range, isForwards, maxBytes)
      )
      const decoded = decodeAll(isForwards ? rows : rows.toReversed())
      for (const { entry, problem } of decoded) {
        if (problem === undefined) continue
        yield* damaged.error(
          `${log.name} ${entry.seq}`,
          `Message ${entry.seq} of ${log.name} is damaged, and a placeholder is given for it: ${problem}. A backup may still have it.`
        )
      }
      return { entries: decoded.map(({ entry }) => entry), more } satisfies Page
    })
  }
}

/** The range from the first to the last of these places, whichever comes first. */
const spanOf = (seqs: ReadonlyArray<Seq>): Range => ({
  after: Math.min(...seqs) - 1,
  before: Math.max(...seqs) + 1,
  limit: seqs.length
})

const isDamagedPage = (problem: Problem): boolean => problem._tag === "SqlError" && isDamaged(problem.reason.cause)

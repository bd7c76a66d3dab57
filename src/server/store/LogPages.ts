/**
 * Reads parts of a log: as much as is asked for, or as has so much content together. What is read, entries as they were made
 * or messages as they stand, is said by a `Source`.
 *
 * What is too much is not read at all: SQLite knows the length of a text without loading it. Where a page of the file
 * is damaged, the part is read in small pieces and those that fail row by row, and placeholders stand for what
 * cannot be read: two statements for a row at most, between which others have their turn.
 */
import { Array as Arr, Effect, type Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Seq } from "../../common/log/Cursor.ts"
import { fitting } from "../history/Fitting.ts"
import type { Range } from "../history/Query.ts"
import type { LogOnce } from "../notices/LogOnce.ts"
import { isDamaged } from "../sql/SqliteProblem.ts"

type Problem = SqlError | Schema.SchemaError

/** How much of a damaged log is read at once. */
const pieceRows = 16

/** A log: its number, what it is called, and the newest place in it. */
export interface ReadLog {
  readonly id: number
  readonly name: string
  readonly newest: Seq
}

/** What a row gives. `problem`: why a placeholder stands for it. */
export interface Given<A> {
  readonly seq: Seq
  readonly given: A
  /** How much of it counts against `maxBytes`. */
  readonly bytes: number
  readonly problem: string | undefined
}

/** The statements by which one kind of rows is read. */
export interface Source<A, Asked extends Range = Range> {
  /** One row more than the limit, if there are so many, in the direction in which they were asked for. */
  rows(conversation: number, range: Asked, isForwards: boolean): Effect.Effect<ReadonlyArray<unknown>, SqlError>
  /** The same, of each its place and how many bytes it counts, without loading its content. */
  sizes(
    conversation: number,
    range: Asked,
    isForwards: boolean
  ): Effect.Effect<ReadonlyArray<ReadonlyArray<number>>, Problem>
  /** A row without its content. */
  head(conversation: number, seq: Seq): Effect.Effect<ReadonlyArray<unknown>, SqlError>
  /** The places alone, as `rows`: read where a page is damaged. */
  places(log: ReadLog, range: Asked, isForwards: boolean): Effect.Effect<ReadonlyArray<Seq>, Problem>
  /** What rows of one log give, which come in the order of their places. */
  decode(rows: ReadonlyArray<unknown>): ReadonlyArray<Given<A>>
}

/** `damaged` is told of what cannot be read. */
export const make = <A, Asked extends Range>(source: Source<A, Asked>, damaged: LogOnce) => {
  /** Rows in the direction that was asked for, and whether there are more. */
  const find = Effect.fnUntraced(function* (id: number, range: Asked, isForwards: boolean, maxBytes?: number) {
    if (maxBytes === undefined) {
      const rows = yield* source.rows(id, range, isForwards)
      return { rows: rows.slice(0, range.limit), more: rows.length > range.limit }
    }
    const sizes = yield* source.sizes(id, range, isForwards)
    const wanted = sizes.slice(0, range.limit)
    const count = fitting(
      wanted.map(([, bytes = 0]) => bytes),
      maxBytes
    )
    if (count === 0) return { rows: [], more: sizes.length > 0 }
    const rows = yield* source.rows(
      id,
      spanOf(
        range,
        wanted.slice(0, count).map(([seq = 0]) => seq)
      ),
      isForwards
    )
    return { rows, more: sizes.length > count }
  })

  /** What stands at these places; only the place, or more, of what cannot be read. */
  const findOneByOne = (
    id: number,
    range: Asked,
    seqs: ReadonlyArray<Seq>
  ): Effect.Effect<ReadonlyArray<unknown>, Problem> =>
    Effect.catchIf(source.rows(id, spanOf(range, seqs), true), isDamagedPage, () => {
      const [seq = 0] = seqs
      if (seqs.length > 1) {
        const rows = Effect.forEach(seqs, (one) => findOneByOne(id, range, [one]))
        return Effect.map(rows, (found) => found.flat())
      }
      // Often only the rest of a long content is lost.
      return Effect.catchIf(source.head(id, seq), isDamagedPage, () => Effect.succeed([{ seq }]))
    })

  /** As `find`, of a log in which there are pages that cannot be read. */
  const findReadable = Effect.fnUntraced(function* (
    log: ReadLog,
    range: Asked,
    isForwards: boolean,
    maxBytes = Infinity
  ) {
    const places = yield* source.places(log, range, isForwards)
    const rows: Array<unknown> = []
    const sizes: Array<number> = []
    let bytes = 0
    let looked = 0
    for (const piece of Arr.chunksOf(places.slice(0, range.limit), pieceRows)) {
      const inOrder = piece.toSorted((a, b) => a - b)
      const found = yield* findOneByOne(log.id, range, inOrder)
      const decoded = source.decode(found).map((one) => one.bytes)
      rows.push(...(isForwards ? found : found.toReversed()))
      sizes.push(...(isForwards ? decoded : decoded.toReversed()))
      looked += piece.length
      bytes += decoded.reduce((sum, size) => sum + size, 0)
      if (bytes > maxBytes) break
    }
    const count = fitting(sizes, maxBytes)
    return { rows: rows.slice(0, count), more: count < rows.length || looked < places.length }
  })

  /** As `History.read` and `History.standing`. */
  return Effect.fnUntraced(function* (log: ReadLog, range: Asked, maxBytes?: number) {
    const isForwards = range.after !== undefined
    const { more, rows } = yield* Effect.catchIf(find(log.id, range, isForwards, maxBytes), isDamagedPage, () =>
      findReadable(log, range, isForwards, maxBytes)
    )
    const decoded = source.decode(isForwards ? rows : rows.toReversed())
    for (const { problem, seq } of decoded) {
      if (problem === undefined) continue
      yield* damaged.error(
        `${log.name} ${seq}`,
        `Message ${seq} of ${log.name} is damaged, and a placeholder is given for it: ${problem}. A backup may still have it.`
      )
    }
    return { given: decoded.map(({ given }) => given), more }
  })
}

/** The part of what was asked for from the first to the last of these places, whichever comes first. */
const spanOf = <Asked extends Range>(asked: Asked, seqs: ReadonlyArray<Seq>): Asked => ({
  ...asked,
  after: Math.min(...seqs) - 1,
  before: Math.max(...seqs) + 1,
  limit: seqs.length
})

export const isDamagedPage = (problem: Problem): boolean =>
  problem._tag === "SqlError" && isDamaged(problem.reason.cause)

/**
 * Which words stand in which messages, in a file of its own beside the database: `chat.sqlite-search`.
 *
 * Why a file of its own: SQLite has one writer at a time, and indexing must not hold up a commit; and since all of it can
 * be made again, a backup needs none of it. The connection reads the log through ATTACH, in a thread that nothing waits
 * for but searches. It is written a moment after a message is stored (see IndexUpkeep), and given up when the disk is full.
 *
 * A search runs in pieces, each in its turn (see SearchTurn): one window of the log (see SearchWindows), and at last the
 * reading of what it found. One whose windows take more than a second together is ended.
 */
import { Context, Effect, Layer, Queue, Semaphore } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Conversation } from "../../common/log/Conversation.ts"
import { type Findings, SearchTooSlow, StorageUnavailable } from "../history/History.ts"
import type { Search } from "../history/Query.ts"
import * as Outage from "../notices/Outage.ts"
import { isFull } from "../sql/SqliteProblem.ts"
import { type Found, messagesOf, pieces, placesOf } from "./FoundEntries.ts"
import {
  emptyLog,
  forget,
  forgetStep,
  freeBytes,
  giveUp,
  makeAddStep,
  makeMergeStep,
  numbers,
  prepare,
  type Problem,
  vacuumStep
} from "./IndexUpkeep.ts"
import { searchLimit, SearchTurn } from "./SearchTurn.ts"
import { check, look, type Place, windowBytes } from "./SearchWindows.ts"
import { phrasesOf } from "./SearchWords.ts"

/** How long new messages may gather before they are indexed. */
const gatherTime = "100 millis"

/** How long to wait after a step failed; and for how much more room than it had before an index is made again. */
const retryTime = "10 seconds"
const spareBytes = 64 * 1024 * 1024

/**
 * The last of a disk is for messages. With less than this free, for the database's log takes 16 MiB and an index that is taken
 * in some more, nothing is indexed; with less than that, what there is of an index is given up.
 */
const growthBytes = 40 * 1024 * 1024
const leastBytes = 20 * 1024 * 1024

export interface Searched<C extends Conversation> {
  /** The conversations to search, by their number in the database. */
  readonly conversations: ReadonlyMap<number, C>
  /** Whether `before` is the seq of the one conversation searched, or else the number of a message. */
  readonly isBySeq: boolean
  readonly search: Search
  /** How many bytes of content may be found, one message apart. */
  readonly maxBytes?: number | undefined
}

export class SearchIndex extends Context.Service<
  SearchIndex,
  {
    /** Something was stored. */
    readonly noteUnsafe: () => void
    search<C extends Conversation>(
      searched: Searched<C>
    ): Effect.Effect<Findings<C>, StorageUnavailable | SearchTooSlow>
    /**
     * Carries out what stores something that is worth more than the index: if the disk is full, the index's space is given to
     * it and it is tried once more; also where that space was given up meanwhile for another one. The index is made again once
     * there is twice as much room; until then searches look at the texts themselves.
     */
    readonly makingRoom: <A>(store: Effect.Effect<A, Problem>) => Effect.Effect<A, Problem>
    /** Messages that were deleted are not found by their words any more, which are in the index's files until `purge`. */
    readonly forget: (ids: ReadonlyArray<number>) => Effect.Effect<void, Problem>
    /**
     * Rewrites the index until no word of what was taken out before is in any of its files. Takes 4 µs for each message in
     * it, in steps of 3 ms, half of the time, so that searches have theirs. On a full disk the index is given up instead.
     */
    readonly purge: Effect.Effect<void, Problem>
  }
>()("parley/server/search/SearchIndex") {
  /**
   * Over a connection to the index's file that has the database attached as `chat`, and SearchFunctions. `spare` gives what
   * giving up takes itself: it writes before it frees anything.
   */
  static readonly layer = (
    sql: SqlClient.SqlClient,
    spare: Effect.Effect<unknown> = Effect.void
  ): Layer.Layer<SearchIndex, Problem> =>
    Layer.effect(
      SearchIndex,
      Effect.gen(function* () {
        yield* prepare(sql)
        const noted = yield* Queue.sliding<void>(1)
        Queue.offerUnsafe(noted, undefined)
        /** A window must not see half of what a step does. */
        const oneByOne = yield* Semaphore.make(1)
        const addStep = oneByOne.withPermit(makeAddStep(sql))
        /** How often the index was given up: blocks are numbered anew then. */
        let edition = 0
        let bytesGivenUp = 0

        const givingUp = Outage.make("The search index cannot be given up", "The search index can be given up again")
        const makeRoom = givingUp.watch(giveUp(sql, spare)).pipe(
          Effect.tap((bytes) => {
            if (bytes === 0) return Effect.void
            edition++
            bytesGivenUp = bytes
            return Effect.logWarning(
              `The search index was given up to make room on the disk, ${bytes} bytes. It is made again when ${roomFor(bytes)} bytes are free; until then searches take longer.`
            )
          }),
          oneByOne.withPermit,
          Effect.catchCause(() => Effect.succeed(0))
        )
        /** If the disk is full for `effect`, `afterwards` is carried out in its stead, with the room that is there then. */
        const ifFull = <A>(effect: Effect.Effect<A, Problem>, afterwards: Effect.Effect<A, Problem>) =>
          Effect.suspend(() => {
            const seen = edition
            return Effect.catchIf(effect, isFull, (problem) =>
              // Whoever came first may have given the index up meanwhile: then nothing is left of it, and yet there is room.
              Effect.flatMap(makeRoom, (bytes) => (bytes > 0 || edition !== seen ? afterwards : Effect.fail(problem)))
            )
          })

        const inSteps = (step: Effect.Effect<boolean, Problem>) =>
          Effect.timed(oneByOne.withPermit(step)).pipe(
            Effect.tap(([took]) => Effect.sleep(took)),
            Effect.repeat({ while: ([, hasMore]) => hasMore })
          )
        const purge = Effect.gen(function* () {
          yield* inSteps(makeMergeStep(sql))
          yield* inSteps(vacuumStep(sql))
          yield* oneByOne.withPermit(emptyLog(sql))
        })

        const hasRoom = Effect.gen(function* () {
          const free = yield* freeBytes(sql)
          // While there is still some for it: giving up writes first.
          if (free < leastBytes) yield* makeRoom
          if (free < growthBytes || (bytesGivenUp > 0 && free < roomFor(bytesGivenUp))) return false
          bytesGivenUp = 0
          return true
        })
        /** What waits may be much, and others write meanwhile: each step asks for room. */
        const addIfRoom = Effect.flatMap(hasRoom, (isRoom) =>
          isRoom ? Effect.map(addStep, (hasMore) => (hasMore ? "hasMore" : "done")) : Effect.succeed("noRoom")
        )
        const follow = Effect.gen(function* () {
          const outcome = yield* Effect.repeat(addIfRoom, { while: (outcome) => outcome === "hasMore" })
          if (outcome === "noRoom") yield* tryAgain
          yield* Effect.repeat(oneByOne.withPermit(forgetStep(sql)), { while: (hasMore) => hasMore })
        })
        const tryAgain = Effect.andThen(
          Effect.sleep(retryTime),
          Effect.sync(() => Queue.offerUnsafe(noted, undefined))
        )
        const keeping = Outage.make("The search index falls behind", "The search index is kept up to date again")
        const keepUp = Queue.take(noted).pipe(
          Effect.andThen(Effect.sleep(gatherTime)),
          Effect.andThen(keeping.watch(follow)),
          Effect.catch((error) => Effect.andThen(isFull(error) ? makeRoom : Effect.void, tryAgain)),
          Effect.catchCause(() => tryAgain)
        )
        yield* Effect.forkScoped(Effect.forever(keepUp))

        const searching = Outage.make("Messages cannot be searched", "Messages are searched again")
        return SearchIndex.of({
          noteUnsafe: () => Queue.offerUnsafe(noted, undefined),
          makingRoom: (store) => ifFull(store, store),
          forget: (ids) => Effect.asVoid(oneByOne.withPermit(forget(sql, ids))),
          purge: ifFull(purge, Effect.void),
          search: Effect.fnUntraced(
            function* (searched) {
              const findings = yield* searching.watch(find(sql, searched, oneByOne, () => edition))
              return findings ?? (yield* new SearchTooSlow({ limit: searchLimit }))
            },
            Effect.catchTag(["SqlError", "SchemaError"], (cause) => Effect.fail(new StorageUnavailable({ cause })))
          )
        })
      })
    )
}

const roomFor = (bytes: number) => 2 * bytes + spareBytes

/** Nothing if it took too long. */
const find = Effect.fnUntraced(function* <C extends Conversation>(
  sql: SqlClient.SqlClient,
  { conversations, isBySeq, maxBytes = Infinity, search }: Searched<C>,
  oneByOne: Semaphore.Semaphore,
  edition: () => number
): Effect.fn.Return<Findings<C> | undefined, Problem> {
  const { before, limit, query, with: partner } = search
  const turn = yield* SearchTurn
  const wanted = { conversations: [...conversations.keys()], partner, query, phrases: phrasesOf(query) }
  if (conversations.size === 0 || wanted.phrases.length === 0) return { found: [], next: undefined }

  const start = yield* turn(boundOf(sql, wanted.conversations[0], isBySeq ? before : undefined))
  let place: Place | undefined = { bound: start ?? before ?? Number.MAX_SAFE_INTEGER, block: undefined }
  let seen = edition()
  let millis = 0
  let bytes = 0
  const found: Array<Found> = []
  // One more than are given, to know whether there are more.
  const isEnough = () => found.length > limit || (bytes > maxBytes && found.length > 1)
  const add = (some: ReadonlyArray<Found>) => {
    found.push(...some)
    for (const one of some) bytes += one.bytes
  }
  while (place !== undefined && !isEnough()) {
    if (millis > searchLimit) return undefined
    if (edition() !== seen) {
      seen = edition()
      place = { bound: place.bound, block: undefined }
    }
    const from: Place = place
    const window = yield* turn(
      Effect.gen(function* () {
        const looked = yield* oneByOne.withPermit(look(sql, wanted, from, limit + 1 - found.length))
        return { ...looked, places: looked.ids.length === 0 ? [] : yield* placesOf(sql, looked.ids) }
      })
    )
    millis += window.millis
    place = window.rest
    const places = window.places.filter(
      (one) => conversations.has(one.conversation) && (partner === undefined || one.partner === partner)
    )
    if (window.areChecked) {
      add(places)
      continue
    }
    for (const piece of pieces(places, windowBytes)) {
      if (isEnough()) break
      if (millis > searchLimit) return undefined
      const ids = piece.map(({ id }) => id)
      const checked = yield* turn(check(sql, query, ids))
      millis += checked.millis
      add(piece.filter(({ id }) => checked.ids.includes(id)))
    }
  }

  const page = found.slice(0, Math.min(limit, howMany(found, maxBytes)))
  const last = page.at(-1)
  // All of it in one turn: a search that waits for its turn holds numbers only.
  const messages = yield* turn(messagesOf(sql, page))
  return {
    found: messages.flatMap(([place, message]) => {
      const conversation = conversations.get(place.conversation)
      return conversation === undefined ? [] : [{ conversation, message }]
    }),
    next: last !== undefined && found.length > page.length ? (isBySeq ? last.seq : last.id) : undefined
  }
})

/** How many of these have no more content together than that; one at least. */
const howMany = (found: ReadonlyArray<Found>, maxBytes: number): number => {
  let bytes = 0
  const tooMany = found.findIndex((one) => (bytes += one.bytes) > maxBytes)
  return tooMany === -1 ? found.length : Math.max(tooMany, 1)
}

/** The message that stands at this place in a conversation, or the next one behind it. */
const boundOf = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  conversation: number | undefined,
  before: number | undefined
) {
  if (conversation === undefined || before === undefined) return undefined
  const [id] = yield* numbers(
    sql`
    SELECT id FROM chat.messages WHERE conversation = ${conversation} AND seq >= ${before} ORDER BY seq LIMIT 1`.values
  )
  return id ?? Number.MAX_SAFE_INTEGER
})

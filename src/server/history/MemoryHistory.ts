/**
 * History that lives as long as the server does.
 *
 * Bounds (invariant 3): of each conversation the newest `maxEntries` are held, of all together at most `maxCharacters`;
 * the conversation that has been quiet longest loses its oldest half first. Places in the log outlive what was dropped.
 * A conversation that was ever written to keeps about 200 bytes for good; the number of rooms is bounded elsewhere.
 */
import { type Array, Clock, Effect, Layer, Queue } from "effect"
import { nameKey } from "../../common/Name.ts"
import type { Search } from "../messages/Commands.ts"
import { type Conversation, conversationKey } from "../messages/Conversation.ts"
import { searchLimit, SearchTurn } from "../search/SearchTurn.ts"
import { holds, type Phrase, phrasesOf, termsOf } from "../search/SearchWords.ts"
import { type Entry, History, type NewEntry, SearchTooSlow, type Stored } from "./History.ts"
import { randomEpoch } from "./RandomEpoch.ts"

export interface MemoryLimits {
  /** Entries held per conversation. */
  readonly maxEntries: number
  /** UTF-16 units of content held in all. */
  readonly maxCharacters: number
}

const defaultLimits: MemoryLimits = { maxEntries: 10_000, maxCharacters: 64 * 1024 * 1024 }

/** An entry that is held: `number` counts all entries ever stored, so that a search can go on where it stopped. */
interface Held {
  readonly entry: Entry
  readonly key: string | undefined
  readonly number: number
}

interface Log {
  /** Consecutive: the first stands at `dropped + 1`. */
  readonly entries: globalThis.Array<Held>
  dropped: number
  /** Where the held entries that carried a key stand. */
  readonly places: Map<string, Stored>
}

export const layerWith = (limits: MemoryLimits): Layer.Layer<History> =>
  Layer.effect(
    History,
    Effect.gen(function* () {
      const epoch = yield* randomEpoch
      const clock = yield* Clock.Clock
      /** In the order they were last written to. */
      const logs = new Map<string, Log>()
      let characters = 0
      let stored = 0
      /** Nothing here is deleted by age. */
      const emptied = yield* Queue.unbounded<never>()

      const dropOldest = (log: Log, count: number) => {
        for (const { entry, key } of log.entries.splice(0, count)) {
          characters -= entry.content.length
          if (key !== undefined) log.places.delete(key)
        }
        log.dropped += count
      }

      const makeRoom = () => {
        for (const log of logs.values()) {
          if (characters <= limits.maxCharacters) return
          dropOldest(log, Math.ceil(log.entries.length / 2))
        }
      }

      const appendOne = (entry: NewEntry): Stored => {
        const name = conversationKey(entry.conversation)
        const log = logs.get(name) ?? emptyLog()
        const key = entry.key === undefined ? undefined : `${nameKey(entry.from)} ${entry.key}`
        const first = key === undefined ? undefined : log.places.get(key)
        if (first !== undefined) return { ...first, repeated: true }

        const seq = newestOf(log) + 1
        const { at, from, content } = entry
        log.entries.push({ entry: { seq, at, from, content }, key, number: ++stored })
        characters += content.length
        const place: Stored = { seq, at, repeated: false }
        if (key !== undefined) log.places.set(key, place)
        // A tenth at a time: dropping one by one would move the whole array for every message.
        if (log.entries.length > limits.maxEntries * 1.1) dropOldest(log, log.entries.length - limits.maxEntries)
        logs.delete(name)
        logs.set(name, log)
        return place
      }

      /** The newest of a log that match, newest first, one more than the limit. Others get their turn while it looks. */
      const matches = Effect.fnUntraced(function* (
        log: Log,
        { before, limit, phrases }: { before: (held: Held) => boolean; limit: number; phrases: ReadonlyArray<Phrase> },
        watch: Stopwatch
      ) {
        const turn = yield* SearchTurn
        const found: globalThis.Array<Held> = []
        let place = newestOf(log)
        const piece = Effect.sync(() => {
          const begun = clock.monotonicTimeNanosUnsafe()
          let looked = 0
          while (place > log.dropped && found.length <= limit && looked < pieceCharacters) {
            const held = log.entries[place-- - log.dropped - 1]
            if (held === undefined || !before(held)) continue
            looked += held.entry.content.length + 64
            if (holds(termsOf(held.entry.content), phrases)) found.push(held)
            if (clock.monotonicTimeNanosUnsafe() - begun > pieceNanos) break
          }
          watch.nanos += clock.monotonicTimeNanosUnsafe() - begun
        })
        while (place > log.dropped && found.length <= limit) {
          if (watch.nanos > BigInt(searchLimit) * 1_000_000n) return yield* new SearchTooSlow({ limit: searchLimit })
          yield* turn(Effect.andThen(Effect.yieldNow, piece))
        }
        return found
      })

      const search = Effect.fnUntraced(function* <Searched extends Conversation>(
        conversations: Array.NonEmptyReadonlyArray<Searched>,
        { before = Infinity, limit, query }: Search,
        maxBytes = Infinity
      ) {
        const phrases = phrasesOf(query)
        if (phrases.length === 0) return { found: [], next: undefined }
        const placeOf = ({ entry, number }: Held) => (conversations.length === 1 ? entry.seq : number)
        const wanted = { before: (held: Held) => placeOf(held) < before, limit, phrases }
        const watch: Stopwatch = { nanos: 0n }
        const all: globalThis.Array<{ readonly conversation: Searched; readonly held: Held }> = []
        for (const conversation of conversations) {
          const log = logs.get(conversationKey(conversation))
          if (log === undefined) continue
          const found = yield* matches(log, wanted, watch)
          all.push(...found.map((held) => ({ conversation, held })))
        }
        let bytes = 0
        const page = all
          .toSorted((a, b) => b.held.number - a.held.number)
          .slice(0, limit)
          .filter(({ held }, index) => {
            bytes += Buffer.byteLength(held.entry.content)
            return index === 0 || bytes <= maxBytes
          })
        const last = page.at(-1)
        return {
          found: page.map(({ conversation, held }) => ({ conversation, entry: held.entry })),
          next: last !== undefined && page.length < all.length ? placeOf(last.held) : undefined
        }
      })

      return History.of({
        append: (entries) =>
          Effect.sync(() => {
            const places = entries.map(appendOne)
            makeRoom()
            return places
          }),
        read: (conversation, { after, before, limit }) =>
          Effect.sync(() => {
            const log = logs.get(conversationKey(conversation))
            if (log === undefined) return { entries: [], more: false }
            const low = Math.max(after ?? 0, log.dropped)
            const high = Math.max(low, Math.min((before ?? Infinity) - 1, newestOf(log)))
            const from = after === undefined ? Math.max(low, high - limit) : low
            const to = after === undefined ? high : Math.min(high, low + limit)
            return {
              entries: log.entries.slice(from - log.dropped, to - log.dropped).map(({ entry }) => entry),
              more: after === undefined ? from > low : to < high
            }
          }),
        newest: (conversation) =>
          Effect.sync(() => {
            const log = logs.get(conversationKey(conversation))
            return { epoch, seq: log === undefined ? 0 : newestOf(log) }
          }),
        search,
        forgetUnsafe: () => false,
        rooms: [],
        emptied
      })
    })
  )

/** With the default bounds: 10,000 entries per conversation, 64 Mi characters in all. */
export const layer: Layer.Layer<History> = layerWith(defaultLimits)

const emptyLog = (): Log => ({ entries: [], dropped: 0, places: new Map() })

/** How much of the logs a search looks at before others get their turn; 64 characters count for an entry itself. */
const pieceCharacters = 65_536
const pieceNanos = 2_000_000n

/** What a search has taken so far. */
interface Stopwatch {
  nanos: bigint
}

const newestOf = (log: Log): number => log.dropped + log.entries.length

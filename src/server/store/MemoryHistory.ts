/**
 * History that lives as long as the server does.
 *
 * Bounds (invariant 3): of each conversation the newest `maxEntries` are held, of all together at most `maxCharacters`;
 * the conversation that has been quiet longest loses its oldest half first. Places in the log outlive what was dropped.
 * A conversation that was written to or asked for keeps about 200 bytes until it is forgotten; MAX_ROOMS bounds the rooms.
 */
import { type Array, Clock, Effect, Layer, Queue } from "effect"
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import { Epoch, type Timestamp } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { bytesOf, fitting } from "../history/Fitting.ts"
import { History, type NewEntry, SearchTooSlow, type Stored } from "../history/History.ts"
import type { Search } from "../history/Query.ts"
import { searchLimit, SearchTurn } from "../search/SearchTurn.ts"
import { holds, type Phrase, phrasesOf, termsOf } from "../search/SearchWords.ts"
import { idempotencyKey } from "./Placement.ts"
import { randomEpoch } from "./RandomEpoch.ts"
import { checkStorable } from "./StoredEntry.ts"

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
  readonly conversation: Conversation
  readonly epoch: Epoch
  /** Consecutive: the first stands at `dropped + 1`. */
  readonly entries: globalThis.Array<Held>
  dropped: number
  /** The time of the newest, whether it is held or not. */
  at: Timestamp
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
      let opened = 0
      /** Nothing is deleted by age here, but a room may lose all to make room for others. */
      const emptied = yield* Queue.sliding<RoomName>(maxEmptied)

      /** The log, which is there from now on. */
      const logOf = (conversation: Conversation): Log => {
        const name = conversationKey(conversation)
        const log = logs.get(name) ?? emptyLog(conversation, epoch, ++opened)
        logs.set(name, log)
        return log
      }

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
          if (log.entries.length === 0) continue
          dropOldest(log, Math.ceil(log.entries.length / 2))
          if (log.entries.length === 0 && log.conversation._tag === "Room") {
            Queue.offerUnsafe(emptied, log.conversation.room)
          }
        }
      }

      const appendOne = (entry: NewEntry): Stored => {
        const log = logOf(entry.conversation)
        const key = idempotencyKey(entry)
        const first = key === undefined ? undefined : log.places.get(key)
        if (first !== undefined) return { ...first, repeated: true }

        const seq = newestOf(log) + 1
        const { content, from } = entry
        const at = Math.max(entry.at, log.at)
        log.entries.push({ entry: { seq, at, from, content }, key, number: ++stored })
        log.at = at
        characters += content.length
        const place: Stored = { seq, at, repeated: false }
        if (key !== undefined) log.places.set(key, place)
        // A tenth at a time: dropping one by one would move the whole array for every message.
        if (log.entries.length > limits.maxEntries * 1.1) dropOldest(log, log.entries.length - limits.maxEntries)
        const name = conversationKey(entry.conversation)
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
          Effect.andThen(
            checkStorable(entries),
            Effect.sync(() => {
              const places = entries.map(appendOne)
              makeRoom()
              return places
            })
          ),
        read: (conversation, { after, before, limit }, maxBytes = Infinity) =>
          Effect.sync(() => {
            const log = logs.get(conversationKey(conversation))
            if (log === undefined) return { entries: [], more: false }
            const low = Math.max(after ?? 0, log.dropped)
            const high = Math.max(low, Math.min((before ?? Infinity) - 1, newestOf(log)))
            const from = after === undefined ? Math.max(low, high - limit) : low
            const to = after === undefined ? high : Math.min(high, low + limit)
            const wanted = log.entries.slice(from - log.dropped, to - log.dropped).map(({ entry }) => entry)
            const inOrder = after === undefined ? wanted.toReversed() : wanted
            const count = maxBytes === Infinity ? wanted.length : fitting(inOrder.values().map(bytesOf), maxBytes)
            const entries = inOrder.slice(0, count)
            return {
              entries: after === undefined ? entries.toReversed() : entries,
              more: count < high - low
            }
          }),
        newest: (conversation) =>
          Effect.sync(() => {
            const log = logOf(conversation)
            return { epoch: log.epoch, seq: newestOf(log) }
          }),
        search,
        forgetUnsafe: (conversation) => {
          if (conversation._tag === "Lobby") return false
          const name = conversationKey(conversation)
          const log = logs.get(name)
          if (log !== undefined && log.entries.length > 0) return false
          logs.delete(name)
          return true
        },
        rooms: [],
        emptied
      })
    })
  )

/** With the default bounds: 10,000 entries per conversation, 64 Mi characters in all. */
export const layer: Layer.Layer<History> = layerWith(defaultLimits)

const emptyLog = (conversation: Conversation, epoch: Epoch, number: number): Log => ({
  conversation,
  epoch: conversation._tag === "Lobby" ? epoch : Epoch.make(`${epoch}.${number}`),
  entries: [],
  dropped: 0,
  at: 0,
  places: new Map()
})

/** How many emptied rooms are remembered until somebody looks: MAX_ROOMS at its default. */
const maxEmptied = 10_000

/** How much of the logs a search looks at before others get their turn; 64 characters count for an entry itself. */
const pieceCharacters = 65_536
const pieceNanos = 2_000_000n

/** What a search has taken so far. */
interface Stopwatch {
  nanos: bigint
}

const newestOf = (log: Log): number => log.dropped + log.entries.length

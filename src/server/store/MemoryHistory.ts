/**
 * History that lives as long as the server does.
 *
 * Bounds (invariant 3): of each conversation the newest `maxEntries` are held, of all together at most `maxCharacters`;
 * the conversation that has been quiet longest loses its oldest half first. Places in the log outlive what was dropped.
 * A conversation that was written to or asked for keeps about 200 bytes until it is forgotten; MAX_ROOMS bounds the rooms.
 */
import { Clock, Effect, Layer, Queue } from "effect"
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import { type Entry, referenceOf } from "../../common/log/Entry.ts"
import { viewOf } from "../../common/log/Timeline.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { History, keyOf, type NewEntry, type Stored, twinBody } from "../history/History.ts"
import { partnerIn, partnerOf } from "../history/Partner.ts"
import { GovernedRooms } from "./GovernedRooms.ts"
import {
  bytesOfView,
  charactersOf,
  emptyLog,
  entriesIn,
  factsOf,
  follow,
  type Held,
  heldAt,
  type MemoryLog,
  newestOf,
  pageOf,
  remember,
  viewsIn
} from "./MemoryLog.ts"
import { makeSearch } from "./MemorySearch.ts"
import { idempotencyKey, twinAt } from "./Placement.ts"
import { randomEpoch } from "./RandomEpoch.ts"
import { SealedMemory } from "./SealedMemory.ts"
import { bytesOf } from "./StoredBody.ts"
import { checkStorable } from "./StoredEntry.ts"

export interface MemoryLimits {
  /** Entries held per conversation. */
  readonly maxEntries: number
  /** UTF-16 units held in all: of content, and of keys that were answered with what was not made under them. */
  readonly maxCharacters: number
}

const defaultLimits: MemoryLimits = { maxEntries: 10_000, maxCharacters: 64 * 1024 * 1024 }

export const layerWith = (limits: MemoryLimits): Layer.Layer<History> =>
  Layer.effect(
    History,
    Effect.gen(function* () {
      const epoch = yield* randomEpoch
      const clock = yield* Clock.Clock
      const governed = yield* GovernedRooms
      const sealedRooms = yield* SealedMemory
      /** In the order they were last written to. */
      const logs = new Map<string, MemoryLog>()
      let characters = 0
      let stored = 0
      let opened = 0
      /** Nothing is deleted by age here, but a room may lose all to make room for others. */
      const emptied = yield* Queue.sliding<RoomName>(maxEmptied)

      /** The log, which is there from now on. */
      const logOf = (conversation: Conversation): MemoryLog => {
        const name = conversationKey(conversation)
        const log = logs.get(name) ?? emptyLog(conversation, epoch, ++opened)
        logs.set(name, log)
        return log
      }

      const dropOldest = (log: MemoryLog, count: number) => {
        for (const { answered, entry, key } of log.entries.splice(0, count)) {
          characters -= charactersOf(entry.body)
          if (key !== undefined) log.places.delete(key)
          for (const other of answered) {
            characters -= other.length
            log.places.delete(other)
          }
          log.standing.delete(entry.seq)
          log.edits.delete(entry.seq)
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
        const { body, conversation, twin } = entry
        const reference = twin === undefined ? undefined : referenceOf(body)
        const target = reference === undefined ? undefined : heldAt(log, reference)?.twin
        const there = twin === undefined ? undefined : twinBody(entry, target)
        const other = twin === undefined || there === undefined ? undefined : logOf(twin)
        const at = Math.max(entry.at, log.at, other?.at ?? 0)
        const place: Stored = { seq, at, repeated: false }
        if (key !== undefined) log.places.set(key, place)
        const partner = partnerIn(entry)
        if (twin === undefined || there === undefined || other === undefined || conversation._tag !== "Inbox") {
          add(log, entry, { seq, at, body, key, partner, twin: undefined })
          return place
        }
        const otherSeq = newestOf(other) + 1
        add(log, entry, { seq, at, body, key, partner, twin: otherSeq })
        const copy = { seq: otherSeq, at, body: there, key: undefined }
        add(other, { ...entry, conversation: twin }, { ...copy, partner: partnerOf(conversation), twin: seq })
        return { ...place, twin: twinAt(otherSeq, target) }
      }

      const add = (
        log: MemoryLog,
        { author, conversation, from, to }: NewEntry,
        { at, body, seq, ...beside }: Pick<Entry, "at" | "body" | "seq"> & Pick<Held, "key" | "partner" | "twin">
      ) => {
        const held: Held = {
          ...beside,
          entry: to === undefined ? { seq, at, from, body } : { seq, at, from, to, body },
          author,
          answered: noKeys,
          number: ++stored
        }
        log.entries.push(held)
        characters += charactersOf(body) + follow(log, held)
        log.at = at
        // A tenth at a time: dropping one by one would move the whole array for every message.
        if (log.entries.length > limits.maxEntries * 1.1) dropOldest(log, log.entries.length - limits.maxEntries)
        const name = conversationKey(conversation)
        logs.delete(name)
        logs.set(name, log)
      }

      return History.of({
        append: (entries, answered = []) =>
          Effect.andThen(
            checkStorable(entries, answered),
            Effect.sync(() => {
              const places = entries.map(appendOne)
              entries.forEach(({ conversation, governance, sealed }, index) => {
                const place = places[index]
                if (conversation._tag === "Inbox" || place?.repeated !== false) return
                if (governance !== undefined) governed.set(conversation, governance)
                if (sealed !== undefined && conversation._tag === "Room")
                  sealedRooms.carryOut(conversation, place.seq, sealed)
              })
              for (const { conversation, from, key, seq, with: partner } of answered) {
                characters += remember(logOf(conversation), keyOf(from, key, partner), seq)
              }
              makeRoom()
              return places
            })
          ),
        read: (conversation, range, maxBytes) =>
          Effect.sync(() => {
            const log = logs.get(conversationKey(conversation))
            if (log === undefined) return { entries: [], more: false }
            const { given, more } = pageOf(entriesIn(log, range), range, maxBytes, ({ body }) => bytesOf(body))
            return { entries: given, more }
          }),
        standing: (conversation, range, maxBytes) =>
          Effect.sync(() => {
            const log = logs.get(conversationKey(conversation))
            if (log === undefined) return { messages: [], more: false }
            const { given, more } = pageOf(viewsIn(log, range), range, maxBytes, bytesOfView)
            return { messages: given.map((one) => (one._tag === "Deleted" ? one : viewOf(one))), more }
          }),
        facts: (conversation, question) =>
          Effect.sync(() => {
            const log = logs.get(conversationKey(conversation))
            return log === undefined ? { answered: new Map(), targets: new Map() } : factsOf(log, question)
          }),
        newest: (conversation) =>
          Effect.sync(() => {
            const log = logOf(conversation)
            return { epoch: log.epoch, seq: newestOf(log) }
          }),
        search: makeSearch(clock, (name) => logs.get(name)),
        forgetUnsafe: (conversation) => {
          if (conversation._tag !== "Room") return false
          const name = conversationKey(conversation)
          const log = logs.get(name)
          if (log !== undefined && log.entries.length > 0) return false
          logs.delete(name)
          sealedRooms.remove(name)
          return true
        },
        erase: (conversation) =>
          Effect.sync(() => {
            const name = conversationKey(conversation)
            const log = logs.get(name)
            if (log !== undefined) dropOldest(log, log.entries.length)
            logs.delete(name)
            governed.remove(conversation)
            sealedRooms.remove(name)
          }),
        rooms: [],
        emptied
      })
    })
  ).pipe(Layer.provide([GovernedRooms.layer, SealedMemory.layer]))

/** With the default bounds: 10,000 entries per conversation, 64 Mi characters in all. */
export const layer: Layer.Layer<History> = layerWith(defaultLimits)

const noKeys: ReadonlyArray<string> = []

/** How many emptied rooms are remembered until somebody looks: MAX_ROOMS at its default. */
const maxEmptied = 10_000

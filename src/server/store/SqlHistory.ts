/**
 * History in a database, over any `SqlClient`.
 *
 * It is the only writer of its database and knows the newest place of every conversation, so a commit (see GroupCommit)
 * is one statement. Only where that is not enough, a conversation's first message, a key that was stored before, or a
 * commit that may have failed, it asks first, in the transaction that stores. Measured on 2 cores with synchronous=FULL:
 * 2 ms for a commit of one message, 3.3 ms for one of a thousand.
 *
 * Rooms that are forgotten lose their rows a moment later, in the background, or in the commit that makes them again. Those
 * that are erased lose their names at once, and what was said in them in the background (see ErasedRooms).
 * Bounds (invariant 3): those of Standings and GroupCommit.
 */
import { Context, Effect, Layer, Option, Queue, Schedule, Schema, Semaphore } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import type { Epoch } from "../../common/log/Cursor.ts"
import { referenceOf } from "../../common/log/Entry.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import type { Governance } from "../governance/Governance.ts"
import {
  type AnsweredKey,
  History,
  keyOf,
  type NewEntry,
  type RoomConversation,
  StorageUnavailable
} from "../history/History.ts"
import { LogOnce } from "../notices/LogOnce.ts"
import * as Outage from "../notices/Outage.ts"
import { SearchIndex } from "../search/SearchIndex.ts"
import * as EntryRows from "./EntryRows.ts"
import * as ErasedRooms from "./ErasedRooms.ts"
import * as FactTables from "./FactTables.ts"
import * as GovernanceTables from "./GovernanceTables.ts"
import { GovernedRooms } from "./GovernedRooms.ts"
import { type Append, type Problem, make as makeGroupCommit } from "./GroupCommit.ts"
import * as LogPages from "./LogPages.ts"
import * as LogTables from "./LogTables.ts"
import * as MembershipTables from "./MembershipTables.ts"
import { idempotencyKey, type Known, place, type Placement } from "./Placement.ts"
import * as SealedTables from "./SealedTables.ts"
import * as StandingRows from "./StandingRows.ts"
import { isEmpty, Standings } from "./Standings.ts"
import * as StandingTables from "./StandingTables.ts"
import { checkStorable } from "./StoredEntry.ts"

/**
 * The connections to the database, and which incarnation of the logs it holds. A page that is read must not wait for a
 * commit, nor a commit for a page.
 */
export class Connections extends Context.Service<
  Connections,
  {
    readonly writer: SqlClient.SqlClient
    readonly reader: SqlClient.SqlClient
    readonly epoch: Epoch
    /** Rooms of which RETENTION may have left nothing: looked at before anybody hears of them. */
    readonly emptied: Queue.Dequeue<RoomName>
    /** A message was deleted: the rest of it is to be erased (see `erasures`). */
    readonly noteDeletedUnsafe: () => void
  }
>()("parley/server/store/SqlHistory/Connections") {}

/** Rows removed by one statement: 1 ms. */
const removalStep = 200

/** The tables must be up to date (see Migrations). Fails if they cannot be read. */
export const layer = Layer.effect(
  History,
  Effect.gen(function* () {
    const { emptied: maybeEmptied, epoch, noteDeletedUnsafe, reader, writer } = yield* Connections
    const index = yield* SearchIndex
    const tables = LogTables.make(writer)
    const readTables = LogTables.make(reader)
    const consequences = StandingTables.make(writer)
    const governances = GovernanceTables.make(writer)
    const memberships = MembershipTables.make(writer)
    const sealedRooms = SealedTables.make(writer)
    const erasedRooms = ErasedRooms.make(writer)
    const readErasedRooms = ErasedRooms.make(reader)
    const governed = yield* GovernedRooms
    const facts = FactTables.make(reader, readTables)
    const damaged = new LogOnce("More messages are damaged. Check the database with: pnpm admin verify")
    const entryPages = LogPages.make(EntryRows.make(reader, readTables), damaged)
    const standingPages = LogPages.make(StandingRows.make(reader), damaged)
    const reading = Outage.make("Messages cannot be read", "Messages are read again")
    const removing = Outage.make("Empty rooms cannot be removed", "Empty rooms are removed again")
    const erasing = Outage.make("Rooms cannot be deleted", "Rooms are deleted again")
    /** What is known of a conversation is what a commit finds, and what it leaves. */
    const oneByOne = yield* Semaphore.make(1)

    const stored = yield* tables.conversations
    const standings = new Standings(epoch, yield* tables.lastNumber)
    /** Whether a key may be known that no entry was made under: then it is looked for before anything is stored. */
    let hasAnswered = yield* tables.hasAnswered
    for (const conversation of stored) standings.learn(conversation.conversationKey, conversation)
    const rooms = stored.flatMap(({ kind, name, ...standing }) =>
      kind === "Room"
        ? Option.toArray(Schema.decodeOption(RoomName)(name)).map((room) => ({ room, isEmpty: isEmpty(standing) }))
        : []
    )

    /** How these stand in the database, after a commit that may have failed. */
    const learnAll = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
      const found = yield* tables.standing(names)
      for (const conversation of found) standings.learn(conversation.conversationKey, conversation)
      const there = new Set(found.map(({ conversationKey: name }) => name))
      for (const name of names) if (!there.has(name)) yield* learnErased(erasedRooms, name)
    })

    /** Of one that has no row: it may have been erased by a commit that failed. */
    const learnErased = Effect.fnUntraced(function* ({ isTakenAway }: typeof erasedRooms, name: string) {
      const standing = standings.get(name)
      if (standing === undefined || !(yield* isTakenAway(standing.id))) return
      standings.erase(name)
      governed.removeNamed(name)
    })

    /** Opens what is new, and looks before it stores. */
    const commitCarefully = Effect.fnUntraced(function* (
      entries: ReadonlyArray<NewEntry>,
      answered: ReadonlyArray<AnsweredKey>,
      conversations: ReadonlyMap<string, Conversation>,
      doubtful: ReadonlyArray<string>
    ) {
      const forgotten = [...conversations.keys()].flatMap((name) => standings.removals.get(name) ?? [])
      if (forgotten.length > 0) yield* tables.removeEmpty(forgotten)
      const found = yield* tables.open(conversations, (name) => standings.get(name)?.id)
      const opened = new Map<string, Known>(
        found.map(({ conversationKey: name, id, newest }) => [name, { id, newest, at: standings.get(name)?.at ?? 0 }])
      )
      const inLog = (conversation: Conversation, key: string | undefined) => {
        const known = opened.get(conversationKey(conversation))
        return key === undefined || known === undefined ? [] : [[known.id, key] as const]
      }
      const keys = entries.flatMap((entry) => inLog(entry.conversation, idempotencyKey(entry)))
      const references = entries.flatMap(({ body, conversation, twin }) => {
        const reference = twin === undefined ? undefined : referenceOf(body)
        const known = opened.get(conversationKey(conversation))
        return reference === undefined || known === undefined ? [] : [[known.id, reference] as const]
      })
      const earlier = { stored: yield* tables.earlierPlaces(keys), twin: yield* tables.twinsOf(references) }
      const placement = place(entries, (name) => opened.get(name), earlier)
      if (placement.rows.length > 0) yield* tables.insertRows(placement.rows, false)
      if (answered.length > 0) {
        hasAnswered = true
        const answers = answered.flatMap(({ conversation, from, key, seq, with: partner }) =>
          inLog(conversation, keyOf(from, key, partner)).map(([id, key]) => [id, key, seq] as const)
        )
        yield* tables.insertAnswered(answers)
      }
      yield* consequences.carryOut(placement.deeds)
      yield* governing(entries, placement.stored, doubtful)
      return { ...placement, newest: new Map([...opened, ...placement.newest]) }
    })

    /** How rooms are governed from these entries on, who is no member any more, and which devices may read. */
    const governing = Effect.fnUntraced(function* (
      entries: ReadonlyArray<NewEntry>,
      stored: Placement["stored"],
      doubtful: ReadonlyArray<string>
    ) {
      const before = new Map<string, Governance | undefined>(doubtful.map((name) => [name, undefined]))
      for (const [index, { conversation, dismissed, governance, sealed }] of entries.entries()) {
        const place = stored[index]
        if (conversation._tag === "Inbox" || place?.repeated !== false) continue
        if (governance !== undefined) {
          const name = conversationKey(conversation)
          const known = before.has(name) ? before.get(name) : governed.get(conversation)
          yield* governances.put(conversation, governance, known)
          before.set(name, governance)
        }
        if (conversation._tag === "Lobby") continue
        if (dismissed !== undefined) yield* memberships.leave(dismissed, conversation.room)
        if (sealed !== undefined) yield* sealedRooms.carryOut(conversation, place.seq, sealed)
      }
    })

    const commitAtOnce = Effect.fnUntraced(function* (entries: ReadonlyArray<NewEntry>) {
      const placement = place(entries, standings.get)
      yield* tables.insertRows(placement.rows, hasAnswered)
      return placement
    })

    const commit = Effect.fnUntraced(function* (appends: ReadonlyArray<Append>) {
      const entries = appends.flatMap(({ entries }) => entries)
      const answered = appends.flatMap(({ answered }) => answered)
      const conversations = new Map(appends.flatMap(({ conversations }) => [...conversations]))
      const doubtful = [...conversations.keys()].filter(standings.isDoubtful)
      if (doubtful.length > 0) yield* learnAll(doubtful)
      const carefully = writer.withTransaction(commitCarefully(entries, answered, conversations, doubtful))
      // What a private message replies to stands elsewhere in the other inbox.
      const isPlain =
        answered.length === 0 &&
        entries.every(({ body, governance, twin }) =>
          body._tag === "Sealed"
            ? governance === undefined
            : body._tag === "Said" && (twin === undefined || body.replyTo === undefined)
        )
      const committed: Effect.Effect<Placement, Problem> =
        isPlain && [...conversations.keys()].every(standings.isCertain)
          ? Effect.catchReasons(commitAtOnce(entries), "SqlError", {
              UniqueViolation: () => carefully,
              ConstraintError: () => carefully
            })
          : carefully
      const { deeds, newest, stored } = yield* Effect.onError(committed, () =>
        Effect.sync(() => standings.doubt(conversations.keys()))
      )
      for (const name of conversations.keys()) {
        standings.settle(name)
        standings.removals.delete(name)
      }
      for (const [name, place] of newest) standings.advance(name, place)
      entries.forEach(({ conversation, governance }, index) => {
        if (conversation._tag === "Inbox" || governance === undefined || stored[index]?.repeated !== false) return
        governed.set(conversation, governance)
      })
      index.noteUnsafe()
      if (deeds.some(({ body }) => body._tag === "Deleted")) noteDeletedUnsafe()
      return stored
    })
    /** A message matters more than how fast it is found: on a full disk it has the index's space. */
    const commitOrMakeRoom = (appends: ReadonlyArray<Append>) => oneByOne.withPermit(index.makingRoom(commit(appends)))
    const append = yield* makeGroupCommit(commitOrMakeRoom, ({ conversations }) => standings.end(conversations.keys()))

    const unavailable = <A>(effect: Effect.Effect<A, Problem>) =>
      Effect.mapError(effect, (cause) => new StorageUnavailable({ cause }))

    /** To be read; nothing if nothing was ever written to it. */
    const logOf = (conversation: Conversation): LogPages.ReadLog | undefined => {
      const name = conversationKey(conversation)
      const known = standings.get(name)
      return known === undefined ? undefined : { id: known.id, name, newest: known.newest }
    }

    /** What became of a conversation whose commit failed. */
    const lookAgain = Effect.fnUntraced(function* (name: string, doubt: number) {
      const [found] = yield* unavailable(reading.watch(tables.standing([name])))
      const standing = standings.get(name)
      // A commit that succeeded meanwhile, or who forgot it since then, knows better.
      if (standing === undefined || standing.doubt === 0) return
      if (found !== undefined) standings.learn(name, found)
      else yield* unavailable(reading.watch(learnErased(readErasedRooms, name)))
      standings.settle(name, doubt)
    })

    const erase = (conversation: RoomConversation) => {
      const name = conversationKey(conversation)
      const taken = Effect.suspend(() =>
        writer.withTransaction(erasedRooms.takeAway(conversation, standings.number(name).id))
      )
      return erasing.watch(index.makingRoom(taken)).pipe(
        Effect.onError(() => Effect.sync(() => standings.doubt([name]))),
        Effect.andThen(
          Effect.sync(() => {
            standings.erase(name)
            governed.remove(conversation)
            noteDeletedUnsafe()
          })
        ),
        // Whoever waits for it may go; it is carried out or not, and known.
        Effect.uninterruptible,
        oneByOne.withPermit,
        unavailable
      )
    }

    /** Removes the rows of what was forgotten; those that fail are tried again with the next. */
    const removals = yield* Queue.sliding<void>(1)
    const removeStep = Effect.suspend(() => {
      const some = [...standings.removals].slice(0, removalStep)
      if (some.length === 0) return Effect.succeed(false)
      return Effect.map(tables.removeEmpty(some.map(([, id]) => id)), () => {
        for (const [name, id] of some) if (standings.removals.get(name) === id) standings.removals.delete(name)
        return true
      })
    })
    const forgetUnsafe = (conversation: Conversation) => {
      const isForgotten = standings.forget(conversation)
      if (standings.removals.size > 0) Queue.offerUnsafe(removals, undefined)
      return isForgotten
    }
    for (const { isEmpty, room } of rooms) if (isEmpty) forgetUnsafe({ _tag: "Room", room })
    yield* Queue.take(removals).pipe(
      Effect.andThen(removing.watch(Effect.repeat(removeStep, { while: (hasMore) => hasMore }))),
      Effect.ignoreCause,
      Effect.forever,
      Effect.forkScoped
    )

    const emptied = yield* Queue.unbounded<RoomName>()
    const tellEmptied = Effect.gen(function* () {
      const named = new Map((yield* Queue.takeAll(maybeEmptied)).map((room) => [keyOfRoom(room), room]))
      const found = yield* Effect.retry(readTables.standing([...named.keys()]), Schedule.spaced("1 second"))
      for (const conversation of found) standings.noteDeleted(conversation.conversationKey, conversation)
      // Together with those that still wait, each once.
      const waiting = new Map((yield* Queue.clear(emptied)).map((room) => [keyOfRoom(room), room]))
      for (const [name, room] of named) {
        const standing = standings.get(name)
        if (standing !== undefined && isEmpty(standing)) waiting.set(name, room)
      }
      Queue.offerAllUnsafe(emptied, waiting.values())
    })
    yield* Effect.forkScoped(Effect.forever(tellEmptied))

    return History.of({
      append: (entries, answered = []) =>
        Effect.andThen(
          checkStorable(entries, answered),
          Effect.suspend(() => {
            const conversations = conversationsOf(answered.length === 0 ? entries : [...entries, ...answered])
            standings.begin(conversations.keys())
            return append({ entries, answered, conversations })
          })
        ),
      read: Effect.fnUntraced(function* (conversation, range, maxBytes) {
        const log = logOf(conversation)
        if (log === undefined) return { entries: [], more: false }
        const { given, more } = yield* unavailable(reading.watch(entryPages(log, range, maxBytes)))
        return { entries: given, more }
      }),
      standing: Effect.fnUntraced(function* (conversation, range, maxBytes) {
        const log = logOf(conversation)
        if (log === undefined) return { messages: [], more: false }
        const { given, more } = yield* unavailable(reading.watch(standingPages(log, range, maxBytes)))
        return { messages: given, more }
      }),
      facts: Effect.fnUntraced(function* (conversation, question) {
        const log = logOf(conversation)
        if (log === undefined) return { answered: new Map(), targets: new Map() }
        return yield* unavailable(reading.watch(facts.read(log, question)))
      }),
      newest: Effect.fnUntraced(function* (conversation) {
        const name = conversationKey(conversation)
        const { doubt } = standings.number(name)
        if (doubt > 0) yield* lookAgain(name, doubt)
        return { epoch: standings.epochOf(conversation), seq: standings.number(name).newest }
      }),
      search: (conversations, search, maxBytes) => {
        const numbered = conversations.flatMap((conversation) => {
          const stands = standings.get(conversationKey(conversation))
          return stands === undefined ? [] : [[stands.id, conversation] as const]
        })
        const isBySeq = conversations.length === 1
        return index.search({ conversations: new Map(numbered), isBySeq, search, maxBytes })
      },
      forgetUnsafe,
      erase,
      emptied,
      rooms: rooms.flatMap(({ isEmpty, room }) => (isEmpty ? [] : [room]))
    })
  })
).pipe(Layer.provide(GovernedRooms.layer))

const keyOfRoom = (room: RoomName) => conversationKey({ _tag: "Room", room })

/** Those of these entries and of their twins, by key. */
const conversationsOf = (
  entries: ReadonlyArray<Pick<NewEntry, "conversation" | "muffled" | "twin"> & { readonly body?: NewEntry["body"] }>
): ReadonlyMap<string, Conversation> => {
  const conversations = new Map<string, Conversation>()
  let last: Conversation | undefined
  for (const { body, conversation, muffled, twin } of entries) {
    const isThere = muffled !== true || body?._tag === "Deleted"
    if (twin !== undefined && isThere) conversations.set(conversationKey(twin), twin)
    if (conversation === last) continue
    last = conversation
    conversations.set(conversationKey(conversation), conversation)
  }
  return conversations
}

/**
 * What survives the server: the logs of all conversations, and a `History` for each life of a server.
 *
 * A store takes its time, fails, and may be caught by a crash. A crash while it stores is decided here and at once: the
 * whole batch is on the disk, or nothing of it. A server that is dead gets no answer any more.
 */
import { Effect, Queue } from "effect"
import { type Conversation, conversationKey } from "../../src/common/log/Conversation.ts"
import { Epoch } from "../../src/common/log/Cursor.ts"
import { type Entry, referenceOf, referringTo } from "../../src/common/log/Entry.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { MessageKey } from "../../src/common/wire/RequestId.ts"
import {
  type AnsweredKey,
  type Facts,
  History,
  keyOf,
  type NewEntry,
  type Page,
  type Question,
  type StandingPage,
  StorageUnavailable,
  type Stored
} from "../../src/server/history/History.ts"
import { type Partner, partnerIn, partnerOf } from "../../src/server/history/Partner.ts"
import type { Range, Search, StandingRange } from "../../src/server/history/Query.ts"
import { SearchTurn } from "../../src/server/search/SearchTurn.ts"
import { pageOf } from "../support/ReferencePage.ts"
import type { Chance } from "./Chance.ts"
import type { Costs } from "./Costs.ts"
import { type Match, matching, newestOf } from "./DiskSearch.ts"
import type { Journal } from "./Journal.ts"
import { unlawful } from "./Lawful.ts"
import { Log } from "./Log.ts"

/** How the disk behaves just now. */
export interface Health {
  /** The longest that each half of an operation takes, in milliseconds. */
  slowness: number
  /** How often an operation fails and does nothing, from 0 to 1. */
  failing: number
  /** How often a batch is stored and reported as failed all the same, from 0 to 1. */
  lying: number
}

/** A batch on its way to the disk. */
interface Pending {
  readonly commit: () => void
}

export interface DiskOptions {
  readonly chance: Chance
  readonly journal: Journal
  readonly costs: Costs
  /** How long one may edit, in milliseconds. */
  readonly editWindow: number
}

export interface Mounted {
  readonly history: History["Service"]
  /** The server is no more. What was being stored is decided now. */
  readonly crash: () => void
}

export class Disk {
  readonly epoch = Epoch.make("the only one")
  readonly health: Health = { slowness: 0, failing: 0, lying: 0 }
  /** How often an operation was answered with a failure. */
  failures = 0
  readonly nothingEmptied = Effect.runSync(Queue.unbounded<never>())
  readonly #chance: Chance
  readonly #journal: Journal
  readonly #costs: Costs
  readonly #editWindow: number
  readonly #logs = new Map<string, Log>()
  #lastNumber = 0
  #stored = 0
  #instants = 0

  constructor({ chance, costs, editWindow, journal }: DiskOptions) {
    this.#chance = chance
    this.#journal = journal
    this.#costs = costs
    this.#editWindow = editWindow
  }

  /** Names all logs. */
  get logs(): Iterable<string> {
    return this.#logs.keys()
  }
  log(key: string | undefined): Log | undefined {
    return this.#logs.get(key ?? "")
  }
  newest(key: string): number {
    return this.#logs.get(key)?.newest ?? 0
  }
  /** How many entries were ever stored: names a moment. */
  get moment(): number {
    return this.#stored
  }
  /** Names the log's incarnation, for who would go on where it left. */
  epochOf(key: string): Epoch {
    // An inbox is the same log for good, whether anything was written to it or not.
    if (key.startsWith("inbox:")) return Epoch.make(`${this.epoch}.${key}`)
    const number = this.#logs.get(key)?.number
    return number === undefined || key === conversationKey({ _tag: "Lobby" })
      ? this.epoch
      : Epoch.make(`${this.epoch}.${number}`)
  }
  /** Where the sender's message with this key stands. */
  placeOf(key: string, from: UserName, messageKey: MessageKey, partner?: Partner): number | undefined {
    return this.#logs.get(key)?.places.get(keyOf(from, messageKey, partner))?.seq
  }

  /** Names this very instant: later than all before it, although nothing may have been stored. */
  instant(): number {
    return ++this.#instants
  }

  readonly heal = (): void => {
    this.health.slowness = 0
    this.health.failing = 0
    this.health.lying = 0
  }

  /** Stores at once, as an earlier server may have done, whatever that allowed. */
  store(entries: ReadonlyArray<NewEntry>): ReadonlyArray<Stored> {
    return entries.map((entry) => {
      const { body, conversation } = entry
      const stored = this.#append(entry, () => ++this.#lastNumber)
      const log = this.log(conversationKey(conversation))
      if (body._tag === "Deleted" && log?.isMessage(body.target) === true) log.deletionTold(body.target, this.instant())
      return stored
    })
  }

  /** The store of a server that starts now. */
  mount(): Mounted {
    const pending = new Set<Pending>()
    /** Numbers of conversations nobody wrote to, for as long as this server lives. */
    const numbers = new Map<string, number>()
    /** How many appends to each conversation are under way. */
    const underWay = new Map<string, number>()
    /** Conversations of a commit that failed. */
    const doubtful = new Set<string>()
    let isAlive = true
    const unlessDead = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => (isAlive ? effect : Effect.never))

    const read = <A>(name: string, look: () => A, count?: (name: string) => void) =>
      Effect.suspend(() => {
        count?.(name)
        if (this.#chance.is(this.health.failing)) return this.#wait(this.#fail("read nothing", [name]))
        // It may have looked long before it answers.
        return this.#wait(Effect.suspend(() => this.#wait(Effect.succeed(look()))))
      }).pipe(unlessDead)

    const countSearch = this.#costs.search
    const look = <Searched extends Conversation>(
      name: string,
      searched: Searched,
      wanted: Search,
      isAlone: boolean
    ) => {
      return matching(searched, this.#logs.get(name), isAlone, wanted)
    }

    const numberOf = (name: string): number => {
      const number = this.#logs.get(name)?.number ?? numbers.get(name) ?? ++this.#lastNumber
      numbers.set(name, number)
      return number
    }

    const newest = (conversation: Conversation) => {
      const name = conversationKey(conversation)
      const isLobby = conversation._tag === "Lobby"
      const look = () => ({
        epoch:
          isLobby || conversation._tag === "Inbox" ? this.epochOf(name) : Epoch.make(`${this.epoch}.${numberOf(name)}`),
        seq: this.newest(name)
      })
      if (!doubtful.has(name)) return Effect.sync(look).pipe(unlessDead)
      return Effect.tap(read(name, look), () => Effect.sync(() => doubtful.delete(name)))
    }

    const forgetUnsafe = (conversation: Conversation): boolean => {
      const name = conversationKey(conversation)
      if (conversation._tag === "Lobby" || this.newest(name) > 0) return false
      if (doubtful.has(name) || (underWay.get(name) ?? 0) > 0) return false
      numbers.delete(name)
      return true
    }

    /** While it is under way the conversation is not forgotten, and once it failed `newest` has to look. */
    const noting = <A, E>(
      entries: ReadonlyArray<Pick<NewEntry, "conversation">>,
      effect: Effect.Effect<A, E>
    ): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        const names = new Set(entries.map(({ conversation }) => conversationKey(conversation)))
        for (const name of names) underWay.set(name, (underWay.get(name) ?? 0) + 1)
        return Effect.onExit(effect, ({ _tag }) =>
          Effect.sync(() => {
            for (const name of names) {
              underWay.set(name, (underWay.get(name) ?? 0) - 1)
              if (_tag === "Failure") doubtful.add(name)
              else doubtful.delete(name)
            }
          })
        )
      })

    const append = (entries: ReadonlyArray<NewEntry>, answered: ReadonlyArray<AnsweredKey>) =>
      Effect.suspend(() => {
        const failing = this.#chance.is(this.health.failing)
        const lying = this.#chance.is(this.health.lying)
        let stored: ReadonlyArray<Stored> | undefined
        const commit = () => {
          if (stored !== undefined) return stored
          stored = entries.map((entry) => this.#append(entry, numberOf, this.#editWindow))
          for (const one of answered) this.#remember(one)
          return stored
        }
        const batch: Pending = { commit }
        const names = new Set([...entries, ...answered].map(({ conversation }) => conversationKey(conversation)))
        if (!failing) pending.add(batch)
        const store = Effect.suspend(() => {
          if (failing) return this.#fail("stored nothing", names)
          const places = commit()
          pending.delete(batch)
          for (const name of names) this.#costs.append(name)
          return this.#wait(lying ? this.#fail("stored it all", names) : Effect.succeed(places))
        })
        return this.#wait(unlessDead(store)).pipe(Effect.onInterrupt(() => Effect.sync(() => settle(batch))))
      }).pipe(unlessDead)

    const settle = (batch: Pending) => {
      if (pending.delete(batch) && this.#chance.is(0.5)) batch.commit()
    }

    const search = Effect.fnUntraced(function* <Searched extends Conversation>(
      conversations: ReadonlyArray<Searched>,
      wanted: Search,
      maxBytes = Infinity
    ) {
      const turn = yield* SearchTurn
      const matches: Array<Match<Searched>> = []
      for (const conversation of conversations) {
        const name = conversationKey(conversation)
        const isAlone = conversations.length === 1
        matches.push(...(yield* turn(read(name, () => look(name, conversation, wanted, isAlone), countSearch))))
      }
      return newestOf(matches, wanted.limit, maxBytes)
    })

    return {
      history: History.of({
        append: (entries, answered = []) => noting([...entries, ...answered], append(entries, answered)),
        read: (conversation, range, maxBytes) =>
          read(conversationKey(conversation), () => this.page(conversation, range, maxBytes), this.#costs.read),
        standing: (conversation, range, maxBytes) =>
          read(conversationKey(conversation), () => this.standing(conversation, range, maxBytes), this.#costs.read),
        facts: (conversation, question) =>
          read(
            conversationKey(conversation),
            () => this.facts(conversation, question),
            (name) => this.#costs.facts(name, question)
          ),
        newest,
        search,
        forgetUnsafe,
        erase: () => Effect.die(new Error("Nobody here deletes a room.")),
        emptied: this.nothingEmptied,
        rooms: [...this.#logs.values()].flatMap(({ conversation }): ReadonlyArray<RoomName> =>
          conversation._tag === "Room" ? [conversation.room] : []
        )
      }),
      crash: () => {
        isAlive = false
        for (const batch of pending) settle(batch)
      }
    }
  }

  /** `editWindow`: there if a server decided to store this just now. */
  #append(entry: NewEntry, numberOf: (name: string) => number, editWindow?: number): Stored {
    const { at: now, author, body, conversation, from, key, to, twin } = entry
    const name = conversationKey(conversation)
    const log = this.#logOf(conversation, numberOf)
    const partner = partnerIn(entry)
    const first = key === undefined ? undefined : log.places.get(keyOf(from, key, partner))
    if (first !== undefined) return { ...first, repeated: true }
    const wrong = editWindow === undefined ? undefined : unlawful(log, entry, editWindow)
    const there = twin === undefined ? undefined : this.#logOf(twin, numberOf)
    const at = Math.max(now, log.atOf(log.newest), there?.atOf(there.newest) ?? 0)
    const seq = log.newest + 1
    const head = { at, from, ...(to !== undefined && { to }) }
    const place = { seq, at, repeated: false }
    if (key !== undefined) log.places.set(keyOf(from, key, partner), place)
    log.append({ seq, ...head, body }, author, ++this.#stored, partner, there && there.newest + 1)
    this.#journal.note(`disk ${name} ${seq} ${textOf(body).slice(0, 100)}`)
    if (wrong !== undefined) this.#journal.accuse(`${name} ${seq} was stored, and ${wrong}`)
    if (there === undefined || conversation._tag !== "Inbox") return place
    const reference = referenceOf(body)
    const target = reference === undefined ? undefined : log.twins[reference - 1]
    const entryThere = { seq: there.newest + 1, ...head, body: referringTo(body, target) }
    there.append(entryThere, author, ++this.#stored, partnerOf(conversation), seq)
    return { ...place, twin: target === undefined ? { seq: entryThere.seq } : { seq: entryThere.seq, target } }
  }

  #logOf(conversation: Conversation, numberOf: (name: string) => number): Log {
    const name = conversationKey(conversation)
    const log = this.#logs.get(name) ?? new Log(conversation, numberOf(name))
    this.#logs.set(name, log)
    return log
  }

  #remember({ conversation, from, key, seq, with: partner }: AnsweredKey) {
    const log = this.#logs.get(conversationKey(conversation))
    const name = keyOf(from, key, partner)
    if (log === undefined || log.places.has(name)) return
    log.places.set(name, { seq, at: log.atOf(seq), repeated: false })
    this.#journal.note(`disk ${conversationKey(conversation)} ${seq} is ${name}'s, too`)
  }

  facts(conversation: Conversation, question: Question): Facts {
    return this.#logs.get(conversationKey(conversation))?.facts(question) ?? nothing
  }

  page(conversation: Conversation, range: Range, maxBytes: number | undefined): Page {
    const { read = [] } = this.#logs.get(conversationKey(conversation)) ?? {}
    const sized = read.map((entry) => ({ seq: entry.seq, content: contentOf(entry.body), entry }))
    const { entries, more } = pageOf(sized, range, maxBytes)
    return { entries: entries.map(({ entry }) => entry), more }
  }

  standing(conversation: Conversation, range: StandingRange, maxBytes: number | undefined): StandingPage {
    const { with: partner, ...others } = range
    // Nobody governs yet.
    const log = Object.values(others).includes("moderation") ? undefined : this.#logs.get(conversationKey(conversation))
    const views = log?.views(partner) ?? []
    const sized = views.map(({ seq, view }) => ({ seq, content: contentOf(view), view }))
    const { entries, more } = pageOf(sized, range, maxBytes)
    return { messages: entries.map(({ view }) => view), more }
  }

  #fail(what: string, names: Iterable<string>): Effect.Effect<never, StorageUnavailable> {
    this.failures++
    for (const name of names) this.#costs.fail(name)
    this.#journal.note(`disk failed and ${what}`)
    return Effect.fail(new StorageUnavailable({ cause: new Error("The simulated disk failed.") }))
  }

  #wait<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const millis = this.health.slowness === 0 ? 0 : this.#chance.between(0, this.health.slowness)
    return millis === 0 ? effect : Effect.delay(effect, millis)
  }
}

const nothing: Facts = { answered: new Map(), targets: new Map() }

/** What counts against the bytes of a page. */
const contentOf = (what: object): string => ("content" in what && typeof what.content === "string" ? what.content : "")

const textOf = ({ _tag, ...fields }: Entry["body"]): string =>
  _tag === "Said" ? fieldsOf(fields) : `${_tag} ${fieldsOf(fields)}`

const fieldsOf = (fields: object): string => Object.values(fields).join(" ")

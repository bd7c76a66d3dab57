/**
 * What the server does for each request, and whether that is bounded (invariant 10).
 *
 * 1. A reply has MAILBOX_BYTES at most, or one message, and no more messages than were asked for. A list has 1000 names.
 * 2. A log is read for a page twice, and once more for each 64 KiB of the reply; for what was missed, so often for all of it
 *    and once for each commit meanwhile; and after a commit that failed. A search looks twice at each conversation.
 * 3. What has to be known to decide is looked up once for a run, and no more of it than the run is about: at most once for
 *    each request that depends on what stands in the log.
 * 4. Nothing is read for who is gone: what was being read at that moment is the last.
 * 5. From one rest to the next no more turns are taken than what happened in between explains.
 *
 * Reads name no request, so they are counted for each log, against what all requests about it may cost.
 */
import type { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import { defaultHistoryLimit } from "../../src/common/wire/ClientMessage.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import type { Question } from "../../src/server/history/History.ts"
import type { Journal } from "./Journal.ts"

/** The contract says so, whatever the server holds for right. */
const maxNames = 1000

/** How many requests are decided on together. */
const maxRun = 1000

const pieceBytes = 64 * 1024
/** One that may come up empty behind the last piece, and one that a piece cut short. */
const freeReads = 2
/** A hundred names of 64 letters from anywhere are 29 KB. */
const maxListBytes = 300_000

/** Measured in 1,200 runs: at most 35 where nothing happened, and never more than a third of this bound. */
const freeTasks = 100
const tasksEach = 50

/** What a request may need to read, until it is answered. */
export interface Needs {
  readonly log: string
  readonly reads: number
}

interface Open {
  readonly request: ClientMessage
  readonly needs: Needs | undefined
  readonly searched: ReadonlyArray<string>
}

interface Ledger {
  reads: number
  allowed: number
  searches: number
  searchesAllowed: number
  lookups: number
  lookupsAllowed: number
  /** Commits until it is known again where the log stands, after one that failed. */
  doubt: number
}

/** How often one thing that happened may have been answered with work. */
export interface Effort {
  readonly tasks: number
  readonly happened: number
}

export class Costs {
  readonly #journal: Journal
  readonly #mailboxBytes: number
  readonly #accounts = new Set<Account>()
  readonly #ledgers = new Map<string, Ledger>()
  #happened = 0
  /** Where there was least to spare. */
  hardest: Effort = { tasks: 0, happened: 0 }

  constructor(journal: Journal, mailboxBytes: number) {
    this.#journal = journal
    this.#mailboxBytes = mailboxBytes
  }

  /** A server starts, which has read nothing. */
  begin(): void {
    this.#ledgers.clear()
    this.#accounts.clear()
  }

  open(label: string): Account {
    const account = new Account(label, this)
    this.#accounts.add(account)
    return account
  }

  readonly happen = (count: number): void => {
    this.#happened += count
  }

  /** What a page of so large a reply may read. */
  get readsOfPage(): number {
    return freeReads + Math.ceil(this.#mailboxBytes / pieceBytes)
  }

  readonly read = (log: string): void => {
    this.happen(1)
    const ledger = this.#ledger(log)
    ledger.reads++
    const isNeeded = ledger.doubt > 0 || this.#some((account) => account.needs(log))
    if (!isNeeded) this.accuse(`${log} is read, and nobody is there who asked for it`)
  }

  readonly search = (log: string): void => {
    this.happen(1)
    this.#ledger(log).searches++
    if (!this.#some((account) => account.searches(log)))
      this.accuse(`${log} is searched, and nobody is there who asked`)
  }

  /** What a run is about is looked up. */
  readonly facts = (log: string, { keys, reactors, targets }: Question): void => {
    this.happen(1)
    const ledger = this.#ledger(log)
    ledger.lookups++
    const most = Math.max(keys.length, targets.length, reactors.length)
    if (most > maxRun) this.accuse(`${most} facts about ${log} are looked up at once`)
    if (ledger.lookups > ledger.lookupsAllowed) {
      this.accuse(`${log} is looked into ${ledger.lookups} times, where ${ledger.lookupsAllowed} are enough`)
    }
  }

  readonly append = (log: string): void => {
    this.happen(1)
    const ledger = this.#ledger(log)
    if (ledger.doubt > 0) ledger.doubt--
    for (const account of this.#accounts) if (account.needs(log)) ledger.allowed++
  }

  /** An operation on a log failed, and whoever carried it out has to look where it stands. */
  readonly fail = (log: string): void => {
    this.happen(1)
    const ledger = this.#ledger(log)
    ledger.doubt = 2
    ledger.allowed += 2
  }

  allow(log: string, reads: number): void {
    this.#ledger(log).allowed += reads
  }
  allowLookup(log: string): void {
    this.#ledger(log).lookupsAllowed++
  }
  allowSearch(log: string): void {
    this.#ledger(log).searchesAllowed += 3
  }

  /** Nothing more happens until time passes, after so many tasks. */
  rest(tasks: number): void {
    for (const account of this.#accounts) if (account.isGone) this.#accounts.delete(account)
    for (const [log, { allowed, reads, searches, searchesAllowed }] of this.#ledgers) {
      let most = allowed
      for (const account of this.#accounts) most += account.readsOpen(log)
      if (reads > most) this.accuse(`${log} was read ${reads} times, where ${most} are enough`)
      if (searches > searchesAllowed)
        this.accuse(`${log} was searched ${searches} times, where ${searchesAllowed} are enough`)
    }
    const most = freeTasks + tasksEach * this.#happened
    if (tasks > most) this.accuse(`${tasks} turns were taken after ${this.#happened} things happened`)
    if (tasks * (freeTasks + tasksEach * this.hardest.happened) > this.hardest.tasks * most) {
      this.hardest = { tasks, happened: this.#happened }
    }
    this.#happened = 0
  }

  /** Whether a reply is as small as it must be. */
  weigh(request: ClientMessage, reply: ServerMessage, bytes: number): string | undefined {
    switch (reply._tag) {
      case "History":
      case "SearchResults": {
        const { messages } = reply
        const limit = ("limit" in request ? request.limit : undefined) ?? defaultHistoryLimit
        if (messages.length > limit) return `${messages.length} messages answer a request for ${limit}`
        return bytes > this.#mailboxBytes && messages.length > 1 ? `${bytes} bytes answer one request` : undefined
      }
      case "UserList":
      case "RoomUsers":
      case "RoomList":
      case "RoomJoined": {
        const names = reply._tag === "RoomList" ? reply.rooms : reply.users
        return names.length > maxNames || bytes > maxListBytes ? `${names.length} names in ${bytes} bytes` : undefined
      }
      default:
        return bytes > this.#mailboxBytes ? `${bytes} bytes answer one request` : undefined
    }
  }

  accuse(what: string): void {
    this.#journal.accuse(what)
  }

  #some(is: (account: Account) => boolean): boolean {
    for (const account of this.#accounts) if (is(account)) return true
    return false
  }

  #ledger(log: string): Ledger {
    const known = this.#ledgers.get(log)
    if (known !== undefined) return known
    const none: Ledger = {
      reads: 0,
      allowed: 0,
      searches: 0,
      searchesAllowed: 0,
      lookups: 0,
      lookupsAllowed: 0,
      doubt: 0
    }
    this.#ledgers.set(log, none)
    return none
  }
}

/** What one connection has asked for. */
export class Account {
  isGone = false
  readonly #label: string
  readonly #costs: Costs
  readonly #open = new Map<string, Open>()
  /** Logs of which it is given what it missed. */
  readonly #behind = new Set<string>()

  constructor(label: string, costs: Costs) {
    this.#label = label
    this.#costs = costs
  }

  /** Asks for something. `searched`: the logs a search may look at. */
  ask(id: string, request: ClientMessage, needs: Needs | undefined, searched: ReadonlyArray<string>): void {
    this.#open.set(id, { request, needs, searched })
    for (const log of searched) this.#costs.allowSearch(log)
    // What was missed is known now; a page is as long as it turns out to be.
    if (needs !== undefined && request._tag !== "GetHistory") this.#costs.allow(needs.log, needs.reads)
  }

  answer(id: string, reply: ServerMessage, bytes: number): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    const { needs, request } = open
    const wrong = this.#costs.weigh(request, reply, bytes)
    if (wrong !== undefined) this.#costs.accuse(`${this.#label}: ${wrong}`)
    if (needs === undefined) return
    if (request._tag === "GetHistory") this.#costs.allow(needs.log, freeReads + Math.floor(bytes / pieceBytes))
    else if (reply._tag !== "Rejected") this.#behind.add(needs.log)
  }

  /** It has all there is of a log. */
  catchUp(log: string): void {
    this.#behind.delete(log)
  }

  /** From the next rest on, nothing is done for it. */
  go(): void {
    if (this.isGone) return
    this.isGone = true
    for (const { needs, request } of this.#open.values()) {
      if (needs !== undefined && request._tag === "GetHistory") this.#costs.allow(needs.log, needs.reads)
    }
  }

  needs(log: string): boolean {
    if (this.#behind.has(log)) return true
    for (const { needs } of this.#open.values()) if (needs?.log === log) return true
    return false
  }

  searches(log: string): boolean {
    for (const { searched } of this.#open.values()) if (searched.includes(log)) return true
    return false
  }

  /** What its pages under way may read. */
  readsOpen(log: string): number {
    if (this.isGone) return 0
    let reads = 0
    for (const { needs, request } of this.#open.values()) {
      if (needs?.log === log && request._tag === "GetHistory") reads += needs.reads
    }
    return reads
  }
}

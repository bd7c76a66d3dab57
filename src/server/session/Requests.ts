/**
 * The requests of one connection that are under way: each gets exactly one reply (PROTOCOL.md, "Requests and replies"), with
 * its own `id`, which nothing else reads. Processors know a request by its number.
 *
 * - A second reply, or one to a request that never was, is dropped and told as a defect. Behind `close` there are none.
 * - Of those that concern one conversation, a reply that is made before an earlier one waits for that here. What waits for
 *   nothing, as a search, concerns none. A reply that is given in pieces (`begin` to `finish`) is never held back: its
 *   conversation makes it behind all others, and nothing is read behind it.
 *
 * Bounds: `maxInFlight` requests with texts of `maxInFlightCharacters` in all, and of those with a large reply one; the
 * connection's handler waits until there are fewer before it adds one, and TCP makes its peer wait. That bounds every mailbox
 * behind it (see Mailbox), and what is made on behalf of one connection at a time (invariant 10).
 */
import { Deferred, Effect } from "effect"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { lineText } from "../../connection/Line.ts"
import type { RequestNumber } from "./Asker.ts"

/** How many requests of one connection may wait for their reply. */
const maxInFlight = 128

/** How much text these requests may hold, in UTF-16 units: 256 KiB. One more request may come on top. */
const maxInFlightCharacters = 128 * 1024

/** What is known of a request when it is handed on. */
export interface Request {
  readonly id: string | undefined
  /** The conversation it concerns, by any name; replies about one keep the order of the requests. */
  readonly about: string | undefined
  /** Of its text, in UTF-16 units. */
  readonly characters: number
  /** What is asked for may be large, and the connection is read no further until all of it has been given. */
  readonly isLarge: boolean
}

interface UnderWay extends Request {
  readonly number: RequestNumber
  /** It has had its reply, or the beginning of it. */
  isReplied: boolean
  /** Another one about the same conversation is to be replied to first; what is to be said here until then. */
  isBehind: boolean
  held: string | undefined
  /** The next one about the same conversation. */
  next: UnderWay | undefined
}

/** A reply to what is never under way, for it is answered where it is read: one line, newline included. */
export const answerAtOnce = (id: string | undefined, message: ServerMessage): string =>
  lineText(id === undefined ? message : { ...message, id })

/** A class, as there may be ten thousand: closures would hold the same things once more for each method. */
export class Requests {
  readonly #onDefect: (request: RequestNumber) => void
  readonly #underWay = new Map<RequestNumber, UnderWay>()
  /** The last one about each conversation. */
  readonly #last = new Map<string, UnderWay>()
  #count = 0
  /** Of the requests since none was under way last. */
  #characters = 0
  #large: RequestNumber | undefined
  #isClosed = false
  #waiter: { readonly isOver: () => boolean; readonly done: Deferred.Deferred<void> } | undefined

  /** `onDefect` is told which request would have had a second reply. */
  constructor(onDefect: (request: RequestNumber) => void) {
    this.#onDefect = onDefect
  }

  /** One more is under way. */
  add(request: Request): RequestNumber {
    const number = ++this.#count
    const { about, characters, isLarge } = request
    const before = about === undefined ? undefined : this.#last.get(about)
    const added: UnderWay = {
      id: request.id,
      about,
      characters,
      isLarge,
      number,
      isReplied: false,
      isBehind: before !== undefined,
      held: undefined,
      next: undefined
    }
    if (before !== undefined) before.next = added
    if (about !== undefined) this.#last.set(about, added)
    this.#underWay.set(number, added)
    this.#characters += characters
    if (isLarge) this.#large = number
    return number
  }

  isLarge(request: RequestNumber): boolean {
    return this.#underWay.get(request)?.isLarge === true
  }

  /** The one reply to a request; gives the lines that are to be said now, its own and those that waited for it. */
  reply(request: RequestNumber, message: ServerMessage): string {
    const replied = this.#replied(request)
    return replied === undefined ? "" : this.#say(replied, answerAtOnce(replied.id, message))
  }

  /** The same for a reply that is encoded already, in pieces that lack the beginning: the brace, the `_tag` and a comma. */
  replyEncoded(
    request: RequestNumber,
    tag: ServerMessage["_tag"],
    pieces: ReadonlyArray<Uint8Array>
  ): ReadonlyArray<Uint8Array> {
    const replied = this.#replied(request)
    if (replied === undefined) return []
    const { id } = replied
    const head = `${JSON.stringify(id === undefined ? { _tag: tag } : { _tag: tag, id }).slice(0, -1)},`
    if (replied.isBehind) return bytesOf(this.#say(replied, head + Buffer.concat(pieces).toString()))
    return [Buffer.from(head), ...pieces, ...bytesOf(this.#say(replied, ""))]
  }

  /** The beginning of a reply to which more belongs: the request is under way until `finish`. */
  begin(request: RequestNumber, message: ServerMessage): string {
    const replied = this.#replied(request)
    return replied === undefined ? "" : answerAtOnce(replied.id, message)
  }

  /** All of it has been given, or there is nobody left to be given it. Gives the lines that waited for it. */
  finish(request: RequestNumber): string {
    const finished = this.#underWay.get(request)
    return finished === undefined ? "" : this.#say(finished, "")
  }

  /** What was replied is on its way: whoever waits for that goes on, at once. */
  release(): void {
    if (this.#waiter?.isOver() !== true) return
    const { done } = this.#waiter
    // Before it goes on, which may make it wait again.
    this.#waiter = undefined
    Deferred.doneUnsafe(done, Effect.void)
  }

  /** The connection has ended: nobody is there to be replied to. */
  close(): void {
    this.#isClosed = true
    this.#underWay.clear()
    this.#last.clear()
    this.#large = undefined
  }

  /** How many are under way. */
  count(): number {
    return this.#underWay.size
  }

  /** Whether so many, or such long ones, are under way that no more may come. */
  isBusy(): boolean {
    return this.#underWay.size >= maxInFlight || this.#characters >= maxInFlightCharacters
  }

  /** Waits until some of them, or if they are long all of them, have been replied to. Each of these: only the handler waits. */
  lessBusy(): Effect.Effect<void> {
    return this.fewerThan(this.#characters >= maxInFlightCharacters ? 1 : maxInFlight / 2)
  }

  /** Waits until fewer than `count` are under way. */
  fewerThan(count: number): Effect.Effect<void> {
    return this.#until(() => this.#underWay.size < count)
  }

  /** Waits until nothing large is under way. */
  largeGiven(): Effect.Effect<void> {
    return this.#until(() => this.#large === undefined)
  }

  #replied(request: RequestNumber): UnderWay | undefined {
    if (this.#isClosed) return undefined
    const found = this.#underWay.get(request)
    if (found === undefined || found.isReplied) {
      this.#onDefect(request)
      return undefined
    }
    found.isReplied = true
    return found
  }

  /** Ends it, and those behind it that have their replies; unless it is behind another itself. */
  #say(first: UnderWay, line: string): string {
    if (first.isBehind) {
      first.held = line
      return ""
    }
    let said = line
    this.#end(first)
    for (let { next } = first; next !== undefined; { next } = next) {
      next.isBehind = false
      if (next.held === undefined) break
      said += next.held
      this.#end(next)
    }
    return said
  }

  #end({ about, number }: UnderWay) {
    this.#underWay.delete(number)
    if (about !== undefined && this.#last.get(about)?.number === number) this.#last.delete(about)
    if (this.#underWay.size === 0) this.#characters = 0
    if (this.#large === number) this.#large = undefined
  }

  #until(isOver: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (isOver()) return Effect.void
      const done = Deferred.makeUnsafe<void>()
      this.#waiter = { isOver, done }
      return Deferred.await(done)
    })
  }
}

const bytesOf = (lines: string): ReadonlyArray<Uint8Array> => (lines === "" ? [] : [Buffer.from(lines)])

/**
 * One connection as the processors see it: a way to answer it, to tell it things, and to end it.
 *
 * Owns what is counted per connection: the requests under way, when it was last heard, and its last words. At most
 * `maxInFlight` requests are under way, with texts of `maxInFlightCharacters` in all, and of those with a large reply one;
 * its handler reads nothing more until they are answered, and TCP makes the peer wait. That bounds every mailbox behind it
 * (see Mailbox), and what is made on behalf of one connection at a time (invariant 10).
 */
import { Deferred, Effect, Fiber } from "effect"
import type { AuthorId } from "../../common/log/Entry.ts"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { encodeLine } from "../../connection/Line.ts"
import { type AccountId, authorOfAccount } from "./AccountId.ts"
import type { SessionId } from "./Asker.ts"
import type { Outbox, OutboxOptions } from "./Outbox.ts"
import { rejected } from "./Rejected.ts"

/** How many requests of one connection may wait for their reply. */
const maxInFlight = 128

/** How much text these requests may hold, in UTF-16 units: 256 KiB. One more request may come on top. */
const maxInFlightCharacters = 128 * 1024

export interface SessionOptions {
  readonly id: SessionId
  readonly author: AuthorId
  readonly now: number
  readonly handler: Fiber.Fiber<unknown, unknown>
  readonly outbox: (on: Pick<OutboxOptions, "onLost" | "onOverflow">) => Outbox
}

/** Whose a connection is, if it is no guest's, and as which of its devices; none where nothing was proven but a password once. */
export interface Ownership {
  readonly account: AccountId
  readonly device: DeviceId | undefined
}

/** A class, as there may be ten thousand: closures would hold the same things once more for each method. */
export class Session {
  readonly id: SessionId
  /** Whose what it writes is. */
  author: AuthorId
  /** An account's, once it has proven that. */
  owner: Ownership | undefined
  readonly outbox: Outbox
  /** When this connection last sent anything, in monotonic milliseconds. */
  lastHeardAt: number
  readonly #handler: Fiber.Fiber<unknown, unknown>
  #inFlight = 0
  /** Of the requests since none was under way last. */
  #characters = 0
  #isLargeUnderWay = false
  #givenLarge: Deferred.Deferred<void> | undefined
  #waiter: { readonly below: number; readonly done: Deferred.Deferred<void> } | undefined
  #lastWords: ServerMessage | undefined

  constructor({ author, handler, id, now, outbox }: SessionOptions) {
    this.id = id
    this.author = author
    this.owner = undefined
    this.lastHeardAt = now
    this.#handler = handler
    this.outbox = outbox({ onOverflow: () => this.#cut(), onLost: () => this.#handler.interruptUnsafe() })
  }

  /** From now on it is this account's, and so is what it writes. */
  belongTo(owner: Ownership): void {
    this.owner = owner
    this.author = authorOfAccount(owner.account)
  }

  /** One more request is under way, with a text of so many characters. */
  began(characters: number, isLarge: boolean): void {
    this.#inFlight++
    this.#characters += characters
    if (isLarge) this.#isLargeUnderWay = true
  }

  /** What was asked for and may be large has been given: all of it is in the outbox. */
  gaveLarge(): void {
    this.#isLargeUnderWay = false
    const given = this.#givenLarge
    this.#givenLarge = undefined
    if (given !== undefined) Deferred.doneUnsafe(given, Effect.void)
  }

  /** Waits until nothing large is under way. Only the connection's own handler waits here. */
  largeGiven(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.#isLargeUnderWay) return Effect.void
      const given = Deferred.makeUnsafe<void>()
      this.#givenLarge = given
      return Deferred.await(given)
    })
  }

  /** Whether so many requests, or such long ones, are under way that no more may come. */
  isBusy(): boolean {
    return this.#inFlight >= maxInFlight || this.#characters >= maxInFlightCharacters
  }

  /** Waits until some of them, or if they are long all of them, have been answered. */
  lessBusy(): Effect.Effect<void> {
    return this.fewerInFlight(this.#characters >= maxInFlightCharacters ? 1 : maxInFlight / 2)
  }

  /** So many requests have had their replies. */
  settled(count: number): void {
    this.#inFlight -= count
    if (this.#inFlight === 0) this.#characters = 0
    if (this.#waiter === undefined || this.#inFlight >= this.#waiter.below) return
    const { done } = this.#waiter
    // Before the handler goes on, which it does at once and may make it wait again.
    this.#waiter = undefined
    Deferred.doneUnsafe(done, Effect.void)
  }

  inFlight(): number {
    return this.#inFlight
  }

  /** Waits until fewer than `count` requests are under way. Only the connection's own handler waits here. */
  fewerInFlight(count: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#inFlight < count) return Effect.void
      const done = Deferred.makeUnsafe<void>()
      this.#waiter = { below: count, done }
      return Deferred.await(done)
    })
  }

  /** Makes the handler stop reading, say these last words and close. The first call decides. */
  endUnsafe(words: ServerMessage): void {
    if (this.#lastWords !== undefined) return
    this.#lastWords = words
    this.#handler.interruptUnsafe()
  }

  lastWords(): ServerMessage | undefined {
    return this.#lastWords
  }

  /** Waits until its handler is done: the farewell has been said and the socket let go. */
  ended(): Effect.Effect<void> {
    return Effect.asVoid(Fiber.await(this.#handler))
  }

  #cut() {
    const words = rejected({ _tag: "SlowConsumer" })
    this.outbox.closeUnsafe(encodeLine(words), true)
    this.endUnsafe(words)
  }
}

/**
 * One connection as the processors see it: a way to answer it, to tell it things, and to end it.
 *
 * Owns what is known of a connection alone: the requests under way (Requests), what has still to be sent (Outbox), when it was
 * last heard, and its last words.
 */
import { Effect, Fiber } from "effect"
import type { AuthorId } from "../../common/log/Entry.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { encodeLine } from "../../connection/Line.ts"
import type { AccountId } from "./AccountId.ts"
import type { SessionId } from "./Asker.ts"
import type { Origin } from "./Origin.ts"
import type { Outbox, OutboxOptions } from "./Outbox.ts"
import { rejected } from "./Rejected.ts"
import type { Requests } from "./Requests.ts"

export interface SessionOptions {
  readonly id: SessionId
  readonly now: number
  readonly peer: Origin
  readonly handler: Fiber.Fiber<unknown, unknown>
  readonly outbox: (on: Pick<OutboxOptions, "onLost" | "onOverflow">) => Outbox
  readonly requests: Requests
}

/** Whose what somebody writes is. */
export interface Authors {
  /** Nobody's, if it is a guest. */
  readonly account: AccountId | undefined
  readonly author: AuthorId
  /** Whose what an account wrote on this connection is, if it was a guest there before it registered. */
  readonly guest: AuthorId | undefined
  /** Where it comes from (see `networkOf`); nothing if that is not known, or it is gone. */
  readonly network: string | undefined
}

/** A class, as there may be ten thousand: closures would hold the same things once more for each method. */
export class Session {
  readonly id: SessionId
  readonly peer: Origin
  /** Those of the last that it wrote. */
  authors: Authors | undefined
  readonly outbox: Outbox
  readonly requests: Requests
  /** When this connection last sent anything, in monotonic milliseconds. */
  lastHeardAt: number
  readonly #handler: Fiber.Fiber<unknown, unknown>
  #lastWords: ServerMessage | undefined

  constructor({ handler, id, now, outbox, peer, requests }: SessionOptions) {
    this.id = id
    this.peer = peer
    this.authors = undefined
    this.lastHeardAt = now
    this.requests = requests
    this.#handler = handler
    this.outbox = outbox({ onOverflow: () => this.#cut(), onLost: () => this.#handler.interruptUnsafe() })
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

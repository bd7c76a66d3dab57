/**
 * One connection as the processors see it: a way to answer it, to tell it things, and to end it.
 *
 * Owns what is known of a connection alone: the requests under way (Requests), what has still to be sent (Outbox), when it was
 * last heard, and its last words.
 */
import { Effect, Fiber } from "effect"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
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

/** Whose a connection is, if it is no guest's, and as which of its devices. */
export interface Ownership {
  readonly account: AccountId
  readonly device: DeviceId
}

/** A class, as there may be ten thousand: closures would hold the same things once more for each method. */
export class Session {
  readonly id: SessionId
  readonly peer: Origin
  /** An account's, once it has proven that. */
  owner: Ownership | undefined
  readonly outbox: Outbox
  readonly requests: Requests
  /** When this connection last sent anything, in monotonic milliseconds. */
  lastHeardAt: number
  readonly #handler: Fiber.Fiber<unknown, unknown>
  #lastWords: ServerMessage | undefined

  constructor({ handler, id, now, outbox, peer, requests }: SessionOptions) {
    this.id = id
    this.peer = peer
    this.owner = undefined
    this.lastHeardAt = now
    this.requests = requests
    this.#handler = handler
    this.outbox = outbox({ onOverflow: () => this.#cut(), onLost: () => this.#handler.interruptUnsafe() })
  }

  /** From now on it is this account's. */
  belongTo(owner: Ownership): void {
    this.owner = owner
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

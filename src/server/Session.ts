/**
 * One connection as the processors see it: a way to answer it, to tell it things, and to end it.
 *
 * Owns what is counted per connection: the requests under way, when it was last heard, and its last words. At most
 * `maxInFlight` requests are under way; its handler reads nothing more until some are answered, and TCP makes the peer
 * wait. That bounds every mailbox behind it (see Mailbox).
 */
import { Deferred, Effect, Fiber } from "effect"
import type { ServerMessage } from "../common/ServerMessage.ts"
import { encodeLine } from "../connection/Line.ts"
import type { SessionId } from "./messages/Asker.ts"
import type { Outbox } from "./Outbox.ts"
import { rejected } from "./Rejected.ts"

/** How many requests of one connection may wait for their reply. With 8 KiB each, that is 1 MiB of text at most. */
export const maxInFlight = 128

export interface Session {
  readonly id: SessionId
  readonly outbox: Outbox
  /** When this connection last sent anything, in the server's milliseconds. */
  lastHeardAt: number
  /** One more request is under way. */
  readonly began: () => void
  /** So many requests have had their replies. */
  readonly settled: (count: number) => void
  readonly inFlight: () => number
  /** Waits until fewer than `count` requests are under way. Only the connection's own handler waits here. */
  readonly fewerInFlight: (count: number) => Effect.Effect<void>
  /** Makes the handler stop reading, say these last words and close. The first call decides. */
  readonly endUnsafe: (lastWords: ServerMessage) => void
  readonly lastWords: () => ServerMessage | undefined
  /** Waits until its handler is done: the farewell has been said and the socket let go. */
  readonly ended: Effect.Effect<void>
}

export const make = (options: {
  readonly id: SessionId
  readonly now: number
  readonly handler: Fiber.Fiber<unknown, unknown>
  readonly outbox: (onOverflow: () => void) => Outbox
}): Session => {
  let inFlight = 0
  let waiter: { readonly below: number; readonly done: Deferred.Deferred<void> } | undefined
  let lastWords: ServerMessage | undefined

  const endUnsafe = (words: ServerMessage) => {
    if (lastWords !== undefined) return
    lastWords = words
    options.handler.interruptUnsafe()
  }

  const outbox = options.outbox(() => {
    const words = rejected({ _tag: "SlowConsumer" })
    outbox.closeUnsafe(encodeLine(words), true)
    endUnsafe(words)
  })

  return {
    id: options.id,
    outbox,
    lastHeardAt: options.now,
    began: () => {
      inFlight++
    },
    settled: (count) => {
      inFlight -= count
      if (waiter === undefined || inFlight >= waiter.below) return
      const { done } = waiter
      // Before the handler goes on, which it does at once and may make it wait again.
      waiter = undefined
      Deferred.doneUnsafe(done, Effect.void)
    },
    inFlight: () => inFlight,
    fewerInFlight: (count) =>
      Effect.suspend(() => {
        if (inFlight < count) return Effect.void
        const done = Deferred.makeUnsafe<void>()
        waiter = { below: count, done }
        return Deferred.await(done)
      }),
    endUnsafe,
    lastWords: () => lastWords,
    ended: Effect.asVoid(Fiber.await(options.handler))
  }
}

/**
 * Holds what a client has learned until its program reads it, so that replies never wait behind messages.
 *
 * If reading from the socket waited for the program, a program that answers each message and waits for each `Sent`
 * could wait for a reply stuck behind messages only it can take away. So the socket is read always, and what does not
 * fit here is thrown away and counted: the reader finds `Skipped` in its place.
 *
 * Bound: 32 MiB of memory, by all that an event holds; the reader is handed some 256 KiB at a time. That is 80,000
 * short messages, or all of the longest page.
 */
import { Cause, Deferred, Effect, Exit, Queue, Stream } from "effect"
import type { SessionError } from "../core/ClientError.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { footprint } from "../core/Footprint.ts"

const maxBytes = 32 * 1024 * 1024
const batchBytes = 256 * 1024

export interface EventBuffer {
  readonly offer: (event: ClientEvent) => void
  /** What is held can still be read; then the stream ends, or fails. */
  readonly end: (error?: SessionError) => void
  /** Done when the reader has come back for more behind all that is held now, or when the events have ended. */
  readonly caughtUp: Effect.Effect<void>
  /** For one reader. */
  readonly events: Stream.Stream<ClientEvent, SessionError>
}

interface Held {
  readonly event: ClientEvent
  readonly bytes: number
}

export const make: Effect.Effect<EventBuffer> = Effect.gen(function* () {
  // Unbounded in name only: `offer` counts.
  const queue = yield* Queue.unbounded<Held | Gap, SessionError | Cause.Done>()
  let heldBytes = 0
  /** The last in the queue, while that is where events are missing. */
  let gap: Gap | undefined
  let held = 0
  let released = 0
  let isReaderBack = false
  let hasEnded = false
  /** Whoever waits for the reader, and behind how many of all that were ever held. */
  const waiting = new Map<Deferred.Deferred<void>, number>()

  /** Whoever asks for more has dealt with what it was given. */
  const tellWaiting = () => {
    for (const [done, count] of waiting) if (hasEnded || released >= count) Deferred.doneUnsafe(done, Effect.void)
  }

  const hold = (next: Held | Gap) => {
    held += 1
    heldBytes += next.bytes
    Queue.offerUnsafe(queue, next)
  }

  const offer = (event: ClientEvent) => {
    const bytes = footprint(event)
    // Behind a gap there is to be room for many again: or it would be one event in, one out, and a gap between any two.
    if (heldBytes + bytes > (gap === undefined ? maxBytes : maxBytes / 2)) {
      if (gap === undefined) hold((gap = new Gap()))
      gap.events += 1
      return
    }
    gap = undefined
    hold({ event, bytes })
  }

  const release = (next: Held | Gap): ClientEvent => {
    released += 1
    heldBytes -= next.bytes
    if (next === gap) gap = undefined
    return next instanceof Gap ? { _tag: "Skipped", events: next.events } : next.event
  }

  const caughtUp = Effect.suspend(() => {
    // What is released may be in the reader's hands still: only its coming back tells.
    if (hasEnded || held === 0 || (isReaderBack && released === held)) return Effect.void
    const done = Deferred.makeUnsafe<void>()
    waiting.set(done, held)
    return Effect.ensuring(
      Deferred.await(done),
      Effect.sync(() => waiting.delete(done))
    )
  })

  const comeBack = Effect.suspend(() => {
    isReaderBack = true
    tellWaiting()
    return Queue.take(queue)
  })

  const takeBatch = Effect.map(comeBack, (first) => {
    isReaderBack = false
    const batch: [ClientEvent, ...Array<ClientEvent>] = [release(first)]
    let bytes = first.bytes
    while (bytes < batchBytes) {
      const next = Queue.takeUnsafe(queue)
      if (next === undefined || Exit.isFailure(next)) break
      bytes += next.value.bytes
      batch.push(release(next.value))
    }
    return batch
  })

  return {
    offer,
    caughtUp,
    end: (error) => {
      hasEnded = true
      tellWaiting()
      if (error === undefined) Queue.endUnsafe(queue)
      else Queue.failCauseUnsafe(queue, Cause.fail(error))
    },
    events: Stream.fromPull(Effect.succeed(takeBatch))
  }
})

/** Stands in the queue where events were thrown away. */
class Gap {
  readonly bytes = 64
  events = 0
}

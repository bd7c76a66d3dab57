/**
 * Holds what a client has learned until its program reads it, so that replies never wait behind messages.
 *
 * If reading from the socket waited for the program, a program that answers each message and waits for each `Sent`
 * could wait for a reply stuck behind messages only it can take away. So the socket is read always, and what does not
 * fit here is thrown away and counted: the reader finds `Skipped` in its place.
 *
 * Bound: 16 Mi characters, an event counting 256 and its text. That is some 50,000 short messages, and 32 MiB at worst.
 */
import { Cause, Effect, Queue, Stream } from "effect"
import type { ServerMessage } from "../common/ServerMessage.ts"
import type { SessionError } from "./ClientError.ts"
import type { ClientEvent } from "./ClientEvent.ts"

const maxCharacters = 16 * 1024 * 1024
const charactersPerEvent = 256

export interface EventBuffer {
  readonly offer: (event: ClientEvent) => void
  /** What is held can still be read; then the stream ends, or fails. */
  readonly end: (error?: SessionError) => void
  /** For one reader. */
  readonly events: Stream.Stream<ClientEvent, SessionError>
}

export const make: Effect.Effect<EventBuffer> = Effect.gen(function* () {
  // Unbounded in name only: `offer` counts.
  const queue = yield* Queue.unbounded<ClientEvent, SessionError | Cause.Done>()
  let held = 0
  let skipped = 0

  const offer = (event: ClientEvent) => {
    const characters = charactersPerEvent + (event._tag === "Received" ? textLength(event.message) : 0)
    if (held + characters > maxCharacters) {
      skipped += 1
      return
    }
    held += characters
    Queue.offerUnsafe(queue, event)
  }

  const takeAll = Effect.map(Queue.takeAll(queue), (events) => {
    held = 0
    if (skipped > 0) events.push({ _tag: "Skipped", events: skipped })
    skipped = 0
    return events
  })

  return {
    offer,
    end: (error) => {
      if (error === undefined) Queue.endUnsafe(queue)
      else Queue.failCauseUnsafe(queue, Cause.fail(error))
    },
    events: Stream.fromPull(Effect.succeed(takeAll))
  }
})

const textLength = (message: ServerMessage): number => {
  if ("content" in message) return message.content.length
  if ("messages" in message) return message.messages.reduce((sum, { content }) => sum + content.length, 0)
  return 0
}

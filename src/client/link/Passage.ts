/**
 * Waiting until the entry behind a `Sent` has come: the server answers first and tells everybody then.
 *
 * It has come when the place in its log is at its `seq`. It will not come any more when one is out of the conversation,
 * or its log has begun anew. A server that does not tell of it is waited for 10 seconds. Holds one Deferred for each that
 * waits.
 */
import { Deferred, Effect } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { Whereabouts } from "../core/Heard.ts"
import type { Place } from "../core/LogPlace.ts"

/** How long a server may take to tell of an entry that it has stored, while it is connected. */
const lateness = "10 seconds"

export interface Awaited {
  readonly where: Whereabouts
  readonly seq: Seq
}

export interface Passage {
  /** To be called whenever a place may have changed. */
  readonly look: () => void
  readonly passes: (entry: Awaited) => Effect.Effect<void>
}

/** `placeOf` tells where one is now; undefined where nothing will come any more. */
export const make = (placeOf: (where: Whereabouts) => Place | undefined, isConnected: () => boolean): Passage => {
  const waiting = new Map<Deferred.Deferred<void>, () => boolean>()

  const hasCome = ({ seq, where }: Awaited) =>
    Effect.suspend(() => {
      const before = placeOf(where)
      const isOver = () => hasPassed(before, placeOf(where), seq)
      if (isOver()) return Effect.void
      const done = Deferred.makeUnsafe<void>()
      waiting.set(done, isOver)
      return Effect.ensuring(
        Deferred.await(done),
        Effect.sync(() => waiting.delete(done))
      )
    })

  const passes = (entry: Awaited): Effect.Effect<void> =>
    Effect.timeoutOrElse(hasCome(entry), {
      duration: lateness,
      orElse: () => Effect.suspend(() => (isConnected() ? Effect.void : passes(entry)))
    })

  return {
    look: () => {
      for (const [done, isOver] of waiting) if (isOver()) Deferred.doneUnsafe(done, Effect.void)
    },
    passes
  }
}

/** A guest's inbox has no epoch: there, the count that went back tells that the log is another one. */
const hasPassed = (before: Place | undefined, now: Place | undefined, seq: Seq): boolean =>
  before === undefined || now === undefined || now.epoch !== before.epoch || now.seq < before.seq || now.seq >= seq

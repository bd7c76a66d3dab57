/**
 * Waiting until the entry behind a `Sent` has come: the server answers first and tells everybody then.
 *
 * It has come when the place in its log is at its `seq`. It will not come any more when one is out of the conversation,
 * or its log has begun anew. Holds one Deferred for each that waits.
 */
import { Deferred, Effect } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { Whereabouts } from "../core/Heard.ts"
import type { Place } from "../core/LogPlace.ts"

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
export const make = (placeOf: (where: Whereabouts) => Place | undefined): Passage => {
  const waiting = new Map<Deferred.Deferred<void>, () => boolean>()
  return {
    look: () => {
      for (const [done, isOver] of waiting) if (isOver()) Deferred.doneUnsafe(done, Effect.void)
    },
    passes: ({ seq, where }) =>
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
  }
}

/** A guest's inbox has no epoch: there, the count that went back tells that the log is another one. */
const hasPassed = (before: Place | undefined, now: Place | undefined, seq: Seq): boolean =>
  before === undefined || now === undefined || now.epoch !== before.epoch || now.seq < before.seq || now.seq >= seq

/**
 * What other delivering halves of a conversation had stored: heard run by run, and told to those who are in here. What is dropped,
 * or could not be told, leaves a doubt, and is found in the log.
 */
import { Effect, Queue, Stream } from "effect"
import type { Entry } from "../../common/log/Entry.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { Deciding, DeliveringHalf } from "./Deciding.ts"

/** How many runs of others may wait to be told; what is dropped beyond that is found in the log. */
const maxHeard = 64

interface Services {
  readonly deciding: Pick<Deciding, "others">
  readonly self: DeliveringHalf
  /** Something waits to be told. */
  readonly call: () => void
  /** Something may have been stored that members were not told of. */
  readonly doubt: () => void
  readonly tell: (entries: ReadonlyArray<Entry>) => Effect.Effect<void, StorageUnavailable>
}

export const makeHearing = Effect.fnUntraced(function* ({ call, deciding, doubt, self, tell }: Services) {
  const heard = yield* Queue.sliding<ReadonlyArray<Entry>>(maxHeard)
  const others = yield* deciding.others(self)

  return {
    /** For as long as it runs. */
    listen: Stream.runForEach(others, (entries) =>
      Effect.sync(() => {
        Queue.offerUnsafe(heard, entries)
        call()
      })
    ),

    /** Tells all that was heard by now. */
    hear: Effect.gen(function* () {
      for (const entries of yield* Queue.clear(heard)) {
        if (entries.length === 0) doubt()
        else yield* tell(entries)
      }
    }).pipe(Effect.catch(() => Effect.sync(doubt)))
  }
})

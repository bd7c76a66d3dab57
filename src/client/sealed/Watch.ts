/** Waiting until something is so that no message alone tells: looked at again whenever something has happened. One Deferred for each who waits. */
import { Deferred, type Duration, Effect } from "effect"

export interface Watch {
  /** To be called whenever something may have changed. */
  readonly look: () => void
  /** Whether it has come to be so in time. */
  readonly until: (holds: () => boolean, patience: Duration.Input) => Effect.Effect<boolean>
}

export const make = (): Watch => {
  const waiting = new Map<Deferred.Deferred<void>, () => boolean>()
  return {
    look: () => {
      for (const [done, holds] of waiting) if (holds()) Deferred.doneUnsafe(done, Effect.void)
    },
    until: (holds, patience) =>
      Effect.suspend(() => {
        if (holds()) return Effect.succeed(true)
        const done = Deferred.makeUnsafe<void>()
        waiting.set(done, holds)
        return Deferred.await(done).pipe(
          Effect.timeoutOption(patience),
          Effect.map(({ _tag }) => _tag === "Some"),
          Effect.ensuring(Effect.sync(() => waiting.delete(done)))
        )
      })
  }
}

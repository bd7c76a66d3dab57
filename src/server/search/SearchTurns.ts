/**
 * Whose search goes on next: one piece at a time, for the connection whose pieces have taken least so far.
 *
 * So who searches dearly, however often and on however many connections, holds up a cheap search by hardly more than the
 * piece that is under way; and among those who search dearly, all get the same. What each has used is forgotten as soon
 * as nobody searches.
 *
 * Effect's PartitionedSemaphore gives turns round by round, a turn of 20 ms like one of 1 ms: a cheap search would wait for a
 * piece of every dear one before each of its own. And it counts what waits by partition, not what was used.
 *
 * Bounds: one waits for each connection; `maxUsers` connections are remembered, and then all begin anew.
 */
import { Clock, Deferred, Effect, Queue, type Scope } from "effect"
import type { SessionId } from "../session/Asker.ts"
import type { Turn } from "./SearchTurn.ts"

const maxUsers = 10_000

export interface SearchTurns {
  /** How the pieces of this connection's searches wait. A connection runs one search after the other. */
  readonly of: (session: SessionId) => Turn
  /** Nobody searches any more. */
  readonly forgetUnsafe: () => void
}

/** `isThere`: a search is ended at its turn if nobody waits for its reply. */
export const make = Effect.fnUntraced(function* (
  isThere: (session: SessionId) => boolean
): Effect.fn.Return<SearchTurns, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const used = new Map<SessionId, bigint>()
  const waiting = new Map<SessionId, Deferred.Deferred<void>>()
  let isTaken = false
  const freed = yield* Queue.sliding<void>(1)

  const usedBy = (session: SessionId) => used.get(session) ?? 0n

  const take = (session: SessionId) =>
    Effect.suspend(() => {
      if (!isTaken) {
        isTaken = true
        return Effect.void
      }
      const mine = Deferred.makeUnsafe<void>()
      waiting.set(session, mine)
      return Effect.onInterrupt(Deferred.await(mine), () =>
        Effect.sync(() => {
          if (!waiting.delete(session)) Queue.offerUnsafe(freed, undefined)
        })
      )
    })

  /** To the one that has used least; of several, the one that waits longest. */
  const pass = () => {
    const [first, ...others] = waiting.keys()
    if (first === undefined) {
      isTaken = false
      return
    }
    const next = others.reduce((least, other) => (usedBy(other) < usedBy(least) ? other : least), first)
    const turn = waiting.get(next)
    waiting.delete(next)
    if (turn !== undefined) Deferred.doneUnsafe(turn, Effect.void)
  }

  const note = (session: SessionId, nanos: bigint) => {
    if (used.size >= maxUsers && !used.has(session)) used.clear()
    used.set(session, usedBy(session) + nanos)
  }

  // Not at once: whoever has just had a turn and wants another is to be among those who wait for it.
  yield* Queue.take(freed).pipe(
    Effect.andThen(Effect.yieldNow),
    Effect.andThen(Effect.sync(pass)),
    Effect.forever({ disableYield: true }),
    Effect.forkScoped
  )

  return {
    of: (session) => (piece) =>
      Effect.acquireUseRelease(
        Effect.map(Effect.interruptible(take(session)), () => clock.monotonicTimeNanosUnsafe()),
        () => Effect.suspend(() => (isThere(session) ? piece : Effect.interrupt)),
        (begun) =>
          Effect.sync(() => {
            note(session, clock.monotonicTimeNanosUnsafe() - begun)
            Queue.offerUnsafe(freed, undefined)
          })
      ),
    forgetUnsafe: () => used.clear()
  }
})

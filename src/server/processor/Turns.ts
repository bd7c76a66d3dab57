/**
 * Work that takes more than a moment, done in turns (invariant 10): one piece after the other, each of about 64 KiB or 2 ms.
 *
 * Whose turn it is goes round between groups (conversations, kinds of lists), and inside a group between those who wait, in
 * the order in which they came. A connection has one piece waiting at most (see Dialogue), so asking a hundred times at once
 * holds up only oneself. After `budgetMillis` of pieces everything else on the event loop gets its turn.
 *
 * Two rounds, so that a disk that reads slowly holds up no list: pieces of `memory` never wait, those of `log` read the log.
 */
import { Clock, Context, Deferred, Effect, Layer, Option, Queue, type Scope } from "effect"
import { monotonicMillis } from "./MonotonicTime.ts"

const budgetMillis = 2

export interface Round {
  /** Waits for a turn, and has the piece carried out in it. A piece that dies costs only itself. */
  readonly take: <A, E>(group: string, piece: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** Starts a round, for as long as the scope is open. */
const makeRound: Effect.Effect<Round, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  /** Each group's pieces, those waiting longest first; the group that was served last stands last. */
  const waiting = new Map<string, Array<Effect.Effect<void>>>()
  const called = yield* Queue.sliding<void>(1)

  const next = (): Option.Option<Effect.Effect<void>> => {
    for (const [group, pieces] of waiting) {
      const piece = pieces.shift()
      waiting.delete(group)
      if (pieces.length > 0) waiting.set(group, pieces)
      return Option.fromUndefinedOr(piece)
    }
    return Option.none()
  }

  const serveAll = Effect.gen(function* () {
    yield* Queue.take(called)
    let since = monotonicMillis(clock)
    for (let piece = next(); Option.isSome(piece); piece = next()) {
      yield* piece.value
      if (monotonicMillis(clock) - since < budgetMillis) continue
      yield* Effect.yieldNow
      since = monotonicMillis(clock)
    }
  })
  yield* Effect.forkScoped(Effect.forever(serveAll))

  return {
    take: <A, E>(group: string, piece: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        const done = Deferred.makeUnsafe<A, E>()
        const carriedOut = Effect.asVoid(Deferred.into(piece, done))
        const pieces = waiting.get(group)
        if (pieces === undefined) waiting.set(group, [carriedOut])
        else pieces.push(carriedOut)
        Queue.offerUnsafe(called, undefined)
        // Nothing is done for who is gone.
        return Effect.onInterrupt(Deferred.await(done), () =>
          Effect.sync(() => {
            const left = waiting.get(group)?.filter((piece) => piece !== carriedOut) ?? []
            // A group without pieces would end the round for the groups behind it.
            if (left.length === 0) waiting.delete(group)
            else waiting.set(group, left)
          })
        )
      })
  }
})

export class Turns extends Context.Service<Turns, { readonly memory: Round; readonly log: Round }>()(
  "parley/server/processor/Turns"
) {
  static readonly layer = Layer.effect(Turns, Effect.all({ memory: makeRound, log: makeRound }))
}

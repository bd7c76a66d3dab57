/**
 * What a conversation's manager does beside its mailbox: nobody waits for it, and the conversation is not taken for vacant before
 * it is done. As much as there are requests under way.
 */
import { type Duration, Effect, type Scope } from "effect"
import type { SessionId } from "../session/Asker.ts"

interface Services {
  readonly runs: {
    readonly hold: (session: SessionId) => void
    readonly release: (session: SessionId) => void
  }
  readonly scope: Scope.Scope
  /** Goes on with what these connections asked meanwhile. */
  readonly actOnPostponed: (sessions: ReadonlyArray<SessionId>) => Effect.Effect<void>
  readonly tellIfVacant: () => void
}

export const makeBesides = ({ actOnPostponed, runs, scope, tellIfVacant }: Services) => {
  let underWay = 0

  const beside = (act: Effect.Effect<void>) =>
    Effect.suspend(() => {
      underWay++
      const done = Effect.sync(() => {
        underWay--
        tellIfVacant()
      })
      return Effect.asVoid(Effect.forkIn(Effect.ensuring(act, done), scope, { startImmediately: true }))
    })

  return {
    beside,
    isNothingBeside: () => underWay === 0,

    /** The same; what else this connection asks waits for it. */
    holding: (session: SessionId, act: Effect.Effect<void>) => {
      runs.hold(session)
      const release = Effect.suspend(() => {
        runs.release(session)
        return actOnPostponed([session])
      })
      return beside(Effect.andThen(act, release))
    },

    /** Not waited for by anybody: of no use once nobody is in. */
    later: (act: Effect.Effect<void>, delay: Duration.Input) =>
      Effect.asVoid(Effect.forkIn(Effect.delay(act, delay), scope, { startImmediately: true }))
  }
}

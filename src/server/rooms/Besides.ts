/**
 * What the manager of a conversation does beside its own fibers: neither waits for it. The conversation is not vacant before it is
 * done. At most what is asked under way (see Requests).
 */
import { type Duration, Effect, type Scope } from "effect"
import type { SessionId } from "../session/Asker.ts"
import type { Runs } from "./Runs.ts"

interface Services {
  readonly runs: Pick<Runs<never>, "hold" | "release">
  readonly scope: Scope.Scope
  /** Acts on what these connections asked meanwhile. */
  readonly actOnPostponed: (waited: ReadonlyArray<SessionId>) => Effect.Effect<void>
  /** Called whenever something is done. */
  readonly onDone: () => void
}

export const makeBesides = ({ actOnPostponed, onDone, runs, scope }: Services) => {
  let underWay = 0
  const fork = (effect: Effect.Effect<void>) => Effect.asVoid(Effect.forkIn(effect, scope, { startImmediately: true }))

  const beside = (act: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.suspend(() => {
      underWay++
      const done = Effect.sync(() => {
        underWay--
        onDone()
      })
      return fork(Effect.ensuring(act, done))
    })

  return {
    isIdle: () => underWay === 0,
    beside,

    /** The same; what else this connection asks waits for it. */
    holding: (session: SessionId, act: Effect.Effect<void>): Effect.Effect<void> => {
      runs.hold(session)
      const release = Effect.suspend(() => {
        runs.release(session)
        return actOnPostponed([session])
      })
      return beside(Effect.andThen(act, release))
    },

    /** Not waited for by anybody: of no use once nobody is in. */
    later: (act: Effect.Effect<void>, delay: Duration.Input): Effect.Effect<void> => fork(Effect.delay(act, delay))
  }
}

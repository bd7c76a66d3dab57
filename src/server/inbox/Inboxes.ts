/** The way of a connection of an account to its inbox: asked by whoever lets it in, waits for nothing unless something was missed. */
import { Context, Effect, Layer, Option } from "effect"
import type { Cursor } from "../../common/log/Cursor.ts"
import { StorageUnavailable } from "../history/History.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import type { CatchUp } from "../rooms/Newcomers.ts"
import type { Asker } from "../session/Asker.ts"
import { UserProcessor } from "./UserProcessor.ts"

export class Inboxes extends Context.Service<
  Inboxes,
  {
    /**
     * Where the inbox stands, how much follows, and what gives it. Without a cursor nothing follows; what comes from now on is
     * heard once `follow` is run, which is over when all that was missed has been given. To be run behind what tells of it, and
     * before the connection is read again. Who was a guest until now has another inbox from then on, which it is let into
     * without a cursor.
     */
    catchUp(from: Asker, after: Cursor | undefined): Effect.Effect<CatchUp, StorageUnavailable>
  }
>()("parley/server/inbox/Inboxes") {
  static readonly layer = Layer.effect(
    Inboxes,
    Effect.map(UserProcessor, (users) =>
      Inboxes.of({
        catchUp: (from, after) =>
          Effect.flatMap(
            Mailbox.ask(users, { _tag: "CatchUp", from, after }),
            Option.match({
              onNone: () => Effect.fail(new StorageUnavailable({ cause: "The inbox cannot be read" })),
              onSome: Effect.succeed
            })
          )
      })
    )
  )
}

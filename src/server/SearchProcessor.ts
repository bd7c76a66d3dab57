/**
 * Carries out searches, one at a time and beside everything else: no room, list or message waits for one.
 *
 * Connections take turns, one search each, so that one that asks a hundred times at once holds up only itself. What
 * waits is bounded like every mailbox, by the requests a connection may have under way.
 */
import { Context, Effect, Layer, Option, Queue } from "effect"
import { History } from "./history/History.ts"
import * as Mailbox from "./Mailbox.ts"
import type { SessionId } from "./messages/Asker.ts"
import type { SearchCommand } from "./messages/Commands.ts"
import { toChatMessage } from "./Room.ts"
import { Sessions } from "./Sessions.ts"

export class SearchProcessor extends Context.Service<SearchProcessor, Mailbox.Mailbox<SearchCommand>>()(
  "parley/server/SearchProcessor"
) {
  static readonly layer = Layer.effect(
    SearchProcessor,
    Effect.gen(function* () {
      const history = yield* History
      const sessions = yield* Sessions
      const mailbox = yield* Mailbox.make<SearchCommand>()
      const turns = makeTurns()

      const carryOut = Effect.fnUntraced(
        function* ({ conversations, from, search }: SearchCommand) {
          const { found, next } = yield* history.search(conversations, search)
          const messages = found.map(({ conversation, entry }) => toChatMessage(conversation)(entry))
          sessions.reply(
            from,
            next === undefined
              ? { _tag: "SearchResults", messages, more: false }
              : { _tag: "SearchResults", messages, more: true, next }
          )
        },
        (effect, { from }) =>
          effect.pipe(
            Effect.catch((error) =>
              Effect.sync(() =>
                sessions.refuse(
                  from,
                  error._tag === "SearchTooSlow"
                    ? { _tag: "SearchTooSlow", limit: error.limit }
                    : { _tag: "StorageUnavailable" }
                )
              )
            ),
            Effect.catchDefect((defect) => {
              sessions.refuse(from, { _tag: "StorageUnavailable" })
              return Effect.logError("A search died", defect)
            })
          )
      )

      const take = (envelopes: Iterable<Mailbox.Envelope<SearchCommand, never>>) => {
        for (const { command } of envelopes) turns.add(command)
      }

      const serve = Effect.gen(function* () {
        take(turns.isEmpty() ? yield* Queue.takeAll(mailbox.queue) : yield* Queue.clear(mailbox.queue))
        const command = Option.getOrUndefined(turns.next())
        // Who has left waits for no answer.
        if (command !== undefined && sessions.inFlight(command.from.session) > 0) yield* carryOut(command)
      })

      yield* Effect.forkScoped(Effect.forever(serve))
      return mailbox
    })
  )
}

/** What waits, by connection; the one that was served goes to the back. */
const makeTurns = () => {
  const waiting = new Map<SessionId, ReadonlyArray<SearchCommand>>()
  return {
    isEmpty: () => waiting.size === 0,
    add: (command: SearchCommand) => {
      const { session } = command.from
      waiting.set(session, [...(waiting.get(session) ?? []), command])
    },
    next: (): Option.Option<SearchCommand> => {
      for (const [session, [first, ...rest]] of waiting) {
        waiting.delete(session)
        if (rest.length > 0) waiting.set(session, rest)
        return Option.fromUndefinedOr(first)
      }
      return Option.none()
    }
  }
}

/**
 * Carries out searches, beside everything else: no room, list or message waits for one.
 *
 * Each connection's searches are carried out one after the other; those of different connections take turns, a piece each
 * (see SearchTurns), so that one that asks a hundred times at once holds up only itself. Who is gone gets no more turns.
 *
 * Bounds: what waits is bounded like every mailbox, by the requests a connection may have under way; a search that waits for
 * its turn holds no contents, and a reply is as large as one reader's mailbox at most, or holds one message.
 */
import { Context, Effect, FiberMap, Layer, Queue } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import { type StandingMessage, standingMessage } from "../../common/wire/EntryMessage.ts"
import { lineText } from "../../connection/Line.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { type Findings, History } from "../history/History.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import type { SessionId } from "../session/Asker.ts"
import { Sessions } from "../session/Sessions.ts"
import type { SearchCommand } from "./SearchCommand.ts"
import { SearchTurn } from "./SearchTurn.ts"
import * as SearchTurns from "./SearchTurns.ts"

/** Half of what other replies may have: a search is answered beside one of those. */
const mostReplyBytes = 512 * 1024
/** The line around the messages: tag, id and next. */
const frameBytes = 512
/** How much of a reply is made before others get their turn. */
const pieceBytes = 65_536

export class SearchProcessor extends Context.Service<SearchProcessor, Mailbox.Mailbox<SearchCommand>>()(
  "parley/server/search/SearchProcessor"
) {
  static readonly layer = Layer.effect(
    SearchProcessor,
    Effect.gen(function* () {
      const { mailboxBytes } = yield* ServerConfig
      const history = yield* History
      const sessions = yield* Sessions
      const mailbox = yield* Mailbox.make<SearchCommand>()
      const isThere = (session: SessionId) => sessions.inFlight(session) > 0
      const turns = yield* SearchTurns.make(isThere)
      const replyBytes = Math.min(mailboxBytes / 2, mostReplyBytes) - frameBytes
      /** What waits, by connection; also of those that have only the search under way. */
      const waiting = new Map<SessionId, Array<SearchCommand>>()
      const serving = yield* FiberMap.make<SessionId>()

      /**
       * As many as the reply may hold; asked for again if they are longer as JSON than the contents were. If they have got
       * longer once more since then, one is enough.
       */
      const findings = Effect.fnUntraced(function* ({ conversations, search }: SearchCommand) {
        const find = Effect.fnUntraced(function* (limit: number) {
          const { found, next } = yield* history.search(conversations, { ...search, limit }, Math.max(replyBytes, 1))
          const messages = messagesOf(found)
          return { count: yield* howMany(messages, replyBytes), messages, next }
        })
        const page = yield* find(search.limit)
        if (page.count === page.messages.length) return page
        const fewer = yield* find(page.count)
        return fewer.count === fewer.messages.length ? fewer : yield* find(1)
      })

      const carryOut = Effect.fnUntraced(
        function* (command: SearchCommand) {
          const { messages, next } = yield* findings(command)
          sessions.reply(
            command.from,
            next === undefined
              ? { _tag: "SearchResults", messages, more: false }
              : { _tag: "SearchResults", messages, more: true, next }
          )
        },
        (effect, { from }) =>
          effect.pipe(
            Effect.provideService(SearchTurn, turns.of(from.session)),
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
            }),
            // Who has left waits for no answer, and its search ends itself.
            Effect.exit
          )
      )

      const serve = Effect.fnUntraced(function* (session: SessionId) {
        for (;;) {
          const command = waiting.get(session)?.shift()
          if (command === undefined) break
          // One that reads slowly has one large reply waiting and not one for each of its searches.
          yield* sessions.taken(session)
          if (isThere(session)) yield* carryOut(command)
        }
        waiting.delete(session)
        if (waiting.size === 0) turns.forgetUnsafe()
      })

      const take = Effect.fnUntraced(function* ({ command }: Mailbox.Envelope<SearchCommand, never>) {
        const { session } = command.from
        const others = waiting.get(session)
        if (others !== undefined) {
          others.push(command)
          return
        }
        waiting.set(session, [command])
        yield* FiberMap.run(serving, session, serve(session))
      })

      yield* Queue.take(mailbox.queue).pipe(
        Effect.flatMap(take),
        Effect.forever({ disableYield: true }),
        Effect.forkScoped
      )
      return mailbox
    })
  )
}

const messagesOf = (found: Findings<Conversation>["found"]): ReadonlyArray<StandingMessage> =>
  found.map(({ conversation, message }) => standingMessage(conversation)(message))

/** How many of these fit into so many bytes as lines; one at least. */
const howMany = Effect.fnUntraced(function* (messages: ReadonlyArray<StandingMessage>, maxBytes: number) {
  let bytes = 0
  let piece = 0
  for (const [index, message] of messages.entries()) {
    const size = Buffer.byteLength(lineText(message))
    bytes += size
    piece += size
    if (bytes > maxBytes) return Math.max(index, 1)
    if (piece < pieceBytes) continue
    piece = 0
    yield* Effect.yieldNow
  }
  return messages.length
})

/** Takes reports: looks up what was said, as it stands, and keeps it with who said it. Whether one may read it was seen to before. */
import { Clock, Context, Effect, Layer } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import type { AuthorId } from "../../common/log/Entry.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ClientMessage } from "../../common/wire/ClientMessage.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { History, type StorageUnavailable } from "../history/History.ts"
import type { Partner } from "../history/Partner.ts"
import { makePerHour } from "../limits/PerHour.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { accountOfAuthor } from "../session/AccountId.ts"
import type { Asker } from "../session/Asker.ts"
import { rejected } from "../session/Rejected.ts"
import { Sessions } from "../session/Sessions.ts"
import type { Person } from "./Report.ts"
import { Reports } from "./Reports.ts"

/** In an hour: of an account, and of all guests from one address, whatever they are called. */
const maxOfAccount = 30
const maxOfGuest = 5

/** Which message, and why. */
export type Complaint = Pick<Extract<ClientMessage, { readonly _tag: "Report" }>, "reason" | "room" | "target" | "with">

/** What stands for words that the server cannot read. */
const sealedText = "(This message is encrypted: only the devices of its room can read it.)"

export class Reporting extends Context.Service<
  Reporting,
  {
    /** Answers the request. `partner`: in an inbox, with whom it was exchanged. */
    report(from: Asker, conversation: Conversation, complaint: Complaint, partner?: Partner): Effect.Effect<void>
  }
>()("parley/server/reports/Reporting") {
  static readonly layer = Layer.effect(
    Reporting,
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const history = yield* History
      const reports = yield* Reports
      const sessions = yield* Sessions
      const limits = makePerHour()

      const personOf = (from: Asker): Person => {
        const { network } = sessions.authorsOf(from)
        const { account, user } = from
        return { user, ...(account !== undefined && { account }), ...(network !== undefined && { network }) }
      }

      /** A guest's address is known while its connection is here. */
      const authorOf = (user: UserName, author: AuthorId | undefined): Person => {
        const account = author === undefined ? undefined : accountOfAuthor(author)
        const network = author === undefined ? undefined : sessions.networkOf(author)
        return { user, ...(account !== undefined && { account }), ...(network !== undefined && { network }) }
      }

      const answerTo = Effect.fnUntraced(function* (
        from: Asker,
        conversation: Conversation,
        { reason, room, target, with: user }: Complaint,
        partner: Partner | undefined
      ): Effect.fn.Return<ServerMessage, StorageUnavailable> {
        const range = {
          after: target - 1,
          before: target + 1,
          limit: 1,
          ...(partner !== undefined && { with: partner })
        }
        const [message] = (yield* history.standing(conversation, range)).messages
        if (message?._tag !== "Message" && message?._tag !== "Sealed")
          return rejected({ _tag: "MessageNotFound", seq: target })
        const { targets } = yield* history.facts(conversation, { keys: [], targets: [target], reactors: [] })
        const { network = `guest ${from.session}` } = sessions.authorsOf(from)
        const [reporter, max] =
          from.account === undefined ? [network, maxOfGuest] : [`account ${from.account}`, maxOfAccount]
        const retryAfter = limits.take(reporter, max, monotonicMillis(clock))
        if (retryAfter > 0) return rejected({ _tag: "RateLimited", retryAfter })
        yield* reports.add({
          at: clock.currentTimeMillisUnsafe(),
          by: personOf(from),
          reason,
          where: { ...(room !== undefined && { room }), ...(user !== undefined && { with: user }) },
          seq: target,
          said: {
            at: message.at,
            from: authorOf(message.from, targets.get(target)?.author),
            content: message._tag === "Sealed" ? sealedText : message.content
          }
        })
        return { _tag: "Reported" }
      })

      return Reporting.of({
        report: (from, conversation, complaint, partner) =>
          sessions.orRefuse(
            from,
            Effect.map(answerTo(from, conversation, complaint, partner), (message) => sessions.reply(from, message))
          )
      })
    })
  )
}

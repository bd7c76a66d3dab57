/** What is asked of all rooms at once: which there are, and what was said in those that one may read. */
import { Effect, type Scope } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { makeListReplies } from "../lists/ListReplies.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import type { Turns } from "../processor/Turns.ts"
import type { Reporting } from "../reports/Reporting.ts"
import type { SearchProcessor } from "../search/SearchProcessor.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { makeDirectory } from "./Directory.ts"
import type { RoomsCommandOf } from "./RoomsCommand.ts"

interface Room {
  readonly key: NameKey
  readonly name: RoomName
  readonly conversation: typeof Conversation.cases.Room.Type
  readonly users: number
  readonly isBeingMade: boolean
}

interface Services<One extends Room> {
  readonly directory: ReturnType<typeof makeDirectory<One>>
  readonly find: (key: NameKey) => One | undefined
  readonly hiddenFrom: (from: Asker) => ReadonlyArray<One>
  readonly isVisible: (open: One, from: Asker) => boolean
  /** The rooms that a connection is in, and those that an account is a member of. */
  readonly isIn: (session: SessionId) => ReadonlySet<NameKey>
  readonly memberOf: (account: AccountId | undefined) => ReadonlySet<NameKey>
  readonly scope: Scope.Scope
  readonly reporting: Reporting["Service"]
  readonly searches: SearchProcessor["Service"]
  readonly sessions: Sessions["Service"]
  readonly turns: Turns["Service"]
}

export const makeRoomsAsked = <One extends Room>(services: Services<One>) => {
  const { directory, find, hiddenFrom, isIn, isVisible, memberOf, reporting, scope, searches, sessions, turns } =
    services
  /** As they are told of the open rooms who are members of none, nor know of private ones: most of all. */
  const lists = makeListReplies((after) => directory.listed(after))

  /** Goes on without waiting for it. */
  const take = (report: Effect.Effect<void>) => Effect.asVoid(Effect.forkIn(report, scope, { startImmediately: true }))

  return {
    /** The list has changed. */
    forget: lists.forget,

    list: ({ after, from }: RoomsCommandOf<"List">) =>
      turns.memory
        .take(
          "rooms",
          Effect.sync(() => {
            const own = memberOf(from.account)
            const hidden = hiddenFrom(from)
            if (own.size === 0 && hidden.length === 0) {
              sessions.replyEncoded(from, "RoomList", [lists.fieldsOf(after)])
            } else sessions.reply(from, { _tag: "RoomList", ...directory.listed(after, own, hidden) })
          })
        )
        .pipe(
          (answering) => sessions.orRefuse(from, answering),
          Effect.forkIn(scope, { startImmediately: true }),
          Effect.asVoid
        ),

    search: ({ from, room, search }: RoomsCommandOf<"Search">) => {
      const readable = memberOf(from.account).union(isIn(from.session))
      if (room === undefined) {
        const conversations = Array.from(readable).flatMap((key) => find(key)?.conversation ?? [])
        const { account, user } = from
        const own = account === undefined ? [] : [{ _tag: "Inbox" as const, user, account }]
        const everywhere = [{ _tag: "Lobby" as const }, ...conversations, ...own] as const
        return Mailbox.tellUnsafe(searches, { from, conversations: everywhere, search })
      }
      const open = find(nameKey(room))
      if (open === undefined || !isVisible(open, from)) return sessions.refuse(from, { _tag: "RoomNotFound", room })
      if (!readable.has(open.key)) return sessions.refuse(from, { _tag: "NotInRoom", room: open.name })
      Mailbox.tellUnsafe(searches, { from, conversations: [open.conversation], search })
    },

    report: ({ from, reason, room, target }: RoomsCommandOf<"Report">) => {
      if (room === undefined) return take(reporting.report(from, { _tag: "Lobby" }, { target, reason }))
      const open = find(nameKey(room))
      if (open === undefined || !isVisible(open, from)) return sessions.refuse(from, { _tag: "RoomNotFound", room })
      const isReadable = memberOf(from.account).has(open.key) || isIn(from.session).has(open.key)
      if (!isReadable) return sessions.refuse(from, { _tag: "NotInRoom", room: open.name })
      return take(reporting.report(from, open.conversation, { room: open.name, target, reason }))
    }
  }
}

/**
 * The inboxes of the accounts that are connected: the delivering half. Each knows how far its connections have been told of
 * its log, and which of them are still given what they missed (see rooms/Newcomers).
 *
 * Connections are told every entry once, in the order of the log, however this half heard of it (see rooms/Told): what is
 * missing before an entry is read from the log, and so is what a commit stored that was taken for failed.
 *
 * Bounds: an inbox is held while a connection of its account is there, at most 16 for each; none has a fiber.
 */
import { Effect, Option } from "effect"
import type { Inbox } from "../../common/log/Conversation.ts"
import type { Cursor, Epoch, Seq } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import { entryMessage } from "../../common/wire/EntryMessage.ts"
import { History, type StorageUnavailable } from "../history/History.ts"
import { LogReader } from "../rooms/LogReader.ts"
import { type CatchUp, makeNewcomers, type Newcomers } from "../rooms/Newcomers.ts"
import * as Told from "../rooms/Told.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import { Sessions } from "../session/Sessions.ts"
import { inboxOf } from "./Exchange.ts"

interface OpenInbox {
  readonly conversation: Inbox
  readonly epoch: Epoch
  readonly newcomers: Newcomers
  readonly connections: Set<SessionId>
  /** Those that hear what is new. */
  readonly live: Set<SessionId>
  told: Seq
  /** Something may have been stored that nobody was told of. */
  isDoubtful: boolean
}

export const make = Effect.gen(function* () {
  const history = yield* History
  const reader = yield* LogReader
  const sessions = yield* Sessions
  /** By the number of the account. */
  const open = new Map<number, OpenInbox>()
  /** Whose inbox a connection is at, or on its way to. */
  const owners = new Map<SessionId, AccountId>()

  const openOf = ({ account }: Inbox): OpenInbox | undefined => (account === undefined ? undefined : open.get(account))

  const openAt = (account: AccountId, conversation: Inbox, { epoch, seq }: Cursor): OpenInbox => {
    const known = open.get(account)
    if (known !== undefined) return known
    const live = new Set<SessionId>()
    const inbox: OpenInbox = {
      conversation,
      epoch,
      connections: new Set(),
      live,
      told: seq,
      isDoubtful: false,
      newcomers: makeNewcomers({
        conversation,
        reader,
        sessions,
        told: () => ({ epoch, seq: inbox.told }),
        onCaughtUp: (session) => void live.add(session),
        // What was asked for is a Handshake, of which this is one part.
        onGiven: () => {}
      })
    }
    open.set(account, inbox)
    return inbox
  }

  const leave = (session: SessionId) => {
    const account = owners.get(session)
    owners.delete(session)
    const inbox = account === undefined ? undefined : open.get(account)
    if (account === undefined || inbox === undefined) return
    inbox.newcomers.drop(session)
    inbox.connections.delete(session)
    inbox.live.delete(session)
    if (inbox.connections.size === 0) open.delete(account)
  }

  /** To be told of these, and of what stands before them in the log. */
  const newsOf = Effect.fnUntraced(function* (
    inbox: OpenInbox,
    entries: ReadonlyArray<Entry>,
    answered: ReadonlyArray<Seq>
  ) {
    const { entries: fresh, gap, seq } = Told.news(inbox.told, entries, answered)
    const missed = gap === undefined ? [] : yield* reader.between(inbox.conversation, gap.after, gap.before)
    return { entries: [...missed, ...fresh], seq }
  })

  const tell = ({ conversation, live }: OpenInbox, entries: ReadonlyArray<Entry>): ReadonlyArray<Delivery> =>
    live.size === 0 || entries.length === 0
      ? []
      : [{ _tag: "Tell", to: [...live], messages: entries.map(entryMessage(conversation)) }]

  const isStillOpen = (inbox: OpenInbox) => openOf(inbox.conversation) === inbox

  return {
    /** Lets a connection in, which is behind from now on. It hears nothing before what comes out is followed. */
    enter: (from: Asker & { readonly account: AccountId }, after: Cursor | undefined) => {
      const { account, session, user } = from
      const conversation = inboxOf(user, account)
      // From now on, for it may be gone before its inbox is open.
      owners.set(session, account)
      const isComing = () => owners.get(session) === account
      return Effect.gen(function* (): Effect.fn.Return<Option.Option<CatchUp>, StorageUnavailable> {
        const newest = yield* history.newest(conversation)
        if (!isComing()) return Option.none<CatchUp>()
        const inbox = openAt(account, conversation, newest)
        inbox.connections.add(session)
        inbox.newcomers.add(from)
        return Option.some(yield* inbox.newcomers.begin(from, after))
      }).pipe(Effect.onError(() => Effect.sync(() => leave(session))))
    },

    leave,

    /** How far those who are here have been told; nothing if nobody is. */
    told: (account: AccountId): Seq | undefined => open.get(account)?.told,

    /**
     * What these, new in this inbox and told by the place of each, are to be told as: nothing if nobody is here. It has been
     * told as soon as it is taken.
     */
    news: Effect.fnUntraced(function* (
      conversation: Inbox,
      entries: ReadonlyArray<Entry>,
      answered: ReadonlyArray<Seq>
    ) {
      if (entries.some(({ body }) => body._tag === "Deleted")) reader.forget(conversation)
      const inbox = openOf(conversation)
      if (inbox === undefined) return undefined
      const news = yield* newsOf(inbox, entries, answered)
      return { inbox, news }
    }),

    /** Takes what was put together by `news`, without anything in between, and says who is to be told what. */
    take: ({ inbox, news }: { readonly inbox: OpenInbox; readonly news: Pick<Told.News, "entries" | "seq"> }) => {
      if (!isStillOpen(inbox)) return []
      inbox.told = Math.max(inbox.told, news.seq)
      return news.entries.map((entry) => ({ seq: entry.seq, deliveries: tell(inbox, [entry]) }))
    },

    /** Something may have been stored here that nobody was told of. */
    doubt: (conversation: Inbox): void => {
      const inbox = openOf(conversation)
      if (inbox !== undefined) inbox.isDoubtful = true
    },

    /** Tells what was stored without anybody having been told; whether all of it could be read. */
    lookAgain: Effect.gen(function* () {
      let isSure = true
      for (const inbox of [...open.values()].filter((one) => one.isDoubtful)) {
        const looked = Effect.gen(function* () {
          const { seq } = yield* history.newest(inbox.conversation)
          const news = yield* newsOf(inbox, [], [seq])
          if (news.entries.some(({ body }) => body._tag === "Deleted")) reader.forget(inbox.conversation)
          inbox.isDoubtful = false
          if (!isStillOpen(inbox)) return
          inbox.told = Math.max(inbox.told, news.seq)
          sessions.deliver(tell(inbox, news.entries))
        })
        if (Option.isNone(yield* Effect.option(looked))) isSure = false
      }
      return isSure
    }),

    isDoubtful: (): boolean => open.values().some((inbox) => inbox.isDoubtful),
    count: (): number => owners.size
  }
})

/**
 * What was said before one came into a conversation, fetched for a person who has just come.
 *
 * 1. Whoever shows the events asks for it when they tell of a first arrival, and shows nothing else until it is there:
 *    so the old messages stand before the new ones. They end at the place the arrival names, and the new ones begin
 *    behind it: so none is shown twice.
 * 2. A return after a lost connection is no arrival: what was missed comes by itself.
 * 3. A server that refuses or takes too long holds up nobody: one line says so, and the events go on.
 */
import { Effect, Ref } from "effect"
import type { Cursor } from "../../common/log/Cursor.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { OlderPage, olderThan } from "../core/Page.ts"
import * as Recent from "../core/Recent.ts"
import { RecentMessages } from "../core/Recent.ts"
import type { HistoryRequest } from "../core/Request.ts"
import { Client } from "../link/Client.ts"
import { backlog, noBacklog } from "../screen/Render.ts"
import { present } from "../screen/Screen.ts"
import * as Current from "./Current.ts"

/** How many messages one who comes is shown. */
const limit = 20

/** How long what happens may wait for them. */
const patience = "2 seconds"

export interface Arrival {
  /** Undefined for the lobby. */
  readonly room: RoomName | undefined
  /** The newest message that is not new to the one who comes. */
  readonly cursor: Cursor
}

/** Where the event says that one has come, if anything was said there before. */
export const arrivalIn = (event: ClientEvent): Arrival | undefined => {
  const arrival = arrivalOf(event)
  return arrival === undefined || arrival.cursor.seq === 0 ? undefined : arrival
}

const arrivalOf = (event: ClientEvent): Arrival | undefined => {
  if (event._tag === "Connected") return { room: undefined, cursor: event.welcome.lobby }
  if (event._tag !== "Received" || event.message._tag !== "RoomJoined") return undefined
  const { epoch, missed, room, seq } = event.message
  return { room, cursor: { epoch, seq: seq - missed } }
}

export const showBacklog = Effect.fnUntraced(function* (arrival: Arrival) {
  const history = yield* fetch(arrival)
  if (history === undefined) return yield* present((style) => noBacklog(arrival.room, style))
  const recent = yield* RecentMessages
  const { cursor, room } = arrival
  const request: HistoryRequest = { _tag: "GetHistory", ...(room && { room }), before: cursor.seq + 1, limit }
  yield* Ref.set(yield* OlderPage, olderThan(request, history))
  yield* Ref.update(recent, (before) => Recent.remember(before, history.messages))
  yield* Current.change((before) => Current.backlog(before, room === undefined ? {} : { room }, history))
  const said = yield* Ref.get(recent)
  yield* present((style) => backlog(history, style, said))
})

/**
 * What was said to an account in private while it was away: a page of each conversation that has something unread, with a
 * little of what stood before. Nobody waits for them: they are shown as events, when they come.
 */
export const askForUnread = Effect.fnUntraced(function* ({ conversations = [] }: ServerMessageOf<"Welcome">) {
  const client = yield* Client
  const news = conversations.filter(({ unread }) => unread > 0).slice(0, maxConversations)
  const olderPage = yield* OlderPage
  const ask = ({ unread, with: other }: (typeof news)[number]) => {
    const limit = Math.min(unread + before, maxUnreadShown)
    const request: HistoryRequest = { _tag: "GetHistory", with: other, limit }
    return client.gather(request).pipe(
      Effect.flatMap((page) => Ref.set(olderPage, olderThan(request, page))),
      Effect.ignore
    )
  }
  // The newest conversation last, next to where one types.
  yield* Effect.forkChild(Effect.forEach(news.toReversed(), ask, { discard: true }))
})

/** Whom the account has blocked, so that they do not ring. Of what is changed later the server tells. */
export const askForBlocked = Effect.fnUntraced(function* ({ account }: Pick<ServerMessageOf<"Welcome">, "account">) {
  if (!account) return
  const client = yield* Client
  const recent = yield* RecentMessages
  yield* client.quietly({ _tag: "ListBlocked" }).pipe(
    Effect.flatMap((reply) =>
      Effect.andThen(
        Ref.update(recent, (before) => Recent.blocking(before, reply.users)),
        // Nothing of them waits for anybody.
        Current.change((before) => Current.hear(before, [{ _tag: "Received", message: reply }], 0))
      )
    ),
    Effect.ignore,
    Effect.forkChild
  )
})

const maxConversations = 10
const maxUnreadShown = 50
/** How much is shown of what was read already. */
const before = 2

/** Undefined if it cannot be had in time. */
const fetch = (arrival: Arrival) =>
  Client.use((client) => client.backlog(arrival, limit)).pipe(
    // Where one has left again, nothing is to be shown.
    Effect.catchReason("RequestRejected", "NotInRoom", () => Effect.succeed(nothing)),
    Effect.catchTag("SessionError", () => Effect.succeed(nothing)),
    Effect.catchTag(["RequestRejected", "ReplyLost", "UnexpectedReply"], () => Effect.undefined),
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.undefined })
  )

const nothing: ServerMessageOf<"History"> = { _tag: "History", messages: [], more: false }

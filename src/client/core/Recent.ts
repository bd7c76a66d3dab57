/**
 * The messages a person was shown lately: what an edit, a reaction or a reply is about, and what a command means that
 * names a message by its number, or not at all.
 *
 * 1. It holds what is on the screen: what was deleted is forgotten, and so is what a number no longer means, once a log
 *    has begun anew or, for a guest's inbox, the connection was another one.
 * 2. `mine` is the message this client sent last, and only while that is certain: not while one is under way, nor after
 *    one that failed or was deleted, nor, for a guest, on another connection, where it is not theirs any more.
 *
 * Bounds: the 1000 messages shown last, and of each its first 80 UTF-16 units and five links; of one, the last sent, all of its text.
 */
import { Context, type Ref } from "effect"
import { conversationKey } from "../../common/log/Conversation.ts"
import type { Conversation } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import { UserName } from "../../common/name/UserName.ts"
import { linksIn } from "../../common/text/Links.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { safeText } from "../text/SafeText.ts"
import type { ClientEvent } from "./ClientEvent.ts"
import { conversationAt, isEntry, type Whereabouts, whereaboutsOf } from "./Heard.ts"
import { type ChatRequest, whereaboutsOfRequest } from "./Request.ts"

export interface Recent {
  readonly user: UserName
  readonly isAccount: boolean
  /** Shown last comes last. */
  readonly shown: ReadonlyMap<string, Shown>
  readonly mine: Mine | undefined
  /** The keys of the names whose mentions are none to this reader. */
  readonly blocked: ReadonlySet<string>
}

export interface Place {
  readonly where: Whereabouts
  readonly seq: Seq
}

export interface Shown extends Place {
  readonly from: UserName
  /** How it begins. */
  readonly words: string
  /** Where the links in it go. */
  readonly links: ReadonlyArray<string>
}

interface Mine extends Place {
  readonly content: string
}

/** What one client was shown. */
export class RecentMessages extends Context.Service<RecentMessages, Ref.Ref<Recent>>()(
  "parley/client/core/Recent/RecentMessages"
) {}

const maxShown = 1000
const maxWords = 80
const maxLinks = 5

/** Who one is, is known with the first event. */
const nobody = UserName.make("nobody")
export const empty: Recent = { user: nobody, isAccount: false, shown: new Map(), mine: undefined, blocked: new Set() }

/** After what happened; in a batch, for each costs a copy. */
export const follow = (before: Recent, events: ReadonlyArray<ClientEvent>): Recent =>
  events.reduce(learn, { ...before, shown: new Map(before.shown) })

/** After a page of messages was shown, oldest first. */
export const remember = (before: Recent, messages: ReadonlyArray<StandingMessage>): Recent =>
  messages.reduce(hear, { ...before, shown: new Map(before.shown) })

/** After the server told whom this account has blocked. */
export const blocking = (before: Recent, users: ReadonlyArray<UserName>): Recent => ({
  ...before,
  blocked: new Set(users.map(nameKey))
})

/** After the client set out to send a message. */
export const sending = (before: Recent): Recent => ({ ...before, mine: undefined })

/** After the server stored it, at this place. */
export const sent = (before: Recent, request: ChatRequest, seq: Seq): Recent => ({
  ...before,
  mine: { where: whereaboutsOfRequest(request), seq, content: request.content }
})

export const find = ({ shown, user }: Recent, { seq, where }: Place): Shown | undefined =>
  shown.get(keyOf(conversationAt(where, user), seq))

/** Whether it was shown, and is by oneself. */
export const isOwn = (recent: Recent, place: Place): boolean => {
  const from = find(recent, place)?.from
  return from !== undefined && nameKey(from) === nameKey(recent.user)
}

/** Of what was shown last first; in one message, as they stand there. */
export const links = ({ blocked, shown }: Recent): ReadonlyArray<string> =>
  [...shown.values()].toReversed().flatMap(({ from, links }) => (blocked.has(nameKey(from)) ? [] : links))

export const last = ({ shown }: Recent): Shown | undefined => [...shown.values()].at(-1)

/** The message of this number that was shown last. */
export const lastNumbered = ({ shown }: Recent, number: Seq): Shown | undefined =>
  [...shown.values()].findLast(({ seq }) => seq === number)

/** The same, of those that are one's own. */
export const lastOwnNumbered = ({ shown, user }: Recent, number: Seq): Shown | undefined =>
  [...shown.values()].findLast(({ from, seq }) => seq === number && nameKey(from) === nameKey(user))

/** Takes in what happened, in the copy that `follow` made. */
const learn = (recent: Draft, event: ClientEvent): Draft => {
  switch (event._tag) {
    case "Connected":
      return { ...recent, user: event.welcome.user, isAccount: event.welcome.account }
    case "Received":
      return hear(recent, event.message)
    case "Reconnected":
      // What a guest's connection wrote and was told in private ends with it.
      return recent.isAccount ? recent : { ...forgetAll(recent, { _tag: "Inbox", user: recent.user }), mine: undefined }
    case "Gap":
      return event.missing === undefined ? forgetAll(recent, event.conversation) : recent
    case "RejoinRefused":
      return forgetAll(recent, { _tag: "Room", room: event.room })
    default:
      return recent
  }
}

/** A `Recent` whose map is nobody else's yet. */
type Draft = Recent & { readonly shown: Map<string, Shown> }

/** A page is shown oldest first. */
const hear = (recent: Draft, message: ServerMessage | StandingMessage): Draft => {
  if (message._tag === "History") return message.messages.reduce(hear, recent)
  if (message._tag === "SearchResults") return message.messages.toReversed().reduce(hear, recent)
  if (message._tag === "Registered") return { ...recent, isAccount: true }
  if (message._tag === "Blocked") return { ...recent, blocked: new Set(message.users.map(nameKey)) }
  if (message._tag === "RoomLeft" || message._tag === "RoomDeleted")
    return forgetAll(recent, { _tag: "Room", room: message.room })
  if (!isEntry(message)) return recent
  const where = whereaboutsOf(message, recent.user)
  const conversation = conversationAt(where, recent.user)
  switch (message._tag) {
    case "GlobalMessage":
    case "PrivateMessage":
    case "RoomMessage": {
      const { content, from, seq } = message
      return show(recent, keyOf(conversation, seq), { where, seq, from, ...briefly(content) })
    }
    case "Edited":
      return change(recent, keyOf(conversation, message.target), message.content)
    case "Deleted":
      return forget(recent, keyOf(conversation, message.target))
    case "Tombstone":
      return forget(recent, keyOf(conversation, message.seq))
    default:
      return recent
  }
}

/** As it is seen, so a link is followed: what is not shown ends none. */
const briefly = (content: string): Pick<Shown, "links" | "words"> => ({
  words: content.slice(0, maxWords),
  links: linksIn(safeText(content))
    .slice(0, maxLinks)
    .map(({ target }) => target)
})

const show = (recent: Draft, key: string, message: Shown): Draft => {
  recent.shown.delete(key)
  recent.shown.set(key, message)
  const [oldest] = recent.shown.keys()
  if (recent.shown.size > maxShown && oldest !== undefined) recent.shown.delete(oldest)
  return recent
}

/** It stays as long ago as it was: an edit shows no message again. */
const change = (recent: Draft, key: string, content: string): Draft => {
  const before = recent.shown.get(key)
  if (before !== undefined) recent.shown.set(key, { ...before, ...briefly(content) })
  return isMine(recent, key) && recent.mine !== undefined ? { ...recent, mine: { ...recent.mine, content } } : recent
}

const forget = (recent: Draft, key: string): Draft => {
  recent.shown.delete(key)
  return isMine(recent, key) ? { ...recent, mine: undefined } : recent
}

const forgetAll = (recent: Draft, conversation: Conversation): Draft => {
  const isThere = ({ where }: Place) =>
    conversationKey(conversationAt(where, recent.user)) === conversationKey(conversation)
  for (const [key, message] of recent.shown) if (isThere(message)) recent.shown.delete(key)
  return recent.mine !== undefined && isThere(recent.mine) ? { ...recent, mine: undefined } : recent
}

const isMine = ({ mine, user }: Recent, key: string): boolean =>
  mine !== undefined && keyOf(conversationAt(mine.where, user), mine.seq) === key

const keyOf = (conversation: Conversation, seq: Seq): string => `${conversationKey(conversation)}#${seq}`

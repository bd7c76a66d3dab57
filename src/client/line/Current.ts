/**
 * The conversation that a person at a terminal has before them: plain text goes there, and the prompt says so, with how much
 * waits elsewhere. Pure but for `change`.
 *
 * 1. A line is for the conversation of the prompt that stood before it: when it was begun, when Enter was pressed, and still
 *    when it is its turn. Where these are not one and the same, it is sent to nobody (`isFor`).
 * 2. Whoever asks to join a room is in its prompt at once: what is typed meanwhile goes there, behind the request, or nowhere.
 * 3. The lobby is first, and again once one is out of the room, however that came.
 *
 * From a pipe plain text goes to the lobby, whatever is joined.
 */
import { Context, Effect, Ref } from "effect"
import type { Timestamp } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import { partnerIn, type RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import * as ChatState from "../core/chat/ChatState.ts"
import * as Intention from "../core/chat/Intention.ts"
import * as Talk from "../core/chat/Talk.ts"
import * as Unread from "../core/chat/Unread.ts"
import type { Page } from "../core/chat/Window.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { type Whereabouts, whereaboutsOf } from "../core/Heard.ts"
import type { ChatRequest } from "../core/Request.ts"
import { type Prompt, Screen, type TypedLine } from "../screen/Screen.ts"

export interface Current {
  readonly chat: ChatState.ChatState
  /** The room that one has asked to join, and that is shown as soon as one is in. */
  readonly coming: RoomName | undefined
}

export const empty: Current = { chat: ChatState.empty, coming: undefined }

/** What one client has before it. */
export class CurrentTalk extends Context.Service<CurrentTalk, Ref.Ref<Current>>()(
  "parley/client/line/Current/CurrentTalk"
) {}

export const where = ({ chat, coming }: Current): Whereabouts =>
  coming === undefined ? ChatState.shownTalk(chat).where : { room: coming }

/** After these events were shown. */
export const hear = (before: Current, events: ReadonlyArray<ClientEvent>, now: Timestamp): Current =>
  events.reduce((current, event) => follow(current, event, now), before)

const follow = ({ chat, coming }: Current, event: ClientEvent, now: Timestamp): Current => {
  const heard = ChatState.hear(chat, event, now)
  if (event._tag !== "Received") return { chat: inside(chat, heard), coming }
  const { isAudit, message } = event
  if (message._tag === "History" && isAudit !== true) return { chat: withPage(heard, message), coming }
  if (message._tag === "RoomJoined" && isSame(message.room, coming)) {
    return { chat: Intention.show(heard, Talk.keyOf(message)), coming: undefined }
  }
  return { chat: inside(chat, heard), coming }
}

const isSame = (room: RoomName, other: RoomName | undefined): boolean =>
  other !== undefined && nameKey(room) === nameKey(other)

/** Whoever is out of the room before them is in the lobby, not where they were before. */
const inside = (before: ChatState.ChatState, after: ChatState.ChatState): ChatState.ChatState => {
  const isThere = after.shown === before.shown && ChatState.shownTalk(after).isIn
  return isThere ? after : Intention.show(after, ChatState.lobbyKey)
}

/** What a page of messages has shown is read, as far back as nothing unread stands between. */
const withPage = (chat: ChatState.ChatState, { messages, more }: Page): ChatState.ChatState => {
  const [first] = messages
  const last = messages.at(-1)
  if (first === undefined || last === undefined) return chat
  const key = Talk.keyOf(whereaboutsOf(first, chat.user))
  return ChatState.withTalk(chat, key, (talk) => {
    const { read } = talk.unread
    const isUnread = (message: StandingMessage) =>
      "content" in message && message.seq > read && nameKey(message.from) !== nameKey(chat.user)
    const isAll = messages.filter(isUnread).length >= Talk.unread(talk)
    if (isAll) return { ...talk, unread: Unread.all(talk.unread) }
    return more && first.seq > read + 1 ? talk : { ...talk, unread: Unread.mark(talk.unread, last.seq) }
  })
}

/** What was said before one came, shown to whoever came. */
export const backlog = (current: Current, place: Whereabouts, page: Page): Current => {
  const key = Talk.keyOf(place)
  const isFirst = current.chat.talks.get(key)?.window.entries.length === 0
  return isFirst ? { ...current, chat: Intention.turned(current.chat, key, page, "older") } : current
}

/** Plain text is to go there; undefined where that is a room one is not in. */
export const goTo = ({ chat }: Current, place: Whereabouts): Current | undefined => {
  if (place.with !== undefined) {
    const known = ChatState.placeFor(chat, place.with)
    const isThere = known.room !== undefined && chat.talks.get(Talk.keyOf(known))?.isIn === true
    if (!isThere) return { chat: Intention.talkTo(chat, place.with), coming: undefined }
    return { chat: Intention.show(chat, Talk.keyOf(known)), coming: undefined }
  }
  const key = Talk.keyOf(place)
  if (chat.talks.get(key)?.isIn !== true) return undefined
  return { chat: Intention.show(chat, key), coming: undefined }
}

export const isIn = ({ chat }: Current, room: RoomName): boolean => chat.talks.get(Talk.keyOf({ room }))?.isIn === true

/** What they say to each other is encrypted from now on: whoever is with them is there. Undefined where nothing changes by that. */
export const sealedWith = (current: Current, user: UserName, room: RoomName): Current | undefined => {
  const key = Talk.keyOf({ with: user })
  const isHere = current.coming === undefined && current.chat.shown === key
  return isHere && isIn(current, room)
    ? { ...current, chat: Intention.show(current.chat, Talk.keyOf({ room })) }
    : undefined
}

/** One asks to join this room. */
export const comeTo = (current: Current, room: RoomName): Current => ({ ...current, coming: room })

/** That came to nothing: one stays where one was. */
export const stay = (current: Current, room: RoomName): Current =>
  isSame(room, current.coming) ? { ...current, coming: undefined } : current

/** Nothing can be said to them: if nothing ever was, one is where one was before. */
export const back = (current: Current, user: UserName): Current => {
  const key = Talk.keyOf({ with: user })
  const isEmpty = current.chat.talks.get(key)?.window.newest === 0
  return isEmpty ? { ...current, chat: Intention.close(current.chat, key) } : current
}

/** Whoever answers has read what stands there. */
export const answered = (current: Current, place: Whereabouts): Current => ({
  ...current,
  chat: ChatState.withTalk(current.chat, Talk.keyOf(place), Talk.look)
})

/** Where something is unread, apart from what is before one: rooms first. */
export const waiting = (current: Current): ReadonlyArray<Talk.Talk> => {
  const here = Talk.keyOf(where(current))
  return [...current.chat.talks]
    .filter(([key, talk]) => key !== here && Talk.unread(talk) > 0)
    .map(([, talk]) => talk)
    .toSorted((one, other) => Number(one.where.room === undefined) - Number(other.where.room === undefined))
}

const promptOf = (current: Current): Prompt => {
  const count = waiting(current).reduce((sum, talk) => sum + Talk.unread(talk), 0)
  const name = titleOf(current)
  const text = `${sealOf(current)}${name}${count === 0 ? "" : ` (${count})`}> `
  return { key: keyOf(current), name, text }
}

/** How an encrypted room stands: what can be read there is said by the others' clients and this one, and nobody has audited them. */
const sealOf = ({ chat, coming }: Current): string => {
  const sealed = coming === undefined ? ChatState.shownTalk(chat).sealed : undefined
  if (sealed === undefined) return ""
  if (sealed.state === "waiting") return "[sealed, waiting to be let in] "
  if (sealed.state === "outOfStep") return "[sealed, out of step] "
  return sealed.isVerified ? "[sealed, verified ✓, unaudited] " : "[sealed, unaudited] "
}

/** With whom one talks, whether that is encrypted or not yet. */
const partnerOf = (current: Current): string | undefined => {
  const { room, with: other } = where(current)
  if (room === undefined) return other
  return current.chat.talks.get(Talk.keyOf({ room }))?.partner ?? partnerIn(room, current.chat.user)
}

/** The key of a prompt: what is said to somebody is for them, also if it is encrypted from then on. */
const keyOf = (current: Current): string => {
  const partner = partnerOf(current)
  return partner === undefined ? Talk.keyOf(where(current)) : `with ${nameKey(partner)}`
}

/** What is before the person, as a prompt and a sentence say it. */
export const titleOf = (current: Current): string => {
  const partner = partnerOf(current)
  return partner === undefined ? nameOf(where(current)) : `@${partner}`
}

/** No room passes for the lobby. */
export const nameOf = ({ room, with: other }: Whereabouts): string => {
  if (room !== undefined) return nameKey(room) === nameKey(lobbyName) ? `room ${room}` : room
  return other === undefined ? lobbyName : `@${other}`
}

const lobbyName = "lobby"

/** Whether a text was typed for the conversation that is before the person now. */
export const isFor = (current: Current, { begunFor, typedFor }: TypedLine): boolean =>
  begunFor === typedFor && typedFor === keyOf(current)

/** The message that this text is, there. */
export const messageTo = ({ room, with: other }: Whereabouts, content: string): ChatRequest => {
  if (room !== undefined) return { _tag: "RoomMessage", room, content }
  return other === undefined ? { _tag: "GlobalMessage", content } : { _tag: "PrivateMessage", to: other, content }
}

/** Changes what is before the person, and then the prompt. */
export const change = Effect.fnUntraced(function* (step: (before: Current) => Current) {
  const current = yield* CurrentTalk
  const { setPrompt } = yield* Screen
  yield* Ref.update(current, step)
  // What is newest, however many change it.
  yield* Effect.suspend(() => setPrompt(promptOf(Ref.getUnsafe(current))))
})

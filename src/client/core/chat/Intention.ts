/**
 * What a person does, and what comes of what they asked for: the other half of what changes a ChatState. Pure.
 *
 * Nothing is ever sent but to the conversation that is shown: who submits says which one they saw, and if it is another by now, the
 * words stay where they were typed. A text leaves its draft only by becoming something on its way, and what is refused is kept with
 * the reason, until it is sent again or thrown away.
 */
import type { Seq, Timestamp } from "../../../common/log/Cursor.ts"
import { nameKey } from "../../../common/name/Name.ts"
import type { RoomName } from "../../../common/name/RoomName.ts"
import type { UserName } from "../../../common/name/UserName.ts"
import type { StandingMessage } from "../../../common/wire/EntryMessage.ts"
import type { Whereabouts } from "../Heard.ts"
import type { EntryRequest } from "../Request.ts"
import {
  type ChatState,
  holdsOwn,
  lobbyKey,
  looked,
  maxPrivate,
  opened,
  placeFor,
  readerOf,
  shownTalk,
  withTalk
} from "./ChatState.ts"
import * as Outgoing from "./Outgoing.ts"
import * as Talk from "./Talk.ts"
import * as Unread from "./Unread.ts"
import * as Window from "./Window.ts"

/** Shows a conversation; none that is not there. */
export const show = (state: ChatState, key: string): ChatState => {
  if (key === state.shown || !state.talks.has(key)) return state
  const left = withTalk(state, state.shown, Talk.leave)
  const talk = shownTalk(left)
  const next = looked({ ...left, shown: key, before: state.shown })
  // It stayed only because somebody looked at it.
  return talk.isIn || holdsOwn(talk) ? next : close(next, state.shown)
}

/** Shows what is said in private with somebody, though nothing was yet. */
export const talkTo = (state: ChatState, user: UserName): ChatState => {
  const where = placeFor(state, user)
  return show(opened(state, where), Talk.keyOf(where))
}

/**
 * From what was said in the open with somebody to their encrypted conversation, if that is shown: with what is typed there, unless that
 * replaces a message, or something is typed here already.
 */
export const goOver = (state: ChatState, user: UserName, room: RoomName): ChatState => {
  const from = Talk.keyOf({ with: user })
  const to = Talk.keyOf({ room })
  const talk = state.talks.get(from)
  if (talk === undefined || state.shown !== from || talk.editing !== undefined) return state
  const there = opened(state, { room })
  if (there.talks.get(to)?.isIn !== true) return state
  const isFree = there.talks.get(to)?.draft === ""
  const carried = isFree ? type(type(there, to, talk.draft), from, "") : there
  const shown = show(carried, to)
  return talk.window.newest === 0 ? close({ ...shown, before: state.before }, from) : shown
}

/** What was on its way in the open goes on in the encrypted conversation. */
export const sentOver = (
  state: ChatState,
  { key, number }: Pick<Submission, "key" | "number">,
  user: UserName,
  room: RoomName
): ChatState => {
  const said = state.talks.get(key)?.outbox.find((one) => one.number === number)
  const there = opened(state, { room })
  if (said === undefined || key === Talk.keyOf({ room })) return there
  // The message that it answers is of another log.
  const { replyTo: _, ...moved } = said
  const without = withTalk(there, key, (talk) => ({ ...talk, outbox: Outgoing.without(talk.outbox, number) }))
  const put = withTalk(without, Talk.keyOf({ room }), (talk) => ({ ...talk, outbox: [...talk.outbox, moved] }))
  return goOver(put, user, room)
}

/** Takes a private conversation, or a room that one has left, off the list. What is typed or refused there keeps it. */
export const close = (state: ChatState, key: string): ChatState => {
  const talk = state.talks.get(key)
  if (talk === undefined || key === lobbyKey || (!Talk.isPersonal(talk) && talk.isIn)) return state
  if (talk.draft !== "" || talk.outbox.length > 0) return state
  const talks = new Map(state.talks)
  talks.delete(key)
  const shown = state.shown === key ? (talks.has(state.before) ? state.before : lobbyKey) : state.shown
  return looked({ ...state, talks, shown, closed: closedWith(state, key, talk) })
}

const closedWith = ({ closed }: ChatState, key: string, talk: Talk.Talk): ChatState["closed"] => {
  const { unread } = talk
  if (!Talk.isPersonal(talk)) return closed
  const others = [...closed].filter(([other]) => other !== key).slice(1 - maxPrivate)
  return new Map([...others, [key, unread.counted]])
}

/** In this order, as far as they are named in it, and then the others; the lobby first. */
export const ordered = (state: ChatState, order: ReadonlyArray<string>): ChatState => {
  const ranks = new Map(order.map((key, index) => [key, index]))
  const rank = (key: string) => (key === lobbyKey ? -1 : (ranks.get(key) ?? order.length))
  return { ...state, talks: new Map([...state.talks].toSorted(([one], [other]) => rank(one) - rank(other))) }
}

/** Whether anybody looks at the screen. */
export const lookAt = (state: ChatState, isLooking: boolean): ChatState =>
  looked({ ...(isLooking ? state : withTalk(state, state.shown, Talk.leave)), isLooking })

/** What is typed in the conversation that is shown is this now. */
export const type = (state: ChatState, key: string, draft: string): ChatState =>
  withTalk(state, key, (talk) => (talk.draft === draft ? talk : { ...talk, draft }))

/** The draft is to answer a message, or to answer none. */
export const replyTo = (state: ChatState, seq: Seq | undefined): ChatState =>
  withTalk(state, state.shown, (talk) => ({ ...talk, replyTo: seq, editing: undefined }))

/** The draft is to replace one's own message, whose words stand in it; what stood there comes back with `stopEditing`. */
export const edit = (state: ChatState, seq: Seq): ChatState =>
  withTalk(state, state.shown, (talk) => {
    const message = Window.find(talk.window, seq)
    if (message === undefined || !isOwnText(state, message) || talk.draft !== "") return talk
    return { ...talk, editing: seq, replyTo: undefined, draft: message.content }
  })

export const stopEditing = (state: ChatState): ChatState =>
  withTalk(state, state.shown, (talk) =>
    talk.editing === undefined ? talk : { ...talk, editing: undefined, draft: "" }
  )

const isOwnText = (state: ChatState, message: StandingMessage): message is Window.Said =>
  Window.isSaid(message) && nameKey(message.from) === nameKey(state.user)

/** The newest message of one's own that is at hand. */
export const ownNewest = (state: ChatState): Window.Said | undefined =>
  shownTalk(state).window.entries.findLast((message) => isOwnText(state, message))

export interface Submission {
  readonly key: string
  readonly number: number
  readonly request: EntryRequest
}

/** Sends what is typed in the conversation that the person sees; gives what the server is to be asked for. */
export const submit = (
  state: ChatState,
  seen: string,
  now?: Timestamp
): readonly [ChatState, Submission | undefined] => {
  const talk = shownTalk(state)
  const content = talk.draft
  if (seen !== state.shown || content.trim() === "" || !talk.isIn) return [state, undefined]
  const { editing, replyTo: answered, where } = talk
  const number = state.nextNumber
  if (editing !== undefined) {
    const place = where.with === undefined ? where : { with: where.with }
    const cleared = withTalk(state, seen, (before) => ({ ...before, draft: "", editing: undefined }))
    const request: EntryRequest = { _tag: "EditMessage", ...place, target: editing, content }
    return [
      { ...cleared, nextNumber: number + 1 },
      { key: seen, number, request }
    ]
  }
  const said: Outgoing.Outgoing = {
    number,
    content,
    ...(answered !== undefined && { replyTo: answered }),
    ...(now !== undefined && { at: now }),
    state: { _tag: "Waiting" }
  }
  return [put(state, seen, said), { key: seen, number, request: requestFor(where, said) }]
}

/** Goes to what is said in private with somebody, and says this there; what was being typed there stays. */
export const tell = (
  state: ChatState,
  user: UserName,
  content: string,
  now: Timestamp
): readonly [ChatState, Submission] => {
  const there = talkTo(state, user)
  const { draft, replyTo: answered, where } = shownTalk(there)
  const said: Outgoing.Outgoing = { number: there.nextNumber, content, at: now, state: { _tag: "Waiting" } }
  const next = withTalk(put(there, there.shown, said), there.shown, (talk) => ({ ...talk, draft, replyTo: answered }))
  return [next, { key: there.shown, number: said.number, request: requestFor(where, said) }]
}

/** It is on its way; the view goes where it will stand. */
const put = (state: ChatState, key: string, said: Outgoing.Outgoing): ChatState => ({
  ...looked(
    withTalk(state, key, (before) => ({
      ...before,
      draft: "",
      replyTo: undefined,
      anchor: undefined,
      window: before.anchor === undefined ? before.window : Window.toEnd(before.window),
      outbox: [...before.outbox, said]
    }))
  ),
  nextNumber: said.number + 1
})

const requestFor = ({ room, with: other }: Whereabouts, { content, replyTo: seq }: Outgoing.Outgoing): EntryRequest => {
  const text = { content, ...(seq !== undefined && { replyTo: seq }) }
  if (room !== undefined) return { _tag: "RoomMessage", room, ...text }
  return other === undefined ? { _tag: "GlobalMessage", ...text } : { _tag: "PrivateMessage", to: other, ...text }
}

/** The server has stored what was sent. */
export const stored = (state: ChatState, { key, number }: Pick<Submission, "key" | "number">, seq: Seq): ChatState =>
  withTalk(state, key, (talk) => ({
    ...talk,
    outbox: Outgoing.stored(talk.outbox, number, seq, talk.unread.counted >= seq)
  }))

/** It was refused, or nobody knows what became of it. Of an edit the words go back to where they were typed, if nothing else is there. */
export const failed = (state: ChatState, { key, number, request }: Submission, message: string): ChatState =>
  withTalk(state, key, (talk) => {
    if (request._tag !== "EditMessage") return { ...talk, outbox: Outgoing.failed(talk.outbox, number, message) }
    if (talk.draft !== "") {
      const lost: Outgoing.Outgoing = { number, content: request.content, state: { _tag: "Failed", message } }
      return { ...talk, outbox: [...talk.outbox, lost] }
    }
    return { ...talk, draft: request.content, editing: request.target, replyTo: undefined }
  })

/** Sends again what was refused. It goes behind what was said since. */
export const retry = (state: ChatState, seen: string, number: number): readonly [ChatState, Submission | undefined] => {
  const talk = state.talks.get(seen)
  const found = Outgoing.failures(talk?.outbox ?? []).find((one) => one.number === number)
  if (seen !== state.shown || talk === undefined || found === undefined || !talk.isIn) return [state, undefined]
  const again: Outgoing.Outgoing = { ...found, isOfBefore: false, number: state.nextNumber, state: { _tag: "Waiting" } }
  const next = withTalk(state, seen, (before) => ({
    ...before,
    outbox: [...Outgoing.without(before.outbox, number), again]
  }))
  const request = requestFor(talk.where, again)
  return [
    { ...next, nextNumber: again.number + 1 },
    { key: seen, number: again.number, request }
  ]
}

/** Throws away what was refused. */
export const discard = (state: ChatState, key: string, number: number): ChatState =>
  withTalk(state, key, (talk) =>
    Outgoing.failures(talk.outbox).some((one) => one.number === number)
      ? { ...talk, outbox: Outgoing.without(talk.outbox, number) }
      : talk
  )

/** The view stays on this message, whatever comes; or follows what comes again. */
export const stayOn = (state: ChatState, seq: Seq | undefined): ChatState =>
  looked(
    withTalk(state, state.shown, (talk) => ({
      ...talk,
      anchor: seq,
      window: seq === undefined ? Window.toEnd(talk.window) : talk.window
    }))
  )

/** The same in any conversation, whatever of it is at hand; undefined: it follows what comes. */
export const stayIn = (state: ChatState, key: string, seq: Seq | undefined): ChatState =>
  looked(withTalk(state, key, (talk) => ({ ...talk, anchor: seq })))

/** A page came that was asked for. */
export const turned = (state: ChatState, key: string, page: Window.Page, is: "newer" | "older"): ChatState =>
  looked(
    withTalk(state, key, (talk) => ({
      ...talk,
      window: is === "older" ? Window.olderPage(talk.window, page) : Window.newerPage(talk.window, page),
      outbox: settledBy(state, talk, page),
      unread: is === "older" ? foundIn(state, talk, page) : talk.unread
    }))
  )

/** What stands in the log was sent, whatever one knew of it when one left. */
const settledBy = ({ user }: ChatState, { outbox }: Talk.Talk, { messages }: Window.Page): Outgoing.Outbox =>
  Outgoing.found(
    outbox,
    messages.flatMap((message) => (Window.isSaid(message) && nameKey(message.from) === nameKey(user) ? [message] : []))
  )

/** What a page says of what is unread in the lobby, of which the server counts nothing. */
const foundIn = (state: ChatState, { unread, where, window }: Talk.Talk, page: Window.Page): Unread.Unread => {
  const isNext = (window.entries[0]?.seq ?? Infinity) > unread.before.upTo
  if (!isNext || where.room !== undefined || where.with !== undefined) return unread
  const meant = page.messages.map((message) => ({ seq: message.seq, is: Talk.meaningOf(message, readerOf(state)) }))
  return Unread.found(unread, meant, page.more)
}

/** The piece of the log came in which this message stands: the view goes there. */
export const wentTo = (state: ChatState, key: string, seq: Seq, before: Window.Page, behind: Window.Page): ChatState =>
  withTalk(state, key, (talk) => ({
    ...talk,
    anchor: seq,
    window: Window.goneTo(talk.window, before, behind),
    outbox: settledBy(state, talk, behind)
  }))

/** Whether somebody's messages are shown here is up to the person. */
export const ignore = (state: ChatState, user: UserName, isIgnored: boolean): ChatState => {
  const ignored = new Set(state.ignored)
  if (isIgnored) ignored.add(nameKey(user))
  else ignored.delete(nameKey(user))
  return { ...state, ignored }
}

/** The next conversation that waits for somebody: a mention first, then what is said in private, then anything unread; muted ones last. */
export const nextWaiting = (state: ChatState, isMuted: (key: string) => boolean = () => false): string | undefined => {
  const all = [...state.talks].filter(([key, talk]) => key !== state.shown && Talk.unread(talk) > 0)
  const loud = all.filter(([key]) => !isMuted(key))
  const waiting = loud.length > 0 ? loud : all
  const is = (wanted: (talk: Talk.Talk) => boolean) => waiting.find(([, talk]) => wanted(talk))?.[0]
  return is((talk) => !Talk.isPersonal(talk) && Talk.mentionsIn(talk) > 0) ?? is(Talk.isPersonal) ?? waiting[0]?.[0]
}

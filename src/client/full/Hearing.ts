/** What happens, put into the view: the state of the chat, answers to commands, and who is to be called. Pure. */
import { nameKey } from "../../common/name/Name.ts"
import { endsConnection } from "../../common/wire/Rejection.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import { callFor } from "../core/chat/Call.ts"
import * as Chat from "../core/chat/ChatState.ts"
import * as Talk from "../core/chat/Talk.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { isEntry } from "../core/Heard.ts"
import type { Recent } from "../core/Recent.ts"
import type { Style } from "../screen/Layout.ts"
import { render } from "../screen/Render.ts"
import { answered, answeredWith } from "./Answers.ts"
import { nameOf } from "./Bars.ts"
import { levelOf } from "./Level.ts"
import { encryptedFromNow } from "./SealedWords.ts"
import * as View from "./View.ts"

/** Whom it is to reach, who may not be looking. */
export interface Call {
  readonly title: string
  readonly text: string
}

/** What the server gives whoever asked by a command. */
const answers: ReadonlySet<string> = new Set([
  "UserList",
  "RoomUsers",
  "RoomList",
  "RoomInfo",
  "UserInfo",
  "Devices",
  "DeviceRemoved",
  "Keys",
  "KeyAdded",
  "KeyRemoved",
  "Blocked",
  "Reported",
  "Registered",
  "PasswordChanged",
  "History",
  "SearchResults"
])

/** A page without what is said by whom the person does not want to see. */
const withoutHidden = (chat: Chat.ChatState, event: Extract<ClientEvent, { readonly _tag: "Received" }>) => {
  const { message } = event
  const isPage = message._tag === "History" || message._tag === "SearchResults"
  if (!isPage || event.isAudit === true) return { shown: event, hidden: 0 }
  const messages = message.messages.filter(({ from }) => !Chat.isHidden(chat, from))
  return { shown: { ...event, message: { ...message, messages } }, hidden: message.messages.length - messages.length }
}

export const heard = (before: View.View, event: ClientEvent, style: Style, recent: Recent): View.View => {
  const chat = Chat.hear(before.chat, event, before.now)
  const isMoved = chat.shown !== before.chat.shown
  const view = { ...View.withChat(before, chat), ...(isMoved && { movedAt: before.now }) }
  switch (event._tag) {
    case "Received": {
      const { message } = event
      if (answers.has(message._tag)) {
        const { hidden, shown } = withoutHidden(before.chat, event)
        const next = answered(view, render(shown, style, recent))
        if (hidden === 0) return next
        return answeredWith(next, [`${hidden} of them from people whom you ignore: not shown. :unignore shows them.`])
      }
      if (message._tag === "RoomJoined" && message.with !== undefined) {
        const over = View.wentOver(view, message.with, message.room)
        return isBegun(before.chat, message) ? View.notify(over, encryptedFromNow(message.with)) : over
      }
      if (message._tag === "Invitation") {
        return View.notify(view, `${message.by} invites you to ${message.room}: :jr ${message.room} joins it.`)
      }
      if (message._tag === "RoomLeft" && message.id === undefined) {
        const why = message.reason === undefined ? "" : `: ${message.reason}`
        return View.notify(view, `You are not in ${message.room} any more${why}.`, true)
      }
      if (message._tag === "RoomDeleted")
        return View.notify(view, `${message.by} deleted the room ${message.room}.`, true)
      if (message._tag === "Rejected" && message.id === undefined && !endsConnection(message.reason)) {
        return View.notify(view, message.message, true)
      }
      return view
    }
    case "EncryptionTold":
      return View.tell(view, event)
    case "RejoinRefused":
      return View.notify(
        view,
        `Not back ${event.with === undefined ? `in ${event.room}` : `with @${event.with}`}: ${event.message}`,
        true
      )
    case "NotKept":
      return View.notify(view, event.message, true)
    case "Skipped":
      return View.notify(view, `${event.events} events skipped: they came faster than they could be shown.`, true)
    default:
      return view
  }
}

type Joined = ServerMessageOf<"RoomJoined">

/** Whether a conversation of two is encrypted from now on, and was not known before. */
const isBegun = ({ closed, standing, talks }: Chat.ChatState, { room }: Joined): boolean => {
  const key = Talk.keyOf({ room })
  return !closed.has(key) && !standing.has(key) && !talks.has(key)
}

/**
 * Before it is put into the view. A muted conversation calls nobody, nor does one that is looked at, but for a mention; of what is
 * neither private nor a mention, only those call of which that was said.
 */
export const callOf = ({ chat, levels }: View.View, event: ClientEvent): Call | undefined => {
  const call = callFor(chat, event)
  if (call === undefined) return undefined
  const key = Talk.keyOf(call.where)
  const talk = chat.talks.get(key) ?? { where: call.where, ...Chat.standsIn(chat, call.where) }
  const called = { where: talk.where, partner: talk.partner }
  const level = levelOf(levels, Talk.keyOf(Talk.addresseeOf(called)))
  const isSeen = chat.isLooking && key === chat.shown
  if (level === "none" || (call.is === "message" && level !== "all")) return undefined
  if (isSeen && call.is !== "mention") return undefined
  return { title: `${call.entry.from} in ${nameOf(called)}`, text: call.entry.content.slice(0, 200) }
}

/** The room of which who is in, or who governs it, is not known for certain any more. */
export const unsettledBy = (event: ClientEvent): string | undefined => {
  if (event._tag === "Rejoined") return Talk.keyOf({ room: event.joined.room })
  if (event._tag !== "Received") return undefined
  const { message } = event
  if (message._tag === "RoomJoined") return Talk.keyOf({ room: message.room })
  if (message._tag === "RoomPresence" && message.left.length > 0) return Talk.keyOf({ room: message.room })
  if (!isEntry(message)) return undefined
  const isAboutPeople = message._tag === "RoleSet" || message._tag === "Kicked" || message._tag === "Banned"
  return isAboutPeople && message.room !== undefined ? `room ${nameKey(message.room)}` : undefined
}

/**
 * Turns what happened into lines to read. Pure, and the one place where others' text meets the screen: every piece of it
 * passes `safeText` first. Entries of logs are `RenderEntry`'s, rows and margins `Layout`'s.
 */
import { Conversation } from "../../common/log/Conversation.ts"
import { isConversationRoom } from "../../common/name/RoomName.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import { endsConnection } from "../../common/wire/Rejection.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import * as ChatState from "../core/chat/ChatState.ts"
import * as Talk from "../core/chat/Talk.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { isEntry } from "../core/Heard.ts"
import { spanOf } from "../core/Page.ts"
import * as Recent from "../core/Recent.ts"
import { safeLine } from "../text/SafeText.ts"
import { aside, count, dimmed, fit, type Line, others, type Style } from "./Layout.ts"
import { isAccountMessage, renderAccount, renderUnread } from "./RenderAccount.ts"
import { renderEntry, renderOld } from "./RenderEntry.ts"
import { renderRoom, renderRoomJoined, renderRoomLeft, renderRoomList } from "./RenderRoom.ts"

/** `recent` is what was said up to then, for what is about it. */
export const render = (event: ClientEvent, style: Style, recent = Recent.empty): ReadonlyArray<Line> => {
  switch (event._tag) {
    case "Connected": {
      if (style.layout === "plain") return []
      const { account, server, user } = event.welcome
      const who = account ? `${user}, logged in` : user
      return [
        ...notice(style, `connected to ${server.name} ${server.version} as ${who}; :help lists the commands`),
        ...renderStanding(event.welcome, style)
      ]
    }
    case "Received":
      return renderReceived(event, style, recent)
    case "Disconnected":
      return notice(style, `connection lost (${event.cause}), reconnecting…`)
    case "Retrying":
      return notice(style, `still trying: ${event.cause}`)
    case "Reconnected":
      return notice(style, event.missed === 0 ? "back" : `${event.missed} new`)
    case "Rejoined":
      return event.missed === 0 ? [] : notice(style, `${event.missed} new ${placeOf(event.joined)}`)
    case "RejoinRefused":
      return event.with === undefined
        ? error(style, `Not back in ${event.room}: ${event.message} :jr ${event.room} tries again.`)
        : error(style, `Not back with @${safeLine(event.with)}: ${event.message}`)
    case "Gap":
      return notice(style, describeGap(event.conversation, event.missing))
    case "NotKept":
      return error(style, event.message)
    case "EncryptionTold":
      return event.isAlarm ? error(style, event.message) : notice(style, event.message)
    case "EncryptionStands": {
      const { room, state, with: other } = event
      const where = other === undefined ? room : `what you and ${other} say`
      if (state === "waiting")
        return notice(style, `${where}: waiting to be let in by a member; until then nothing can be read there`)
      return state === "outOfStep" ? notice(style, `${where}: out of step; :rekey makes new keys`) : []
    }
    case "Skipped":
      return notice(style, `${event.events} events skipped: they came faster than they could be shown`)
  }
}

/** The rooms of an account, which are joined again, and what is unread. */
const renderStanding = (welcome: ServerMessageOf<"Welcome">, style: Style): ReadonlyArray<Line> => {
  const { rooms = [] } = welcome
  const { talks } = ChatState.hear({ ...ChatState.empty, isLooking: false }, { _tag: "Connected", welcome }, 0)
  const places = [...talks.values()].filter((talk) => Talk.unread(talk) > 0)
  const names = rooms
    .slice(0, maxRoomsNamed)
    .map(({ room, with: other }) => safeLine(other === undefined ? room : `@${other}`))
  const more = rooms.length > names.length ? ` … and ${rooms.length - names.length} more` : ""
  return [
    ...(rooms.length === 0 ? [] : dimmed(style, `in ${names.join(", ")}${more} again`)),
    ...(places.length === 0 ? [] : renderUnread(places, style))
  ]
}

const maxRoomsNamed = 20

const placeOf = ({ room, with: other }: ServerMessageOf<"RoomJoined">): string =>
  other === undefined ? `in ${room}` : `from ${other}`

/** Something about the connection. */
export const notice = (style: Style, text: string): ReadonlyArray<Line> => [
  { kind: "notice", text: fit(style, `— ${safeLine(text)} —`, style.palette.dim) }
]

/** Something the user asked for did not work. */
export const error = (style: Style, message: string): ReadonlyArray<Line> => [
  { kind: "error", text: fit(style, safeLine(message), style.palette.error) }
]

/** An answer of the client itself. */
export const remark = (style: Style, text: string): ReadonlyArray<Line> => aside(style, text)

/** What was typed, where nothing else would show that. */
export const echo = (style: Style, typed: string): ReadonlyArray<Line> => dimmed(style, `> ${safeLine(typed)}`)

/** What was said before one came; the last line tells where that ends. */
export const backlog = (
  { messages, more }: ServerMessageOf<"History">,
  style: Style,
  recent = Recent.empty
): ReadonlyArray<Line> => {
  if (messages.length === 0) return []
  const summary = `↑ ${count(messages.length, "earlier message")}${older(more)}`
  return [...messages.map((message) => renderOld(message, style, recent)), ...dimmed(style, summary)]
}

export const noBacklog = (room: string | undefined, style: Style): ReadonlyArray<Line> => {
  const command = room === undefined ? ":history" : `:history ${room}`
  return notice(style, `what was said before cannot be shown just now; ${command} tries again`)
}

type Received = Extract<ClientEvent, { readonly _tag: "Received" }>

/** What the client knows beside the message is told with it. */
const renderReceived = ({ isAudit, message, putOutBy }: Received, style: Style, recent: Recent.Recent) => {
  if (message._tag === "RoomLeft") return renderRoomLeft(message, putOutBy, style)
  if (message._tag !== "History" || isAudit !== true) return renderMessage(message, style, recent)
  const { messages, more } = message
  const summary =
    messages.length === 0 ? "nothing was done by moderators" : `${count(messages.length, "deed")} of moderation`
  return renderPage(messages, `${summary}${older(more)}`, style, recent)
}

const renderMessage = (message: ServerMessage, style: Style, recent: Recent.Recent): ReadonlyArray<Line> => {
  if (isEntry(message)) return [renderEntry(message, style, recent)]
  if (isAccountMessage(message)) return renderAccount(message, style)
  const names = (users: ReadonlyArray<string>) => users.map((user) => style.palette.user(safeLine(user))).join(", ")
  switch (message._tag) {
    case "Presence":
      return renderPresence("", message, style)
    case "RoomPresence":
      // That the two of a conversation come and go is told by the lobby.
      if (isConversationRoom(message.room)) return []
      return renderPresence(`[${safeLine(message.room)}] `, message, style)
    case "UserList":
      return aside(style, `${count(message.count, "user")}: ${names(message.users)}${others(message, message.users)}`)
    case "RoomUsers": {
      const { away = [], users } = message
      const elsewhere = away.length === 0 ? "" : `; away: ${away.map(safeLine).join(", ")}`
      const listed = `${names(users)}${elsewhere}${others(message, [...users, ...away])}`
      return aside(style, `[${safeLine(message.room)}] ${count(message.count, "user")}: ${listed}`)
    }
    case "RoomList":
      return renderRoomList(message, style)
    case "RoomCreated": {
      const { id, by } = message
      const room = safeLine(message.room)
      const hint = `; :jr ${room} joins it`
      return aside(
        style,
        id === undefined
          ? `${names([by])} created the room ${room}${style.layout === "plain" ? "" : hint}`
          : `you created the room ${room}${style.layout === "plain" ? hint : ""}`
      )
    }
    case "RoomJoined":
      return renderRoomJoined(message, style)
    case "RoomLeft":
      return renderRoomLeft(message, undefined, style)
    case "Reported":
      return aside(style, "reported; whoever runs the server can read what was said, unless it was encrypted")
    case "History": {
      const { messages, more } = message
      const isEmpty = spanOf(message) === undefined
      const nothing = isEmpty ? "nothing was said yet" : "nothing here that this client could show"
      const summary = messages.length === 0 ? nothing : `${count(messages.length, "message")} of history`
      return renderPage(messages, `${summary}${older(more)}`, style, recent)
    }
    case "SearchResults": {
      const { messages, more } = message
      const summary = messages.length === 0 ? "nothing found" : `${count(messages.length, "message")} found`
      return renderPage(messages.toReversed(), `${summary}${older(more)}`, style, recent)
    }
    case "RoomInfo":
    case "RoomDeleted":
    case "Invitation":
      return renderRoom(message, style)
    // The refusal of a request is told by its asker, with what was asked; the end of the connection as such an event.
    case "Rejected":
      return message.id === undefined && !endsConnection(message.reason) ? error(style, message.message) : []
    // Told by other events, or by whoever asked; who is typing is nothing for a line that stays.
    case "Typing":
    case "DevicePublished":
    case "DeviceList":
    case "DevicesChanged":
    case "KeyPackagesPublished":
    case "KeyPackages":
    case "Welcomes":
    case "WelcomeAcknowledged":
    case "ConversationOpened":
    case "Welcome":
    case "Sent":
    case "Pong":
    case "Goodbye":
      return []
  }
}

/** Oldest first, and what there is to say about them. */
const renderPage = (
  messages: ReadonlyArray<StandingMessage>,
  summary: string,
  style: Style,
  recent: Recent.Recent
): ReadonlyArray<Line> => [...messages.map((message) => renderOld(message, style, recent)), ...aside(style, summary)]

const older = (isThere: boolean): string => (isThere ? "; :more shows older ones" : "")

/** How many of those are named who come or go at once, where one is brief. */
const maxNamed = 5

const renderPresence = (
  where: string,
  { joined, left, all }: Omit<ServerMessageOf<"Presence">, "_tag">,
  style: Style
): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  const list = (users: ReadonlyArray<string>) => {
    const isCut = style.isBrief === true && users.length > maxNamed
    const named = users.slice(0, isCut ? maxNamed - 1 : users.length).map(safeLine)
    return `${named.join(", ")}${isCut ? ` and ${users.length - named.length} more` : ""}`
  }
  if (all) return dimmed(style, `${where}here now: ${list(joined)}`)
  if (joined.length > 0) lines.push(...dimmed(style, `${where}→ ${list(joined)} joined`))
  if (left.length > 0) lines.push(...dimmed(style, `${where}← ${list(left)} left`))
  return lines
}

/** There are so many gaps that they are told of no more. */
export const moreGaps = (conversation: Conversation, style: Style): ReadonlyArray<Line> =>
  notice(style, `${whereIs(conversation)}, more messages are left out again and again; that is not told any more`)

const whereIs = Conversation.match({
  Lobby: () => "in the lobby",
  Inbox: () => "in private",
  Room: ({ room }) => `in ${room}`
})

const describeGap = (conversation: Conversation, missing: number | undefined): string => {
  const where = whereIs(conversation)
  const hint = Conversation.match(conversation, {
    Lobby: () => "; :history 500 and :more go back to them",
    Inbox: () => "",
    Room: ({ room }) => `; :history ${room} 500 and :more go back to them`
  })
  return missing === undefined
    ? `${where}, history begins anew: messages may be missing`
    : `${where}, ${count(missing, "older message")} left out${hint}`
}

/**
 * Turns what happened into lines to read. Pure, and the one place where others' text meets the screen: every piece of it
 * passes `safeText` first.
 *
 * On a terminal, what does not fit on a message's first row goes on behind a mark that nobody can put at the beginning of
 * a row, so that it cannot look like another one's message. In plain layout an event is one line, for scripts to read.
 */
import { Conversation } from "../../common/log/Conversation.ts"
import type { ChatMessage } from "../../common/wire/EntryMessage.ts"
import { endsConnection } from "../../common/wire/Rejection.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { colourless, type Palette } from "../text/Palette.ts"
import { safeLine, safeText } from "../text/SafeText.ts"
import type { Timestamp } from "../text/Timestamp.ts"
import { cellsOf, wrap } from "../text/Wrap.ts"

export interface Style {
  readonly layout: "terminal" | "plain"
  readonly palette: Palette
  readonly timestamp: Timestamp
  /** Epoch milliseconds, for telling today's messages from older ones. */
  readonly now: number
  /** The width of the terminal. */
  readonly columns: number
}

/** `said` is the chat itself; a `notice` is about the connection; an `error` is something that did not work. */
export interface Line {
  readonly kind: "said" | "notice" | "error"
  readonly text: string
}

export const render = (event: ClientEvent, style: Style): ReadonlyArray<Line> => {
  switch (event._tag) {
    case "Connected": {
      if (style.layout === "plain") return []
      const { server, user } = event.welcome
      return notice(style, `connected to ${server.name} ${server.version} as ${user}; :help lists the commands`)
    }
    case "Received":
      return renderMessage(event.message, style)
    case "Disconnected":
      return notice(style, `connection lost (${event.cause}), reconnecting…`)
    case "Retrying":
      return notice(style, `still trying: ${event.cause}`)
    case "Reconnected":
      return notice(style, event.missed === 0 ? "back" : `${event.missed} new`)
    case "Rejoined":
      return event.missed === 0 ? [] : notice(style, `${event.missed} new in ${event.joined.room}`)
    case "RejoinRefused":
      return error(style, `Not back in ${event.room}: ${event.message}`)
    case "Gap":
      return notice(style, describeGap(event.conversation, event.missing))
    case "Skipped":
      return notice(style, `${event.events} events skipped: they came faster than they could be shown`)
  }
}

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
export const backlog = ({ messages, more }: ServerMessageOf<"History">, style: Style): ReadonlyArray<Line> => {
  if (messages.length === 0) return []
  const summary = `↑ ${count(messages.length, "earlier message")}${older(more)}`
  return [...messages.map((message) => renderOld(message, style)), ...dimmed(style, summary)]
}

export const noBacklog = (room: string | undefined, style: Style): ReadonlyArray<Line> => {
  const command = room === undefined ? ":history" : `:history ${room}`
  return notice(style, `what was said before cannot be shown just now; ${command} tries again`)
}

const renderMessage = (message: ServerMessage, style: Style): ReadonlyArray<Line> => {
  const names = (users: ReadonlyArray<string>) => users.map((user) => style.palette.user(safeLine(user))).join(", ")
  switch (message._tag) {
    case "GlobalMessage":
    case "PrivateMessage":
    case "RoomMessage":
      return [{ kind: "said", text: renderChat(message, style) }]
    case "Presence":
      return renderPresence("", message, style)
    case "RoomPresence":
      return renderPresence(`[${safeLine(message.room)}] `, message, style)
    case "UserList":
      return aside(style, `${count(message.count, "user")}: ${names(message.users)}${others(message, message.users)}`)
    case "RoomUsers":
      return aside(
        style,
        `[${safeLine(message.room)}] ${count(message.count, "user")}: ${names(message.users)}${others(message, message.users)}`
      )
    case "RoomList": {
      if (message.rooms.length === 0) return aside(style, "no rooms yet; :cr <room> creates one")
      const rooms = message.rooms.map(({ room, users }) => `${safeLine(room)} (${users})`)
      return aside(style, `${count(message.count, "room")}: ${rooms.join(", ")}${others(message, rooms)}`)
    }
    case "RoomCreated": {
      const { id, by } = message
      const room = safeLine(message.room)
      return aside(
        style,
        id === undefined
          ? `${names([by])} created the room ${room}`
          : `you created the room ${room}; :jr ${room} joins it`
      )
    }
    case "RoomJoined": {
      const follow = message.missed === 0 ? "" : `; ${count(message.missed, "message")} to catch up`
      const here = `${names(message.users)}${others(message, message.users)}`
      return aside(style, `[${safeLine(message.room)}] → you joined; here: ${here}${follow}`)
    }
    case "RoomLeft": {
      const why = message.reason === undefined ? "" : `: ${safeLine(message.reason)}`
      const what = message.id === undefined ? "you were taken out" : "you left"
      return aside(style, `[${safeLine(message.room)}] ← ${what}${why}`)
    }
    case "History": {
      const { messages, more } = message
      const summary = messages.length === 0 ? "nothing was said yet" : `${count(messages.length, "message")} of history`
      return renderPage(messages, `${summary}${older(more)}`, style)
    }
    case "SearchResults": {
      const { messages, more } = message
      const summary = messages.length === 0 ? "nothing found" : `${count(messages.length, "message")} found`
      return renderPage(messages.toReversed(), `${summary}${older(more)}`, style)
    }
    // The refusal of a request is told by its asker, with what was asked; the end of the connection as such an event.
    case "Rejected":
      return message.id === undefined && !endsConnection(message.reason) ? error(style, message.message) : []
    case "Goodbye":
    case "Welcome":
    case "Sent":
    case "Pong":
      return []
  }
}

/** Oldest first, and what there is to say about them. */
const renderPage = (messages: ReadonlyArray<ChatMessage>, summary: string, style: Style): ReadonlyArray<Line> => [
  ...messages.map((message) => renderOld(message, style)),
  ...aside(style, summary)
]

/** A script is told the time only of what is old. */
const renderOld = (message: ChatMessage, style: Style): Line => {
  const text = renderChat(message, style)
  return { kind: "said", text: style.layout === "plain" ? `${style.timestamp(message.at, style.now)} ${text}` : text }
}

const older = (isThere: boolean): string => (isThere ? "; :more shows older ones" : "")

const renderChat = (message: ChatMessage, { layout, palette, timestamp, now, columns }: Style): string => {
  if (layout === "plain") return `${address(message, palette)}: ${safeLine(message.content)}`
  const time = timestamp(message.at, now)
  const headWidth = cellsOf(`${time} ${address(message, colourless)}: `)
  const width = (margin: number) => Math.max(columns - margin, narrowest)
  const rows = safeText(message.content)
    .replaceAll("\t", "    ")
    .split("\n")
    .flatMap((line, index) => wrap(line, width(index === 0 ? headWidth : gutter.length + 2), width(gutter.length + 2)))
    .map((row) => row.trimEnd())
  return `${palette.dim(time)} ${address(message, palette)}: ${rows.join(`\n${gutter}${palette.dim("┊")} `)}`
}

/** Who says it, and where. */
const address = (message: ChatMessage, palette: Palette): string => {
  const from = palette.user(safeLine(message.from))
  switch (message._tag) {
    case "GlobalMessage":
      return from
    case "RoomMessage":
      return `${palette.place(`[${safeLine(message.room)}]`)} ${from}`
    case "PrivateMessage":
      return `${palette.place("(private)")} ${from} → ${palette.user(safeLine(message.to))}`
  }
}

const renderPresence = (
  where: string,
  { joined, left, all }: Omit<ServerMessageOf<"Presence">, "_tag">,
  style: Style
): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  const list = (users: ReadonlyArray<string>) => users.map(safeLine).join(", ")
  if (all) return dimmed(style, `${where}here now: ${list(joined)}`)
  if (joined.length > 0) lines.push(...dimmed(style, `${where}→ ${list(joined)} joined`))
  if (left.length > 0) lines.push(...dimmed(style, `${where}← ${list(left)} left`))
  return lines
}

/** As wide as a time and the space behind it. */
const gutter = " ".repeat(6)

/** How many cells of text a row has at least, however narrow the terminal. */
const narrowest = 10

const aside = ({ layout }: Style, text: string): ReadonlyArray<Line> => [
  { kind: "said", text: layout === "plain" ? text : `${gutter}${text}` }
]

const dimmed = (style: Style, text: string): ReadonlyArray<Line> => aside(style, style.palette.dim(text))

/** What is there to say of those that a list left out. */
const others = (
  { count, more }: { readonly count: number; readonly more?: true },
  listed: ReadonlyArray<unknown>
): string => {
  if (more !== true) return ""
  return count > listed.length ? ` … and ${count - listed.length} more` : " … and more"
}

const describeGap = (conversation: Conversation, missing: number | undefined): string => {
  const [where, hint] = Conversation.match(conversation, {
    Lobby: () => ["in the lobby", "; :history 500 and :more go back to them"],
    Inbox: () => ["in private", ""],
    Room: ({ room }) => [`in ${room}`, `; :history ${room} 500 and :more go back to them`]
  })
  return missing === undefined
    ? `${where}, history begins anew: messages may be missing`
    : `${where}, ${count(missing, "older message")} left out${hint}`
}

/** Rows for the terminal, each painted by itself; one line for scripts. */
const fit = ({ columns }: Style, line: string, paint: (row: string) => string): string => {
  const width = Math.max(columns - gutter.length, narrowest)
  const rows = wrap(line, width, width).map((row) => paint(row.trimEnd()))
  return rows.join(`\n${gutter}`)
}

const count = (amount: number, thing: string): string => `${amount} ${thing}${amount === 1 ? "" : "s"}`

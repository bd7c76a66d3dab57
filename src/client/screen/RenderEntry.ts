/**
 * Turns the entries of a log into lines to read: what was said, and what was done to it. Pure; every piece of others'
 * text passes `safeText` first.
 *
 * Each message has its number, by which commands name it: `12:04 #12 ada: hi`. For scripts an entry is one line, and what
 * is said about a message stands behind a tab, which no text on one line can hold: `#12 ada: hi⇥edited⇥👍 2`.
 *
 * A message that names the reader has a mark in front of its number, where nobody's text can stand: `12:04 * #12 ada: hi @bob`.
 * When it comes, it rings; in a history it does not. For scripts it is a message like any other.
 */
import { mentions } from "../../common/log/Mentions.ts"
import { nameKey } from "../../common/name/Name.ts"
import { isConversationRoom, partnerIn, type RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ChatMessage, EntryMessage, StandingMessage } from "../../common/wire/EntryMessage.ts"
import { whereaboutsOf } from "../core/Heard.ts"
import { isNoted } from "../core/Noted.ts"
import * as Recent from "../core/Recent.ts"
import { cellsOf } from "../text/Grapheme.ts"
import { colourless, type Palette } from "../text/Palette.ts"
import { safeLine, safeText } from "../text/SafeText.ts"
import { cutTo, wrap } from "../text/Wrap.ts"
import { gutter, type Line, type Style, widthBeside } from "./Layout.ts"
import { deedOf } from "./RenderGoverning.ts"

/** How many cells of a message stand where another one is about it. */
const quoteCells = 32

/** So many who reacted in one way are named; of more, their number is told. */
const maxNamed = 3

/** An entry as it was made. */
export const renderEntry = (entry: EntryMessage, style: Style, recent: Recent.Recent): Line => ({
  kind: "said",
  text: entryText(entry, style, recent, []),
  ...(namesReader(entry, recent) && { rings: true as const })
})

/** Whether somebody else says the name of whoever reads this, and is not blocked. */
const namesReader = (entry: EntryMessage, { blocked, user }: Recent.Recent): boolean =>
  "content" in entry &&
  entry._tag !== "Edited" &&
  nameKey(entry.from) !== nameKey(user) &&
  !blocked.has(nameKey(entry.from)) &&
  mentions(entry.content, user)

/** A message as it stands. A script is told the time only of what is old. */
export const renderOld = (message: StandingMessage, style: Style, recent: Recent.Recent): Line => {
  const text = entryText(message, style, recent, remarksOn(message, style))
  return { kind: "said", text: style.layout === "plain" ? `${style.timestamp(message.at, style.now)} ${text}` : text }
}

const entryText = (
  entry: EntryMessage,
  style: Style,
  recent: Recent.Recent,
  remarks: ReadonlyArray<string>
): string => {
  const { at } = entry
  const isMarked = style.layout === "terminal" && namesReader(entry, recent)
  const head = (palette: Palette) =>
    `${isMarked ? `${palette.mention("*")} ` : ""}${headOf(entry, palette, style, recent)}`
  switch (entry._tag) {
    case "GlobalMessage":
    case "PrivateMessage":
    case "RoomMessage": {
      const { content, replyTo } = entry
      if (replyTo === undefined) return speak({ at, head: (palette) => `${head(palette)}: `, content, remarks }, style)
      if (style.layout === "plain") {
        return speak({ at, head: (palette) => `${head(palette)} ↳ #${replyTo}: `, content, remarks }, style)
      }
      const said = speak({ at, head: (palette) => `${head(palette)}: `, content, remarks }, style)
      return `${gutter}${style.palette.dim(answered(entry, replyTo, style, recent))}\n${said}`
    }
    case "Edited":
      return speak({ at, head, content: ` edited #${entry.target}: ${entry.content}` }, style)
    case "Deleted": {
      const why = entry.reason === undefined ? "" : `: ${entry.reason}`
      return speak({ at, head, content: ` deleted #${entry.target}${why}`, isDim: true }, style)
    }
    case "Reacted": {
      const { reaction, removed, target } = entry
      const what = removed === true ? `took back ${reaction} from` : `reacted ${reaction} to`
      const about = style.layout === "plain" ? "" : quoted(entry, target, recent)
      return speak({ at, head, content: ` ${what} #${target}${about}`, isDim: true }, style)
    }
    case "Tombstone": {
      const isOwn = nameKey(entry.from) === nameKey(entry.deletedBy)
      return speak({ at, head, content: isOwn ? ", deleted" : `, deleted by ${entry.deletedBy}`, isDim: true }, style)
    }
    default:
      // Words, too: not everybody sees the colour.
      if (entry._tag === "Sealed" && isNoted(entry) && entry.isAlarm) {
        return speak({ at, head, content: ` (warning) ${entry.note}`, isAlarm: true }, style)
      }
      return speak({ at, head, content: ` ${deedOf(entry, style)}`, isDim: true }, style)
  }
}

/** What is to be told in one piece, and how it begins. */
interface Speech {
  readonly at: number
  readonly head: (palette: Palette) => string
  readonly content: string
  /** What is said about it, behind it. */
  readonly remarks?: ReadonlyArray<string>
  readonly isDim?: boolean
  readonly isAlarm?: boolean
}

const speak = ({ at, content, head, isAlarm = false, isDim = false, remarks = [] }: Speech, style: Style): string => {
  const { layout, now, palette, timestamp } = style
  if (layout === "plain") return [`${head(palette)}${safeLine(content)}`, ...remarks].join("\t")
  const time = timestamp(at, now)
  const headWidth = cellsOf(`${time} ${head(colourless)}`)
  const width = widthBeside(style, gutter.length + 2)
  const paint = isAlarm ? palette.error : isDim ? palette.dim : (row: string) => row
  const rows = safeText(content)
    .replaceAll("\t", "    ")
    .split("\n")
    .flatMap((line, index) => wrap(line, index === 0 ? widthBeside(style, headWidth) : width, width))
    .map((row) => row.trimEnd())
  const lastRoom = rows.length === 1 ? widthBeside(style, headWidth) : width
  const painted = rows.map(paint)
  const joint = `\n${gutter}${palette.dim("┊")} `
  return `${palette.dim(time)} ${head(palette)}${painted.join(joint)}${behind(rows.at(-1) ?? "", lastRoom)}`

  function behind(row: string, room: number): string {
    if (remarks.length === 0) return ""
    const text = remarks.join("  ")
    if (cellsOf(row) + 2 + cellsOf(text) <= room) return `  ${palette.dim(text)}`
    return wrap(text, width, width)
      .map((part) => `${joint}${palette.dim(part.trimEnd())}`)
      .join("")
  }
}

/** The number of a message, who it is by, and where. */
const headOf = (entry: EntryMessage, palette: Palette, style: Style, recent: Recent.Recent): string => {
  const from = palette.user(safeLine(entry.from))
  const number = palette.dim(`#${entry.seq}`)
  switch (entry._tag) {
    case "GlobalMessage":
      return `${number} ${lobbyTag(palette, style)}${from}`
    case "RoomMessage":
      return `${number} ${placeOf(entry, palette, recent)}`
    case "PrivateMessage":
      return `${number} ${inPrivate(from, entry.to, palette)}`
    case "Tombstone":
      return `${number} ${addressOf(entry, palette, style, recent)}`
    default:
      return addressOf(entry, palette, style, recent)
  }
}

/** Who did something, and where. */
const addressOf = (
  { from, room, with: other }: Exclude<EntryMessage, ChatMessage>,
  palette: Palette,
  style: Style,
  recent: Recent.Recent
): string => {
  const shownFrom = palette.user(safeLine(from))
  if (room !== undefined) return placeOf({ from, room }, palette, recent)
  if (other === undefined) return `${lobbyTag(palette, style)}${shownFrom}`
  return nameKey(from) === nameKey(other)
    ? `${palette.place("(private)")} ${shownFrom}`
    : inPrivate(shownFrom, other, palette)
}

/** Who says something in which room: none passes for the lobby, and a conversation of two is told as one. */
const placeOf = (
  { from, room }: { readonly from: UserName; readonly room: RoomName },
  palette: Palette,
  { user }: Recent.Recent
): string => {
  const shownFrom = palette.user(safeLine(from))
  if (isConversationRoom(room)) return between(from, room, user, palette)
  return `${palette.place(nameKey(room) === "lobby" ? `[room ${safeLine(room)}]` : `[${safeLine(room)}]`)} ${shownFrom}`
}

const between = (from: UserName, room: RoomName, reader: UserName, palette: Palette): string => {
  const to = nameKey(from) === nameKey(reader) ? partnerIn(room, reader) : undefined
  const whom = to === undefined ? "" : ` → ${palette.user(safeLine(to))}`
  return `${palette.place("(private, sealed)")} ${palette.user(safeLine(from))}${whom}`
}

const lobbyTag = (palette: Palette, { tagsLobby }: Style): string => (tagsLobby ? `${palette.place("[lobby]")} ` : "")

const inPrivate = (from: string, to: string, palette: Palette): string =>
  `${palette.place("(private)")} ${from} → ${palette.user(safeLine(to))}`

/** What a reply answers, in one row. */
const answered = (entry: EntryMessage, seq: number, style: Style, recent: Recent.Recent): string => {
  const shown = Recent.find(recent, { where: whereaboutsOf(entry, recent.user), seq })
  const text = shown === undefined ? "" : ` ${safeLine(shown.from)}: ${safeLine(shown.words)}`
  return cutTo(`↳ #${seq}${text}`, widthBeside(style, gutter.length))
}

const quoted = (entry: EntryMessage, seq: number, recent: Recent.Recent): string => {
  const shown = Recent.find(recent, { where: whereaboutsOf(entry, recent.user), seq })
  return shown === undefined ? "" : ` “${cutTo(safeLine(shown.words), quoteCells)}”`
}

const remarksOn = (message: StandingMessage, { layout }: Style): ReadonlyArray<string> => {
  if (!("content" in message)) return []
  const { edited, reactions = [] } = message
  const isPlain = layout === "plain"
  const byWhom = (users: ReadonlyArray<string>, number: number) =>
    isPlain || number > maxNamed ? `${number}` : users.map(safeLine).join(", ")
  return [
    ...(edited === undefined ? [] : [isPlain ? "edited" : "(edited)"]),
    ...reactions.map(({ count, reaction, users }) => `${safeLine(reaction)} ${byWhom(users, count)}`)
  ]
}

/**
 * One message as rows: what stands before it (a date, the line "new", what it answers), what it says, and what was done to it. Pure.
 *
 * Who says it stands in a column of its own, behind which a line is drawn: no text can look like another one's message.
 */
import type { Seq } from "../../common/log/Cursor.ts"
import { mentions } from "../../common/log/Mentions.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { Piece } from "../core/chat/Moves.ts"
import type { Outgoing } from "../core/chat/Outgoing.ts"
import { isSaid, type Said } from "../core/chat/Window.ts"
import { isNoted } from "../core/Noted.ts"
import { deedOf } from "../screen/RenderGoverning.ts"
import { colourless } from "../text/Palette.ts"
import { joined, walled } from "../text/RightToLeft.ts"
import { safeLine, safeText } from "../text/SafeText.ts"
import { cutTo, wrap } from "../text/Wrap.ts"
import { styled } from "./Marks.ts"
import { atRight, cutRow, faint, type Look, plain, type Row, span } from "./Row.ts"
import type { Times } from "./Times.ts"

/** How messages are to be drawn on this screen, now. */
export interface Setting {
  /** Of the pane, in cells. */
  readonly width: number
  readonly times: Times
  /** Epoch milliseconds. */
  readonly now: number
  readonly user: UserName
  readonly isHidden: (user: UserName) => boolean
  /** Behind this place all is new. */
  readonly newFrom: Seq | undefined
  /** The message that is chosen. */
  readonly chosen: Seq | undefined
  readonly find: (seq: Seq) => StandingMessage | undefined
  readonly retryKeys: string
  /** What takes a conversation off the list. */
  readonly closeKey: string
}

/** So long what one person says stands together, in milliseconds. */
const together = 5 * 60_000

/** How many who reacted in one way are named, or who came or went. */
const maxNamed = 3

interface Columns {
  readonly time: number
  readonly name: number
  /** What is left for what is said. */
  readonly text: number
}

const columnsOf = (width: number): Columns => {
  if (width < 20) return { time: 0, name: 0, text: Math.max(1, width - 2) }
  const time = width < 44 ? 1 : 6
  const name = width < 44 ? 8 : width < 64 ? 10 : 14
  return { time, name, text: width - time - name - 3 }
}

const isTogether = (before: StandingMessage | undefined, message: StandingMessage, times: Times): boolean =>
  before !== undefined &&
  isSaid(before) &&
  isSaid(message) &&
  before.from === message.from &&
  message.replyTo === undefined &&
  message.at - before.at < together &&
  times.day(before.at) === times.day(message.at)

/** In the middle of a line. */
const line = (text: string, width: number, look: Look): Row => {
  const words = ` ${text} `
  const side = Math.max(2, Math.floor((width - words.length) / 2))
  return cutRow([span(`${"─".repeat(side)}${words}${"─".repeat(side)}`, look)], width)
}

/** What of a setting and of its neighbours a message was drawn with. */
interface Drawn {
  readonly before: StandingMessage | undefined
  readonly answered: StandingMessage | undefined
  readonly width: number
  readonly newFrom: Seq | undefined
  readonly isChosen: boolean
  readonly isHidden: boolean
  readonly user: UserName
  readonly rows: ReadonlyArray<Row>
}

/** A message is drawn again and again as it was: of each, how it was drawn last is remembered as long as it is there. */
const drawn = new WeakMap<StandingMessage, Drawn>()

/** `isFirst`: nothing stands above it on the screen. */
export const rowsOf = (
  message: StandingMessage,
  before: StandingMessage | undefined,
  setting: Setting,
  isFirst = false
): ReadonlyArray<Row> => {
  if (isFirst) return layOut(message, before, setting, true)
  const { chosen, find, newFrom, user, width } = setting
  const answered = isSaid(message) && message.replyTo !== undefined ? find(message.replyTo) : undefined
  const isHidden = setting.isHidden(message.from) || (answered !== undefined && setting.isHidden(answered.from))
  const isChosen = chosen === message.seq
  const known = drawn.get(message)
  const isSame =
    known !== undefined &&
    known.before === before &&
    known.answered === answered &&
    known.width === width &&
    known.newFrom === newFrom &&
    known.isChosen === isChosen &&
    known.isHidden === isHidden &&
    known.user === user
  if (isSame) return known.rows
  const rows = layOut(message, before, setting, false)
  drawn.set(message, { before, answered, width, newFrom, isChosen, isHidden, user, rows })
  return rows
}

const layOut = (
  message: StandingMessage,
  before: StandingMessage | undefined,
  setting: Setting,
  isFirst: boolean
): ReadonlyArray<Row> => {
  const { newFrom, times, width } = setting
  const rows: Array<Row> = []
  if (before === undefined || times.day(before.at) !== times.day(message.at)) {
    rows.push(line(times.day(message.at), width, faint))
  }
  const isNew = newFrom !== undefined && message.seq > newFrom && (before === undefined || before.seq <= newFrom)
  if (isNew) rows.push(line("new", width, { tone: "accent" }))
  const isMore = !isFirst && !isNew && isTogether(before, message, times)
  rows.push(...bodyOf(message, setting, isMore, before))
  return rows
}

const bodyOf = (
  message: StandingMessage,
  setting: Setting,
  isMore: boolean,
  before: StandingMessage | undefined
): ReadonlyArray<Row> => {
  const { chosen, isHidden, now, times, user } = setting
  const time = isMore && before !== undefined && times.time(before.at) === times.time(message.at) ? "" : message.at
  const head: Head = { at: time, from: message.from, isMore, isChosen: chosen === message.seq }
  if (isHidden(message.from) && nameKey(message.from) !== nameKey(user)) {
    return speak({ ...head, isMore: false, rows: ["(not shown: you do not want to hear them)"], look: faint }, setting)
  }
  if (isSaid(message)) return said(message, head, setting)
  if (message._tag === "Tombstone") {
    const isOwn = nameKey(message.from) === nameKey(message.deletedBy)
    const text = isOwn ? "deleted" : `deleted by ${message.deletedBy}`
    return speak({ ...head, rows: [text], look: { ...faint, italic: true } }, setting)
  }
  const { from, isChosen } = { ...head, from: message.from }
  if (message._tag === "Deleted") {
    const why = message.reason === undefined ? "" : `: ${message.reason}`
    return deed(`${from} deleted #${message.target}${why}`, message.at, isChosen, setting)
  }
  const style = {
    layout: "terminal",
    palette: colourless,
    timestamp: times.moment,
    now,
    columns: setting.width,
    tagsLobby: false
  } as const
  const look: Look = isNoted(message) && message.isAlarm ? { tone: "error" } : faint
  return deed(`${from} ${deedOf(message, style)}`, message.at, isChosen, setting, look)
}

/** What governs: one line, which nobody says. */
const deed = (text: string, at: number, isChosen: boolean, setting: Setting, look: Look = faint): ReadonlyArray<Row> =>
  speak({ at, from: "—", isMore: false, isChosen, rows: [safeLine(text)], look }, setting)

/** Who came and went, in few words; none of whom one does not want to hear. */
export const rowsOfMoves = ({ at, joined, left }: Piece, setting: Setting): ReadonlyArray<Row> => {
  const told = [movesIn(joined, "joined", setting), movesIn(left, "left", setting)].filter((one) => one !== "")
  return told.length === 0 ? [] : deed(told.join("; "), at, false, setting)
}

const movesIn = (all: ReadonlyArray<UserName>, what: string, { isHidden }: Setting): string => {
  const users = all.filter((user) => !isHidden(user))
  if (users.length === 0) return ""
  const more = users.length > maxNamed ? users.length - (maxNamed - 1) : 0
  const named: ReadonlyArray<string> = more === 0 ? users : [...users.slice(0, maxNamed - 1), `${more} more`]
  const [last = ""] = named.slice(-1)
  return `${named.length === 1 ? last : `${named.slice(0, -1).join(", ")} and ${last}`} ${what}`
}

const said = (message: Said, head: Head, setting: Setting): ReadonlyArray<Row> => {
  const { content, edited, from, reactions = [], replyTo } = message
  const { text: width } = columnsOf(setting.width)
  const isMention = nameKey(from) !== nameKey(setting.user) && mentions(content, setting.user)
  const above = replyTo === undefined ? [] : [answered(replyTo, setting, width)]
  const beside = [
    ...(edited === undefined ? [] : ["(edited)"]),
    ...reactions.map(({ count, reaction, users }) =>
      count > maxNamed ? `${reaction} ${count}` : `${reaction} ${users.join(", ")}`
    )
  ]
  return speak(
    { ...head, above, rows: safeText(content).split("\n"), beside, isMention, look: plain, isMarked: true },
    setting
  )
}

const answered = (seq: Seq, { find, isHidden }: Setting, width: number): string => {
  const message = find(seq)
  if (message === undefined) return cutTo(`↳ #${seq}`, width)
  const isShown = isSaid(message) && !isHidden(message.from)
  return cutTo(`↳ ${walled(`${safeLine(message.from)}: `)}${isShown ? safeLine(message.content) : "…"}`, width)
}

interface Head {
  readonly at: number | ""
  readonly from: string
  readonly isMore: boolean
  readonly isChosen: boolean
}

interface Speech extends Head {
  readonly above?: ReadonlyArray<string>
  /** Without line breaks. */
  readonly rows: ReadonlyArray<string>
  readonly beside?: ReadonlyArray<string>
  readonly look: Look
  readonly isMention?: boolean
  /** Whether it may hold marks of emphasis. */
  readonly isMarked?: boolean
}

const speak = (speech: Speech, setting: Setting): ReadonlyArray<Row> => {
  const {
    above = [],
    at,
    beside = [],
    from,
    isChosen,
    isMarked = false,
    isMention = false,
    isMore,
    look,
    rows
  } = speech
  const { time: timeCells, name: nameCells, text } = columnsOf(setting.width)
  const rest: ReadonlyArray<Row> = [
    ...above.map((row) => [span(row, faint)]),
    ...(isMarked
      ? styled(rows, text, look)
      : rows.flatMap((row) => wrap(row, text, text)).map((row) => [span(row.trimEnd(), look)])),
    ...wrapBeside(beside, text)
  ]
  const bar = span(isChosen ? " ▶ " : " │ ", isChosen ? { tone: "accent", bold: true } : faint)
  return rest.map((row, index) => {
    const isHead = index === 0
    const time = isHead && at !== "" && timeCells > 1 ? setting.times.time(at) : ""
    const mark = isMention && isHead ? "*" : " "
    const first =
      timeCells === 0 ? [] : [span(time.padEnd(timeCells - 1), faint), span(mark, { tone: "mention", bold: true })]
    const isNamed = isHead && !isMore
    const name = isNamed ? atRight(from, nameCells) : " ".repeat(nameCells)
    const nameLook: Look = !isNamed ? plain : from === "—" ? faint : { tone: "plain", user: from, bold: true }
    const gutter = nameCells === 0 ? [{ ...bar, text: bar.text.trimStart() }] : [span(name, nameLook), bar]
    const own = nameCells === 0 && isNamed ? [span(walled(`${from}: `), nameLook), ...row] : row
    return cutRow([...first, ...gutter, ...own], setting.width)
  })
}

const wrapBeside = (beside: ReadonlyArray<string>, width: number): ReadonlyArray<Row> =>
  beside.length === 0
    ? []
    : wrap(safeLine(joined(beside, "  ")), width, width).map((row) => [span(row.trimEnd(), faint)])

/** What is on its way, or was refused. */
export const rowsOfOutgoing = (said: Outgoing, setting: Setting): ReadonlyArray<Row> => {
  const { content, replyTo, state } = said
  const { text: width } = columnsOf(setting.width)
  const isFailed = state._tag === "Failed"
  const above = replyTo === undefined ? [] : [answered(replyTo, setting, width)]
  const rows = speak(
    {
      at: "",
      from: setting.user,
      isMore: false,
      isChosen: false,
      above,
      rows: safeText(content).split("\n"),
      look: { tone: isFailed ? "error" : "faint" }
    },
    setting
  )
  if (!isFailed) return rows
  const why = speak(
    {
      at: "",
      from: "not sent",
      isMore: false,
      isChosen: false,
      rows: [safeLine(`✗ ${state.message} — ${setting.retryKeys}`)],
      look: { tone: "error" }
    },
    setting
  )
  return [...rows, ...why]
}

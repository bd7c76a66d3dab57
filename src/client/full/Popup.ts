/** What stands over the messages: the page of keys, what a command gave, lists to pick from, findings. Pure. */
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { commandLines } from "../command/Help.ts"
import { keyOf } from "../core/chat/Talk.ts"
import { isSaid } from "../core/chat/Window.ts"
import { whereaboutsOf } from "../core/Heard.ts"
import { emojiNamed } from "../text/Emoji.ts"
import { cellsOf } from "../text/Grapheme.ts"
import { walled } from "../text/RightToLeft.ts"
import { safeLine } from "../text/SafeText.ts"
import { rowsWithin, wrap } from "../text/Wrap.ts"
import { nameOf, padlockOf } from "./Bars.ts"
import { fuzzy } from "./Fuzzy.ts"
import { type Binding, keyFor, type Keymap, shown } from "./Keys.ts"
import { ownLines } from "./Own.ts"
import { cutRow, faint, filled, isCode, type Look, plain, type Row, rowOf, span } from "./Row.ts"
import type { Plan, Popup, View } from "./View.ts"

/** What can be picked. */
export type Candidate =
  | { readonly _tag: "Talk"; readonly key: string; readonly name: string; readonly mark: string }
  | { readonly _tag: "User"; readonly user: UserName; readonly name: string }
  | { readonly _tag: "Emoji"; readonly emoji: string; readonly name: string }
  | { readonly _tag: "Line"; readonly text: string; readonly name: string }

const maxCandidates = 50

export const candidatesOf = (view: View, { editor, what }: Extract<Popup, { readonly _tag: "Pick" }>) => {
  const all = allOf(view, what, editor.text)
  return (what === "reaction" ? all : fuzzy(all, editor.text, ({ name }) => name)).slice(0, maxCandidates)
}

const allOf = (
  { chat, typed }: View,
  what: "conversation" | "reaction" | "typed",
  query: string
): ReadonlyArray<Candidate> => {
  if (what === "reaction") return emojiNamed(query).map(({ emoji, name }) => ({ _tag: "Emoji", emoji, name }))
  if (what === "typed") return typed.toReversed().map((text) => ({ _tag: "Line", text, name: text }))
  const talks = [...chat.talks].map(([key, talk]): Candidate => ({
    _tag: "Talk",
    key,
    name: nameOf(talk),
    mark: padlockOf(talk)
  }))
  const partners = new Set([...chat.talks.values()].flatMap(({ partner }) => (partner ? [nameKey(partner)] : [])))
  const before = talks.filter((one) => one._tag === "Talk" && one.key === chat.before)
  const rest = talks.filter((one) => one._tag === "Talk" && one.key !== chat.before)
  const users = [...chat.people.everybody.entries()]
    .filter(([key]) => key !== nameKey(chat.user) && !partners.has(key) && !chat.talks.has(`with ${key}`))
    .map(([, user]): Candidate => ({ _tag: "User", user, name: `@${user}` }))
  return [...before, ...rest, ...users]
}

/** A line with its words in it, or as many as these take. */
const titled = (title: string, width: number): ReadonlyArray<Row> =>
  rowsWithin(`── ${safeLine(title)}`, Math.max(1, width)).map((row) => {
    const words = row.trimEnd()
    const line = "─".repeat(Math.max(0, width - cellsOf(words) - 1))
    return rowOf(line === "" ? words : `${words} ${line}`, { tone: "accent" })
  })

/** The part of the rows that is seen: `scroll` rows from the top. */
const part = (rows: ReadonlyArray<Row>, height: number, scroll: number): ReadonlyArray<Row> => {
  const from = Math.max(0, Math.min(scroll, rows.length - height))
  return rows.slice(from, from + height)
}

/** The part around this row. */
const around = (rows: ReadonlyArray<Row>, height: number, at: number): ReadonlyArray<Row> =>
  part(rows, height, at - Math.floor(height / 2))

/** So many rows of an answer are seen at once where the messages have so many. */
export const rowsOfAnswer = (height: number): number => Math.max(2, Math.floor(height * 0.6))

/** How an answer stands over the messages, and how many of its rows there is no room for. */
const answerLaid = ({ answer, keymap }: View, width: number, height: number) => {
  const rows = (answer?.lines ?? []).flatMap((line) => wrapped(line, width))
  const closing = `${keyFor(keymap, "escape")} closes it`
  const more = `${keyFor(keymap, "olderPage")} and ${keyFor(keymap, "newerPage")} for more`
  const most = rowsOfAnswer(height)
  const head = titled(rows.length > most ? `answer: ${more}, ${closing}` : `answer: ${closing}`, width)
  const shownRows = Math.max(1, Math.min(rows.length, most, height - head.length))
  return { head, rows, shownRows, hidden: Math.max(0, rows.length - shownRows) }
}

export const answerRows = (view: View, width: number, height: number): ReadonlyArray<Row> => {
  if (view.answer === undefined || height < 2) return []
  const { head, hidden, rows, shownRows } = answerLaid(view, width, height)
  return [...head, ...part(rows, shownRows, hidden - view.answer.scroll)]
}

/** So many rows further back in what a command gave. */
export const scrolledAnswer = (view: View, { middle, pane }: Plan, by: number): View => {
  if (view.answer === undefined) return view
  const { hidden } = answerLaid(view, middle, pane)
  return {
    ...view,
    answer: { ...view.answer, scroll: Math.max(0, Math.min(hidden, Math.min(hidden, view.answer.scroll) + by)) }
  }
}

const wrapped = (line: string, width: number, look: Look = plain): ReadonlyArray<Row> =>
  isCode(line) ? [cutRow(rowOf(line, { tone: "code" }), width)] : proseOf(line, width, look)

const proseOf = (line: string, width: number, look: Look): ReadonlyArray<Row> =>
  rowsWithin(safeLine(line), Math.max(1, width)).map((row) => rowOf(row.trimEnd(), look))

/** Whether there is room for a question before its answer, of which nothing is seen; else it stands above. */
export const fitsBeside = (question: string, { size: { columns } }: View): boolean =>
  cellsOf(safeLine(question)) + 4 <= columns

export const popupRows = (view: View, width: number, height: number): ReadonlyArray<Row> => {
  const { keymap, popup } = view
  if (popup === undefined || height < 2) return []
  const escape = keyFor(keymap, "escape")
  switch (popup._tag) {
    case "Help": {
      const { head, height: own, rows } = helpLaid(view, width, height)
      return [...head, ...part(rows, own, popup.scroll)]
    }
    case "Ask":
      return [
        ...titled(`what is typed here is not shown; ${escape} gives up`, width),
        ...(fitsBeside(popup.question, view) ? [] : wrapped(popup.question, width))
      ]
    case "Confirm":
      return [...titled("sure?", width), ...wrapped(popup.question, width)]
    case "Search":
      return searchRows(view, popup, width, height)
    case "Pick": {
      const found = candidatesOf(view, popup)
      const rows = found.map((one, index) => candidateRow(one, index === popup.index, width))
      const shownRows = rows.length === 0 ? [rowOf("nothing of that name", faint)] : rows
      const head = titled(`Up, Down and Enter pick one; ${escape} closes it`, width)
      const most = Math.min(shownRows.length, Math.max(1, Math.min(height - head.length, 12)))
      return [...head, ...around(shownRows, most, popup.index)]
    }
  }
}

const chosenLook: Look = { tone: "chosen", bold: true }

const candidateRow = (one: Candidate, isChosen: boolean, width: number): Row => {
  const before = one._tag === "Emoji" ? `${one.emoji} ` : one._tag === "Talk" ? one.mark : ""
  const text = ` ${before}${one.name}`
  return isChosen ? filled([span(text, chosenLook)], width, chosenLook) : cutRow([span(text)], width)
}

const searchRows = (
  { chat, keymap, times, now }: View,
  { found, index, isAsking }: Extract<Popup, { readonly _tag: "Search" }>,
  width: number,
  height: number
): ReadonlyArray<Row> => {
  if (isAsking) return titled("searching…", width)
  if (found === undefined)
    return titled(`Enter finds messages with all these words; ${keyFor(keymap, "search")} again: everywhere`, width)
  if (found.length === 0) return titled(`nothing found; ${keyFor(keymap, "escape")} closes it`, width)
  const rows = found.map((message, at): Row => {
    const place = whereaboutsOf(message, chat.user)
    const where = nameOf(chat.talks.get(keyOf(place)) ?? { where: place, partner: undefined })
    const words = isSaid(message) ? message.content : ""
    const text = `${times.moment(message.at, now)} ${walled(`${where} `)}${walled(`${message.from}: `)}${words}`
    return at === index ? filled([span(text, chosenLook)], width, chosenLook) : cutRow([span(text)], width)
  })
  const head = titled(`${found.length} found, newest first: Enter goes there`, width)
  return [...head, ...around(rows, Math.max(1, Math.min(rows.length, height - head.length)), index)]
}

const groups: ReadonlyArray<Binding["group"]> = ["Writing", "Conversations", "Reading", "The screen"]

/** All keys, and behind them all commands; and how many rows of that there is room for. */
const helpLaid = ({ keymap }: View, width: number, height: number) => {
  const keyCells = Math.min(22, Math.floor(width / 2))
  const keys = groups.flatMap((group) => groupRows(keymap, group, keyCells, width))
  const commands = [...commandLines, ...ownLines].flatMap(({ text, usage }) => wrapped(`${usage}  ${text}`, width))
  const rows: ReadonlyArray<Row> = [
    ...keys,
    ...wrapped("Commands, which begin with : or /", width, { tone: "plain", bold: true }),
    ...commands
  ]
  const [more, close] = [keyFor(keymap, "newerPage"), keyFor(keymap, "escape")]
  const head = titled(`keys and commands: ${more} for more, ${close} closes it`, width)
  return { head, rows, height: Math.max(1, height - head.length) }
}

/** How many rows of the page of keys there is no room for. */
export const helpHidden = (view: View, { middle, pane }: Plan): number => {
  const { height, rows } = helpLaid(view, middle, pane)
  return Math.max(0, rows.length - height)
}

const groupRows = (
  { bindings }: Keymap,
  group: Binding["group"],
  keyCells: number,
  width: number
): ReadonlyArray<Row> => {
  const own = bindings.filter((one) => one.group === group)
  const all = group === "Conversations" ? [...own, numbered] : own
  return [rowOf(group, { tone: "plain", bold: true }), ...all.flatMap((one) => bindingRows(one, keyCells, width)), []]
}

const numbered: Pick<Binding, "keys" | "says"> = { keys: ["alt+1…9"], says: "the one of that number" }

const bindingRows = (
  { keys, says }: Pick<Binding, "keys" | "says">,
  keyCells: number,
  width: number
): ReadonlyArray<Row> => {
  const names = keys.length === 0 ? "(no key)" : keys.slice(0, 2).map(shown).join(", ")
  const room = Math.max(1, width - keyCells - 1)
  const left = wrap(names, Math.max(1, keyCells - 2), Math.max(1, keyCells - 2))
  const right = wrap(says, room, room)
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index): Row => [
    ...filled([span(` ${(left[index] ?? "").trimEnd()}`, { tone: "accent" })], keyCells),
    span(" ", plain),
    span((right[index] ?? "").trimEnd())
  ])
}

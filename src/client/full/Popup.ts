/** What stands over the messages: the page of keys, what a command gave, lists to pick from, findings. Pure. */
import type { UserName } from "../../common/name/UserName.ts"
import { commandLines } from "../command/Help.ts"
import { isSaid } from "../core/chat/Window.ts"
import { whereaboutsOf } from "../core/Heard.ts"
import { cellsOf } from "../text/Grapheme.ts"
import { walled } from "../text/RightToLeft.ts"
import { safeLine } from "../text/SafeText.ts"
import { wrap } from "../text/Wrap.ts"
import { nameOf } from "./Bars.ts"
import { emojiNamed } from "./Emoji.ts"
import { fuzzy } from "./Fuzzy.ts"
import { type Binding, keyFor, type Keymap, shown } from "./Keys.ts"
import { ownLines } from "./Own.ts"
import { cutRow, faint, filled, type Look, plain, type Row, rowOf, span } from "./Row.ts"
import type { Popup, View } from "./View.ts"

/** What can be picked. */
export type Candidate =
  | { readonly _tag: "Talk"; readonly key: string; readonly name: string }
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
  const talks = [...chat.talks].map(([key, talk]): Candidate => ({ _tag: "Talk", key, name: nameOf(talk) }))
  const before = talks.filter((one) => one._tag === "Talk" && one.key === chat.before)
  const rest = talks.filter((one) => one._tag === "Talk" && one.key !== chat.before)
  const users = [...chat.people.everybody.entries()]
    .filter(([key]) => !chat.talks.has(`with ${key}`))
    .map(([, user]): Candidate => ({ _tag: "User", user, name: `@${user}` }))
  return [...before, ...rest, ...users]
}

const titled = (title: string, width: number): Row => {
  const head = `── ${safeLine(title)} `
  return cutRow([span(`${head}${"─".repeat(Math.max(0, width - cellsOf(head)))}`, { tone: "accent" })], width)
}

/** The part of the rows that is seen: `scroll` rows from the top. */
const part = (rows: ReadonlyArray<Row>, height: number, scroll: number): ReadonlyArray<Row> => {
  const from = Math.max(0, Math.min(scroll, rows.length - height))
  return rows.slice(from, from + height)
}

/** The part around this row. */
const around = (rows: ReadonlyArray<Row>, height: number, at: number): ReadonlyArray<Row> =>
  part(rows, height, at - Math.floor(height / 2))

export const answerRows = ({ answer, keymap }: View, width: number, height: number): ReadonlyArray<Row> => {
  if (answer === undefined || height < 2) return []
  const all = answer.lines.flatMap((line) => wrapped(line, width))
  const shownRows = Math.min(all.length, Math.max(2, Math.floor(height * 0.6)), height - 1)
  const hidden = all.length - shownRows
  const closing = `${keyFor(keymap, "escape")} closes it`
  const more = `${keyFor(keymap, "olderPage")} and ${keyFor(keymap, "newerPage")} for more`
  const title = hidden > 0 ? `answer: ${more}, ${closing}` : `answer: ${closing}`
  return [titled(title, width), ...part(all, shownRows, hidden - answer.scroll)]
}

const wrapped = (line: string, width: number): ReadonlyArray<Row> =>
  wrap(safeLine(line), width, Math.max(1, width)).map((row) => rowOf(row.trimEnd()))

export const popupRows = (view: View, width: number, height: number): ReadonlyArray<Row> => {
  const { keymap, popup } = view
  if (popup === undefined || height < 2) return []
  const escape = keyFor(keymap, "escape")
  switch (popup._tag) {
    case "Help":
      return [
        titled(`keys and commands: ${keyFor(keymap, "newerPage")} for more, ${escape} closes it`, width),
        ...helpRows(keymap, width, height - 1, popup.scroll)
      ]
    case "Ask":
      return [titled(`what is typed here is not shown; ${escape} gives up`, width)]
    case "Confirm":
      return [titled("sure?", width), ...wrapped(popup.question, width)]
    case "Search":
      return searchRows(view, popup, width, height)
    case "Pick": {
      const found = candidatesOf(view, popup)
      const rows = found.map((one, index) => candidateRow(one, index === popup.index, width))
      const shownRows = rows.length === 0 ? [rowOf("nothing of that name", faint)] : rows
      const most = Math.min(shownRows.length, Math.max(1, Math.min(height - 1, 12)))
      return [
        titled(`Up, Down and Enter pick one; ${escape} closes it`, width),
        ...around(shownRows, most, popup.index)
      ]
    }
  }
}

const chosenLook: Look = { tone: "chosen", bold: true }

const candidateRow = (one: Candidate, isChosen: boolean, width: number): Row => {
  const text = one._tag === "Emoji" ? ` ${one.emoji} ${one.name}` : ` ${one.name}`
  return isChosen ? filled([span(text, chosenLook)], width, chosenLook) : cutRow([span(text)], width)
}

const searchRows = (
  { chat, keymap, times, now }: View,
  { found, index, isAsking }: Extract<Popup, { readonly _tag: "Search" }>,
  width: number,
  height: number
): ReadonlyArray<Row> => {
  if (isAsking) return [titled("searching…", width)]
  if (found === undefined)
    return [titled(`Enter finds messages with all these words; ${keyFor(keymap, "search")} again: everywhere`, width)]
  if (found.length === 0) return [titled(`nothing found; ${keyFor(keymap, "escape")} closes it`, width)]
  const rows = found.map((message, at): Row => {
    const where = nameOf({ where: whereaboutsOf(message, chat.user) })
    const words = isSaid(message) ? message.content : ""
    const text = `${times.moment(message.at, now)} ${walled(`${where} `)}${walled(`${message.from}: `)}${words}`
    return at === index ? filled([span(text, chosenLook)], width, chosenLook) : cutRow([span(text)], width)
  })
  const most = Math.min(rows.length, height - 1)
  return [titled(`${found.length} found, newest first: Enter goes there`, width), ...around(rows, most, index)]
}

const groups: ReadonlyArray<Binding["group"]> = ["Writing", "Conversations", "Reading", "The screen"]

/** All keys, and behind them all commands. */
const helpRows = (keymap: Keymap, width: number, height: number, scroll: number): ReadonlyArray<Row> => {
  const keyCells = Math.min(22, Math.floor(width / 2))
  const keys = groups.flatMap((group) => groupRows(keymap, group, keyCells, width))
  const commands = [...commandLines, ...ownLines].flatMap(({ text, usage }) => wrapped(`${usage}  ${text}`, width))
  const all: ReadonlyArray<Row> = [
    ...keys,
    rowOf("Commands, which begin with : or /", { tone: "plain", bold: true }),
    ...commands
  ]
  return part(all, height, scroll)
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
  const first = filled([span(` ${names}`, { tone: "accent" })], keyCells)
  const blank = rowOf(" ".repeat(keyCells))
  return wrap(says, room, room).map((row, index): Row =>
    (index === 0 ? first : blank).concat(span(" ", plain), span(row.trimEnd()))
  )
}

/**
 * The whole screen, row by row, from what is to be seen on it. Pure.
 *
 * Never more rows than the screen has, and none wider. Only the conversation that is shown is named before what is typed.
 */
import { nameKey } from "../../common/name/Name.ts"
import { typingIn } from "../core/chat/ChatState.ts"
import * as Talk from "../core/chat/Talk.ts"
import * as Window from "../core/chat/Window.ts"
import { cellsOf } from "../text/Grapheme.ts"
import { isRightToLeft, joined, wall, walled } from "../text/RightToLeft.ts"
import { safeLine } from "../text/SafeText.ts"
import { cutTo, rowsWithin } from "../text/Wrap.ts"
import { leftBar, type Listed, listed, nameOf, padlockOf, rightBar, waiting } from "./Bars.ts"
import { type Input, inputOf, promptCells } from "./Input.ts"
import { keyFor } from "./Keys.ts"
import { answerRows, fitsBeside, popupRows } from "./Popup.ts"
import { apart, cellsOfRow, cutRow, divided, faint, filled, type Look, type Row, span } from "./Row.ts"
import { says } from "./SealedWords.ts"
import type { Pane } from "./TalkPane.ts"
import { editorOf, paneIn, type Other, type Plan, planOf, talkOf, type View } from "./View.ts"

export interface Frame {
  readonly rows: ReadonlyArray<Row>
  readonly cursor: { readonly x: number; readonly y: number } | undefined
  /** The conversation that is named before what is typed; none while something else is asked. */
  readonly seen: string | undefined
  readonly plan: Plan
  readonly pane: Pane
  /** The conversations at the left, row by row. */
  readonly keys: ReadonlyArray<string | undefined>
}

/** Where everything stands, with as many rows for what is typed, and for what is said of it, as that takes. */
export const planIn = (view: View): Plan =>
  planOf(view, inputIn(view).rows.length, remarkIn(view, view.size.columns).length)

export const frameOf = (view: View): Frame => {
  const { columns, rows: height } = view.size
  const input = inputIn(view)
  const plan = planIn(view)
  const shownInput = plan.input === input.rows.length ? input : inputIn(view, plan.input)
  const pane = paneIn(view, plan)
  const list = listed(view.chat, view.levels, view.isUrgentFirst)
  const left = leftBar(view.chat, list, plan.left, plan.header + plan.pane)
  const talk = talkOf(view)
  const right =
    plan.right === 0
      ? []
      : rightBar(view.chat, talk, view.governors.get(view.chat.shown), plan.right, plan.header + plan.pane)
  const middle = overlaid([...(plan.header > 0 ? [headerOf(view, plan.middle)] : []), ...pane.rows], view, plan)
  const line = span("│", faint)
  const body = middle.map((row, index): Row =>
    [
      plan.left > 0 ? [...(left.rows[index] ?? []), line] : [],
      filled(row, plan.middle),
      plan.right > 0 ? [line, ...(right[index] ?? [])] : []
    ].flat()
  )
  const status = plan.status === 0 ? [] : statusOf(view, list, pane, columns).slice(0, plan.status)
  const rows = [...body.map(divided), ...status, ...shownInput.rows.map((row) => filled(row, columns))].slice(-height)
  const y = rows.length - plan.input + shownInput.cursor.y
  return {
    rows,
    cursor: y >= 0 && y < height ? { x: shownInput.cursor.x, y } : undefined,
    seen: view.popup === undefined ? view.chat.shown : undefined,
    plan,
    pane,
    keys: left.keys
  }
}

/** What is open stands over the lower part of the messages. */
const overlaid = (rows: ReadonlyArray<Row>, view: View, { middle, pane }: Plan): ReadonlyArray<Row> => {
  const over = view.popup === undefined ? answerRows(view, middle, pane) : popupRows(view, middle, pane)
  return over.length === 0
    ? rows
    : [...rows.slice(0, Math.max(0, rows.length - over.length)), ...over.slice(-rows.length)]
}

const headerOf = (view: View, width: number): Row => {
  const talk = talkOf(view)
  const { isIn, isPrivate, partner, role, topic, where } = talk
  const isRoom = where.room !== undefined && partner === undefined
  const marks = [
    ...sealedMarks(talk),
    ...(isPrivate && partner === undefined ? ["private"] : []),
    ...(!isRoom || role === undefined || role === "member" ? [] : [role === "owner" ? "yours" : "you moderate it"]),
    ...(isIn ? [] : ["left"])
  ]
  const about = where.room === undefined && where.with === undefined ? view.chat.server : (topic ?? "")
  return filled(
    cutRow(
      [
        span(` ${nameOf(talk)}`, { tone: "plain", bold: true }),
        span(marks.length === 0 ? "" : ` (${marks.join(", ")})`, faint),
        span(about === "" ? "" : isRightToLeft(nameOf(talk)) ? ` ${wall} ${about}` : ` — ${about}`, faint)
      ],
      width
    ),
    width
  )
}

/** How it stands, first of all that it is encrypted, by what nobody has audited. */
const sealedMarks = ({ sealed }: Talk.Talk): ReadonlyArray<string> => {
  if (sealed === undefined) return []
  const how = sealed.isVerified ? "encrypted, verified, unaudited" : "encrypted, unaudited"
  const stands = says[sealed.state]
  return stands === undefined ? [how] : [how, stands]
}

const bar: Look = { tone: "bar" }
const strong: Look = { tone: "bar", bold: true }

const stateOf = ({ chat: { connection } }: View): string => {
  const { cause, is } = connection
  if (is === "there") return ""
  return is === "coming" ? "connecting… " : `offline${cause === undefined ? "" : ` (${cause})`} `
}

/** What the person is told, in as many rows as it takes: none if it is nothing, or on one row with what else stands there. */
const remarkIn = (view: View, width: number): ReadonlyArray<Row> => {
  const { chosen, notice } = view
  const state = safeLine(stateOf(view))
  const text = notice?.text ?? (chosen === undefined ? "" : "r reply  + react  e edit  d delete  c copy  o link")
  const look = notice?.isError === true ? strong : bar
  let at = 0
  return rowsWithin(`${state}${safeLine(text)}`, Math.max(1, width - 2)).map((row) => {
    const own = Math.max(0, Math.min(row.length, state.length - at))
    at += row.length
    return [span(" ", bar), span(row.slice(0, own), strong), span(row.slice(own).trimEnd(), look)]
  })
}

const statusOf = (
  view: View,
  list: ReadonlyArray<Listed>,
  pane: Pane,
  width: number
): readonly [Row, ...ReadonlyArray<Row>] => {
  const { chat } = view
  const talk = talkOf(view)
  const [remark = [], ...rest] = remarkIn(view, width)
  const here = list
    .filter(({ isMuted, key, talk }) => key !== chat.shown && !isMuted && Talk.unread(talk) > 0)
    .map((one) => `${nameOf(one.talk)} ${waiting(one)}`)
  const elsewhere = [...view.others.flatMap(waitingAt), ...here]
  const typing = typingIn(talk, view.now).filter((user) => nameKey(user) !== nameKey(chat.user))
  const newer = pane.newer > 0 ? `↓ ${pane.newer} newer (${keyFor(view.keymap, "end")}) ` : ""
  const missing =
    talk.anchor !== undefined && newer === "" && !talk.window.isAtEnd ? `↓ newer (${keyFor(view.keymap, "end")}) ` : ""
  const isThere = chat.connection.is === "there"
  const latency = view.latency === undefined || !isThere ? "" : ` ${Math.max(1, Math.round(view.latency))} ms`
  const back = span(`${newer}${missing}`, strong)
  const self = span(` ${chat.user}${view.server === undefined ? "" : ` on ${view.server}`}${latency} `, bar)
  const isTold = view.notice !== undefined || view.chosen !== undefined
  const waits =
    typing.length === 0
      ? joined(elsewhere, "  ")
      : `${typing.slice(0, 3).join(", ")}${typing.length > 3 ? " and others" : ""} typing…`
  const left = isTold || rest.length > 0 ? remark : [...remark, span(waits, bar)]
  // Where not all fits, what is said goes before whose name one has, and before how much is below.
  const right = [[back, self], [back], []].find((row) => cellsOfRow(left) + cellsOfRow(row) <= width)
  const kept = right ?? (isTold || rest.length > 0 ? [] : [back])
  return [apart(left, rest.length > 0 ? [] : kept, width, bar), ...rest.map((row) => filled(row, width, bar))]
}

/** What waits on another server, if anything does. */
const waitingAt = ({ isThere, mentions, name, unread }: Other): ReadonlyArray<string> => {
  const count = mentions > 0 ? ` @${mentions}` : unread > 0 ? ` ${unread}` : ""
  return count === "" && isThere ? [] : [`[${name}${count}${isThere ? "" : " offline"}]`]
}

/** Before what is typed stands where it goes. */
const promptOf = (view: View): { readonly text: string; readonly look: Look } => {
  const { popup } = view
  const asking: Look = { tone: "mention", bold: true }
  switch (popup?._tag) {
    case "Ask":
      return { text: fitsBeside(popup.question, view) ? `${popup.question}: ` : "answer: ", look: asking }
    case "Confirm":
      return { text: "y or n? ", look: asking }
    case "Search":
      return {
        text: popup.isEverywhere ? "find everywhere: " : `find in ${placeNamed(view, "find in : ")}: `,
        look: asking
      }
    case "Pick":
      return { text: pickPrompt[popup.what], look: asking }
    default: {
      const talk = talkOf(view)
      const doing = talk.editing !== undefined ? " ✎ edit" : talk.replyTo !== undefined ? answeredName(talk) : ""
      const sealed = sealedPrompt(view, `${doing}› `)
      return {
        text: walled(
          `${sealed.before}${placeNamed(view, `${sealed.before}${sealed.behind}${doing}› `)}${sealed.behind}${doing}› `
        ),
        look: { tone: "accent", bold: true }
      }
    }
  }
}

/** That it is encrypted, by what nobody has audited; on a small screen a name goes before that word, which stands above in any case. */
const sealedPrompt = (view: View, rest: string): { readonly before: string; readonly behind: string } => {
  const talk = talkOf(view)
  if (talk.sealed === undefined) return { before: "", behind: "" }
  const before = `${padlockOf(talk)} `
  const words =
    talk.sealed.state === "waiting"
      ? "waiting, unaudited"
      : talk.sealed.state === "outOfStep"
        ? "out of step, unaudited"
        : "unaudited"
  const room =
    promptCells(view.size.columns) - cellsOf(`${before}${safeLine(rest)}`) - Math.min(8, cellsOf(nameOf(talk)))
  const fitting = [` (${words})`, " (unaudited)", ""].find((one) => cellsOf(one) <= room)
  return { before, behind: fitting ?? "" }
}

/** Where what is typed goes, with its server where there are several: shortened, if there is no room for it beside the rest. */
const placeNamed = (view: View, rest: string): string => {
  const name = nameOf(talkOf(view))
  const room = Math.max(2, promptCells(view.size.columns) - cellsOf(safeLine(rest)))
  return cutTo(safeLine(view.server === undefined ? name : `${view.server}/${name}`), room)
}

const pickPrompt = { conversation: "go to: ", reaction: "react with: ", typed: "typed before: " } as const

const answeredName = (talk: Talk.Talk): string => {
  const message = talk.replyTo === undefined ? undefined : Window.find(talk.window, talk.replyTo)
  return message === undefined ? " ↳" : ` ↳ ${message.from}`
}

const inputIn = (view: View, height = 8): Input => {
  const { popup } = view
  const editor = popup === undefined || popup._tag === "Help" || popup._tag === "Confirm" ? undefined : popup.editor
  const isUnseen = popup?._tag === "Ask" || popup?._tag === "Confirm"
  return inputOf(editor ?? editorOf(view), promptOf(view), view.size.columns, height, isUnseen)
}

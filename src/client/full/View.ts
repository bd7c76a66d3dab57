/**
 * All that one screen shows: the state of the chat, and what belongs to this drawing of it alone. Pure.
 *
 * What is typed stands in the chat's drafts; the editors here only know where the cursor is in them, and how to undo.
 */
import type { Seq } from "../../common/log/Cursor.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { Action } from "../command/Action.ts"
import * as Chat from "../core/chat/ChatState.ts"
import * as Intention from "../core/chat/Intention.ts"
import type { Talk } from "../core/chat/Talk.ts"
import * as Window from "../core/chat/Window.ts"
import type { Governors } from "./Bars.ts"
import type { Offers } from "./Complete.ts"
import * as Editor from "./Editor.ts"
import { keyFor, type Keymap, usual } from "./Keys.ts"
import * as Level from "./Level.ts"
import type { Setting } from "./MessageRows.ts"
import { type Pane, paneOf, type Place } from "./TalkPane.ts"
import type { Times } from "./Times.ts"

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** Another server, to which this client is connected too. */
export interface Other {
  readonly name: string
  readonly unread: number
  readonly mentions: number
  readonly isThere: boolean
}

/** What stands over the messages. */
export type Popup =
  | { readonly _tag: "Help"; readonly scroll: number }
  | {
      readonly _tag: "Pick"
      readonly what: "conversation" | "reaction" | "typed"
      readonly editor: Editor.Editor
      readonly index: number
    }
  | {
      readonly _tag: "Search"
      readonly editor: Editor.Editor
      readonly isEverywhere: boolean
      /** Newest first; none while one types. */
      readonly found: ReadonlyArray<StandingMessage> | undefined
      readonly isAsking: boolean
      readonly index: number
    }
  | { readonly _tag: "Ask"; readonly question: string; readonly editor: Editor.Editor }
  | { readonly _tag: "Confirm"; readonly question: string; readonly what: Confirmed }

/** A command as it was typed. */
export interface Given {
  readonly action: Action
  readonly line: string
}

/** What is done if the answer is yes. `command`: by which one leaves, if by one. */
export type Confirmed =
  | { readonly _tag: "Quit"; readonly command?: Given | undefined }
  | { readonly _tag: "Paste"; readonly key: string; readonly text: string }
  /** `at`: when it was said, by which it is told from another log's of that number. */
  | { readonly _tag: "Delete"; readonly key: string; readonly seq: Seq; readonly at: number }

/** A message on which the view stayed: told from another log's of that number by its time. */
interface Recalled {
  readonly seq: Seq
  readonly at: number
  readonly skip: number
}

export interface View {
  readonly chat: Chat.ChatState
  readonly size: Size
  readonly times: Times
  /** Epoch milliseconds. */
  readonly now: number
  readonly editors: ReadonlyMap<string, Editor.Editor>
  /** Where it stood before a restart, by conversation, until it is known whether that is still there. */
  readonly recalled: ReadonlyMap<string, Recalled>
  /** How many rows of the message the view stays on are above the top. */
  readonly skip: number
  /** How many rows further back one wants to be, than the first message (`seq`) that is at hand. */
  readonly owed: { readonly seq: Seq; readonly rows: number } | undefined
  readonly chosen: Seq | undefined
  /** What Tab goes through, until another key is pressed. */
  readonly offers: Offers | undefined
  readonly popup: Popup | undefined
  /** What a command gave, above where one types, and how far it is scrolled back. */
  readonly answer: { readonly lines: ReadonlyArray<string>; readonly scroll: number } | undefined
  readonly notice: { readonly text: string; readonly isError: boolean; readonly isAlarm?: boolean } | undefined
  /** What was told of keys and devices since a key was pressed, `maxTold` at most. */
  readonly told: ReadonlyArray<string>
  /** Of these, and earlier ones, those that alarm: they stand until the person closes them, whatever else is typed. */
  readonly alarms: ReadonlyArray<string>
  readonly hasLeftBar: boolean
  /** Undefined: where there is room. */
  readonly hasRightBar: boolean | undefined
  readonly hasMouse: boolean
  readonly isUrgentFirst: boolean
  /** Of what the person wants to be called; and what of that the config file says. */
  readonly levels: Level.Levels
  readonly configured: Level.Levels
  readonly keymap: Keymap
  /** What waits on other servers, where there are several; and what this one is called then. */
  readonly others: ReadonlyArray<Other>
  readonly server: string | undefined
  readonly governors: ReadonlyMap<string, Governors>
  /** What was typed, newest last. */
  readonly typed: ReadonlyArray<string>
  /** What one talks to was not chosen by oneself, but by what happened at this time. */
  readonly movedAt: number | undefined
  /** The letter that answered a question just now, with what was typed behind it, and what stood there before. */
  readonly answering:
    | {
        readonly key: string
        readonly draft: string
        readonly first: string
        readonly typed: string
        readonly at: number
      }
    | undefined
  /** Pages that are on their way. */
  readonly asked: ReadonlySet<string>
  /** In milliseconds. */
  readonly latency: number | undefined
}

export const make = (size: Size, times: Times, now: number): View => ({
  chat: Chat.empty,
  size,
  times,
  now,
  editors: new Map(),
  recalled: new Map(),
  skip: 0,
  owed: undefined,
  chosen: undefined,
  offers: undefined,
  popup: undefined,
  answer: undefined,
  notice: undefined,
  told: [],
  alarms: [],
  hasLeftBar: true,
  hasRightBar: undefined,
  hasMouse: true,
  isUrgentFirst: false,
  levels: Level.none,
  configured: Level.none,
  keymap: usual,
  others: [],
  server: undefined,
  governors: new Map(),
  typed: [],
  movedAt: undefined,
  answering: undefined,
  asked: new Set(),
  latency: undefined
})

/** How many of the lines that were typed are remembered. */
const maxTyped = 200
const maxTold = 20
/** Of how many conversations it is remembered where the cursor stands. */
const maxEditors = 64

export const talkOf = ({ chat }: View): Talk => Chat.shownTalk(chat)

export const editorOf = ({ chat, editors }: View): Editor.Editor =>
  Editor.showing(editors.get(chat.shown) ?? Editor.empty, Chat.shownTalk(chat).draft)

/** With what is typed in the conversation that is shown. */
export const withEditor = (view: View, editor: Editor.Editor): View => {
  const { shown } = view.chat
  const editors = new Map(view.editors)
  editors.delete(shown)
  editors.set(shown, editor)
  const [oldest] = editors.keys()
  if (editors.size > maxEditors && oldest !== undefined) editors.delete(oldest)
  return { ...view, editors, chat: Intention.type(view.chat, shown, editor.text) }
}

export const withChat = (view: View, chat: Chat.ChatState): View =>
  chat.shown === view.chat.shown
    ? { ...view, chat }
    : { ...view, chat, skip: 0, owed: undefined, chosen: undefined, movedAt: undefined }

/** What may be an attack gives way to nothing, until a key is pressed: what comes then stands above it. */
export const notify = (view: View, text: string, isError = false): View =>
  view.notice?.isAlarm === true ? withTold(view, text) : { ...view, notice: { text, isError } }

const withTold = (view: View, text: string): View => {
  const told = [...view.told.filter((one) => one !== text), text].slice(-maxTold)
  const others = (view.answer?.lines ?? []).filter((line) => !view.told.includes(line))
  return { ...view, told, answer: { lines: [...others, ...told], scroll: 0 } }
}

/** Of keys and devices. What is told before the last was read stands, with it, above where one types. */
export const tell = (
  view: View,
  { isAlarm, message }: { readonly isAlarm: boolean; readonly message: string }
): View => {
  if (!isAlarm && view.told.length === 0 && view.notice?.isAlarm !== true) {
    return { ...view, told: [message], notice: { text: message, isError: false } }
  }
  const all = withTold(view, message)
  const alarms = isAlarm ? [...view.alarms.filter((one) => one !== message), message].slice(-maxTold) : view.alarms
  const isGrave = isAlarm || view.notice?.isAlarm === true
  const text = `Of keys and devices there is something to read: it stands above; ${keyFor(view.keymap, "escape")} closes it.`
  return { ...all, alarms, notice: { text, isError: isGrave, isAlarm: isGrave } }
}

/** What a command gave makes way for what comes next; what alarms does not. */
export const withoutAnswer = (view: View): View => ({
  ...view,
  answer: view.alarms.length === 0 ? undefined : { lines: view.alarms, scroll: 0 }
})

/** From what is said in the open with somebody to where it is encrypted, if one is there: as one typed it, with the cursor where it was. */
export const wentOver = (view: View, user: UserName, room: RoomName): View => {
  const from = view.chat.shown
  const chat = Intention.goOver(view.chat, user, room)
  return chat.shown === from ? withChat(view, chat) : carried(view, chat, from)
}

/** What was typed there goes on here. */
export const carried = (view: View, chat: Chat.ChatState, from: string): View => {
  const editor = view.editors.get(from)
  const next = withChat(view, chat)
  if (chat.shown === from || editor === undefined || editor.text !== Chat.shownTalk(chat).draft) return next
  return { ...next, editors: new Map(view.editors).set(chat.shown, editor) }
}

export const remembered = (view: View, line: string): View => ({
  ...view,
  typed: [...view.typed.filter((one) => one !== line), line].slice(-maxTyped)
})

/** Where everything stands on the screen. */
export interface Plan {
  /** Without the line beside it; 0 where there is none. */
  readonly left: number
  readonly right: number
  readonly middle: number
  readonly header: number
  readonly pane: number
  readonly status: number
  readonly input: number
}

/** Below so many columns there is nothing beside the messages. */
export const narrow = 60
const roomy = 100

export const hasRoomBeside = ({ size: { columns } }: View): boolean => columns >= narrow

export const planOf = (
  { hasLeftBar, hasRightBar, size: { columns, rows } }: View,
  inputRows: number,
  statusRows = 1
): Plan => {
  const wide = columns >= narrow
  const left = wide && hasLeftBar ? (columns >= roomy ? 22 : columns >= 61 ? 16 : 15) : 0
  const right = wide && (hasRightBar ?? columns >= roomy) ? (columns >= roomy ? 20 : 14) : 0
  const middle = Math.max(1, columns - (left > 0 ? left + 1 : 0) - (right > 0 ? right + 1 : 0))
  const header = rows >= 8 ? 1 : 0
  const input = Math.max(1, Math.min(inputRows, 8, Math.floor(rows / 3)))
  // What is said there is said to its end, but for a row of the messages on the smallest screens.
  const status = rows >= 3 ? Math.max(1, Math.min(statusRows, rows - header - input - 1)) : 0
  return { left, right, middle, header, input, status, pane: Math.max(0, rows - header - status - input) }
}

export const settingOf = (view: View, width: number): Setting => {
  const talk = talkOf(view)
  return {
    width,
    times: view.times,
    now: view.now,
    user: view.chat.user,
    isHidden: (user: UserName) => Chat.isHidden(view.chat, user),
    newFrom: talk.newFrom,
    chosen: view.chosen,
    find: (seq: Seq) => Window.find(talk.window, seq),
    retryKeys: `${keyFor(view.keymap, "retry")} sends it again, ${keyFor(view.keymap, "discard")} throws it away`,
    closeKey: keyFor(view.keymap, "close")
  }
}

/** Where the view hangs, if somebody has gone back. */
const placeOf = (view: View): Place | undefined => {
  const { anchor } = talkOf(view)
  return anchor === undefined ? undefined : { seq: anchor, skip: view.skip }
}

export const paneIn = (view: View, { middle, pane }: Plan): Pane =>
  paneOf(talkOf(view), placeOf(view), pane, settingOf(view, middle))

/** The bars beside the messages: at the left the conversations, at the right who is here. Pure. */
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ChatState } from "../core/chat/ChatState.ts"
import * as People from "../core/chat/People.ts"
import * as Talk from "../core/chat/Talk.ts"
import * as Current from "../line/Current.ts"
import { isMuted, levelOf, type Level, type Levels } from "./Level.ts"
import { apart, faint, filled, type Look, type Row, rowOf, span } from "./Row.ts"

/** What a conversation is called on every screen: no room passes for the lobby. */
export const nameOf = (talk: Pick<Talk.Talk, "partner" | "where">): string => Current.nameOf(Talk.addresseeOf(talk))

/** Before the name of what is encrypted; behind it a tick, if keys were compared. Two cells wherever emoji are drawn at all. */
const padlock = "🔒"

export const padlockOf = ({ sealed }: Pick<Talk.Talk, "sealed">): string =>
  sealed === undefined ? "" : `${padlock}${sealed.isVerified ? "✓" : ""}`

export interface Listed {
  readonly key: string
  /** By which Alt and a digit show it. It stays, however the list is sorted. */
  readonly number: number
  readonly talk: Talk.Talk
  readonly isMuted: boolean
  readonly level: Level
}

/** As they came, or those that wait for somebody first. */
export const listed = ({ talks }: ChatState, levels: Levels, isUrgentFirst: boolean): ReadonlyArray<Listed> => {
  const all = [...talks].map(([key, talk], index): Listed => ({
    key,
    number: index + 1,
    talk,
    isMuted: isMuted(levels, Talk.keyOf(Talk.addresseeOf(talk))),
    level: levelOf(levels, Talk.keyOf(Talk.addresseeOf(talk)))
  }))
  return isUrgentFirst ? all.toSorted((one, other) => urgency(other) - urgency(one)) : all
}

const urgency = ({ isMuted, talk }: Listed): number => {
  if (Talk.unread(talk) === 0) return 0
  if (Talk.mentionsIn(talk) > 0) return 3
  return isMuted ? 1 : 2
}

/** What waits there, in a few cells. */
export const waiting = ({ isMuted, talk }: Pick<Listed, "isMuted" | "talk">): string => {
  const [unread, mentions] = [Talk.unread(talk), Talk.mentionsIn(talk)]
  if (unread === 0) return ""
  const count = unread > 999 ? "999+" : `${unread}`
  return mentions > 0 && !isMuted ? `@${count}` : count
}

/** As many rows as there is room for, the shown one among them. */
export const leftBar = (
  state: ChatState,
  list: ReadonlyArray<Listed>,
  width: number,
  height: number
): { readonly rows: ReadonlyArray<Row>; readonly keys: ReadonlyArray<string | undefined> } => {
  const at = list.findIndex(({ key }) => key === state.shown)
  const start = Math.max(0, Math.min(at - height + 2, list.length - height))
  const part = list.slice(start, start + height)
  const rows = part.map((one) => talkRow(one, one.key === state.shown, width))
  const blank = Math.max(0, height - rows.length)
  return {
    rows: [...rows, ...Array.from({ length: blank }, () => filled([], width))],
    keys: [...part.map(({ key }) => key), ...Array.from({ length: blank }, () => undefined)]
  }
}

const talkRow = (one: Listed, isShown: boolean, width: number): Row => {
  const { isMuted, number, talk } = one
  const count = waiting(one)
  const isCalling = count.startsWith("@")
  const look: Look = isShown
    ? { tone: "chosen", bold: true }
    : isMuted || !talk.isIn
      ? faint
      : { tone: "plain", bold: count !== "" }
  const mark = talk.outbox.some(({ state }) => state._tag === "Failed") ? "✗" : talk.draft !== "" && !isShown ? "✎" : ""
  const right = [mark, count].filter((piece) => piece !== "").join(" ")
  const rightLook: Look = isCalling && !isShown ? { tone: "mention", bold: true } : look
  // Of what calls for every message one is to know why.
  const left = `${number < 10 ? number : " "} ${padlockOf(talk)}${nameOf(talk)}${one.level === "all" ? " !" : ""}`
  return apart([span(left, look)], right === "" ? [span(" ", look)] : [span(` ${right} `, rightLook)], width, look)
}

/** Who governs a room, as far as that is known. */
export interface Governors {
  readonly owner: UserName | undefined
  readonly moderators: ReadonlyArray<UserName>
}

/** Who is in the conversation that is shown. */
export const rightBar = (
  state: ChatState,
  talk: Talk.Talk,
  governors: Governors | undefined,
  width: number,
  height: number
): ReadonlyArray<Row> => {
  const { away, here } = peopleIn(state, talk)
  const rows: Array<Row> = [rowOf(` ${here.length} here`, faint)]
  for (const user of here) rows.push(personRow(user, state, governors, width, true))
  if (away.length > 0) {
    // Whether somebody of that name was ever here, a private conversation does not tell.
    rows.push(rowOf(!Talk.isPersonal(talk) ? ` ${away.length} away` : " not here", faint))
    for (const user of away) rows.push(personRow(user, state, governors, width, false))
  }
  const cut =
    rows.length > height ? [...rows.slice(0, height - 1), rowOf(` … ${rows.length - height + 1} more`, faint)] : rows
  return Array.from({ length: height }, (_, index) => filled(cut[index] ?? [], width))
}

const personRow = (
  user: UserName,
  { blocked, ignored }: ChatState,
  governors: Governors | undefined,
  width: number,
  isHere: boolean
): Row => {
  const isHidden = blocked.has(nameKey(user)) || ignored.has(nameKey(user))
  const look: Look = isHere && !isHidden ? { tone: "plain", user, isListed: true } : faint
  return filled([span(roleMark(user, governors), { tone: "accent" }), span(user, { ...look, strike: isHidden })], width)
}

const roleMark = (user: UserName, governors: Governors | undefined): string => {
  if (governors === undefined) return " "
  if (governors.owner !== undefined && nameKey(governors.owner) === nameKey(user)) return "~"
  return governors.moderators.some((one) => nameKey(one) === nameKey(user)) ? "+" : " "
}

const orders = new WeakMap<ReadonlyMap<NameKey, UserName>, ReadonlyArray<UserName>>()

/** In their order; thousands of names are sorted once, not for each drawing. */
const sorted = (names: ReadonlyMap<NameKey, UserName>): ReadonlyArray<UserName> => {
  const known = orders.get(names)
  if (known !== undefined) return known
  const order = [...names].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, user]) => user)
  orders.set(names, order)
  return order
}

export const peopleIn = (
  { people, user }: ChatState,
  { where: { room, with: other } }: Talk.Talk
): { readonly here: ReadonlyArray<UserName>; readonly away: ReadonlyArray<UserName> } => {
  if (room !== undefined) {
    const { away, here } = People.inRoom(people, room)
    return { here: sorted(here), away: sorted(away) }
  }
  if (other === undefined) return { here: sorted(people.everybody), away: [] }
  const isHere = people.everybody.has(nameKey(other))
  return { here: isHere ? [other, user] : [user], away: isHere ? [] : [other] }
}

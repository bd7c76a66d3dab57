/** Going through what was said: by pages and rows, and from message to message. Pure. */
import * as Intention from "../core/chat/Intention.ts"
import * as Window from "../core/chat/Window.ts"
import { planIn } from "./Frame.ts"
import { rowsOf } from "./MessageRows.ts"
import { type Row, textOf } from "./Row.ts"
import { type Place, rowsOfPlace, scrolledDown, scrolledUp } from "./TalkPane.ts"
import { paneIn, settingOf, type Size, talkOf, type View } from "./View.ts"
import type { Wish } from "./Wish.ts"

/** One row less than there is room for, so that one sees where one was. */
export const pageOf = (view: View): number => Math.max(1, planIn(view).pane - 1)

const hung = (view: View, at: Place): View => ({
  ...view,
  skip: at.skip,
  owed: undefined,
  chat: Intention.stayOn(view.chat, at.seq)
})

export const toEnd = (view: View): View => ({
  ...view,
  skip: 0,
  owed: undefined,
  chosen: undefined,
  chat: Intention.stayOn(view.chat, undefined)
})

/** How much of what is said stands on a row, whatever stands before it. */
const saidOn = (row: Row): number => {
  const [, said = ""] = /[│▶] ([^]*)$/.exec(textOf(row)) ?? []
  return said.replaceAll(/[\s▎]/g, "").length
}

/** Of another size: in a message of many rows the view stays on the words that are at its top. */
export const resized = (view: View, size: Size): View => {
  const after = { ...view, size }
  const talk = talkOf(view)
  const { anchor } = talk
  if (anchor === undefined || view.skip === 0) return after
  const rowsIn = (one: View) => rowsOfPlace(talk, anchor, settingOf(one, planIn(one).middle))
  const offset = rowsIn(view)
    .slice(0, view.skip)
    .reduce((sum, row) => sum + saidOn(row), 0)
  if (offset === 0) return after
  let read = 0
  const at = rowsIn(after).findIndex((row) => {
    read += saidOn(row)
    return read > offset
  })
  return at === -1 ? after : { ...after, skip: at }
}

/** What of it is not at hand yet is remembered, a page of it at most: see `goOn`. */
export const up = (view: View, rows: number): View => {
  const plan = planIn(view)
  const { top } = paneIn(view, plan)
  if (top === undefined) return view
  const { anchor, isIn, window } = talkOf(view)
  const { at, missing } = scrolledUp(talkOf(view), top, rows, settingOf(view, plan.middle))
  const isSame = at.seq === top.seq && at.skip === top.skip
  if (isSame && anchor === undefined) return view
  const there = hung(view, at)
  if (missing === 0 || !window.hasOlder || !isIn) return there
  const before = view.owed?.seq === at.seq ? view.owed.rows : 0
  return { ...there, owed: { seq: at.seq, rows: Math.min(pageOf(view), before + missing) } }
}

/** Once an older page is there: to where one wanted to be already, if one is where one was then. */
export const goOn = (view: View): View => {
  const { owed } = view
  if (owed === undefined || talkOf(view).anchor !== owed.seq || view.skip !== 0) return view
  return up({ ...view, owed: undefined }, owed.rows)
}

export const down = (view: View, rows: number): View => {
  const talk = talkOf(view)
  if (talk.anchor === undefined) return view
  const plan = planIn(view)
  const { top } = paneIn(view, plan)
  if (top === undefined) return toEnd(view)
  const at = scrolledDown(talk, top, rows, plan.pane, settingOf(view, plan.middle))
  if (at !== undefined) return hung(view, at)
  return talk.window.isAtEnd ? toEnd(view) : view
}

/** Chooses the message before or behind the one that is chosen, and has it in view. */
export const choose = (view: View, by: 1 | -1): View => {
  const talk = talkOf(view)
  const plan = planIn(view)
  const pane = paneIn(view, plan)
  const { entries } = talk.window
  if (view.chosen === undefined) return by === 1 ? view : { ...view, chosen: pane.bottom }
  const index = Window.indexOf(talk.window, view.chosen) + by
  const next = entries[index]
  if (next === undefined) return by === 1 ? { ...view, chosen: undefined } : view
  const chosen = { ...view, chosen: next.seq }
  if (pane.seqs.includes(next.seq)) return chosen
  if (by === -1) return hung(chosen, { seq: next.seq, skip: 0 })
  const setting = settingOf(view, plan.middle)
  return { ...down(view, rowsOf(next, entries[index - 1], setting).length + 1), chosen: next.seq }
}

/** Which pages are to be asked for, so that nobody waits for them who goes on. */
export const pagesDue = (view: View): ReadonlyArray<Extract<Wish, { readonly _tag: "Page" }>> => {
  const talk = talkOf(view)
  const { shown } = view.chat
  const { anchor, isIn, window } = talk
  if (!isIn) return []
  // Until it is known whether that is still there, nothing else is to be shown.
  if (anchor !== undefined && view.recalled.has(shown)) return [{ _tag: "Page", key: shown, is: "recalled" }]
  const { entries, hasOlder, isAtEnd } = window
  if (entries.length === 0) return hasOlder && isAtEnd ? [{ _tag: "Page", key: shown, is: "older" }] : []
  // At the end, with more at hand than can be seen: a message takes a row at least.
  if (anchor === undefined && (!hasOlder || entries.length > 2 * view.size.rows)) return []
  const plan = planIn(view)
  const pane = paneIn(view, plan)
  const first = pane.top === undefined ? 0 : Window.indexOf(window, pane.top.seq)
  const last = pane.bottom === undefined ? entries.length - 1 : Window.indexOf(window, pane.bottom)
  const isNearStart =
    hasOlder && first < plan.pane && (anchor !== undefined || pane.rows.some((row) => row.length === 0) || first === 0)
  const isNearEnd = !isAtEnd && entries.length - 1 - last < plan.pane
  return [
    ...(isNearStart ? [{ _tag: "Page", key: shown, is: "older" } as const] : []),
    ...(isNearEnd ? [{ _tag: "Page", key: shown, is: "newer" } as const] : [])
  ]
}

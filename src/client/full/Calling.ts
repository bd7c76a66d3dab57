/** Of what the person is to be called, and how much has called them. Pure. */
import { addresseeKey } from "../core/chat/ChatState.ts"
import * as Talk from "../core/chat/Talk.ts"
import { nameOf } from "./Bars.ts"
import * as Level from "./Level.ts"
import * as View from "./View.ts"

/** Of the conversation that is shown. Undefined: what it is now is told. */
export const toLevel = (view: View.View, level: Level.Level | undefined): View.View => {
  const shown = addresseeKey(view.chat, view.chat.shown)
  const name = nameOf(View.talkOf(view))
  if (level === undefined) {
    const now = Level.says[Level.levelOf(view.levels, shown)]
    return View.notify(view, `${name} ${now}. :notify all, :notify mentions or :notify none changes it.`)
  }
  const next = { ...view, levels: Level.withLevel(view.levels, shown, level) }
  return View.notify(next, `${name} ${Level.says[level]}.`)
}

/** How much waits of what one wants to be called for. */
export const calls = ({ chat, levels }: View.View): number => {
  let sum = 0
  for (const talk of chat.talks.values()) {
    const level = Level.levelOf(levels, Talk.keyOf(Talk.addresseeOf(talk)))
    sum += level === "none" ? 0 : level === "all" ? Talk.unread(talk) : Talk.mentionsIn(talk)
  }
  return sum
}

/** All that is unread in conversations that are not muted. */
export const unread = ({ chat, levels }: View.View): number =>
  [...chat.talks.values()].reduce(
    (sum, talk) => (Level.isMuted(levels, Talk.keyOf(Talk.addresseeOf(talk))) ? sum : sum + Talk.unread(talk)),
    0
  )

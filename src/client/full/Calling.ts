/** Of what the person is to be called, and how much has called them. Pure. */
import * as Talk from "../core/chat/Talk.ts"
import { nameOf } from "./Bars.ts"
import * as Level from "./Level.ts"
import * as View from "./View.ts"

/** Of the conversation that is shown. Undefined: what it is now is told. */
export const toLevel = (view: View.View, level: Level.Level | undefined): View.View => {
  const { shown } = view.chat
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
  for (const [key, talk] of chat.talks) {
    const level = Level.levelOf(levels, key)
    sum += level === "none" ? 0 : level === "all" ? Talk.unread(talk) : Talk.mentionsIn(talk)
  }
  return sum
}

/** All that is unread in conversations that are not muted. */
export const unread = ({ chat, levels }: View.View): number =>
  [...chat.talks].reduce((sum, [key, talk]) => (Level.isMuted(levels, key) ? sum : sum + Talk.unread(talk)), 0)

import { nameOf } from "./Bars.ts"
/**
 * What is typed at a question that takes one key for its answer. Pure.
 *
 * Whoever did not see the question, types on; whoever saw it, may answer with a word and Enter. So:
 *
 * 1. Any key but those of an answer closes the question as "no", and does what it does elsewhere: no letter of it is lost.
 * 2. An "n" that goes on as a text is the beginning of it, not an answer alone.
 * 3. Enter right behind an answer, or behind a word that is one, sends nothing.
 */
import * as Editor from "./Editor.ts"
import * as View from "./View.ts"
import type { Key } from "./Wish.ts"

/** In milliseconds: a letter that comes so soon behind another came with it, from somebody who had not looked. */
const burst = 60
/** Enter, so soon behind the last letter, belongs to it. */
const pause = 1000

const words: ReadonlySet<string> = new Set(["y", "ye", "yes", "n", "no", "nope"])

/** What such a key answers; nothing if it is for what one types. */
export const answerIn = (
  { keymap }: View.View,
  { name }: Key
): "no" | "yes" | "yes, where Enter is" | "yes, to leave" | undefined => {
  const deed = keymap.deeds.get(name)
  if (name === "y" || name === "Y") return "yes"
  if (name === "n" || name === "N" || deed === "escape") return "no"
  if (name === "enter" || deed === "send") return "yes, where Enter is"
  return deed === "clearOrQuit" || deed === "eraseRightOrQuit" ? "yes, to leave" : undefined
}

/** After a letter has answered. */
export const answeredBy = (view: View.View, { text = "" }: Key): View.View => ({
  ...view,
  answering: { key: view.chat.shown, draft: View.talkOf(view).draft, first: text, typed: text, at: view.now }
})

/** Text right behind the answer; undefined if it is typed as ever. */
export const typedBehind = (view: View.View, text: string): View.View | undefined => {
  const { answering } = view
  if (answering === undefined) return undefined
  if (!isSoon(view, answering)) return undefined
  const { first, typed } = answering
  const isBegun = typed === first && first.toLowerCase() === "n" && view.now - answering.at < burst
  const written = View.withEditor(view, Editor.insert(View.editorOf(view), isBegun ? first + text : text))
  return { ...written, answering: { ...answering, typed: typed + text, at: view.now } }
}

/** Enter right behind it; undefined if it sends what is typed. */
export const endedBehind = (view: View.View): View.View | undefined => {
  const { answering } = view
  if (answering === undefined || !isSoon(view, answering) || !words.has(answering.typed.trim().toLowerCase()))
    return undefined
  const before = View.withEditor(
    { ...view, answering: undefined },
    Editor.withText(View.editorOf(view), answering.draft)
  )
  if (answering.draft.trim() === "") return before
  return View.notify(before, `Not sent: that answered the question. Enter sends it to ${nameOf(View.talkOf(view))}.`)
}

const isSoon = ({ chat, now }: View.View, { at, key }: NonNullable<View.View["answering"]>): boolean =>
  key === chat.shown && now - at < pause

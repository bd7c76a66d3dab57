/** What keys do while something stands over the messages. Pure. */
import { Schema } from "effect"
import { Reaction } from "../../common/log/Entry.ts"
import * as Intention from "../core/chat/Intention.ts"
import * as Window from "../core/chat/Window.ts"
import { whereaboutsOf } from "../core/Heard.ts"
import * as Answering from "./Answering.ts"
import * as Editor from "./Editor.ts"
import { planIn } from "./Frame.ts"
import { type Deed, isEditorDeed, type Keymap } from "./Keys.ts"
import { type Candidate, candidatesOf, helpHidden } from "./Popup.ts"
import * as View from "./View.ts"
import { type Key, only, type Step } from "./Wish.ts"

/** Enter is for what is open, whatever it does to what one types. */
const isEnter = (view: View.View, key: Key): boolean => key.name === "enter" || deedOf(view, key) === "send"

const deedOf = ({ keymap }: View.View, { name }: Key): Deed | undefined => keymap.deeds.get(name)

const closed = (view: View.View): View.View => ({ ...view, popup: undefined })

/** Undefined where it closes what is open and is to do what it does elsewhere. */
export const keyInPopup = (view: View.View, popup: View.Popup, key: Key): Step | undefined => {
  const deed = view.keymap.deeds.get(key.name)
  const isGivenUp = deed === "escape" || deed === "clearOrQuit"
  switch (popup._tag) {
    case "Help":
      return key.text !== undefined && key.text.trim() !== "" ? undefined : only(help(view, popup, key))
    case "Confirm":
      return confirm(view, popup, key)
    case "Ask": {
      if (isGivenUp) return only(closed(view), { _tag: "Answer", text: undefined })
      if (isEnter(view, key)) return only(closed(view), { _tag: "Answer", text: popup.editor.text })
      return only({ ...view, popup: { ...popup, editor: typedIn(popup.editor, key, view.keymap) } })
    }
    case "Pick":
      return isGivenUp ? only(closed(view)) : pick(view, popup, key)
    case "Search":
      return isGivenUp ? only(closed(view)) : search(view, popup, key)
  }
}

/** On one line, without a history. */
const typedIn = (editor: Editor.Editor, key: Key, { deeds }: Keymap): Editor.Editor => {
  const deed = deeds.get(key.name)
  if (deed === "eraseRightOrQuit") return Editor.apply(editor, "eraseRight")
  if (deed === "end") return Editor.apply(editor, "lineEnd")
  if (deed !== undefined && isEditorDeed(deed) && deed !== "newline") return Editor.apply(editor, deed)
  return deed !== undefined || key.text === undefined ? editor : Editor.insert(editor, key.text)
}

const help = (view: View.View, popup: Extract<View.Popup, { readonly _tag: "Help" }>, key: Key): View.View => {
  const { name } = key
  const plan = planIn(view)
  const page = Math.max(1, plan.pane - 2)
  const most = helpHidden(view, plan)
  const by: Readonly<Record<string, number>> = { down: 1, up: -1, space: page }
  const deed = deedOf(view, key)
  const move = deed === "newerPage" ? page : deed === "olderPage" ? -page : by[name]
  if (move === undefined) return name === "home" ? { ...view, popup: { ...popup, scroll: 0 } } : closed(view)
  return { ...view, popup: { ...popup, scroll: Math.max(0, Math.min(popup.scroll + move, most)) } }
}

const confirm = (
  view: View.View,
  { what }: Extract<View.Popup, { readonly _tag: "Confirm" }>,
  key: Key
): Step | undefined => {
  const answer = Answering.answerIn(view, key)
  if (answer === undefined) return undefined
  const isYes =
    answer === "yes" ||
    (answer === "yes, where Enter is" && what._tag === "Paste") ||
    (answer === "yes, to leave" && what._tag === "Quit")
  const step = isYes ? confirmed(view, what) : only(closed(view))
  return key.text === undefined ? step : { ...step, view: Answering.answeredBy(step.view, key) }
}

const confirmed = (view: View.View, what: View.Confirmed): Step => {
  const { chat } = view
  switch (what._tag) {
    case "Quit":
      return only(closed(view), what.command === undefined ? { _tag: "Quit" } : { _tag: "Command", ...what.command })
    case "Paste":
      // What one looks at may have changed since.
      return only(
        what.key === chat.shown
          ? View.withEditor(closed(view), Editor.insert(View.editorOf(view), what.text))
          : closed(view)
      )
    case "Delete": {
      const done = { ...closed(view), chosen: undefined }
      const talk = chat.talks.get(what.key)
      // One may be out of the room by now, or its log another one.
      if (talk === undefined || Window.find(talk.window, what.seq)?.at !== what.at) {
        return only(View.notify(done, "Not deleted: that message is not here any more.", true))
      }
      return only(done, { _tag: "Do", request: { _tag: "DeleteMessage", ...talk.where, target: what.seq } })
    }
  }
}

const moved = (index: number, key: Key, length: number): number | undefined => {
  if (length === 0) return undefined
  if (key.name === "down" || key.name === "tab" || key.name === "ctrl+n") return (index + 1) % length
  if (key.name === "up" || key.name === "shift+tab" || key.name === "ctrl+p") return (index - 1 + length) % length
  return undefined
}

const pick = (view: View.View, popup: Extract<View.Popup, { readonly _tag: "Pick" }>, key: Key): Step => {
  const found = candidatesOf(view, popup)
  const index = moved(
    popup.index,
    popup.what === "typed" && deedOf(view, key) === "searchTyped" ? { name: "down" } : key,
    found.length
  )
  if (index !== undefined) return only({ ...view, popup: { ...popup, index } })
  if (!isEnter(view, key))
    return only({ ...view, popup: { ...popup, index: 0, editor: typedIn(popup.editor, key, view.keymap) } })
  const picked = found[popup.index]
  if (picked !== undefined) return take(closed(view), picked)
  const text = popup.editor.text.trim()
  if (popup.what !== "reaction" || text === "") return only(closed(view))
  // What is no name of an emoji may be one itself; a name that is typed by half is not meant to be read by others.
  return isAscii.test(text)
    ? only(View.notify(view, `There is no emoji called ${text}. :react ${text} puts the word there.`, true))
    : react(closed(view), text)
}

const isAscii = /^[\x20-\x7e]*$/

const take = (view: View.View, picked: Candidate): Step => {
  switch (picked._tag) {
    case "Talk":
      return only(View.withChat(view, Intention.show(view.chat, picked.key)))
    case "User":
      return only(View.withChat(view, Intention.talkTo(view.chat, picked.user)), { _tag: "Place", user: picked.user })
    case "Line":
      return only(View.withEditor(view, Editor.withText(View.editorOf(view), picked.text)))
    case "Emoji":
      return react(view, picked.emoji)
  }
}

const isReaction = Schema.is(Reaction)

const react = (view: View.View, reaction: string): Step => {
  const { where } = View.talkOf(view)
  if (!isReaction(reaction)) return only(View.notify(view, "A reaction has 1 to 32 characters.", true))
  return view.chosen === undefined
    ? only(view)
    : only(
        { ...view, chosen: undefined },
        { _tag: "Do", request: { _tag: "React", ...where, target: view.chosen, reaction } }
      )
}

const search = (view: View.View, popup: Extract<View.Popup, { readonly _tag: "Search" }>, key: Key): Step => {
  const { found = [], index, isAsking, isEverywhere } = popup
  if (isAsking) return only(view)
  const next = moved(index, key, found.length)
  if (next !== undefined) return only({ ...view, popup: { ...popup, index: next } })
  if (deedOf(view, key) === "search")
    return only({ ...view, popup: { ...popup, isEverywhere: !isEverywhere, found: undefined, index: 0 } })
  if (!isEnter(view, key)) {
    return only({
      ...view,
      popup: { ...popup, editor: typedIn(popup.editor, key, view.keymap), found: undefined, index: 0 }
    })
  }
  const hit = found[index]
  if (hit !== undefined) {
    return only(closed(view), { _tag: "GoTo", where: whereaboutsOf(hit, view.chat.user), seq: hit.seq })
  }
  const query = popup.editor.text.trim()
  if (query === "") return only(view)
  const where = isEverywhere ? undefined : View.talkOf(view).where
  return only({ ...view, popup: { ...popup, isAsking: true } }, { _tag: "Search", query, where })
}

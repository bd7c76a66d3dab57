/** What is done to messages: by keys while one is chosen, and which one a command means. Pure. */
import { linksIn } from "../../common/text/Links.ts"
import type { About } from "../command/Action.ts"
import * as Chat from "../core/chat/ChatState.ts"
import * as Intention from "../core/chat/Intention.ts"
import * as Window from "../core/chat/Window.ts"
import { safeText } from "../text/SafeText.ts"
import * as Editor from "./Editor.ts"
import * as Scroll from "./Scroll.ts"
import * as View from "./View.ts"
import { type Key, only, type Step } from "./Wish.ts"

export const pick = (view: View.View, what: "conversation" | "reaction" | "typed"): View.View => ({
  ...view,
  popup: { _tag: "Pick", what, editor: Editor.empty, index: 0 }
})

/** While a message is chosen; nothing if the key is for what is typed. */
export const keyOnMessage = (view: View.View, seq: number, key: Key): Step | undefined => {
  const message = Window.find(View.talkOf(view).window, seq)
  const said = message !== undefined && Window.isSaid(message) ? message : undefined
  const done = { ...view, chosen: undefined }
  switch (key.name) {
    case "escape":
      return only(done)
    case "up":
      return only(Scroll.choose(view, -1))
    case "down":
      return only(Scroll.choose(view, 1))
    case "r":
    case "enter":
      return only(said === undefined ? view : { ...done, chat: Intention.replyTo(view.chat, seq) })
    case "+":
      return only(said === undefined ? view : pick(view, "reaction"))
    case "e": {
      if (said === undefined) return only(view)
      const chat = Intention.edit(view.chat, seq)
      if (chat !== view.chat) return only({ ...done, chat })
      return only(View.notify(view, "Only your own messages can be edited, and only while nothing is typed.", true))
    }
    case "d":
      return only(
        said === undefined
          ? view
          : {
              ...view,
              popup: {
                _tag: "Confirm",
                question: `Delete this message of ${said.from} for everybody?`,
                what: { _tag: "Delete", key: view.chat.shown, seq, at: said.at }
              }
            }
      )
    case "c":
      return said === undefined
        ? only(view)
        : only(View.notify(done, "Copied."), { _tag: "Copy", text: safeText(said.content) })
    case "o":
      return link(done, 1, said?.content ?? "")
    default:
      return undefined
  }
}

/** The addresses that were named here last, newest first; or those of one message, as they stand in it. As they are seen, so they are opened. */
export const link = (view: View.View, number: number, text?: string): Step => {
  const all =
    text === undefined
      ? View.talkOf(view)
          .window.entries.toReversed()
          .flatMap((one) =>
            Window.isSaid(one) && !Chat.isHidden(view.chat, one.from) ? linksIn(safeText(one.content)) : []
          )
      : linksIn(safeText(text))
  const found = all[number - 1]
  return found === undefined
    ? only(View.notify(view, noLink(all.length, text === undefined), true))
    : only(view, { _tag: "Open", target: found.target })
}

const noLink = (count: number, isHere: boolean): string => {
  if (!isHere) return "There is no link in this message."
  return count === 0 ? "There is no link here." : `There ${count === 1 ? "is one link" : `are ${count} links`} here.`
}

/** Which message is meant: of the conversation that is shown, the chosen one, or the newest, or one's own newest. */
export const pinned = (view: View.View, { act, mention }: About): About | undefined => {
  const talk = View.talkOf(view)
  if (mention.where !== undefined) return { _tag: "About", act, mention }
  const isOnOwn = act._tag === "Edit" || act._tag === "Delete"
  const newest = isOnOwn ? Intention.ownNewest(view.chat)?.seq : talk.window.entries.findLast(Window.isSaid)?.seq
  const number = mention.number ?? view.chosen ?? newest
  const where = talk.where.room !== undefined ? { room: talk.where.room } : talk.where
  return number === undefined ? undefined : { _tag: "About", act, mention: { where, number } }
}

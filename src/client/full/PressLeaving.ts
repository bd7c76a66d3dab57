/** What becomes of what cannot be sent just now: when one leaves, and where there is no connection. Pure. */
import type { Action } from "../command/Action.ts"
import * as Intention from "../core/chat/Intention.ts"
import * as Outgoing from "../core/chat/Outgoing.ts"
import * as Talk from "../core/chat/Talk.ts"
import { unsentIn } from "../core/chat/Unsent.ts"
import { keyFor } from "./Keys.ts"
import * as View from "./View.ts"
import { only, type Step } from "./Wish.ts"

export const confirmQuit = (view: View.View, command?: View.Given): View.View => {
  const waiting = unsentIn(view.chat).length
  const [are, they] = waiting === 1 ? [" is", "It stays"] : ["s are", "They stay"]
  const left = waiting === 0 ? "" : ` ${waiting} message${are} not sent. ${they} here for the next time.`
  return { ...view, popup: { _tag: "Confirm", question: `Leave parley?${left}`, what: { _tag: "Quit", command } } }
}

/** What ends the sitting, and with it the sending of what is not sent: of that one is told first. */
export const isLeaving = (action: Action): boolean =>
  action._tag === "Quit" || (action._tag === "Account" && (action.act._tag === "Logout" || action.act._tag === "Login"))

/** What is on its way over a connection that is there, has arrived in a moment. */
export const isUnsent = ({ chat }: View.View): boolean =>
  [...chat.talks.values()].some(
    ({ outbox }) =>
      Outgoing.failures(outbox).length > 0 || (chat.connection.is !== "there" && Outgoing.shown(outbox).length > 0)
  )

/**
 * Without a connection no command waits unseen, to be carried out when nobody thinks of it any more: it stays where it was typed. What is
 * said in private is said there, and waits there; a room one is in is shown.
 */
export const offline = (view: View.View, done: View.View, action: Action): Step | undefined => {
  if (action._tag === "Ask" && action.request._tag === "PrivateMessage") {
    const { content, to } = action.request
    const [chat, submission] = Intention.tell(done.chat, to, content, view.now)
    return only(View.withChat(done, chat), { _tag: "Send", submission })
  }
  if (action._tag === "Ask" && action.request._tag === "JoinRoom") {
    const key = Talk.keyOf(action.request)
    if (done.chat.talks.get(key)?.isIn === true) return only(View.withChat(done, Intention.show(done.chat, key)))
  }
  const isAsked = action._tag === "Ask" || action._tag === "About" || action._tag === "More"
  const isOfAccount = action._tag === "Account" && action.act._tag !== "Logout"
  if (!isAsked && !isOfAccount) return undefined
  const why = `Not done: there is no connection. ${keyFor(view.keymap, "send")} does it when it is back.`
  return only(View.notify(view, why, true))
}

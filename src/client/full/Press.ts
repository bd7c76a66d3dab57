/**
 * What a key, a paste or the mouse does to the screen, and what it asks for beside. Pure.
 *
 * 1. Text is sent to the conversation alone that was named before it when the screen was drawn last (`seen`).
 * 2. A paste is only ever typed: nothing of it is a key.
 */
import { Result } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import { hereIn } from "../command/Here.ts"
import * as Chat from "../core/chat/ChatState.ts"
import * as Intention from "../core/chat/Intention.ts"
import * as Outgoing from "../core/chat/Outgoing.ts"
import * as Talk from "../core/chat/Talk.ts"
import { withEmoji } from "../text/Emoji.ts"
import { safeText } from "../text/SafeText.ts"
import * as Answering from "./Answering.ts"
import { listed, nameOf } from "./Bars.ts"
import { toLevel } from "./Calling.ts"
import * as Complete from "./Complete.ts"
import * as Editor from "./Editor.ts"
import { planIn } from "./Frame.ts"
import { type Deed, isEditorDeed, keyFor, numberOf } from "./Keys.ts"
import * as Level from "./Level.ts"
import { meant } from "./Own.ts"
import { scrolledAnswer } from "./Popup.ts"
import { confirmQuit, isLeaving, isUnsent, offline } from "./PressLeaving.ts"
import { keyOnMessage, link, pick, pinned } from "./PressMessage.ts"
import { keyInPopup } from "./PressPopup.ts"
import * as Scroll from "./Scroll.ts"
import * as View from "./View.ts"
import { type Key, only, type Step } from "./Wish.ts"

/** So long after one was moved to another conversation by what happened, Enter sends nothing; in milliseconds. */
const movedPause = 1000

/** A paste of more lines than this, or of more characters, is asked about. */
const askedLines = 8
const askedLength = 2000

/**
 * `seen`: the conversation that is named before what is typed, on the screen as it was drawn last.
 *
 * A terminal sends Alt and a character as Escape and the character, with Ctrl too. Where that means nothing, it was those two, pressed one after the
 * other: a sign that makes a command of what follows is not swallowed.
 */
export const press = (before: View.View, key: Key, seen: string | undefined): Step => {
  const [, control = "", character] = /^(ctrl\+)?alt\+(.)$/u.exec(key.name) ?? []
  if (character === undefined || before.keymap.deeds.has(key.name) || numberOf(key.name) !== undefined) {
    return pressOne(before, key, seen)
  }
  const first = pressOne(before, { name: "escape" }, seen)
  const behind = control === "" ? { name: character, text: character } : { name: `${control}${character}` }
  const second = pressOne(first.view, behind, seen)
  return { view: second.view, wishes: [...first.wishes, ...second.wishes] }
}

const pressOne = (before: View.View, key: Key, seen: string | undefined): Step => {
  const { offers } = before
  if (before.answering !== undefined) return pressBehind(before, key, seen)
  const isSettled = before.notice === undefined && offers === undefined
  const view = isSettled ? before : { ...before, notice: undefined, told: [], offers: undefined }
  if (view.popup !== undefined) {
    const step = keyInPopup(view, view.popup, key)
    if (step !== undefined) return step
    return pressOne({ ...view, popup: undefined, chosen: undefined }, key, seen)
  }
  if (view.chosen !== undefined) {
    const step = keyOnMessage(view, view.chosen, key)
    if (step !== undefined) return step
  }
  const number = numberOf(key.name)
  if (number !== undefined) return only(showNumber(view, number))
  const deed = view.keymap.deeds.get(key.name)
  if (deed === "complete" || deed === "completeBack") {
    return only(complete({ ...view, offers }, deed === "complete" ? 1 : -1))
  }
  if (deed !== undefined) return perform(view, deed, seen)
  if (key.text === undefined || key.text === "") return only(view)
  return only(View.withEditor({ ...view, chosen: undefined }, Editor.insert(View.editorOf(view), key.text)))
}

/** Right behind an answer. */
const pressBehind = (view: View.View, key: Key, seen: string | undefined): Step => {
  const isEnter = view.keymap.deeds.get(key.name) === "send"
  const { text } = key
  const next = isEnter
    ? Answering.endedBehind(view)
    : text === undefined
      ? undefined
      : Answering.typedBehind(view, text)
  return next === undefined ? pressOne({ ...view, answering: undefined }, key, seen) : only(next)
}

type Performed = Exclude<Deed, "complete" | "completeBack">

const perform = (view: View.View, deed: Performed, seen: string | undefined): Step => {
  const { chat } = view
  const editor = View.editorOf(view)
  if (isEditorDeed(deed)) return only(View.withEditor(view, Editor.apply(editor, deed)))
  switch (deed) {
    case "send":
      return send(view, seen)
    case "upOrEdit":
      return only(editor.text === "" ? editLast(view) : View.withEditor(view, Editor.apply(editor, "lineUp")))
    case "downOrHistory":
      return only(View.withEditor(view, Editor.apply(editor, "lineDown")))
    case "searchTyped":
      return only(pick(view, "typed"))
    case "jump":
      return only(pick(view, "conversation"))
    case "next":
      return only(step(view, 1))
    case "previous":
      return only(step(view, -1))
    case "last":
      return only(View.withChat(view, Intention.show(chat, chat.before)))
    case "waiting": {
      const key = Intention.nextWaiting(chat, (one) => Level.isMuted(view.levels, Chat.addresseeKey(chat, one)))
      return only(
        key === undefined ? View.notify(view, nothingUnread(view)) : View.withChat(view, Intention.show(chat, key))
      )
    }
    case "olderPage":
      return only(
        view.answer === undefined ? Scroll.up(view, Scroll.pageOf(view)) : scrolledAnswer(view, planIn(view), 10)
      )
    case "newerPage":
      return only(
        view.answer === undefined ? Scroll.down(view, Scroll.pageOf(view)) : scrolledAnswer(view, planIn(view), -10)
      )
    case "end":
      return only(
        View.talkOf(view).anchor === undefined
          ? View.withEditor(view, Editor.apply(editor, "lineEnd"))
          : Scroll.toEnd(view)
      )
    case "choosePrevious":
      return only(Scroll.choose(view, -1))
    case "chooseNext":
      return only(Scroll.choose(view, 1))
    case "retry":
      return retry(view, seen)
    case "discard": {
      const [failed] = Outgoing.failures(View.talkOf(view).outbox)
      return only(failed === undefined ? view : View.withChat(view, Intention.discard(chat, chat.shown, failed.number)))
    }
    case "search": {
      const popup = {
        _tag: "Search",
        editor: Editor.empty,
        isEverywhere: false,
        found: undefined,
        isAsking: false,
        index: 0
      } as const
      return only({ ...view, popup })
    }
    case "leftBar":
      return only(View.hasRoomBeside(view) ? { ...view, hasLeftBar: !view.hasLeftBar } : noRoom(view))
    case "rightBar":
      return only(View.hasRoomBeside(view) ? { ...view, hasRightBar: View.planOf(view, 1).right === 0 } : noRoom(view))
    case "sort": {
      const isUrgentFirst = !view.isUrgentFirst
      return only(
        View.notify({ ...view, isUrgentFirst }, isUrgentFirst ? "What waits comes first." : "They stand as they came.")
      )
    }
    case "mute":
      return only(toLevel(view, Level.isMuted(view.levels, Chat.addresseeKey(chat, chat.shown)) ? "mentions" : "none"))
    case "notifyMore":
      return only(toLevel(view, Level.after(Level.levelOf(view.levels, Chat.addresseeKey(chat, chat.shown)))))
    case "server":
      return only(view, { _tag: "Server", name: undefined })
    case "close":
      return only(close(view))
    case "help":
      return only({ ...view, popup: { _tag: "Help", scroll: 0 } })
    case "mouse":
      return only(
        View.notify(
          { ...view, hasMouse: !view.hasMouse },
          view.hasMouse ? "The mouse is the terminal's." : "The mouse is taken."
        ),
        { _tag: "Mouse", isOn: !view.hasMouse }
      )
    case "redraw":
      return only(view, { _tag: "Redraw" })
    case "suspend":
      return only(view, { _tag: "Suspend" })
    case "eraseRightOrQuit":
      return editor.text === ""
        ? only(confirmQuit(view))
        : only(View.withEditor(view, Editor.apply(editor, "eraseRight")))
    case "clearOrQuit":
      return only(cleared(view) ?? confirmQuit(view))
    case "escape":
      return only(escape(view))
  }
}

const noRoom = (view: View.View): View.View =>
  View.notify(
    view,
    `There is no room for bars: they need ${View.narrow} columns. ${keyFor(view.keymap, "jump")} lists the conversations, :users who is here.`
  )

const nothingUnread = ({ keymap, others }: View.View): string => {
  const waiting = others
    .filter(({ unread }) => unread > 0)
    .map(({ mentions, name, unread }) => `${name} has ${mentions > 0 ? `@${mentions}` : unread}`)
  return waiting.length === 0
    ? "Nothing is unread."
    : `Nothing is unread here; ${waiting.join(", ")}: ${keyFor(keymap, "server")} goes there.`
}

/** Without what is typed, and what that was to become: nothing of it clings to what is typed next. */
const cleared = (view: View.View): View.View | undefined => {
  const { editing, replyTo } = View.talkOf(view)
  const editor = View.editorOf(view)
  if (editing !== undefined) return View.withChat(view, Intention.stopEditing(view.chat))
  if (editor.text !== "") return View.withEditor(view, Editor.withText(editor, ""))
  return replyTo === undefined ? undefined : View.withChat(view, Intention.replyTo(view.chat, undefined))
}

const escape = (view: View.View): View.View => {
  const { chat } = view
  const talk = View.talkOf(view)
  if (view.answer !== undefined) return { ...view, answer: undefined, alarms: [] }
  if (talk.editing !== undefined) return View.withChat(view, Intention.stopEditing(chat))
  if (talk.replyTo !== undefined) return View.withChat(view, Intention.replyTo(chat, undefined))
  return view
}

const send = (view: View.View, seen: string | undefined): Step => {
  const { chat } = view
  const talk = View.talkOf(view)
  if (talk.draft.trim() === "") return only(view)
  // What was seen may be another one still: the screen is not drawn between two keys that come at once.
  if (seen !== chat.shown || (view.movedAt !== undefined && view.now - view.movedAt < movedPause)) {
    return only(
      View.notify(
        view,
        `Not sent: you are in ${nameOf(talk)} now. ${keyFor(view.keymap, "send")} sends it there.`,
        true
      )
    )
  }
  const understood = meant(talk.draft, hereIn(chat, Result.succeed(talk.where)))
  if (Result.isFailure(understood)) return only(View.notify(view, `${understood.failure.message}${quiet(view)}`, true))
  const what = talk.editing === undefined ? understood.success : { _tag: "Text" as const, content: talk.draft }
  if (what._tag === "Text") {
    if (!talk.isIn) return only(View.notify(view, `Not sent: you are not in ${nameOf(talk)} any more.`, true))
    const [next, submission] = Intention.submit(
      Intention.type(chat, chat.shown, withEmoji(what.content)),
      seen,
      view.now
    )
    const line = View.remembered({ ...View.withoutAnswer(view), skip: 0 }, talk.draft)
    return only({ ...line, chat: next }, ...(submission === undefined ? [] : [{ _tag: "Send" as const, submission }]))
  }
  const line = talk.draft.trim()
  const done = View.remembered(
    View.withEditor(View.withoutAnswer(view), Editor.withText(View.editorOf(view), "")),
    line
  )
  switch (what._tag) {
    case "Command": {
      const { action } = what
      if (action._tag === "Link") return link(done, action.number)
      const at = chat.connection.is === "lost" ? offline(view, done, action) : undefined
      if (at !== undefined) return at
      if (isLeaving(action) && isUnsent(view)) return only(confirmQuit(done, { action, line }))
      if (action._tag !== "About") return only(done, { _tag: "Command", action, line })
      // Now: by the time it is its turn, another conversation may be shown, and another message be the newest.
      const about = pinned(view, action)
      if (about === undefined) return only(View.notify(view, "There is no message here yet.", true))
      const { number, where } = about.mention
      const isHere = where === undefined || Talk.keyOf(where) === chat.shown
      if (about.act._tag === "Edit" && about.act.content === undefined && number !== undefined && isHere) {
        return only({ ...done, chat: Intention.edit(done.chat, number) })
      }
      return only({ ...done, chosen: undefined }, { _tag: "Command", action: about, line })
    }
    case "TalkTo":
      return only(talkTo(done, what.user), { _tag: "Place", user: what.user })
    case "Lobby":
      return only(View.withChat(done, Intention.show(done.chat, Chat.lobbyKey)))
    case "Close":
      return only(close(done))
    case "Ignore": {
      const next = { ...done, chat: Intention.ignore(done.chat, what.user, what.isIgnored) }
      return only(
        View.notify(next, what.isIgnored ? `${what.user} is not shown any more here.` : `${what.user} is shown again.`)
      )
    }
    case "Ignored": {
      const names = [...done.chat.ignored].join(", ")
      const who = names === "" ? "Nobody is ignored." : `Ignored: ${names}.`
      return only(View.notify(view, `<user> is missing: :ignore ada, :unignore ada. ${who}`, true))
    }
    case "Notify":
      return only(toLevel(done, what.level))
    case "Server":
      return only(done, { _tag: "Server", name: what.name })
  }
}

/** Whoever mutes a person may have meant a conversation, and for themselves. */
const quiet = (view: View.View): string => {
  const talk = View.talkOf(view)
  if (!/^\s*[:/]mute(?:\s|$)/i.test(talk.draft)) return ""
  return ` To be called for nothing in ${nameOf(talk)} yourself: ${keyFor(view.keymap, "mute")} or :notify none.`
}

export const talkTo = (view: View.View, user: UserName): View.View =>
  View.withChat(view, Intention.talkTo(view.chat, user))

const retry = (view: View.View, seen: string | undefined): Step => {
  const [failed] = Outgoing.failures(View.talkOf(view).outbox)
  if (failed === undefined || seen === undefined) return only(view)
  const [chat, submission] = Intention.retry(view.chat, seen, failed.number)
  return only({ ...view, chat }, ...(submission === undefined ? [] : [{ _tag: "Send" as const, submission }]))
}

/** Puts the next offer in the place of the word; the first time the first one, or the last if one goes backwards. */
const complete = (view: View.View, by: 1 | -1): View.View => {
  const editor = View.editorOf(view)
  // Whatever else came in between, a paste or a click, there is something new to complete.
  const known = view.offers?.editor === editor ? view.offers : undefined
  const first = known === undefined ? Complete.offersFor(view.chat, editor) : undefined
  if (first?.words.length === 1) return View.withEditor({ ...view, offers: undefined }, first.editor)
  const next = first === undefined || by === -1 ? (known ?? first) : undefined
  const offers = next === undefined ? first : Complete.moved(next, by)
  if (offers === undefined) return { ...view, offers }
  return View.notify(View.withEditor({ ...view, offers }, offers.editor), Complete.shownOffers(offers))
}

const editLast = (view: View.View): View.View => {
  const last = Intention.ownNewest(view.chat)
  if (last === undefined) return View.notify(view, "There is no message of yours here to edit.")
  return { ...view, chat: Intention.edit(view.chat, last.seq) }
}

const order = ({ chat, isUrgentFirst, levels }: View.View) => listed(chat, levels, isUrgentFirst)

const step = (view: View.View, by: 1 | -1): View.View => {
  const all = order(view)
  const at = all.findIndex(({ key }) => key === view.chat.shown)
  const next = all[(at + by + all.length) % all.length]
  return next === undefined ? view : View.withChat(view, Intention.show(view.chat, next.key))
}

const showNumber = (view: View.View, number: number): View.View => {
  const found = order(view).find((one) => one.number === number)
  return found === undefined ? view : View.withChat(view, Intention.show(view.chat, found.key))
}

const close = (view: View.View): View.View => {
  const { chat } = view
  const talk = View.talkOf(view)
  const next = Intention.close(chat, chat.shown)
  if (next !== chat) return View.withChat(view, next)
  const name = nameOf(talk)
  const why =
    talk.where.room !== undefined && talk.isIn && talk.partner === undefined
      ? `:lr ${talk.where.room} leaves it`
      : talk.where.with === undefined && talk.where.room === undefined
        ? "the lobby stays"
        : "something typed or refused is there"
  return View.notify(view, `${name} stays on the list: ${why}.`)
}

/** What is pasted is typed, if it is not too long to have been meant so. */
export const paste = (view: View.View, pasted: string): View.View => {
  // Whoever copies a line takes its end with it, which is no line more.
  const text = safeText(pasted).replace(/\n+$/, "")
  const { popup } = view
  if (popup !== undefined) {
    // One question at a time: what was pasted before is asked about still.
    if (popup._tag === "Confirm" && popup.what._tag === "Paste") return view
    if (popup._tag === "Help" || popup._tag === "Confirm") return paste({ ...view, popup: undefined }, pasted)
    const [line = ""] = text.split("\n")
    return { ...view, popup: { ...popup, editor: Editor.insert(popup.editor, line) } }
  }
  const lines = text.split("\n").length
  if (lines <= askedLines && text.length <= askedLength) {
    return View.withEditor({ ...view, chosen: undefined }, Editor.insert(View.editorOf(view), text))
  }
  const size = lines > 1 ? `${lines} lines` : `${text.length} characters`
  const question = `Put ${size} into what you are typing for ${nameOf(View.talkOf(view))}? Nothing is sent by that.`
  return { ...view, popup: { _tag: "Confirm", question, what: { _tag: "Paste", key: view.chat.shown, text } } }
}

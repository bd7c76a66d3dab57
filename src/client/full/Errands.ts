/**
 * Commands on the full screen: carried out one after the other by the same code as in line mode. What they give is shown above where
 * one types, and what they ask for is asked there.
 */
import { Deferred, Effect, Option, Queue, Redacted, Ref, Semaphore, Stream } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import { partnerIn } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { NotUnderstood } from "../command/Action.ts"
import { help, helpRows } from "../command/Help.ts"
import * as Intention from "../core/chat/Intention.ts"
import * as Talk from "../core/chat/Talk.ts"
import { RecentMessages } from "../core/Recent.ts"
import { carryOutOwn, isLast, prepare } from "../line/AccountErrand.ts"
import { carryOut, type Errand, toAddressed } from "../line/Errand.ts"
import type { Ending } from "../line/Keyboard.ts"
import { Relogin } from "../line/Relogin.ts"
import { sure } from "../line/Sure.ts"
import { Client } from "../link/Client.ts"
import { Screen } from "../screen/Screen.ts"
import { colourless } from "../text/Palette.ts"
import { answered, answeredFromTop, answeredWith } from "./Answers.ts"
import { nameOf } from "./Bars.ts"
import * as Editor from "./Editor.ts"
import { keyFor } from "./Keys.ts"
import { Live } from "./Live.ts"
import { rowsOfAnswer } from "./Popup.ts"
import { talkTo } from "./Press.ts"
import { Requests } from "./Requests.ts"
import * as View from "./View.ts"

/** The screen as commands know one; `answer` gives what was typed to whoever asked. */
export const screenOf = Effect.fnUntraced(function* () {
  const { change, view } = yield* Live
  const oneQuestion = yield* Semaphore.make(1)
  let asking: Deferred.Deferred<Option.Option<Redacted.Redacted>> | undefined
  const screen = Screen.of({
    isInteractive: true,
    keepsLines: true,
    style: Effect.sync(() => ({
      layout: "terminal",
      palette: colourless,
      timestamp: view().times.moment,
      now: view().now,
      columns: View.planOf(view(), 1).middle + 6,
      ownRows: rowsOfAnswer(View.planOf(view(), 1).pane),
      tagsLobby: false
    })),
    lines: () => Stream.empty,
    show: (lines) => change((before) => answered(before, lines)),
    setPrompt: () => Effect.void,
    propose: (line) =>
      Effect.suspend(() => {
        const isFree = View.talkOf(view()).draft === ""
        const put = (before: View.View) => View.withEditor(before, Editor.withText(View.editorOf(before), line))
        return isFree ? Effect.as(change(put), true) : Effect.succeed(false)
      }),
    askUnseen: (question) =>
      Effect.gen(function* () {
        const answer = yield* Deferred.make<Option.Option<Redacted.Redacted>>()
        asking = answer
        yield* change((before) => ({ ...before, popup: { _tag: "Ask", question, editor: Editor.empty } }))
        return yield* Deferred.await(answer)
      }).pipe(oneQuestion.withPermit),
    offerNames: () => Effect.void
  })
  const answer = (text: string | undefined) =>
    Effect.sync(() => {
      const asked = asking
      // First: whoever asked may ask again at once.
      asking = undefined
      if (asked === undefined) return
      Deferred.doneUnsafe(asked, Effect.succeed(Option.map(Option.fromUndefinedOr(text), (one) => Redacted.make(one))))
    })
  return { screen, answer }
})

/** The commands, and which key shows the others. */
const helpOn = (view: View.View, command: string | undefined): ReadonlyArray<string> =>
  helpRows(help(command, [`${keyFor(view.keymap, "help")} shows all keys.`]), View.planOf(view, 1).middle)

/** After so long, in milliseconds, nobody expects to be brought elsewhere by what they typed. */
const expected = 5000

/** Whoever was typing elsewhere meanwhile did not mean what comes next for here. `since`: when the command was given. */
const broughtTo = (before: View.View, after: View.View, since: number): View.View => {
  if (after.chat.shown === before.chat.shown) return after
  if (before.now - since > expected) {
    const chat = Intention.show(after.chat, before.chat.shown)
    return View.notify({ ...before, chat }, `${nameOf(View.talkOf(after))} is there now.`)
  }
  return View.talkOf(before).draft === "" ? after : { ...after, movedAt: after.now }
}

const asked = (line: string): string => `> ${line}`

/** Of what was refused there is nothing to be seen above where one types. */
const withoutQuestion = (view: View.View, line: string): View.View => {
  if (view.answer?.lines.at(-1) !== asked(line)) return view
  const lines = view.answer.lines.slice(0, -1)
  return { ...view, answer: lines.length === 0 ? undefined : { ...view.answer, lines } }
}

/** Works off what is given, until a command is the last. */
export const workOff = Effect.fnUntraced(function* (given: Queue.Dequeue<View.Given>) {
  const { change, view } = yield* Live
  const recent = yield* RecentMessages
  const requests = yield* Requests
  const client = yield* Client

  /** What is shown afterwards is what the command was about. */
  const afterwards = Effect.fnUntraced(function* (
    { reply, request }: Effect.Success<ReturnType<typeof carryOut>>,
    since: number
  ) {
    if (request._tag === "CreateRoom" && reply._tag === "RoomCreated") {
      yield* carryOut({ _tag: "Ask", request: { _tag: "JoinRoom", room: request.room } })
    }
    const to =
      request._tag === "PrivateMessage"
        ? request.to
        : request._tag === "RoomMessage"
          ? partnerIn(request.room, view().chat.user)
          : undefined
    if (to !== undefined) {
      // That there is an encrypted conversation may come behind the reply.
      yield* client.told()
      yield* change((before) => broughtTo(before, talkTo(before, to), since))
    }
    if (request._tag !== "CreateRoom" && request._tag !== "JoinRoom") return
    const key = Talk.keyOf({ room: request.room })
    // The event may come behind the reply.
    yield* client.told()
    yield* change((before) => broughtTo(before, View.withChat(before, Intention.show(before.chat, key)), since))
  })

  const errand = Effect.fnUntraced(function* (one: Errand) {
    const since = view().now
    // One is in: there is nothing to ask for.
    const key = one._tag === "Ask" && one.request._tag === "JoinRoom" ? Talk.keyOf(one.request) : undefined
    if (key !== undefined && view().chat.talks.get(key)?.isIn === true) {
      return yield* change((before) => View.withChat(before, Intention.show(before.chat, key)))
    }
    return yield* afterwards(yield* carryOut(one), since)
  })

  const logIn = Effect.fnUntraced(function* (user: UserName) {
    const { isAccount, user: self } = yield* Ref.get(recent)
    if (isAccount && nameKey(user) === nameKey(self)) {
      return yield* new NotUnderstood({ message: `:login: you are logged in as ${self} already.` })
    }
    return yield* (yield* Relogin)(user, self)
  })

  /** Gives how it ends, if it does by this. */
  const obey = Effect.fnUntraced(function* ({ action: typed, line }: View.Given) {
    const action = yield* toAddressed(typed)
    const quit: Ending = { _tag: "Quit" }
    switch (action._tag) {
      // Text is no command (see Own), and links are the screen's own (see Press).
      case "Nothing":
      case "Say":
      case "Link":
        return undefined
      case "Go": {
        const { where } = action
        const go = (before: View.View) =>
          where.with === undefined
            ? View.withChat(before, Intention.show(before.chat, Talk.keyOf(where)))
            : talkTo(before, where.with)
        yield* change(go)
        if (action.where.with !== undefined) yield* requests.place(action.where.with)
        return undefined
      }
      case "Quit":
        return quit
      case "Help":
        yield* change((before) => answeredFromTop(before, helpOn(before, action.command)))
        return undefined
      case "Account": {
        if (action.act._tag === "Login") {
          return { _tag: "Login", entered: yield* logIn(action.act.user) } satisfies Ending
        }
        const prepared = yield* prepare(action.act)
        if (prepared._tag === "Ask") yield* errand(prepared)
        else yield* carryOutOwn(prepared)
        return isLast(prepared) ? ({ ...quit, leaves: "server" } satisfies Ending) : undefined
      }
      default: {
        if (action._tag === "Ask" && action.sure !== undefined) yield* sure(action.sure)
        if (isLook(action)) yield* change((before) => answeredWith(before, [asked(line)]))
        yield* errand(action)
        return undefined
      }
    }
  })

  for (;;) {
    const one = yield* Queue.take(given)
    const ending = yield* obey(one).pipe(
      Effect.catchTag(["NotUnderstood", "RequestRejected", "ReplyLost", "UnexpectedReply"], ({ message }) =>
        Effect.as(
          change((before) => View.notify(withoutQuestion(before, one.line), message, true)),
          undefined
        )
      )
    )
    if (ending !== undefined) return ending
  }
})

const looks: ReadonlySet<string> = new Set([
  "ListUsers",
  "ListRooms",
  "ListRoomUsers",
  "GetHistory",
  "Search",
  "GetRoom",
  "GetUser"
])
const isLook = (action: Errand): boolean => action._tag === "Ask" && looks.has(action.request._tag)

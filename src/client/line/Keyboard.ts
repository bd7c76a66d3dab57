/**
 * The input of a person: read at once, so that one can ask for help or quit whatever the connection does; requests wait
 * for their turn, each for the reply to the one before, which keeps their order as in `Script`.
 *
 * Plain text goes to the conversation before the person, as `Current` says; what could be for another one is sent to nobody
 * and put back where it was typed.
 */
import { type Cause, Effect, Queue, Ref, Result, Stream } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { type About, type Action, ask, NotUnderstood } from "../command/Action.ts"
import { parse, parseText } from "../command/Command.ts"
import { hereIn } from "../command/Here.ts"
import { pin, textToEdit } from "../command/Meaning.ts"
import { address } from "../command/Place.ts"
import * as ChatState from "../core/chat/ChatState.ts"
import * as Talk from "../core/chat/Talk.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { RecentMessages } from "../core/Recent.ts"
import { isChat, type Request } from "../core/Request.ts"
import { Client } from "../link/Client.ts"
import { echo, error, notice } from "../screen/Render.ts"
import { present, Screen, type TypedLine } from "../screen/Screen.ts"
import { type AccountErrand, carryOutOwn, isLast, prepare } from "./AccountErrand.ts"
import * as Current from "./Current.ts"
import { CurrentTalk } from "./Current.ts"
import { carryOut, type Errand, reach, shorten, showHelp, showLink, toAddressed } from "./Errand.ts"
import { piecesOf } from "./Pasted.ts"
import { tellRead } from "./ReadMarks.ts"
import { type Entered, Relogin } from "./Relogin.ts"
import { sure } from "./Sure.ts"

/** How many requests may wait; beyond, what is typed waits to be read. */
const maxWaiting = 256

/** How long a person waits for a reply before being told that it is late, or, after quitting, that it is missing. */
const patience = "1 second"

/** A line that asked for something. */
interface Typed {
  readonly text: string
  readonly errand: Errand | AccountErrand | Reach
}

/** What is said to somebody from now on is to be encrypted, if it can be. */
interface Reach {
  readonly _tag: "Reach"
  readonly user: UserName
}

/** What comes behind a sitting: nothing, or another one, which is logged in already. */
/** `leaves`: where there are several servers, only this one. */
export type Ending =
  | { readonly _tag: "Quit"; readonly leaves?: "server" }
  | { readonly _tag: "Login"; readonly entered: Entered }

/** What everybody is told of, and so the one who asked for it too. */
const isTold = (errand: Typed["errand"]) => errand._tag === "About" || (errand._tag === "Ask" && isChat(errand.request))

const requestIn = ({ errand }: Typed): Request | undefined => (errand._tag === "Ask" ? errand.request : undefined)

/** How much is shown of a conversation that one comes back to, and of which something was not shown yet. */
const [fewest, most] = [20, 100]

/** A message is shown when it comes back from the server; a command would be seen nowhere. */
const isEchoed = (action: Action): boolean => {
  if (action._tag === "Ask" || action._tag === "About") return !isTold(action)
  return action._tag !== "Quit" && action._tag !== "Nothing" && action._tag !== "Say"
}

export const keyboard = Effect.gen(function* () {
  const client = yield* Client
  const { keepsLines, lines, propose } = yield* Screen
  const recent = yield* RecentMessages
  const current = yield* CurrentTalk
  const waiting = yield* Queue.bounded<Typed, Cause.Done>(maxWaiting)
  const unanswered = new Set<Typed>()
  let ending: Ending = { _tag: "Quit" }

  const complain = (message: string) => present((style) => error(style, message))

  const submit = Effect.fnUntraced(function* (typed: Typed) {
    unanswered.add(typed)
    if (!(yield* client.isConnected)) {
      yield* present((style) => notice(style, `to be sent when the connection is back: ${shorten(typed.text)}`))
    }
    yield* Queue.offer(waiting, typed)
  })

  /** What is typed meanwhile waits: it is for whoever is here then. */
  const logIn = Effect.fnUntraced(function* (user: UserName) {
    const { isAccount, user: self } = yield* Ref.get(recent)
    if (isAccount && nameKey(user) === nameKey(self)) {
      return yield* new NotUnderstood({ message: `:login: you are logged in as ${self} already.` })
    }
    return yield* (yield* Relogin)(user, self)
  })

  /** Sends a text to where the person saw that it would go, or else to nobody. */
  const say = Effect.fnUntraced(function* (typed: TypedLine, contents: ReadonlyArray<string>) {
    const now = yield* Ref.get(current)
    if (!Current.isFor(now, typed)) {
      const isBack = yield* propose(typed.text)
      const name = Current.titleOf(now)
      const way = isBack ? "Enter sends it there, Ctrl-C drops it" : "Up brings it back"
      return yield* complain(`Not sent: the prompt changed while this was typed, and is ${name} now. ${way}.`)
    }
    for (const content of contents) {
      yield* submit({ text: content, errand: ask(Current.messageTo(Current.where(now), content)) })
    }
  })

  /** Plain text goes there from now on; what was not shown of it yet is fetched. */
  const goTo = Effect.fnUntraced(function* (line: string, place: Whereabouts) {
    if (place.with !== undefined && nameKey(place.with) === nameKey((yield* Ref.get(recent)).user)) {
      return yield* new NotUnderstood({ message: ":pm: this is you. :users lists who else is here." })
    }
    yield* Current.change((before) => Current.goTo(before, place) ?? before)
    const { chat } = yield* Ref.get(current)
    const there = ChatState.shownTalk(chat).where
    const talk = chat.talks.get(Talk.keyOf(there))
    const unseen = talk?.unread.before.unread ?? 0
    if (talk === undefined || unseen === 0) return
    const limit = Math.min(Math.max(unseen + 2, fewest), most)
    yield* submit({ text: line, errand: ask({ _tag: "GetHistory", ...there, limit }) })
  })

  /** Whether the room is before the person at once, with nothing to ask for. */
  const isThere = Effect.fnUntraced(function* ({ room }: { readonly room: RoomName }) {
    const isLeft = [...unanswered].some((typed) => {
      const request = requestIn(typed)
      return request?._tag === "LeaveRoom" && nameKey(request.room) === nameKey(room)
    })
    return !isLeft && Current.isIn(yield* Ref.get(current), room)
  })

  /** Sees to what the server is to be asked for. */
  const seeTo = Effect.fnUntraced(function* (line: string, errand: Errand) {
    const request = errand._tag === "Ask" ? errand.request : undefined
    if (request?._tag === "JoinRoom" && (yield* isThere(request))) return yield* goTo(line, { room: request.room })
    if (request?._tag === "PrivateMessage") yield* goTo(line, { with: request.to })
    if (request?._tag === "JoinRoom" || request?._tag === "CreateRoom") {
      yield* Current.change((before) => Current.comeTo(before, request.room))
    }
    yield* submit({ text: line, errand })
  })

  /** What a command is about that names no room: what the person saw that it would be about, or nothing. */
  const hereFor = Effect.fnUntraced(function* (typed: TypedLine) {
    const now = yield* Ref.get(current)
    const place = Current.where(now)
    const name = Current.titleOf(now)
    const message = `Not done: the prompt changed while this was typed, and is ${name} now. Say which room is meant.`
    const moved = new NotUnderstood({ message, instead: typed.text })
    return hereIn(now.chat, Current.isFor(now, typed) ? Result.succeed(place) : Result.fail(moved))
  })

  /** Does what a line asks for, or sees to it; tells whether to read on. */
  const obey = Effect.fnUntraced(function* (typed: TypedLine) {
    const { begun, text: line } = typed
    if (typed.isPasted === true) {
      const pieces = piecesOf(line)
      for (const piece of pieces) yield* Effect.fromResult(parseText(piece))
      yield* say(typed, pieces)
      return true
    }
    const parsed = yield* toAddressed(yield* Effect.fromResult(parse(line, yield* hereFor(typed))))
    if (parsed._tag === "Say") {
      yield* say(typed, [parsed.content])
      return true
    }
    const action =
      parsed._tag === "About" ? yield* Effect.fromResult(pin(begun, yield* Ref.get(recent), parsed)) : parsed
    if (parsed._tag === "About" && action._tag === "About" && parsed.mention.where === undefined) {
      yield* staysSealed(action)
    }
    if (action._tag === "About" && action.act._tag === "Edit" && action.act.content === undefined) {
      const { content, seq, where } = yield* Effect.fromResult(textToEdit(yield* Ref.get(recent), action))
      yield* propose(`:edit ${address(where, seq)} ${content}`)
      return true
    }
    const isErrand = action._tag === "Ask" || action._tag === "About" || action._tag === "More"
    if (!keepsLines && isEchoed(action)) yield* present((style) => echo(style, line))
    if (action._tag === "Go") {
      yield* goTo(line, action.where)
      if (action.where.with !== undefined)
        yield* submit({ text: line, errand: { _tag: "Reach", user: action.where.with } })
    }
    if (action._tag === "Link") yield* showLink(action.number)
    if (action._tag === "Help") yield* showHelp(action.command)
    if (action._tag === "Ask" && action.sure !== undefined) yield* sure(action.sure)
    if (isErrand) yield* seeTo(line, action)
    if (action._tag === "Account") {
      if (action.act._tag === "Login") ending = { _tag: "Login", entered: yield* logIn(action.act.user) }
      else yield* submit({ text: line, errand: yield* prepare(action.act) })
    }
    return action._tag !== "Quit" && ending._tag === "Quit"
  })

  const putRight = Effect.fnUntraced(function* ({ instead, message }: NotUnderstood) {
    yield* complain(message)
    if (instead !== undefined) yield* propose(instead)
    return true
  })

  const typed = lines(() => Ref.getUnsafe(recent))
  const readLines = Stream.runForEachWhile(typed, (line) => Effect.catchTag(obey(line), "NotUnderstood", putRight))

  const tellDelay = Effect.fnUntraced(function* ({ text }: Typed) {
    yield* Effect.sleep(patience)
    if (yield* client.isConnected) yield* present((style) => notice(style, `no answer yet: ${shorten(text)}`))
    return yield* Effect.never
  })

  const carryOutAny = Effect.fnUntraced(function* (errand: Typed["errand"]) {
    if (errand._tag === "Ask" || errand._tag === "About" || errand._tag === "More") {
      yield* carryOut(errand)
      if (errand._tag === "Ask" && errand.request._tag === "CreateRoom") {
        yield* carryOut(ask({ _tag: "JoinRoom", room: errand.request.room }))
      }
      return
    }
    if (errand._tag === "Reach") return yield* Effect.asVoid(reach(errand.user))
    yield* carryOutOwn(errand)
    if (isLast(errand)) yield* Queue.end(waiting)
  })

  /** Who is not let into a room, or speaks to nobody, is where they were. */
  const stay = (typed: Typed) => {
    const request = requestIn(typed)
    if (request?._tag === "PrivateMessage") return Current.change((before) => Current.back(before, request.to))
    const isJoining = request?._tag === "JoinRoom" || request?._tag === "CreateRoom"
    return isJoining ? Current.change((before) => Current.stay(before, request.room)) : Effect.void
  }

  const workOff = Stream.runForEach(Stream.fromQueue(waiting), (typed) =>
    carryOutAny(typed.errand).pipe(
      Effect.raceFirst(tellDelay(typed)),
      Effect.catchTag("NotUnderstood", ({ message }) => Effect.andThen(stay(typed), complain(message))),
      Effect.catchTag(["RequestRejected", "ReplyLost", "UnexpectedReply"], ({ message }) =>
        Effect.andThen(
          stay(typed),
          complain(isTold(typed.errand) ? `Not sent: ${shorten(typed.text)}: ${message}` : message)
        )
      ),
      Effect.andThen(Effect.sync(() => unanswered.delete(typed)))
    )
  )

  yield* submit({ text: ":users", errand: ask({ _tag: "ListUsers" }) })
  yield* submit({ text: ":lrs", errand: ask({ _tag: "ListRooms" }) })
  const readToTheEnd = readLines.pipe(Effect.andThen(Queue.end(waiting)), Effect.andThen(Effect.sleep(patience)))
  yield* Effect.raceFirst(workOff, readToTheEnd)
  for (const { text } of unanswered) yield* complain(`Not sent: ${shorten(text)}`)
  if (yield* client.isConnected) yield* Effect.timeoutOption(tellRead, patience)
  yield* client.leave
  return ending
}).pipe(
  // The events end with the same error, when all of them have been shown.
  Effect.catchTag("SessionError", () => Effect.never)
)

/**
 * A number may be shown in several places. What is typed where it is encrypted is not said in the open by one that was meant for here.
 */
const staysSealed = Effect.fnUntraced(function* ({ act, mention: { number, where } }: About) {
  const current = yield* Ref.get(yield* CurrentTalk)
  const isSealed = (place: Whereabouts) => current.chat.talks.get(Talk.keyOf(place))?.sealed !== undefined
  const saysSomething = act._tag === "Reply" || (act._tag === "Edit" && act.content !== undefined)
  if (!saysSomething || where === undefined || !isSealed(Current.where(current)) || isSealed(where)) return
  const place = number === undefined ? Current.nameOf(where) : address(where, number)
  return yield* new NotUnderstood({
    message: `Not sent: that message is in ${Current.nameOf(where)}, which is not encrypted, and you are where it is. With ${place} it is said there, in the open.`
  })
})

/**
 * The input of a person: read at once, so that one can ask for help or quit whatever the connection does; requests wait
 * for their turn, each for the reply to the one before, which keeps their order as in `Script`.
 */
import { type Cause, Effect, Queue, Ref, Stream } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { ask, NotUnderstood } from "../command/Action.ts"
import { parse } from "../command/Command.ts"
import { pin, textToEdit } from "../command/Meaning.ts"
import { address } from "../command/Place.ts"
import { RecentMessages } from "../core/Recent.ts"
import { isChat } from "../core/Request.ts"
import { Client } from "../link/Client.ts"
import { echo, error, notice } from "../screen/Render.ts"
import { present, Screen, type TypedLine } from "../screen/Screen.ts"
import { type AccountErrand, carryOutOwn, isLast, prepare } from "./AccountErrand.ts"
import { carryOut, type Errand, shorten, showHelp } from "./Errand.ts"
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
  readonly errand: Errand | AccountErrand
}

/** What comes behind a sitting: nothing, or another one, which is logged in already. */
export type Ending = { readonly _tag: "Quit" } | { readonly _tag: "Login"; readonly entered: Entered }

/** What everybody is told of, and so the one who asked for it too. */
const isTold = (errand: Typed["errand"]) => errand._tag === "About" || (errand._tag === "Ask" && isChat(errand.request))

export const keyboard = Effect.gen(function* () {
  const client = yield* Client
  const { lines, propose } = yield* Screen
  const recent = yield* RecentMessages
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

  /** Does what a line asks for, or sees to it; tells whether to read on. */
  const obey = Effect.fnUntraced(function* ({ begun, text: line }: TypedLine) {
    const parsed = yield* Effect.fromResult(parse(line))
    const action =
      parsed._tag === "About" ? yield* Effect.fromResult(pin(begun, yield* Ref.get(recent), parsed)) : parsed
    if (action._tag === "About" && action.act._tag === "Edit" && action.act.content === undefined) {
      const { content, seq, where } = yield* Effect.fromResult(textToEdit(yield* Ref.get(recent), action))
      yield* propose(`:edit ${address(where, seq)} ${content}`)
      return true
    }
    // A message is shown when it comes back from the server; a command would be seen nowhere.
    const isErrand = action._tag === "Ask" || action._tag === "About" || action._tag === "More"
    const isCommand = action._tag === "Help" || action._tag === "Account" || (isErrand && !isTold(action))
    if (isCommand) yield* present((style) => echo(style, line))
    if (action._tag === "Help") yield* showHelp(action.command)
    if (action._tag === "Ask" && action.sure !== undefined) yield* sure(action.sure)
    if (isErrand) yield* submit({ text: line, errand: action })
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
      return
    }
    yield* carryOutOwn(errand)
    if (isLast(errand)) yield* Queue.end(waiting)
  })

  const workOff = Stream.runForEach(Stream.fromQueue(waiting), (typed) =>
    carryOutAny(typed.errand).pipe(
      Effect.raceFirst(tellDelay(typed)),
      Effect.catchTag("NotUnderstood", ({ message }) => complain(message)),
      Effect.catchTag(["RequestRejected", "ReplyLost", "UnexpectedReply"], ({ message }) =>
        complain(isTold(typed.errand) ? `Not sent: ${shorten(typed.text)}: ${message}` : message)
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

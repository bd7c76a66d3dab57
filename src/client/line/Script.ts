/**
 * The input of a script: each line is carried out before the next one is read, and a line that cannot be is told of and
 * passed over.
 *
 * Only one request at a time keeps the order of the input in every case: between conversations the protocol promises
 * none, and within one the server may refuse a message as too fast and take the next. It costs a round trip a line,
 * tenths of a millisecond on one machine; even at 20 ms it is as fast as a server allows by default, 50 messages a
 * second. Nothing is read ahead, so a large input waits in its pipe.
 *
 * A line is carried out when what came of it has been shown: what the next one says without a number is about that.
 *
 * At the end comes one more Ping: with its Pong, everything that happened until then has been heard.
 */
import { Effect, Ref, Stream } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import { type AccountAct, ask, NotUnderstood } from "../command/Action.ts"
import { parse } from "../command/Command.ts"
import * as Talk from "../core/chat/Talk.ts"
import * as Recent from "../core/Recent.ts"
import type { Request } from "../core/Request.ts"
import { Client } from "../link/Client.ts"
import { error, remark } from "../screen/Render.ts"
import { present, Screen } from "../screen/Screen.ts"
import { carryOutOwn, isLast, prepare } from "./AccountErrand.ts"
import { CurrentTalk } from "./Current.ts"
import { carryOutAndShow, shorten, showHelp, showLink, toAddressed } from "./Errand.ts"

/**
 * Carries out one line; tells whether to read on. `sealed` is the encrypted room that the script has come to last, until it goes
 * elsewhere: whoever wrote it may mean what follows for that room, and not for the lobby, in the open.
 */
const follow = Effect.fnUntraced(function* (line: string, sealed: Ref.Ref<RoomName | undefined>) {
  const action = yield* toAddressed(yield* Effect.fromResult(parse(line)))
  const room = yield* Ref.get(sealed)
  if (action._tag === "Say") {
    if (room !== undefined) return yield* new NotUnderstood({ message: notInTheOpen(room) })
    yield* carryOutAndShow(ask({ _tag: "GlobalMessage", content: action.content }))
  }
  if (action._tag === "Go" && action.where.with === undefined) yield* Ref.set(sealed, undefined)
  if (action._tag === "Go" && action.where.with !== undefined) {
    return yield* new NotUnderstood({
      message: `:pm: <message> is missing. A script says whom each message is for: :pm ${action.where.with} <message>`
    })
  }
  if (action._tag === "Link") yield* showLink(action.number)
  if (action._tag === "Help") yield* showHelp(action.command)
  if (action._tag === "Ask" || action._tag === "About" || action._tag === "More") {
    yield* carryOutAndShow(action).pipe(Effect.catchReason("RequestRejected", "AlreadyInRoom", sayAlreadyIn))
    if (action._tag === "Ask") yield* comeTo(action.request, sealed)
  }
  if (action._tag === "Account") return yield* followAccount(action.act)
  return action._tag !== "Quit"
})

const comeTo = Effect.fnUntraced(function* (request: Request, sealed: Ref.Ref<RoomName | undefined>) {
  if (request._tag === "LeaveRoom") yield* Ref.set(sealed, undefined)
  if (request._tag !== "JoinRoom" && request._tag !== "CreateRoom") return
  const { chat } = yield* Ref.get(yield* CurrentTalk)
  const isSealed = chat.talks.get(Talk.keyOf({ room: request.room }))?.sealed !== undefined
  yield* Ref.set(sealed, isSealed ? request.room : undefined)
})

const notInTheOpen = (room: RoomName): string =>
  `not said in the lobby: ${room}, which this script has come to, is encrypted. :rm ${room} <message> says it there; behind :lobby, plain lines go to the lobby.`

/** Whoever wants to be in a room is: that is no failure, as it is none on a terminal. */
const sayAlreadyIn = ({ room }: { readonly room: RoomName }) =>
  present((style) => remark(style, `you are in the room ${room} already`))

/** A script has logged in when it started, and is asked nothing. */
const followAccount = Effect.fnUntraced(function* (act: AccountAct) {
  if (act._tag === "Login") {
    return yield* new NotUnderstood({
      message: ":login: a script logs in when it starts, with PARLEY_PASSWORD, --token-file or --key."
    })
  }
  const errand = yield* prepare(act)
  if (errand._tag === "Ask") yield* carryOutAndShow(errand)
  else yield* carryOutOwn(errand)
  return !isLast(errand)
})

/** Gives the number of lines that could not be carried out. */
export const script = Effect.gen(function* () {
  const client = yield* Client
  const { lines } = yield* Screen
  const sealed = yield* Ref.make<RoomName | undefined>(undefined)
  let failures = 0
  yield* lines(() => Recent.empty).pipe(
    Stream.zipWithIndex,
    Stream.runForEachWhile(([{ text }, index]) =>
      follow(text, sealed).pipe(
        Effect.catchTag(["NotUnderstood", "RequestRejected", "ReplyLost", "UnexpectedReply"], ({ message }) => {
          failures += 1
          const complaint = `line ${index + 1}: ${shorten(text)}: ${message}`
          return Effect.as(
            present((style) => error(style, complaint)),
            true
          )
        })
      )
    )
  )
  yield* client.request({ _tag: "Ping", nonce: 0 }).pipe(
    Effect.catchReason("SessionError", "HasLeft", () => Effect.void),
    Effect.catchTag(["RequestRejected", "UnexpectedReply"], () => Effect.void)
  )
  yield* client.leave
  return failures
}).pipe(
  // The events end with the same error, when all of them have been shown.
  Effect.catchTag("SessionError", () => Effect.never)
)

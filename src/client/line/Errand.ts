/**
 * Carries out what one line asked for, and is done when the reply is in. What the reply says is shown with all other
 * events, in their order; only what no event tells is shown here.
 */
import { Duration, Effect, Ref } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import { isRoomRequest } from "../../common/wire/RoomRequest.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { type Action, NotUnderstood } from "../command/Action.ts"
import { help, helpRows } from "../command/Help.ts"
import { requestFor } from "../command/Meaning.ts"
import { explainOtherRefusal } from "../command/OtherRefusal.ts"
import { explainRefusal, targetOf } from "../command/Refusal.ts"
import { explainRoomRefusal } from "../command/RoomRefusal.ts"
import { type RequestError, RequestRejected } from "../core/ClientError.ts"
import { isPage, OlderPage, olderThan } from "../core/Page.ts"
import * as Recent from "../core/Recent.ts"
import { RecentMessages } from "../core/Recent.ts"
import { isChat, isEntryRequest, type Request, type RoomRequest, whereaboutsOfRequest } from "../core/Request.ts"
import { Client } from "../link/Client.ts"
import { isPaged } from "../link/Gather.ts"
import { LongestPause, whenAllowed } from "../link/WhenAllowed.ts"
import { gutter, widthBeside } from "../screen/Layout.ts"
import { remark } from "../screen/Render.ts"
import { present, Screen } from "../screen/Screen.ts"
import { ListsShown, withList } from "./AccountErrand.ts"
import * as Current from "./Current.ts"
import { CurrentTalk } from "./Current.ts"

/** What the server is to be asked for. */
export type Errand = Extract<Action, { readonly _tag: "Ask" | "About" | "More" }>

export const carryOut = Effect.fnUntraced(function* (errand: Errand) {
  const client = yield* Client
  const olderPage = yield* OlderPage
  const recent = yield* RecentMessages
  const { style } = yield* Screen
  const request = yield* sealedIfCan(yield* requestOf(errand))
  // A message under way is the last one sent, but not yet at a place.
  if (isChat(request)) yield* Ref.update(recent, Recent.sending)
  const longest = yield* LongestPause
  const [elapsed, reply] = yield* Effect.timed(
    Effect.catchTag(ask(client, request, longest), "RequestRejected", ({ message, reason }) =>
      Effect.gen(function* () {
        const said = yield* Ref.get(recent)
        const { now, timestamp } = yield* style
        const reader = { user: said.user, isAccount: said.isAccount, moment: (at: number) => timestamp(at, now) }
        const explained =
          explainRefusal(request, reason, isAboutOwn(said, request)) ??
          explainRoomRefusal(request, reason, reader) ??
          explainOtherRefusal(request, reason)
        return yield* new RequestRejected({ reason, message: explained ?? message })
      })
    )
  )
  yield* Ref.update(yield* ListsShown, (lists) => withList(lists, reply))
  if (isPage(request)) yield* Ref.set(olderPage, olderThan(request, reply))
  if (isChat(request) && reply._tag === "Sent") {
    yield* Ref.update(recent, (before) => Recent.sent(before, request, reply.seq))
    yield* Current.change((before) => Current.answered(before, whereaboutsOfRequest(request)))
  }
  if (request._tag === "React" && reply._tag === "Sent" && reply.repeated === true) {
    yield* present((style) => remark(style, `#${request.target} has that reaction of yours already`))
  }
  if (isRoomRequest(request) && reply._tag === "Sent") {
    const current = yield* Ref.get(yield* CurrentTalk)
    const isUnseen = request.room !== undefined && !Current.isIn(current, request.room)
    if (reply.repeated === true) yield* present((style) => remark(style, alreadySo(request)))
    else if (isUnseen)
      yield* present((style) => remark(style, `done; you are not in ${request.room}, where it is told`))
  }
  if (request._tag === "Ping") {
    yield* present((style) => remark(style, `pong after ${Duration.toMillis(elapsed).toFixed(1)} ms`))
  }
  return { request, reply }
})

/** Where what is said to somebody goes. Who is with them goes there, and is told that it is encrypted. */
export const reach = Effect.fnUntraced(
  function* (user: UserName) {
    const { encryption, told } = yield* Client
    const place = yield* encryption.placeFor(user)
    if (place.room === undefined) return place
    const { room } = place
    // It is before the person only once it was heard of.
    const before = yield* Ref.get(yield* CurrentTalk)
    if (!Current.isIn(before, room)) yield* told(undefined)
    const known = yield* Ref.get(yield* CurrentTalk)
    if (Current.sealedWith(known, user, room) === undefined) return place
    yield* Current.change((now) => Current.sealedWith(now, user, room) ?? now)
    yield* present((style) => remark(style, encryptedNow(user)))
    return place
  },
  Effect.catchTag("NotDone", ({ message }) => Effect.fail(new NotUnderstood({ message })))
)

const encryptedNow = (user: UserName): string =>
  `what you and ${user} say to each other is encrypted; nobody has audited how. :verify ${user} compares the keys`

/** What is said in private goes to the encrypted conversation, where there can be one. */
const sealedIfCan = Effect.fnUntraced(function* (request: Request) {
  if (request._tag !== "PrivateMessage") return request
  const { content, replyTo, to } = request
  const { room } = yield* reach(to)
  if (room === undefined) return request
  const isOld =
    replyTo !== undefined && Recent.find(yield* Ref.get(yield* RecentMessages), { where: { with: to }, seq: replyTo })
  if (isOld) return yield* new NotUnderstood({ message: openBefore(replyTo, to) })
  return { _tag: "RoomMessage" as const, room, content, ...(replyTo !== undefined && { replyTo }) }
})

const openBefore = (seq: number, user: UserName): string =>
  `Not sent: #${seq} was said before what you and ${user} say was encrypted, and cannot be answered there. :pm ${user} says something new.`

/** `@ben` in what was typed is the encrypted conversation with them, where there is one. */
export const toAddressed = Effect.fnUntraced(function* (action: Action) {
  const { encryption } = yield* Client
  if (action._tag === "About" && action.mention.where?.with !== undefined) {
    const where = yield* encryption.placeKnown(action.mention.where.with)
    return { ...action, mention: { ...action.mention, where } }
  }
  if (action._tag !== "Ask") return action
  const { request } = action
  if ((request._tag !== "GetHistory" && request._tag !== "Search") || request.with === undefined) return action
  const { with: other, ...rest } = request
  return { ...action, request: { ...rest, ...(yield* encryption.placeKnown(other)) } }
})

/** The same, done only when all that came of it has been shown: the entry comes behind the reply. */
export const carryOutAndShow = Effect.fnUntraced(function* (errand: Errand) {
  const { reply, request } = yield* carryOut(errand)
  const { told } = yield* Client
  const isEntry = isEntryRequest(request) && reply._tag === "Sent"
  yield* told(isEntry ? { where: whereaboutsOfRequest(request), seq: reply.seq } : undefined)
})

const alreadySo = (request: RoomRequest): string =>
  request._tag === "InviteUser"
    ? `${request.user} is in the room ${request.room}, or was invited already`
    : "that is so already"

const isAboutOwn = (recent: Recent.Recent, request: Request): boolean => {
  const seq = targetOf(request)
  if (seq === undefined || !isEntryRequest(request)) return false
  return Recent.isOwn(recent, { where: whereaboutsOfRequest(request), seq })
}

const requestOf = Effect.fnUntraced(function* (
  errand: Errand
): Effect.fn.Return<Request, NotUnderstood, OlderPage | RecentMessages> {
  switch (errand._tag) {
    case "Ask":
      return errand.request
    case "About":
      return yield* Effect.fromResult(requestFor(yield* Ref.get(yield* RecentMessages), errand))
    case "More": {
      const request = yield* Ref.get(yield* OlderPage)
      return request ?? (yield* new NotUnderstood({ message: nothingOlder }))
    }
  }
})

const nothingOlder = "There is nothing older to show. What :history or :search showed last, if anything, was all."

/** A list or a page as a whole, whatever one reply may hold. */
const ask = (
  client: Client["Service"],
  request: Request,
  longest: number
): Effect.Effect<ServerMessage, RequestError> => {
  if (isPaged(request)) return client.gather(request)
  return whenAllowed<ServerMessage>(isEntryRequest(request) ? client.send(request) : client.request(request), longest)
}

export const showHelp = (command: string | undefined) =>
  present((style) => helpRows(help(command), widthBeside(style, gutter.length)).flatMap((row) => remark(style, row)))

/** One of the links that were shown lately, on a line of its own. */
export const showLink = Effect.fnUntraced(function* (number: number) {
  const links = Recent.links(yield* Ref.get(yield* RecentMessages))
  const found = links[number - 1]
  if (found !== undefined) return yield* present((style) => remark(style, found))
  const many = links.length === 1 ? "one link was" : `${links.length === 0 ? "no" : links.length} links were`
  return yield* new NotUnderstood({ message: `:url: ${many} shown lately. :history shows what was said before.` })
})

/** Enough of a line to know it again. */
export const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)

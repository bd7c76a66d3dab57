/** What a refusal of an edit, a deletion, a reaction or a reply means for a person, and which command to type instead. */
import type { Rejection } from "../../common/wire/Rejection.ts"
import { isEntryRequest, type Request, whereaboutsOfRequest } from "../core/Request.ts"
import { address } from "./Place.ts"

/** Undefined where the server's own sentence says it all. `isOwn`: one is the author of the message it is about. */
export const explainRefusal = (request: Request, reason: Rejection, isOwn = false): string | undefined => {
  const number = targetOf(request)
  if (number === undefined || !isEntryRequest(request)) return undefined
  const place = address(whereaboutsOfRequest(request), number)
  switch (reason._tag) {
    case "MessageNotFound":
      return request._tag === "React" && request.remove === true
        ? `#${number} has no such reaction of yours, or is not there any more. ${whereToLook(request)}`
        : `There is no message #${number}, or not any more. ${whereToLook(request)}`
    case "NotAllowed":
      return notAllowed(reason.action, number, place, isOwn)
    case "TooManyReactions":
      return (
        `#${number} has ${reason.limit} different reactions already. Type :react ${place} with one of those; ` +
        `${"room" in request && request.room !== undefined ? `:history ${request.room}` : ":history"} shows them.`
      )
    case "AccountRequired":
      return "In private, that takes an account on both sides. Type :pm <user> <message> to say it in words."
    case "NotInRoom":
      return `You are not in the room ${reason.room}. Type :jr ${reason.room} to join it.`
    default:
      return undefined
  }
}

/** What may be done differs: an edit has its time, a deletion has none. A guest is the author on one connection only. */
const notAllowed = (action: string, number: number, place: string, isOwn: boolean): string | undefined => {
  const answer = `type :reply ${place} <text>.`
  if (action === "EditMessage") {
    return isOwn
      ? `#${number} cannot be edited any more: that is possible for a while only, and for a guest only on the ` +
          `connection it was sent on. To correct it, ${answer}`
      : `#${number} is not yours to edit: only its author may. To answer it, ${answer}`
  }
  if (action !== "DeleteMessage") return undefined
  return isOwn
    ? `#${number} cannot be deleted by you: a guest may do that only on the connection it was sent on. To correct it, ${answer}`
    : `#${number} is not yours to delete: only its author may, or who moderates. To answer it, ${answer}`
}

/** The number of the message that a request is about. */
export const targetOf = (request: Request): number | undefined => {
  if ("target" in request) return request.target
  return "replyTo" in request ? request.replyTo : undefined
}

const whereToLook = (request: Request): string => {
  if (request._tag === "PrivateMessage" || ("with" in request && request.with !== undefined)) {
    return "In private, the numbers are those of the messages on your screen."
  }
  return "room" in request && request.room !== undefined
    ? `Type :history ${request.room} to see the numbers.`
    : "Type :history to see the numbers."
}

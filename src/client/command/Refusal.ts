/** What a refusal of an edit, a deletion, a reaction or a reply means for a person, and which command to type instead. */
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { Request } from "../core/Request.ts"

/** Undefined where the server's own sentence says it all. */
export const explainRefusal = (request: Request, reason: Rejection): string | undefined => {
  const number = numberIn(request)
  if (number === undefined) return undefined
  switch (reason._tag) {
    case "MessageNotFound":
      return request._tag === "React" && request.remove === true
        ? `#${number} has no such reaction of yours, or is not there any more. ${whereToLook(request)}`
        : `There is no message #${number}, or not any more. ${whereToLook(request)}`
    case "NotAllowed":
      return (
        `#${number} is not yours to ${reason.action === "EditMessage" ? "edit" : "delete"}: only its author may, on the ` +
        `connection it was sent on, and not for ever. To answer it, type :reply #${number} <text>.`
      )
    case "TooManyReactions":
      return (
        `#${number} has ${reason.limit} different reactions already. Type :react #${number} with one of those; ` +
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

const numberIn = (request: Request): number | undefined => {
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

/** What a refusal means for a person that is neither about a message nor about governing a room, and which command to type instead. */
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { Request } from "../core/Request.ts"

/** Undefined where the server's own sentence says it all. */
export const explainOtherRefusal = (request: Request, reason: Rejection): string | undefined => {
  switch (reason._tag) {
    case "UserNotFound":
      return request._tag === "GetUser"
        ? `There is no account ${reason.user}, and no guest of that name is here. :users lists who is here.`
        : `No user called ${reason.user} is here. :users lists who is.`
    case "CannotMessageYourself":
      return "A private message goes to somebody else: :pm <user> <message>. :users lists who is here."
    case "RoomExists":
      return `There is a room called ${reason.room} already. :jr ${reason.room} joins it; or choose another name for :cr.`
    case "AlreadyInRoom":
      return `You are in the room ${reason.room} already. :rm ${reason.room} <message> tells it something.`
    case "TooManyRooms":
      return `The limit of ${reason.limit} rooms is reached. :lr <room> leaves one.`
    case "SearchTooSlow":
      return "The search took too long. Search for rarer words, or in one room: :search in:dev <words>."
    case "MessageNotFound":
      return `There is no message #${reason.seq}, or not any more. Type :history to see the numbers.`
    case "AccountRequired":
      return "Only accounts can do that. :register makes your name one; it takes a password."
    case "DeviceNotFound":
      return "Your account has no such device. :devices lists those it has."
    case "KeyNotFound":
      return "Your account has no such key. :key lists those it has."
    case "AccountExists":
      return `There is an account called ${reason.user} already. :login ${reason.user} comes in as it.`
    case "NotAllowed":
      return reason.action === "AddKey" && request._tag === "AddKey"
        ? "An account has 32 keys at most. :key lists them, :key remove 2 removes the second."
        : undefined
    default:
      return undefined
  }
}

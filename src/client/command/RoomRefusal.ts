/** What a refusal that has to do with a room means for a person, and which command to type instead. */
import type { Timestamp } from "../../common/log/Cursor.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { isRoomRequest } from "../../common/wire/RoomRequest.ts"
import type { Request } from "../core/Request.ts"

/** Who is refused. */
export interface Reader {
  readonly user: UserName
  readonly isAccount: boolean
  /** When something is, in words. */
  readonly moment: (at: Timestamp) => string
}

/** Undefined where the server's own sentence says it all. */
export const explainRoomRefusal = (request: Request, reason: Rejection, reader: Reader): string | undefined => {
  switch (reason._tag) {
    case "RoomNotFound":
      return (
        `There is no room called ${reason.room} that you could see; a private one takes an invitation. ` +
        `:lrs lists the rooms, :cr ${reason.room} creates this one.`
      )
    case "NotInRoom":
      return `You are not in the room ${reason.room}. Type :jr ${reason.room} to join it.`
    case "Banned": {
      const { room } = reason
      if (room === undefined) return undefined
      return `You are banned from the room ${room}${term(reason, reader)}. Who moderates it can lift that; :room ${room} tells who they are.`
    }
    case "Muted": {
      const { room } = reason
      const where = room === undefined ? "in the lobby" : `in the room ${room}`
      const remedy =
        room === undefined
          ? "Whoever runs the server can lift that."
          : `Who moderates it can lift that; :room ${room} tells who they are.`
      return `You may only read ${where}${term(reason, reader)}. ${remedy}`
    }
    case "NotAllowed":
      return notAllowed(request, reason)
    case "AccountRequired":
      if (request._tag === "CreateRoom")
        return "A private room takes an account. Type :register first, or leave --private out."
      return request._tag === "SetRole" || request._tag === "InviteUser" ? accountRequired(request, reader) : undefined
    case "UserNotFound":
      return isRoomRequest(request) && "user" in request ? notThere(request) : undefined
    default:
      return undefined
  }
}

const term = (
  { reason, until }: { readonly reason?: string; readonly until?: Timestamp },
  { moment }: Reader
): string => {
  const end = until === undefined ? " for good" : ` until ${moment(until)}`
  return reason === undefined ? end : `${end} (${reason})`
}

/** The server says why and who could; here is what to type. */
const notAllowed = (
  request: Request,
  { action, why }: Extract<Rejection, { readonly _tag: "NotAllowed" }>
): string | undefined => {
  if (request._tag === "DeleteRoom" && action === "DeleteRoom") {
    return `Only the owner of a room can delete it, or whoever runs the server. :room ${request.room} tells who owns it.`
  }
  if (!isRoomRequest(request) || why === undefined || request.room === undefined) return undefined
  const { room } = request
  if (why.endsWith("(Unban).") && "user" in request) return why.replace("(Unban)", `(:unban ${room} ${request.user})`)
  if (why.startsWith("You cannot change your own role")) {
    return `You cannot change your own role. :room ${room} tells who owns it; an owner hands it over with :owner ${room} <user>.`
  }
  if (why.startsWith("You cannot kick yourself")) return `${why} Type :lr ${room}.`
  return why.includes("Only the owner") ? `${why} :room ${room} tells who they are.` : undefined
}

const accountRequired = (
  request: Extract<Request, { readonly _tag: "SetRole" | "InviteUser" }>,
  { isAccount }: Reader
): string => {
  const what = request._tag === "SetRole" ? "Roles are for accounts" : "Invitations are for accounts"
  return isAccount
    ? `${what}, and ${request.user} is a guest. They can type :register; then try again.`
    : `${what}, and you are a guest. Type :register; then try again.`
}

const notThere = (request: Extract<Request, { readonly user: UserName }> & { readonly room?: string }): string => {
  const { _tag, user } = request
  const where = request.room === undefined ? "in the lobby" : `in the room ${request.room}`
  const look = request.room === undefined ? ":audit" : `:room ${request.room}`
  switch (_tag) {
    case "Kick":
      return `${user} is not ${where}. Type :lru ${request.room ?? ""} to see who is.`
    case "Unban":
    case "Unmute":
      return `${user} is not ${_tag === "Unban" ? "banned" : "muted"} ${where}. Type ${look} to see who is.`
    default:
      return `There is no account ${user}, and no guest of that name is here. Check the name; :users lists who is here.`
  }
}

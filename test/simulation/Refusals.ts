/**
 * Judges why something was refused: whether that was so at some moment from when it was asked until now.
 *
 * A reason is wrong if it held at none of them. What may be refused for reasons of its own (the rate, the disk, a room one is
 * not in) is judged where it is known.
 */
import type { EntryRequest } from "../../src/client/core/Request.ts"
import { type AuthorId, type Body, maxReactions } from "../../src/common/log/Entry.ts"
import type { Standing, StandingMessage } from "../../src/common/log/Timeline.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { Rejection } from "../../src/common/wire/Rejection.ts"
import { bodyOf } from "./Entries.ts"
import type { Log } from "./Log.ts"

export interface Refused {
  readonly request: EntryRequest
  /** Undefined of what is private. */
  readonly log: Log | undefined
  /** When it was asked. */
  readonly moment: number
  /** What was there when it was decided, whenever it was asked: what its asker had asked for before. */
  readonly done: number
  readonly user: UserName | undefined
  /** Undefined if that is not known. */
  readonly author: AuthorId | undefined
  /** What the clocks on the wall showed at most since it was asked; Infinity if that is not known. */
  readonly latest: number
  /** How old what is edited may be, in milliseconds. */
  readonly editWindow: number
}

export const wrongInRefusal = (reason: Rejection, refused: Refused): string | undefined => {
  const { request } = refused
  const body = bodyOf(request)
  switch (reason._tag) {
    case "AccountRequired":
      return "with" in request && request.with !== undefined && reason.action === request._tag
        ? undefined
        : `${request._tag} needs no account`
    case "MessageNotFound":
      return request._tag === "PrivateMessage" ? undefined : wrongNotFound(reason.seq, body, refused)
    case "NotAllowed":
      return wrongNotAllowed(reason.action, body, refused)
    case "TooManyReactions":
      return wrongTooMany(reason.limit, body, refused)
    default:
      return undefined
  }
}

const wrongNotFound = (seq: number, body: Body, { author, done, log, moment, user }: Refused) => {
  const target = body._tag === "Said" ? body.replyTo : "target" in body ? body.target : undefined
  if (target !== seq) return `${seq} is not found, where ${target} was meant`
  if (log === undefined || !log.isMessage(seq)) return undefined
  if (seq > done && !log.wasThere(seq, moment)) return undefined
  if (body._tag === "Said") return `${seq} is not found for a reply, and is a message`
  const versions = log.since(seq, moment)
  const isFound = (standing: Standing) => {
    if (standing._tag !== "Message" || body._tag !== "Reacted" || body.removed !== true)
      return standing._tag === "Message"
    const mine = reactorsOf(standing, body.reaction).find((one) => nameKey(one.user) === nameKey(user ?? ""))
    return mine !== undefined && author !== undefined && log.authors[mine.seq - 1] === author
  }
  return versions.every(isFound) ? `${seq} is not found, and stands there: ${JSON.stringify(versions)}` : undefined
}

const wrongNotAllowed = (action: string, body: Body, { author, editWindow, latest, log, request }: Refused) => {
  if (action !== request._tag) return `${request._tag} is refused as ${action}`
  if (body._tag !== "Edited" && body._tag !== "Deleted") return `${action} is nobody's own`
  const isOwn = author !== undefined && log?.authors[body.target - 1] === author
  const isYoung = editWindow > 0 && latest - (log?.atOf(body.target) ?? 0) < editWindow
  const isInTime = body._tag === "Deleted" || isYoung
  return isOwn && isInTime ? `${action} of what it wrote itself is refused` : undefined
}

const wrongTooMany = (limit: number, body: Body, { log, moment }: Refused) => {
  if (limit !== maxReactions || body._tag !== "Reacted") return `there may be ${limit} reactions`
  const isFull = (standing: Standing) =>
    standing._tag === "Message" &&
    standing.reactions.length >= maxReactions &&
    reactorsOf(standing, body.reaction).length === 0
  return log?.since(body.target, moment).some(isFull) === true ? undefined : "there are not so many reactions"
}

const reactorsOf = ({ reactions }: StandingMessage, reaction: string) =>
  reactions.find((one) => one.reaction === reaction)?.by ?? []

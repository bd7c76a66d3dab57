/**
 * Which message a command means, and the request that comes of it. Pure.
 *
 * A number means the message that was shown with it last; of edits and deletions, one's own before others'. Without a
 * number, a reply and a reaction are about the message shown last, an edit and a deletion about the one sent last, and
 * only if it is certain which one that is: nothing is ever guessed, for what is erased does not come back.
 */
import { Result } from "effect"
import * as Recent from "../core/Recent.ts"
import type { Request } from "../core/Request.ts"
import { type About, type Act, type Mention, NotUnderstood } from "./Action.ts"

/** The same with the message it is about now, if that is the one shown last: another may be shown until it is its turn. */
export const pin = (recent: Recent.Recent, about: About): About => {
  const { act, mention } = about
  if (mention.number !== undefined || mention.where !== undefined || isOnOwn(act)) return about
  const last = Recent.last(recent)
  return last === undefined ? about : { ...about, mention: { where: last.where, number: last.seq } }
}

export const requestFor = (recent: Recent.Recent, { act, mention }: About): Result.Result<Request, NotUnderstood> =>
  Result.flatMap(placeOf(recent, mention, act), (place) => requestAt(place, act))

/** The text to be changed, of an edit that does not say into what; the message with its number. */
export const textToEdit = (
  recent: Recent.Recent,
  about: About
): Result.Result<{ readonly number: number; readonly content: string }, NotUnderstood> =>
  Result.flatMap(placeOf(recent, about.mention, about.act), ({ seq, where }) => {
    const { mine } = recent
    const isMine = mine?.seq === seq && mine.where.room === where.room && mine.where.with === where.with
    if (!isMine || /[\n\t]/.test(mine.content)) return complain(about.act, textMissing)
    return Result.succeed({ number: seq, content: mine.content })
  })

const textMissing = "the new text is missing. Type it behind the command: :edit #12 new text"

const placeOf = (
  recent: Recent.Recent,
  { number, where }: Mention,
  act: Act
): Result.Result<Recent.Place, NotUnderstood> => {
  if (number === undefined) return where === undefined ? lastOne(recent, act) : complain(act, numberMissing)
  if (where !== undefined) return Result.succeed({ where, seq: number })
  const shown = Recent.lastNumbered(recent, number)
  const own = isOnOwn(act) ? Recent.lastOwnNumbered(recent, number) : undefined
  if (own !== undefined) return Result.succeed(own)
  if (shown === undefined) return complain(act, notShown(number, act))
  return act._tag === "Edit" ? complain(act, notYours(shown)) : Result.succeed(shown)
}

const lastOne = (recent: Recent.Recent, act: Act): Result.Result<Recent.Place, NotUnderstood> => {
  if (!isOnOwn(act)) {
    const last = Recent.last(recent)
    return last === undefined ? complain(act, "no message was shown yet. :history shows some") : Result.succeed(last)
  }
  if (act._tag === "Delete" && act.reason !== undefined) return complain(act, reasonAlone)
  return recent.mine === undefined ? complain(act, lastUnknown(act)) : Result.succeed(recent.mine)
}

const requestAt = ({ seq, where }: Recent.Place, act: Act): Result.Result<Request, NotUnderstood> => {
  switch (act._tag) {
    case "Edit":
      return act.content === undefined
        ? complain(act, textMissing)
        : Result.succeed({ _tag: "EditMessage", ...where, target: seq, content: act.content })
    case "Delete":
      return Result.succeed({
        _tag: "DeleteMessage",
        ...where,
        target: seq,
        ...(act.reason !== undefined && { reason: act.reason })
      })
    case "React": {
      const { isTakenBack, reaction } = act
      return Result.succeed({
        _tag: "React",
        ...where,
        target: seq,
        reaction,
        ...(isTakenBack && { remove: true as const })
      })
    }
    case "Reply": {
      const said = { content: act.content, replyTo: seq }
      if (where.room !== undefined) return Result.succeed({ _tag: "RoomMessage", room: where.room, ...said })
      return where.with === undefined
        ? Result.succeed({ _tag: "GlobalMessage", ...said })
        : Result.succeed({ _tag: "PrivateMessage", to: where.with, ...said })
    }
  }
}

/** What is done to one's own messages first of all. */
const isOnOwn = ({ _tag }: Act): boolean => _tag === "Edit" || _tag === "Delete"

const names = { Edit: "edit", Delete: "delete", Reply: "reply" } as const
const nameOf = (act: Act): string => {
  if (act._tag === "React") return act.isTakenBack ? "unreact" : "react"
  return names[act._tag]
}

const numberMissing = "say which message of that place by its number, for example in:dev #12"
const reasonAlone = "say which message by its number, for example :delete #12 wrong room"
const notShown = (number: number, act: Act): string =>
  `no message #${number} was shown lately. Say where it is: :${nameOf(act)} in:dev #${number} in a room, ` +
  `in:@ada #${number} in private with ada, in:* #${number} in the lobby`
const notYours = ({ from, seq }: Recent.Shown): string =>
  `#${seq} is by ${from}, and only its author can edit a message. To answer it, type :reply #${seq} <text>`
const lastUnknown = (act: Act): string =>
  "it is not known for certain which message you sent last. Say its number, as :history shows it: " +
  `:${nameOf(act)} #12`

const complain = (act: Act, message: string): Result.Result<never, NotUnderstood> =>
  Result.fail(new NotUnderstood({ message: `:${nameOf(act)}: ${message}.` }))

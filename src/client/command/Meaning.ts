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
import { address } from "./Place.ts"

/**
 * The same with the place of the message it is about, for others may be shown until it is its turn. `begun` is what had
 * been shown when the line was begun: whatever came meanwhile is not what was meant, and is not sent to.
 */
export const pin = (begun: Recent.Recent, now: Recent.Recent, about: About): Result.Result<About, NotUnderstood> => {
  const { act, mention } = about
  const isNumbered = mention.number !== undefined
  if (mention.where !== undefined || (!isNumbered && isOnOwn(act))) return Result.succeed(about)
  const place = placeOf(now, mention, act)
  // The number may be of a page that is still on its way.
  if (Result.isFailure(place)) return isNumbered ? Result.succeed(about) : Result.fail(place.failure)
  const { seq, where } = place.success
  const meant = Result.getOrUndefined(placeOf(begun, mention, act))
  const isMeant = meant === undefined ? isNumbered : isSame(meant, place.success)
  if (isMeant) return Result.succeed({ act, mention: { where, number: seq }, _tag: "About" })
  return Result.fail(unclear(now, act, meant, place.success))
}

const isSame = (one: Recent.Place, other: Recent.Place): boolean =>
  address(one.where, one.seq) === address(other.where, other.seq)

const unclear = (now: Recent.Recent, act: Act, meant: Recent.Place | undefined, other: Recent.Place): NotUnderstood => {
  const isThere = meant === undefined || Recent.find(now, meant) !== undefined
  const shown = Recent.find(now, other)
  const words = shown === undefined ? "" : `, ${shown.from}: “${shown.words.slice(0, maxQuoted)}”`
  const news = isThere
    ? `${address(other.where, other.seq)} came while you typed${words}`
    : "the message you may mean is gone since you began to type"
  const instead = meant === undefined ? undefined : spell(act, meant)
  const advice = instead === undefined ? "Say which message by its number" : `If you meant another one: ${instead}`
  return new NotUnderstood({
    message: `Not sent: ${news}. ${advice.length > maxAdvice ? `${advice.slice(0, maxAdvice)}…` : advice}`,
    ...(instead !== undefined && { instead })
  })
}

/** In UTF-16 units: enough to know it again. */
const maxQuoted = 40
const maxAdvice = 120

/** The line that asks for this, wherever and whenever it is typed. */
const spell = (act: Act, { seq, where }: Recent.Place): string => {
  const words = wordsOf(act)
  return `:${nameOf(act)} ${address(where, seq)}${words === undefined ? "" : ` ${words}`}`
}

const wordsOf = (act: Act): string | undefined => {
  if (act._tag === "React") return act.reaction
  return act._tag === "Delete" || act._tag === "Report" ? act.reason : act.content
}

export const requestFor = (recent: Recent.Recent, { act, mention }: About): Result.Result<Request, NotUnderstood> =>
  Result.flatMap(placeOf(recent, mention, act), (place) => requestAt(place, act))

/** The text to be changed, of an edit that does not say into what; the message with its number. */
export const textToEdit = (
  recent: Recent.Recent,
  about: About
): Result.Result<Recent.Place & { readonly content: string }, NotUnderstood> =>
  Result.flatMap(placeOf(recent, about.mention, about.act), ({ seq, where }) => {
    const { mine } = recent
    const isMine = mine?.seq === seq && mine.where.room === where.room && mine.where.with === where.with
    if (!isMine || /[\n\t]/.test(mine.content)) return complain(about.act, textMissing)
    return Result.succeed({ where, seq, content: mine.content })
  })

const textMissing = "the new text is missing. Type it behind the command: :edit #12 new text"

const placeOf = (
  recent: Recent.Recent,
  { number, where }: Mention,
  act: Act
): Result.Result<Recent.Place, NotUnderstood> => {
  if (where === undefined && act._tag === "Delete" && /^in:\S/i.test(act.reason ?? ""))
    return complain(act, placeBehind)
  // Nobody is complained of by guess.
  if (number === undefined && act._tag === "Report") return complain(act, reportUnnumbered)
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
    case "Report":
      return Result.succeed({ _tag: "Report", ...where, target: seq, reason: act.reason })
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

const names = { Edit: "edit", Delete: "delete", Reply: "reply", Report: "report" } as const
const nameOf = (act: Act): string => {
  if (act._tag === "React") return act.isTakenBack ? "unreact" : "react"
  return names[act._tag]
}

const numberMissing =
  "say which message of that place by its number, for example in:dev #12. Text that begins with in: goes behind a number"
/** What is erased does not come back: this is no reason. */
const placeBehind = "say the place before the number, for example :delete in:dev #12"
const reportUnnumbered = "say which message by its number, for example :report #12 insults"
const reasonAlone = "say which message by its number, for example :delete #12 wrong room"
const notShown = (number: number, act: Act): string =>
  `no message #${number} was shown lately. Say where it is: :${nameOf(act)} in:dev #${number} in a room, ` +
  `in:@ada #${number} in private with ada, in:* #${number} in the lobby`
const notYours = ({ from, seq, where }: Recent.Shown): string =>
  `#${seq} is by ${from}, and only its author can edit a message. To answer it, type :reply ${address(where, seq)} <text>`
const lastUnknown = (act: Act): string =>
  "it is not known for certain which message you sent last. Say its number, as :history shows it: " +
  `:${nameOf(act)} #12`

const complain = (act: Act, message: string): Result.Result<never, NotUnderstood> =>
  Result.fail(new NotUnderstood({ message: `:${nameOf(act)}: ${message}.` }))

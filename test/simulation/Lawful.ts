/**
 * Whether an entry may be made that a server has decided to make, said once more and in another way than the server says it:
 * by what stands in the log at the moment at which it is stored.
 *
 * So an entry changes something, or else it is refused or answered with the one that did; and what a guest wrote is theirs
 * for that connection only.
 */
import { isDeepStrictEqual } from "node:util"
import type { Conversation } from "../../src/common/log/Conversation.ts"
import type { Body } from "../../src/common/log/Entry.ts"
import { type Governing, isGoverning } from "../../src/common/log/Governing.ts"
import { isSealing } from "../../src/common/log/Sealing.ts"
import { step } from "../../src/common/log/Timeline.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import type { NewEntry } from "../../src/server/history/History.ts"
import type { Log } from "./Log.ts"

/** What somebody asked for that stands there: whether it was moderated is the server's to say. */
export const asAsked = (body: Body): Body => {
  if (body._tag !== "Deleted") return body
  const { moderated: _, ...asked } = body
  return asked
}

/** What is wrong with it, if anything is. `editWindow` in milliseconds, by the clock on the wall. */
export const unlawful = (log: Log | undefined, entry: NewEntry, editWindow: number): string | undefined => {
  const { at, author, body, conversation, from } = entry
  if (author === undefined) return "it is nobody's"
  if (body._tag === "Tombstone") return "it is what only a deletion leaves"
  if (body._tag === "Said") {
    return body.replyTo === undefined || log?.isMessage(body.replyTo) === true ? undefined : "it replies to no message"
  }
  if (isSealing(body)) return "nobody here seals anything"
  if (isGoverning(body)) return ungovernable(conversation, body, at)
  const target = log?.standing(body.target)
  if (log === undefined || target?._tag !== "Message") return "no message stands at its target"
  const seq = log.newest + 1
  const made = { seq, at, from, body }
  if (isDeepStrictEqual(step(target, made), target)) return "it changes nothing"
  if (body._tag === "Reacted") {
    if (body.removed !== true) return undefined
    const reactors = target.reactions.find(({ reaction }) => reaction === body.reaction)?.by
    const mine = reactors?.find(({ user }) => nameKey(user) === nameKey(from))
    return mine !== undefined && log.authors[mine.seq - 1] === author ? undefined : "it takes back another's reaction"
  }
  const isOwn = log.authors[body.target - 1] === author
  // Whoever made a room may delete there what others wrote; that is marked.
  const isModerated = body._tag === "Deleted" && body.moderated === true
  if (isModerated) return isOwn || conversation._tag !== "Room" ? "it is moderated without need" : undefined
  if (!isOwn) return "its target is another's"
  // Whatever the clocks say, a window of 0 is none.
  const isInTime = editWindow > 0 && at - target.at < editWindow
  return body._tag === "Deleted" || isInTime ? undefined : "its target is too old for an edit"
}

/** Rooms are governed; in the lobby one can be muted; what is said in private is nobody's to govern. What binds is not over. */
const ungovernable = (conversation: Conversation, body: Governing, at: number): string | undefined => {
  if (conversation._tag === "Inbox") return "it governs what is said in private"
  if (conversation._tag === "Lobby" && body._tag !== "Muted" && body._tag !== "Unmuted") return "it governs the lobby"
  return "until" in body && body.until !== undefined && body.until <= at ? "it ends before it begins" : undefined
}

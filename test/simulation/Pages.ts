/**
 * Judges pages of messages as they stand: what a History or SearchResults may hold, by what the log was from when it was asked
 * until now.
 *
 * 1. Each message stands there as it stood at some moment of these. So nothing is given of what was deleted before.
 * 2. A page of a log leaves out none: it holds all messages between its first and its last, edits, deletions and reactions
 *    standing nowhere. It begins where it was asked to, and says rightly whether there is more; it is short only where one
 *    more would not fit.
 * 3. What is found holds what was searched for, as it stands, newest first; and what held it all the time is found.
 */
import { isDeepStrictEqual } from "node:util"
import { viewOf as viewOfStanding } from "../../src/common/log/Timeline.ts"
import { type ClientMessage, defaultHistoryLimit } from "../../src/common/wire/ClientMessage.ts"
import type { StandingMessage } from "../../src/common/wire/EntryMessage.ts"
import type { ServerMessageOf } from "../../src/common/wire/ServerMessage.ts"
import { phrasesOf } from "../../src/server/search/SearchWords.ts"
import type { Disk } from "./Disk.ts"
import { isMatch } from "./DiskSearch.ts"
import { logOf, viewOf } from "./Entries.ts"
import type { Log } from "./Log.ts"

/** When something was asked, and how far its asker had been told of the log by then. */
export interface Asked {
  readonly moment: number
  readonly told: number
}

/** For what stands around the messages of a page. */
const frameBytes = 512

type Requested<Tag extends ClientMessage["_tag"]> = Extract<ClientMessage, { readonly _tag: Tag }>

interface HistoryReply {
  readonly reply: ServerMessageOf<"History">
  readonly bytes: number
  /** The limit of a reply's bytes. */
  readonly maxBytes: number
}

/** What is wrong with a message as it is told to stand, if anything is. */
const misfit = (log: Log | undefined, message: StandingMessage, { moment }: Pick<Asked, "moment">) => {
  const view = viewOf(message)
  const versions = log?.since(message.seq, moment) ?? []
  return versions.some((standing) => isDeepStrictEqual(viewOfStanding(standing), view))
    ? undefined
    : `a page holds ${JSON.stringify(message)}, which stood as ${JSON.stringify(versions)}`
}

export const wrongInHistory = (
  disk: Disk,
  name: string,
  { bytes, maxBytes, reply: { messages, more } }: HistoryReply,
  { after, before = Infinity, limit = defaultHistoryLimit, ...others }: Requested<"GetHistory">,
  asked: Asked
): string | undefined => {
  if (Object.values(others).includes("moderation"))
    return messages.length > 0 || more ? "there is more than no moderation" : undefined
  const log = disk.log(name)
  for (const message of messages) {
    const wrong = logOf(message) === name ? misfit(log, message, asked) : `a page of ${name} holds another's message`
    if (wrong !== undefined) return wrong
  }
  const all = log?.messages ?? []
  const first = all.indexOf(messages[0]?.seq ?? 0)
  const inOrder = messages.every(({ seq }, index) => all[first + index] === seq)
  if (messages.length > 0 && !inOrder)
    return `a page holds ${messages.map(({ seq }) => seq).join(" ")} of ${all.join(" ")}`
  const last = messages.at(-1)?.seq
  if (last !== undefined && last >= before) return `a page before ${before} holds ${last}`
  /** The last that there must be. */
  const reach = all.findLast((seq) => seq <= asked.told && seq < before && seq > (after ?? 0)) ?? 0
  const begin = after === undefined ? all[0] : all.find((seq) => seq > after)
  if (after !== undefined && last !== undefined && messages[0]?.seq !== begin)
    return `a page behind ${after} does not begin at ${begin}`
  if (after === undefined && (last ?? 0) < reach) return `a page ends at ${last}, before ${reach}`
  if (!more) {
    if ((last ?? 0) < reach) return `a page ends at ${last} without saying that there is more, up to ${reach}`
    if (last !== undefined && messages[0]?.seq !== begin)
      return `a page begins at ${messages[0]?.seq} without saying that there is more`
    return undefined
  }
  const next = after === undefined ? all[first - 1] : all[first + messages.length]
  if (next === undefined || next >= before || last === undefined) return "a page says that there is more"
  if (messages.length >= limit) return undefined
  const sizes = (log?.since(next, asked.moment) ?? []).map((standing) => JSON.stringify(standing).length)
  return bytes + Math.max(...sizes) + frameBytes < maxBytes
    ? `a page of ${bytes} bytes has room for ${next}`
    : undefined
}

export const wrongInFindings = (
  disk: Disk,
  searched: ReadonlyArray<string>,
  { messages, more, next }: ServerMessageOf<"SearchResults">,
  { before = Infinity, query, room }: Requested<"Search">,
  { moment }: Pick<Asked, "moment">
): string | undefined => {
  const phrases = phrasesOf(query)
  const numbers: Array<number> = []
  const found = new Set<string>()
  for (const message of messages) {
    // What is private is in the one inbox that may be searched.
    const isPrivate = logOf(message) === undefined
    const name = isPrivate ? searched.find((one) => one.startsWith("inbox:")) : logOf(message)
    const log = disk.log(name)
    if (name === undefined || !searched.includes(name)) return `${name} was not searched, and ${message.seq} is found`
    const wrong = isPrivate ? undefined : misfit(log, message, { moment })
    if (wrong !== undefined) return wrong
    if (!isMatch(viewOf(message), phrases)) return `${JSON.stringify(message)} is found, which does not hold ${query}`
    numbers.push(log?.numbers[message.seq - 1] ?? 0)
    found.add(`${name} ${message.seq}`)
  }
  if (numbers.some((number, index) => number >= (numbers[index - 1] ?? Infinity))) return "it is not found newest first"
  if (more !== (next !== undefined)) return "what is found says that there is more, and not where"
  // Of the others it is not known whether the asker was in.
  const [certain = ""] = searched
  const log = disk.log(certain)
  const oldest = more ? (numbers.at(-1) ?? 0) : 0
  const missing = log?.messages.find((seq) => {
    const number = log.numbers[seq - 1] ?? 0
    const place = room === undefined ? number : seq
    if (number <= oldest || number > moment || place >= before || found.has(`${certain} ${seq}`)) return false
    return log.since(seq, moment).every((standing) => isMatch(standing, phrases))
  })
  return missing === undefined ? undefined : `${query} is not found in ${certain} ${missing}`
}

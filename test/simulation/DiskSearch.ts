/** What a search must find, written without regard to time: each message is looked at, each time, as it stands. */
import type { Conversation } from "../../src/common/log/Conversation.ts"
import type { Standing, View } from "../../src/common/log/Timeline.ts"
import type { Findings } from "../../src/server/history/History.ts"
import type { Search } from "../../src/server/history/Query.ts"
import { holds, type Phrase, phrasesOf, termsOf } from "../../src/server/search/SearchWords.ts"
import { textBytes } from "./Entries.ts"
import type { Log } from "./Log.ts"

/** A message that holds all that is searched for. `place`: what one gives as `before` to go on behind it. */
export interface Match<Searched extends Conversation> {
  readonly conversation: Searched
  readonly message: View
  readonly place: number
}

/** Whether a message is one that a search finds: never a tombstone. */
export const isMatch = (message: Standing | View, phrases: ReadonlyArray<Phrase>): boolean =>
  message._tag === "Message" && holds(termsOf(message.content), phrases)

/** All of one log. `isAlone`: no other is searched, so a place is a seq. */
export const matching = <Searched extends Conversation>(
  conversation: Searched,
  log: Log | undefined,
  isAlone: boolean,
  { before = Infinity, query, with: partner }: Search
): ReadonlyArray<Match<Searched>> => {
  const phrases = phrasesOf(query)
  if (log === undefined || phrases.length === 0) return []
  return log.views(partner).flatMap(({ number, seq, view }) => {
    const place = isAlone ? seq : number
    return place < before && isMatch(view, phrases) ? [{ conversation, message: view, place }] : []
  })
}

/** The newest of them, as many as a reply may hold, and one at least. */
export const newestOf = <Searched extends Conversation>(
  matches: ReadonlyArray<Match<Searched>>,
  limit: number,
  maxBytes: number
): Findings<Searched> => {
  let bytes = 0
  const newestFirst = matches.toSorted((one, other) => other.place - one.place)
  const cut = newestFirst.slice(0, limit).findIndex(({ message }, index) => {
    bytes += textBytes(message)
    return index > 0 && bytes > maxBytes
  })
  const found = newestFirst.slice(0, cut < 0 ? limit : cut)
  return { found, next: found.length < matches.length ? found.at(-1)?.place : undefined }
}

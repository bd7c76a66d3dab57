/** What a search must find, written without regard to time: each entry is looked at, each time. */
import type { Conversation } from "../../src/common/log/Conversation.ts"
import type { Entry } from "../../src/common/log/Entry.ts"
import type { Findings } from "../../src/server/history/History.ts"
import type { Search } from "../../src/server/history/Query.ts"
import { holds, phrasesOf, termsOf } from "../../src/server/search/SearchWords.ts"

/** An entry that holds all that is searched for. `place`: what one gives as `before` to go on behind it. */
export interface Match<Searched extends Conversation> {
  readonly conversation: Searched
  readonly entry: Entry
  readonly place: number
}

/** All of one log. `numbers`: their places where several logs are searched; otherwise those are their seqs. */
export const matching = <Searched extends Conversation>(
  conversation: Searched,
  entries: ReadonlyArray<Entry>,
  numbers: ReadonlyArray<number> | undefined,
  { before = Infinity, query }: Search
): ReadonlyArray<Match<Searched>> => {
  const phrases = phrasesOf(query)
  if (phrases.length === 0) return []
  return entries.flatMap((entry, index) => {
    const place = numbers?.[index] ?? entry.seq
    return place < before && holds(termsOf(entry.content), phrases) ? [{ conversation, entry, place }] : []
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
  const cut = newestFirst.slice(0, limit).findIndex(({ entry }, index) => {
    bytes += Buffer.byteLength(entry.content)
    return index > 0 && bytes > maxBytes
  })
  const found = newestFirst.slice(0, cut < 0 ? limit : cut)
  return { found, next: found.length < matches.length ? found.at(-1)?.place : undefined }
}

/**
 * The search of MemoryHistory: looks at the messages as they stand, newest first, piece by piece, so that others get their
 * turn. A piece is `pieceCharacters` or `pieceNanos`; a search that has taken `searchLimit` is ended.
 */
import { type Array as Arr, type Clock, Effect } from "effect"
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import { type StandingMessage, viewOf } from "../../common/log/Timeline.ts"
import { SearchTooSlow } from "../history/History.ts"
import type { Partner } from "../history/Partner.ts"
import type { Search } from "../history/Query.ts"
import { searchLimit, SearchTurn } from "../search/SearchTurn.ts"
import { holds, type Phrase, phrasesOf, termsOf } from "../search/SearchWords.ts"
import { heldAt, type MemoryLog, newestOf } from "./MemoryLog.ts"

/** How much of the logs a search looks at before others get their turn; 64 characters count for an entry itself. */
const pieceCharacters = 65_536
const pieceNanos = 2_000_000n

/** What a search has taken so far. */
interface Stopwatch {
  nanos: bigint
}

/** A message as it stands, and which of all that were ever stored it is. */
interface Match {
  readonly message: StandingMessage
  readonly number: number
}

interface Looked {
  readonly before: (match: Match) => boolean
  readonly limit: number
  readonly partner: Partner | undefined
  readonly phrases: ReadonlyArray<Phrase>
}

export const makeSearch = (clock: Clock.Clock, logOf: (name: string) => MemoryLog | undefined) => {
  /** The newest of a log that match, newest first, one more than the limit. Others get their turn while it looks. */
  const matches = Effect.fnUntraced(function* (
    log: MemoryLog,
    { before, limit, partner, phrases }: Looked,
    watch: Stopwatch
  ) {
    const turn = yield* SearchTurn
    const found: Array<Match> = []
    let place = newestOf(log)
    const piece = Effect.sync(() => {
      const begun = clock.monotonicTimeNanosUnsafe()
      let looked = 0
      while (place > log.dropped && found.length <= limit && looked < pieceCharacters) {
        const seq = place--
        looked += 64
        const message = log.standing.get(seq)
        const held = heldAt(log, seq)
        if (message?._tag !== "Message" || held === undefined) continue
        if (partner !== undefined && held.partner !== partner) continue
        const match = { message, number: held.number }
        if (!before(match)) continue
        looked += message.content.length
        if (holds(termsOf(message.content), phrases)) found.push(match)
        if (clock.monotonicTimeNanosUnsafe() - begun > pieceNanos) break
      }
      watch.nanos += clock.monotonicTimeNanosUnsafe() - begun
    })
    while (place > log.dropped && found.length <= limit) {
      if (watch.nanos > BigInt(searchLimit) * 1_000_000n) return yield* new SearchTooSlow({ limit: searchLimit })
      yield* turn(Effect.andThen(Effect.yieldNow, piece))
    }
    return found
  })

  const search = Effect.fnUntraced(function* <Searched extends Conversation>(
    conversations: Arr.NonEmptyReadonlyArray<Searched>,
    { before = Infinity, limit, query, with: partner }: Search,
    maxBytes = Infinity
  ) {
    const phrases = phrasesOf(query)
    if (phrases.length === 0) return { found: [], next: undefined }
    const placeOf = ({ message, number }: Match) => (conversations.length === 1 ? message.seq : number)
    const wanted = { before: (match: Match) => placeOf(match) < before, limit, partner, phrases }
    const watch: Stopwatch = { nanos: 0n }
    const all: Array<{ readonly conversation: Searched; readonly match: Match }> = []
    for (const conversation of conversations) {
      const log = logOf(conversationKey(conversation))
      if (log === undefined) continue
      const found = yield* matches(log, wanted, watch)
      all.push(...found.map((match) => ({ conversation, match })))
    }
    let bytes = 0
    const page = all
      .toSorted((a, b) => b.match.number - a.match.number)
      .slice(0, limit)
      .filter(({ match }, index) => {
        bytes += Buffer.byteLength(match.message.content)
        return index === 0 || bytes <= maxBytes
      })
    const last = page.at(-1)
    return {
      found: page.map(({ conversation, match }) => ({ conversation, message: viewOf(match.message) })),
      next: last !== undefined && page.length < all.length ? placeOf(last.match) : undefined
    }
  })
  return search
}

/**
 * Reading a log page by page, as far as it goes: a page has 500 messages and 1 MiB at most, and a log any number.
 *
 * Nothing is held but the page at hand. What is asked for too fast is asked again when the server allows it.
 */
import { Effect } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import { maxHistoryLimit } from "../../common/wire/ClientMessage.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { spanOf, type Spanning } from "../core/Page.ts"
import type { HistoryRequest } from "../core/Request.ts"
import { historyOf } from "./Where.ts"

type Page = Spanning & { readonly more: boolean }

export type Ask<E = RequestError> = (request: HistoryRequest) => Effect.Effect<Page, E>

export interface Stretch {
  readonly where: Whereabouts
  /** Both ends: behind this place, and up to that one. */
  readonly after: Seq
  readonly upTo: Seq
}

/** Hands on all that stands in a stretch, oldest first; each page when the last one is dealt with. */
export const forward = Effect.fnUntraced(function* <E, E2, R>(
  ask: Ask<E>,
  { after, upTo, where }: Stretch,
  take: (messages: ReadonlyArray<StandingMessage>) => Effect.Effect<void, E2, R>
) {
  let place = after
  while (place < upTo) {
    const page = yield* ask(historyOf(where, { after: place, limit: maxHistoryLimit }))
    const messages = page.messages.filter(({ seq }) => seq > place && seq <= upTo)
    if (messages.length > 0) yield* take(messages)
    const newest = spanOf(page)?.newest ?? place
    // Whoever is asked the same again gives the same again.
    if (!page.more || newest <= place) return
    place = newest
  }
})

/** The place in front of the newest so many messages up to one; of those behind `after`, if there are fewer. */
export const placeBefore = Effect.fnUntraced(function* <E>(
  ask: Ask<E>,
  { after, upTo, where }: Stretch,
  count: number
) {
  let [before, missing] = [upTo + 1, count]
  while (missing > 0) {
    const page = yield* ask(historyOf(where, { before, limit: Math.min(missing, maxHistoryLimit) }))
    const span = spanOf(page)
    if (span === undefined || span.oldest >= before) break
    missing -= span.count
    before = span.oldest
    if (!page.more || before <= after + 1) break
  }
  return Math.max(after, before - 1)
})

/** A place behind which all that was said at `at` or later stands, up to `upTo`. Time never goes back in a log. */
export const placeSince = Effect.fnUntraced(function* <E>(ask: Ask<E>, where: Whereabouts, at: number, upTo: Seq) {
  // All up to `low` is older; what stands behind `high` is not.
  let [low, high] = [0, upTo]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const page = yield* ask(historyOf(where, { after: middle, limit: 1 }))
    const [next] = page.messages
    // What was not asked for is no reason to look at the same again.
    const isBehind = next !== undefined && next.seq > middle && next.seq <= upTo
    if (!isBehind || next.at >= at) high = middle
    else low = next.seq
  }
  return low
})

/** The place of the newest message there. */
export const newestPlace = Effect.fnUntraced(function* <E>(ask: Ask<E>, where: Whereabouts) {
  return spanOf(yield* ask(historyOf(where, { limit: 1 })))?.newest ?? 0
})

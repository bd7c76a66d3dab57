/**
 * Histories and findings come a page at a time, the newest first; `:more` goes on where the page shown last began.
 */
import { Context, type Ref } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { Request } from "./Request.ts"

/** The request for the page behind the one shown last; undefined where there is none. */
export class OlderPage extends Context.Service<OlderPage, Ref.Ref<Request | undefined>>()(
  "parley/client/core/Page/OlderPage"
) {}

/** From where to where a page goes, and how many entries the server counted in it: also those that were left out. */
export interface Span {
  readonly oldest: Seq
  readonly newest: Seq
  readonly count: number
}

/** `span` is there if it holds more than the messages show; see `Heard`. */
export interface Spanning {
  readonly messages: ReadonlyArray<StandingMessage>
  readonly span?: Span
}

/** Undefined of an empty page. */
export const spanOf = ({ messages, span }: Spanning): Span | undefined => {
  if (span !== undefined || messages.length === 0) return span
  const seqs = messages.map(({ seq }) => seq)
  return { oldest: Math.min(...seqs), newest: Math.max(...seqs), count: seqs.length }
}

/** What two pages span together; undefined if the messages of both show it. */
export const joinedSpan = (one: Spanning, other: Spanning): Span | undefined => {
  if (one.span === undefined && other.span === undefined) return undefined
  const spans = [spanOf(one), spanOf(other)].filter((span) => span !== undefined)
  return {
    oldest: Math.min(...spans.map(({ oldest }) => oldest)),
    newest: Math.max(...spans.map(({ newest }) => newest)),
    count: spans.reduce((sum, { count }) => sum + count, 0)
  }
}

/** The request for what is older than this reply to a request for a page. */
export const olderThan = (request: Request, reply: ServerMessage): Request | undefined => {
  if (request._tag === "GetHistory" && reply._tag === "History") {
    const oldest = spanOf(reply)?.oldest
    return reply.more && oldest !== undefined ? { ...request, before: oldest } : undefined
  }
  if (request._tag === "Search" && reply._tag === "SearchResults") {
    return reply.next === undefined ? undefined : { ...request, before: reply.next }
  }
  return undefined
}

export const isPage = ({ _tag }: Request): boolean => _tag === "GetHistory" || _tag === "Search"

/**
 * Histories and findings come a page at a time, the newest first; `:more` goes on where the page shown last began.
 */
import { Context, type Ref } from "effect"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { Request } from "./Request.ts"

/** The request for the page behind the one shown last; undefined where there is none. */
export class OlderPage extends Context.Service<OlderPage, Ref.Ref<Request | undefined>>()(
  "parley/client/core/Page/OlderPage"
) {}

/** The request for what is older than this reply to a request for a page. */
export const olderThan = (request: Request, reply: ServerMessage): Request | undefined => {
  if (request._tag === "GetHistory" && reply._tag === "History") {
    const oldest = reply.messages[0]
    return reply.more && oldest !== undefined ? { ...request, before: oldest.seq } : undefined
  }
  if (request._tag === "Search" && reply._tag === "SearchResults") {
    return reply.next === undefined ? undefined : { ...request, before: reply.next }
  }
  return undefined
}

export const isPage = ({ _tag }: Request): boolean => _tag === "GetHistory" || _tag === "Search"

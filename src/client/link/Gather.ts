/**
 * Asks for the whole of what one reply may give only in part: a list of names, or a page of history or findings.
 *
 * A reply has 1000 names and 1 MiB at most, and says by `more` that there is more. The parts become one reply, which is
 * as if it had come at once.
 *
 * Bounds: a list ends with the part that makes it 10,000 names, a page with its `limit`. A part that brings
 * nothing new is the last, whatever it says.
 */
import { Effect } from "effect"
import { defaultHistoryLimit } from "../../common/wire/ClientMessage.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { type RequestError, UnexpectedReply } from "../core/ClientError.ts"
import { joinedSpan, type Span, spanOf, type Spanning } from "../core/Page.ts"
import { isReplyTo, type Reply, type Request } from "../core/Request.ts"

const maxListed = 10_000

/** A request whose reply may be a part. */
export type PagedRequest = Extract<
  Request,
  { readonly _tag: "ListUsers" | "ListRooms" | "ListRoomUsers" | "GetHistory" | "Search" }
>

const pagedTags: ReadonlySet<string> = new Set<PagedRequest["_tag"]>([
  "ListUsers",
  "ListRooms",
  "ListRoomUsers",
  "GetHistory",
  "Search"
])

export const isPaged = (request: Request): request is PagedRequest => pagedTags.has(request._tag)

/** Whether it asks for what moderators did, and nothing else. */
export const isAudit = (request: PagedRequest): boolean => "only" in request && request.only === "moderation"

export const gather = Effect.fnUntraced(function* <R extends PagedRequest>(
  request: R,
  ask: (part: PagedRequest) => Effect.Effect<ServerMessage, RequestError>
): Effect.fn.Return<Reply<R>, RequestError> {
  let whole = yield* ask(request)
  let rest = restOf(request, whole)
  while (rest !== undefined) {
    const longer = join(request, whole, yield* ask(rest))
    const next = sizeOf(longer) > sizeOf(whole) ? restOf(request, longer) : undefined
    // Whoever is asked the same again gives the same again.
    rest = JSON.stringify(next) === JSON.stringify(rest) ? undefined : next
    whole = longer
  }
  if (isReplyTo(request)(whole)) return whole
  return yield* new UnexpectedReply({ issue: `${whole._tag} is no answer to ${request._tag}` })
})

/** The request for what is missing from what has been given so far. */
const restOf = (request: PagedRequest, whole: ServerMessage): PagedRequest | undefined => {
  const missing = ("limit" in request ? request.limit : undefined) ?? defaultHistoryLimit
  switch (whole._tag) {
    case "UserList":
    case "RoomUsers": {
      const after = whole.users.at(-1)
      const isWhole = whole.more !== true || whole.users.length >= maxListed || after === undefined
      if (isWhole || (request._tag !== "ListUsers" && request._tag !== "ListRoomUsers")) return undefined
      return { ...request, after }
    }
    case "RoomList": {
      const after = whole.rooms.at(-1)?.room
      const isWhole = whole.more !== true || whole.rooms.length >= maxListed || after === undefined
      return isWhole || request._tag !== "ListRooms" ? undefined : { ...request, after }
    }
    case "History": {
      const span = spanOf(whole)
      const limit = missing - sizeOf(whole)
      if (!whole.more || limit <= 0 || span === undefined || request._tag !== "GetHistory") return undefined
      return { ...request, ...(request.after === undefined ? { before: span.oldest } : { after: span.newest }), limit }
    }
    case "SearchResults": {
      const limit = missing - sizeOf(whole)
      if (whole.next === undefined || limit <= 0 || request._tag !== "Search") return undefined
      return { ...request, before: whole.next, limit }
    }
    default:
      return undefined
  }
}

/** Two parts as one. A history grows towards the past, unless it was asked for from a place on. */
const join = (request: PagedRequest, whole: ServerMessage, part: ServerMessage): ServerMessage => {
  if (whole._tag === "UserList" && part._tag === "UserList") {
    return { ...part, users: [...whole.users, ...part.users] }
  }
  if (whole._tag === "RoomUsers" && part._tag === "RoomUsers") {
    return { ...part, users: [...whole.users, ...part.users] }
  }
  if (whole._tag === "RoomList" && part._tag === "RoomList") {
    return { ...part, rooms: [...whole.rooms, ...part.rooms] }
  }
  if (whole._tag === "History" && part._tag === "History") {
    const isForward = request._tag === "GetHistory" && request.after !== undefined
    const [older, newer] = isForward ? [whole, part] : [part, whole]
    return withSpan({ ...part, messages: [...older.messages, ...newer.messages] }, joinedSpan(whole, part))
  }
  if (whole._tag === "SearchResults" && part._tag === "SearchResults") {
    return withSpan({ ...part, messages: [...whole.messages, ...part.messages] }, joinedSpan(whole, part))
  }
  return whole
}

const withSpan = <Page extends Spanning>(page: Page, span: Span | undefined): Page =>
  span === undefined ? page : { ...page, span }

const sizeOf = (whole: ServerMessage): number => {
  if ("users" in whole) return whole.users.length
  if ("rooms" in whole) return whole.rooms.length
  return "messages" in whole ? (spanOf(whole)?.count ?? 0) : 0
}

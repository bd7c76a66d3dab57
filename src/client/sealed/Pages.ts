/**
 * History and search of encrypted rooms, from what this device has read: what the server has is sealed, and what it leaves out of a
 * page it cannot take from here.
 *
 * A search opens the newest rows first, some 100,000 in a second, and gives way to others after each 500.
 */
import { Effect } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { defaultHistoryLimit } from "../../common/wire/ClientMessage.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { HistoryRequest, Request } from "../core/Request.ts"
import { finder } from "./LocalSearch.ts"
import type { SealedStore, StoreError } from "./SealedStore.ts"
import * as Shown from "./Shown.ts"

type SearchRequest = Extract<Request, { readonly _tag: "Search" }>

const pieceSize = 500

/** As they stand, between two places at most; how far the rows went, where there may be more. */
const piece = Effect.fnUntraced(function* (
  store: SealedStore,
  reader: Shown.Reader,
  range: { readonly before?: number | undefined; readonly after?: number | undefined },
  limit: number
) {
  const where = yield* store.where(reader.room)
  if (where === undefined) return { messages: [], rows: [] }
  const rows = yield* store.shown(where, range, limit)
  const [first, last] = [rows[0], rows.at(-1)]
  const changes = first && last ? yield* store.changes(where, first.seq, last.seq) : []
  const about = Map.groupBy(changes, ({ line }) =>
    line._tag === "Opened" && line.saying._tag !== "Said" ? line.saying.target : 0
  )
  const messages = rows.flatMap((row) => Shown.standing(reader, row, about.get(row.seq) ?? []) ?? [])
  return { messages, rows }
})

export const history = Effect.fnUntraced(function* (
  store: SealedStore,
  user: UserName,
  room: RoomName,
  { after, before, limit = defaultHistoryLimit, only }: HistoryRequest
): Effect.fn.Return<ServerMessageOf<"History">, StoreError> {
  const found: Array<StandingMessage> = []
  const isWanted = ({ _tag }: StandingMessage) => only !== "messages" || _tag === "RoomMessage" || _tag === "Tombstone"
  let range = { before, after }
  for (;;) {
    const wanted = limit - found.length
    const { messages, rows } = yield* piece(store, { room, user }, range, wanted + 1)
    const more = rows.length > wanted
    const page = messages.filter(isWanted)
    if (after === undefined) found.unshift(...(more ? page.slice(-wanted) : page))
    else found.push(...page.slice(0, wanted))
    if (!more || found.length >= limit) return { _tag: "History", messages: found, more }
    const [first, last] = [rows[0]?.seq ?? 0, rows.at(-1)?.seq ?? 0]
    range = after === undefined ? { before: first, after } : { before, after: last }
  }
})

/** The newest first. */
export const search = Effect.fnUntraced(function* (
  store: SealedStore,
  user: UserName,
  room: RoomName,
  { before: start, limit = defaultHistoryLimit, query }: SearchRequest
): Effect.fn.Return<ServerMessageOf<"SearchResults">, StoreError> {
  const isFound = finder(query)
  const found: Array<StandingMessage> = []
  let before = start
  for (;;) {
    const { messages, rows } = yield* piece(store, { room, user }, { before }, pieceSize)
    for (const message of messages.toReversed()) {
      if (!("content" in message) || !isFound(message.content)) continue
      if (found.length === limit) {
        const next = found.at(-1)?.seq
        return { _tag: "SearchResults", messages: found, more: true, ...(next !== undefined && { next }) }
      }
      found.push(message)
    }
    before = rows[0]?.seq
    if (rows.length < pieceSize || before === undefined) return { _tag: "SearchResults", messages: found, more: false }
    yield* Effect.yieldNow
  }
})

/** Which conversation a script is about: the lobby, a room, or what is said in private with somebody. Pure. */
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { EntryMessage } from "../../common/wire/EntryMessage.ts"
import { type Whereabouts, whereaboutsOf } from "../core/Heard.ts"
import type { ChatRequest, HistoryRequest } from "../core/Request.ts"

/** Equal for two spellings of one conversation. */
export const keyOf = ({ room, with: other }: Whereabouts): string => {
  if (room !== undefined) return `room:${nameKey(room)}`
  return other === undefined ? "lobby" : `with:${nameKey(other)}`
}

/** As a sentence names it. */
export const nameOf = ({ room, with: other }: Whereabouts): string => {
  if (room !== undefined) return `the room ${room}`
  return other === undefined ? "the lobby" : `private with ${other}`
}

/** Whether an entry that `user` was sent belongs there. */
export const isThere = (where: Whereabouts, entry: EntryMessage, user: UserName): boolean =>
  keyOf(where) === keyOf(whereaboutsOf(entry, user))

export const messageTo = ({ room, with: to }: Whereabouts, content: string): ChatRequest => {
  if (room !== undefined) return { _tag: "RoomMessage", room, content }
  return to === undefined ? { _tag: "GlobalMessage", content } : { _tag: "PrivateMessage", to, content }
}

export const historyOf = (
  where: Whereabouts,
  range: Pick<HistoryRequest, "after" | "before" | "limit">
): HistoryRequest => ({ _tag: "GetHistory", ...where, ...range })

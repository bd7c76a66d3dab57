/** What the server counts of a conversation, and what that makes of it. Pure. */
import type { Seq } from "../../../common/log/Cursor.ts"
import * as Talk from "./Talk.ts"
import * as Unread from "./Unread.ts"

export const none = { unread: 0, mentions: 0 }

export interface Standing {
  readonly seq: number
  readonly read: number
  readonly unread: number
  readonly mentions: number
}

export const begun = (read: number, newest: number, counts: Pick<Standing, "mentions" | "unread">) => ({
  unread: Unread.counted(read, newest, counts),
  marked: read
})

/**
 * Of the lobby the server counts nothing, but says how far it was read (0: never): no more can be unread than what stands behind that,
 * until a page tells what it is (`Unread.found`).
 */
export const begunIn = (newest: Seq, read = 0) => {
  const mark = read === 0 ? newest : Math.min(read, newest)
  return begun(mark, newest, { unread: newest - mark, mentions: 0 })
}

export const stoodIn = (talk: Talk.Talk, standing: Standing, isNew: boolean): Talk.Talk =>
  isNew
    ? { ...talk, ...begun(standing.read, standing.seq, standing) }
    : { ...Talk.marked(talk, standing.read), told: standing }

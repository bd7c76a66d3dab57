/**
 * Where the last private messages stand in the inbox of the other end, so that one can be replied to: each end names it by its
 * own place.
 *
 * One of the two is a guest's: between accounts the log knows. Bounds: the last `maxOfHolder` of each inbox, and `maxInAll`
 * together; beyond that the inbox that has been quiet longest is forgotten. About 150 bytes each. What is forgotten cannot be replied to any more.
 */
import type { Seq } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Partner } from "../history/Partner.ts"
import type { SessionId } from "../session/Asker.ts"

const maxOfHolder = 1000
const maxInAll = 200_000

/** Whose an inbox is: a guest's connection, or an account. */
export type Holder = SessionId | Partner

/** A place in the inbox of a user. */
export interface InboxPlace {
  readonly holder: Holder
  readonly seq: Seq
  readonly user: UserName
}

export const makePrivatePlaces = () => {
  /** The inbox that has been quiet longest first; of each, by its own place, oldest first. */
  const byHolder = new Map<Holder, Map<Seq, InboxPlace>>()
  let count = 0

  const forget = (holder: Holder) => {
    count -= byHolder.get(holder)?.size ?? 0
    byHolder.delete(holder)
  }

  const add = ({ holder, seq }: InboxPlace, other: InboxPlace) => {
    const places = byHolder.get(holder) ?? new Map<Seq, InboxPlace>()
    forget(holder)
    places.set(seq, other)
    for (const oldest of places.keys()) {
      if (places.size <= maxOfHolder) break
      places.delete(oldest)
    }
    byHolder.set(holder, places)
    count += places.size
    for (const quietest of byHolder.keys()) {
      if (count <= maxInAll) break
      forget(quietest)
    }
  }

  return {
    /** The same message, at both its places. */
    remember: (one: InboxPlace, other: InboxPlace): void => {
      add(one, other)
      add(other, one)
    },
    /** Where the message stands that this inbox has at `seq`, if it was between its user and this one. */
    find: (holder: Holder, seq: Seq, partner: UserName): InboxPlace | undefined => {
      const other = byHolder.get(holder)?.get(seq)
      return other !== undefined && nameKey(other.user) === nameKey(partner) ? other : undefined
    },
    forget,
    count: (): number => count
  }
}

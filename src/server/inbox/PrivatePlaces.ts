/**
 * Where the last private messages stand in the inbox of the other end, so that one can be replied to: each end names it by its
 * own place.
 *
 * Bounds: the last `maxOfSession` of each connection, and `maxInAll` together; beyond that the connection that has been quiet
 * longest is forgotten. About 150 bytes each. What is forgotten cannot be replied to any more.
 */
import type { Seq } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { SessionId } from "../session/Asker.ts"

const maxOfSession = 1000
const maxInAll = 200_000

/** A place in the inbox that a user has for one connection. */
export interface InboxPlace {
  readonly session: SessionId
  readonly seq: Seq
  readonly user: UserName
}

export const makePrivatePlaces = () => {
  /** The connection that has been quiet longest first; of each, by its own place, oldest first. */
  const bySession = new Map<SessionId, Map<Seq, InboxPlace>>()
  let count = 0

  const forget = (session: SessionId) => {
    count -= bySession.get(session)?.size ?? 0
    bySession.delete(session)
  }

  const add = ({ seq, session }: InboxPlace, other: InboxPlace) => {
    const places = bySession.get(session) ?? new Map<Seq, InboxPlace>()
    forget(session)
    places.set(seq, other)
    for (const oldest of places.keys()) {
      if (places.size <= maxOfSession) break
      places.delete(oldest)
    }
    bySession.set(session, places)
    count += places.size
    for (const quietest of bySession.keys()) {
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
    /** Where the message stands that this connection has at `seq`, if it was between its user and this one. */
    find: (session: SessionId, seq: Seq, partner: UserName): InboxPlace | undefined => {
      const other = bySession.get(session)?.get(seq)
      return other !== undefined && nameKey(other.user) === nameKey(partner) ? other : undefined
    },
    forget,
    count: (): number => count
  }
}

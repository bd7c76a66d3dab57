/**
 * The inboxes of guests: each counts from 1 for one connection, and is not stored. Who becomes an account begins another.
 *
 * Bounds: one place and time for each connection that had private messages, until it is gone; and those of AnsweredKeys and
 * PrivatePlaces.
 */
import type { Seq, Timestamp } from "../../common/log/Cursor.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { SessionId } from "../session/Asker.ts"
import { makeAnsweredKeys } from "./AnsweredKeys.ts"
import { type Holder, makePrivatePlaces } from "./PrivatePlaces.ts"

/** Where a message stands in an inbox. */
interface Place {
  readonly seq: Seq
  readonly at: Timestamp
}

export type GuestInboxes = ReturnType<typeof makeGuestInboxes>

export const makeGuestInboxes = () => {
  const newest = new Map<SessionId, Place>()
  const places = makePrivatePlaces()

  return {
    answered: makeAnsweredKeys(),
    /** The next place. Its time never goes back, whatever the clock does, and wherever it was taken before. */
    next: (session: SessionId, at: Timestamp): Place => {
      const before = newest.get(session) ?? { seq: 0, at: 0 }
      const place = { seq: before.seq + 1, at: Math.max(before.at, at) }
      newest.set(session, place)
      return place
    },
    remember: places.remember,
    find: places.find,
    /** What a message replies to, as the other end names it; nothing if that is in no inbox that it still has. */
    repliedTo: (mine: Holder, replyTo: Seq | undefined, theirs: Holder, user: UserName): Seq | undefined => {
      const there = replyTo === undefined ? undefined : places.find(mine, replyTo, user)
      return there?.holder === theirs ? there.seq : undefined
    },
    forget: (session: SessionId): void => {
      newest.delete(session)
      places.forget(session)
    },
    count: (): number => newest.size
  }
}

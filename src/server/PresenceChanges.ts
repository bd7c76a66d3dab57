/**
 * Gathers who came and went until it is time to tell.
 *
 * Each name stands once, where it ended up, so that a message is right for whoever gets it, whenever they last saw a
 * list of users. Holds at most one entry per user who came or went within `presenceWindow`.
 */
import type { UserName } from "../common/UserName.ts"
import type { SessionId } from "./messages/Asker.ts"

/** How long changes are gathered before they are told in one message. */
export const presenceWindow = "50 millis"

export interface PresenceChanges {
  /** Whether this is the first change since the last `take`: whoever notes it sees to it that it is told in time. */
  readonly note: (session: SessionId, user: UserName, change: "joined" | "left") => boolean
  /** All that was noted since the last `take`, or undefined if nothing was. */
  readonly take: () => Summary | undefined
}

interface Summary {
  readonly joined: ReadonlyArray<UserName>
  readonly left: ReadonlyArray<UserName>
  /** Whether this is news to that connection: a change of its own and nothing else is not. */
  readonly isNewsTo: (session: SessionId) => boolean
}

export const makePresenceChanges = (): PresenceChanges => {
  let changes = new Map<UserName, { readonly session: SessionId; readonly change: "joined" | "left" }>()
  return {
    note: (session, user, change) => {
      const isFirst = changes.size === 0
      changes.set(user, { session, change })
      return isFirst
    },
    take: () => {
      if (changes.size === 0) return undefined
      const taken = [...changes]
      changes = new Map()
      const users = (wanted: "joined" | "left") =>
        taken.flatMap(([user, { change }]) => (change === wanted ? [user] : []))
      const [only] = taken.length === 1 ? taken : []
      return {
        joined: users("joined"),
        left: users("left"),
        isNewsTo: (session) => only?.[1].session !== session
      }
    }
  }
}

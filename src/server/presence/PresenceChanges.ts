/**
 * Gathers who came and went until it is time to tell.
 *
 * Each name stands once, where it ended up, so that a message is right for whoever gets it, whenever they last saw a
 * list of users. Holds at most one entry per user who came or went within `presenceWindow`, or within the longer time that
 * telling many of much is given (see `paceMillis`). While more are listening than are told of changes, changes are
 * forgotten; when they are fewer again, all are told who is there.
 */
import type { UserName } from "../../common/name/UserName.ts"
import { maxNames, type ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { SessionId } from "../session/Asker.ts"

/** How long changes are gathered before they are told in one message, in milliseconds. */
export const presenceWindow = 50

/** What presence may cost in all: 32 MiB/s, counting each message once for everyone who gets it. */
const bytesPerMilli = 32 * 1024

/** A longer pause would help nobody. */
const longestPause = 5000

interface Audience {
  readonly count: number
  /** More are not told of changes. */
  readonly max: number
  readonly everybody: () => ReadonlyArray<UserName>
}

export interface PresenceChanges {
  /** Whoever notes a change sees to it that it is told in time. */
  readonly note: (session: SessionId, user: UserName, change: "joined" | "left") => void
  /** All that was noted since the last `take`, or undefined if there is nothing to tell. */
  readonly take: (audience: Audience) => Summary | undefined
}

/** One message holds so many names; with more of them there are several. The first may be about everybody. */
type Change = Pick<ServerMessageOf<"Presence">, "all" | "joined" | "left">

interface Summary {
  readonly changes: ReadonlyArray<Change>
  /** Whether this is news to that connection: a change of its own and nothing else is not. */
  readonly isNewsTo: (session: SessionId) => boolean
}

/** How long to wait after telling so many listeners this, in milliseconds: what costs more comes more rarely. */
export const paceMillis = (listeners: number, messages: ReadonlyArray<object>): number => {
  const bytes = messages.reduce((sum, message) => sum + JSON.stringify(message).length, 0)
  return Math.min(longestPause, Math.floor((bytes * listeners) / bytesPerMilli))
}

export const makePresenceChanges = (): PresenceChanges => {
  let changes = new Map<UserName, { readonly session: SessionId; readonly change: "joined" | "left" }>()
  /** Listeners know less than they should. */
  let isStale = false
  return {
    note: (session, user, change) => {
      changes.set(user, { session, change })
    },
    take: ({ count, everybody, max }) => {
      if (changes.size === 0) return undefined
      const taken = [...changes]
      changes = new Map()
      if (count > max) {
        isStale = true
        return undefined
      }
      if (isStale) {
        isStale = false
        const [first = { joined: [], left: [] }, ...others] = inMessages(everybody(), [])
        return { changes: [{ ...first, all: true }, ...others], isNewsTo: () => true }
      }
      const users = (wanted: "joined" | "left") =>
        taken.flatMap(([user, { change }]) => (change === wanted ? [user] : []))
      const [only] = taken.length === 1 ? taken : []
      return {
        changes: inMessages(users("joined"), users("left")),
        isNewsTo: (session) => only?.[1].session !== session
      }
    }
  }
}

const inMessages = (joined: ReadonlyArray<UserName>, left: ReadonlyArray<UserName>): ReadonlyArray<Change> =>
  Array.from({ length: Math.ceil(Math.max(joined.length, left.length) / maxNames) }, (_, index) => {
    const start = index * maxNames
    return { joined: joined.slice(start, start + maxNames), left: left.slice(start, start + maxNames) }
  })

/**
 * Who came and went while one was there, of those alone who spoke lately: others mean nothing to who reads. Pure.
 *
 * It is no part of the log: it has no place there, counts nowhere, and a restart or a page of history does not bring it back. What
 * happened between two messages is one piece, and stands behind the first of them: whoever comes and goes again there, or goes and
 * comes back, has not moved.
 *
 * Bounds: `maxPieces`, each of the `spokenLately` people at most who may be in it.
 */
import type { Seq, Timestamp } from "../../../common/log/Cursor.ts"
import { type NameKey, nameKey } from "../../../common/name/Name.ts"
import type { UserName } from "../../../common/name/UserName.ts"
import { isSaid, type Window } from "./Window.ts"

const maxPieces = 100

/** Whoever said one of the last so many messages, not longer ago than this, in milliseconds. */
const spokenLately = 50
const lately = 30 * 60_000

/** What stands behind one message. */
export interface Piece {
  readonly behind: Seq
  /** When the last of it happened. */
  readonly at: Timestamp
  /** In the order in which they came. */
  readonly joined: ReadonlyArray<UserName>
  readonly left: ReadonlyArray<UserName>
}

/** In the order of the messages. */
export type Moves = ReadonlyArray<Piece>

export interface Change {
  readonly joined: ReadonlyArray<UserName>
  readonly left: ReadonlyArray<UserName>
}

export const empty: Moves = []

const speakers = ({ entries }: Window, now: Timestamp): ReadonlySet<NameKey> =>
  new Set(
    entries
      .slice(-spokenLately)
      .flatMap((entry) => (isSaid(entry) && now - entry.at < lately ? [nameKey(entry.from)] : []))
  )

/** After these came and went; `user`, who reads, is not told of themselves. */
export const hear = (moves: Moves, window: Window, change: Change, user: UserName, now: Timestamp): Moves => {
  // Where somebody has gone back, or nothing is at hand, nobody knows who spoke last.
  if (!window.isAtEnd || window.entries.length === 0) return moves
  const spoken = speakers(window, now)
  const isTold = (one: UserName) => spoken.has(nameKey(one)) && nameKey(one) !== nameKey(user)
  const [joined, left] = [change.joined.filter(isTold), change.left.filter(isTold)]
  if (joined.length === 0 && left.length === 0) return moves
  const last = moves.at(-1)
  const behind = window.newest
  const before = last?.behind === behind ? last : { behind, joined: [], left: [] }
  const piece = { behind, at: now, ...both(before, { joined, left }) }
  const others = before === last ? moves.slice(0, -1) : moves
  return piece.joined.length === 0 && piece.left.length === 0 ? others : [...others, piece].slice(-maxPieces)
}

/** One after the other: what undoes what was before leaves nothing. */
const both = (first: Change, second: Change): Change => {
  const [joined, left] = [keyed(first.joined), keyed(first.left)]
  for (const user of second.left) if (!joined.delete(nameKey(user))) left.set(nameKey(user), user)
  for (const user of second.joined) if (!left.delete(nameKey(user))) joined.set(nameKey(user), user)
  return { joined: [...joined.values()], left: [...left.values()] }
}

const keyed = (users: ReadonlyArray<UserName>): Map<NameKey, UserName> =>
  new Map(users.map((user) => [nameKey(user), user]))

/** What stands behind this message. */
export const behind = (moves: Moves, seq: Seq): Piece | undefined => moves.find((piece) => piece.behind === seq)

/** Where a newcomer goes on, and what is said of it: pure. */
import type { Cursor, Seq } from "../../common/log/Cursor.ts"

/** How many old entries a newcomer is sent at most. */
const maxReplay = 1000

/** Behind `from`, since `asked` may be too far back. */
export interface Start {
  readonly from: Seq
  readonly asked: Seq
  /** Whether the cursor is one of this log. */
  readonly fits: boolean
}

/** What a newcomer is told of the log: its newest place, and how much follows. */
export interface Standing extends Cursor {
  readonly missed: number
  /** Older entries were left out. */
  readonly truncated: boolean
}

/** Where who comes with this cursor goes on in a log that stands at `now`. One that fits no log counts as none. */
export const startOf = (now: Cursor, after: Cursor | undefined): Start => {
  if (after === undefined) return { from: now.seq, asked: now.seq, fits: true }
  if (after.epoch !== now.epoch || after.seq > now.seq) return { from: now.seq, asked: now.seq, fits: false }
  return { from: Math.max(after.seq, now.seq - maxReplay), asked: after.seq, fits: true }
}

/**
 * What is said to them. `first` is the first place behind the start that has an entry, if any has. `countBehind`: how many places they
 * may read behind another, up to the newest; all there are, unless it is given.
 */
export const standingOf = (
  { epoch, seq }: Cursor,
  { asked, fits }: Start,
  first: Seq | undefined,
  countBehind: (place: Seq) => number = (place) => Math.max(0, seq - place)
): Standing => {
  const missed = first === undefined ? 0 : countBehind(first - 1)
  return { epoch, seq, missed, truncated: !fits || missed < countBehind(asked) }
}

/** Where a client stands in the log of a conversation, and where it goes on when it comes back. Pure. */
import type { Cursor, Epoch, Seq } from "../../common/log/Cursor.ts"

/** `epoch` is missing where the log lives no longer than the connection: in a guest's inbox. */
export interface Place {
  readonly epoch: Epoch | undefined
  readonly seq: Seq
  /** Of an encrypted room: a device reads the parts in which it was let in, and what is between them is not missing. */
  readonly hasGaps?: true
}

export const fresh: Place = { epoch: undefined, seq: 0 }

export const cursorOf = (place: Place | undefined): Cursor | undefined =>
  place?.epoch === undefined ? undefined : { epoch: place.epoch, seq: place.seq }

export interface Resumed {
  readonly place: Place
  readonly missed: number
  /** Whether messages may be missing that nobody can count. */
  readonly gap: boolean
}

/** Where to go on when the log stands at `now`: at the old place, if it still is one. */
export const resumed = (before: Place | undefined, now: Cursor): Resumed => {
  if (before === undefined) return { place: now, missed: 0, gap: false }
  // So far only how long the log was is known: what came since is not sent, and what others are not told of yet is to come.
  if (before.epoch === undefined) return { place: before.seq <= now.seq ? before : now, missed: 0, gap: false }
  // Of a log in which nothing had been said, nothing is lost with it: nobody wrote to that room before the server restarted.
  if (before.epoch !== now.epoch && before.seq === 0) {
    return { place: { ...now, seq: 0 }, missed: now.seq, gap: false }
  }
  if (before.epoch !== now.epoch || before.seq > now.seq) return { place: now, missed: 0, gap: true }
  return { place: before, missed: now.seq - before.seq, gap: false }
}

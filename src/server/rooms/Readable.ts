/** Which parts of an encrypted room's log somebody may read, cut to what is asked for: pure. */
import type { Seq } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Range } from "../history/Query.ts"
import type { Interval } from "../history/SealedRooms.ts"

/** What somebody may read of an encrypted room; and in a conversation of two, as whom. */
export interface Readable {
  readonly intervals: ReadonlyArray<Interval>
  readonly as?: UserName
}

/** Whether an entry is one that this user is given: what somebody sealed who was blocked then is for nobody else. */
export const isGivenTo =
  (as: UserName | undefined) =>
  ({ body, from }: Pick<Entry, "body" | "from">): boolean =>
    body._tag !== "Sealed" || body.unheard !== true || as === undefined || nameKey(from) === nameKey(as)

/** A part of a log, both ends exclusive. */
export interface Part {
  readonly after: Seq
  readonly before: Seq
}

/** Of these intervals what lies between two places, oldest first. */
export const partsOf = (intervals: ReadonlyArray<Interval>, { after, before }: Part): ReadonlyArray<Part> =>
  intervals
    .map(({ since, until = Number.MAX_SAFE_INTEGER - 1 }) => ({
      after: Math.max(after, since - 1),
      before: Math.min(before, until + 1)
    }))
    .filter((part) => part.before > part.after + 1)

/** How many places they have together. */
export const placesIn = (parts: ReadonlyArray<Part>): number =>
  parts.reduce((sum, { after, before }) => sum + before - after - 1, 0)

/** The parts of a page in the direction in which it is read; all of it where there are no intervals. */
export const partsOfPage = (
  intervals: ReadonlyArray<Interval> | undefined,
  { after, before }: Pick<Range, "after" | "before">
): ReadonlyArray<Partial<Part>> => {
  if (intervals === undefined)
    return [{ ...(after !== undefined && { after }), ...(before !== undefined && { before }) }]
  const parts = partsOf(intervals, { after: after ?? 0, before: before ?? Number.MAX_SAFE_INTEGER })
  return after === undefined ? parts.toReversed() : parts
}

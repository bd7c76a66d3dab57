/**
 * What was reported, until an admin deletes it: the one contract between those who take reports and whatever keeps them. RETENTION
 * does not touch them, nor does the deletion of a message: they keep what was said.
 *
 * Bounds: `maxReports`. Beyond that those go that were handled, and then the others, the oldest first. Whatever changes something answers only once it would survive a crash, as
 * far as the layer can survive one.
 */
import { Context, type Effect } from "effect"
import type { StorageUnavailable } from "../history/History.ts"
import type { NewReport, Report } from "./Report.ts"

/** 10 KB each at most. */
export const maxReports = 10_000

type Kept<A> = Effect.Effect<A, StorageUnavailable>

export class Reports extends Context.Service<
  Reports,
  {
    add(report: NewReport): Kept<void>
    /** The newest, or the newest before one; newest first. */
    list(before: number | undefined, limit: number): Kept<ReadonlyArray<Report>>
    /** Somebody has seen to it. Whether there is one of this number. */
    setHandled(id: number): Kept<boolean>
    /** From now on nobody is given it, and soon no file holds a word of it. Whether there was one. */
    remove(id: number): Kept<boolean>
  }
>()("parley/server/reports/Reports") {}

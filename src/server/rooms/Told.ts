/**
 * What the members of a conversation on this node have been told of its log: pure.
 *
 * They are told every entry once, in the order of the log, however this half heard of it: by the answer to a run of its own,
 * from another half, or, where it missed something, out of the log. A commit that was taken for failed and had been carried
 * out all the same leaves such a gap, too.
 */
import type { Seq } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"

/** Entries between two places, both exclusive, that have to be read before others are told. */
interface Gap {
  readonly after: Seq
  readonly before: Seq
}

export interface News {
  readonly gap: Gap | undefined
  /** Those that have not been told yet. */
  readonly entries: ReadonlyArray<Entry>
  /** Where members stand when they have been told all of it. */
  readonly seq: Seq
}

/**
 * What to tell when these entries are heard of, members having been told up to `told`. `answered`: places that senders are to be
 * told of afterwards, which nobody must hear of before the entry itself.
 */
export const news = (told: Seq, entries: ReadonlyArray<Entry>, answered: ReadonlyArray<Seq> = []): News => {
  const fresh = entries.filter(({ seq }) => seq > told)
  const reach = Math.max(told, ...answered)
  const next = fresh[0]?.seq ?? reach + 1
  const gap = next > told + 1 ? { after: told, before: next } : undefined
  return { gap, entries: fresh, seq: Math.max(reach, fresh.at(-1)?.seq ?? 0) }
}

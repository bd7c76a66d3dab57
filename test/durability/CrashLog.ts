/**
 * The logs as they stand in the file, read without any of the server's code, also while a server has the file open; and what
 * is wrong with them, held against a ledger: a promise that is not kept, a refusal that is not, a gap, something twice,
 * words that were deleted.
 *
 * Also how their messages stand, folded by the reference model: what History has to say after all crashes.
 */
import { DatabaseSync } from "node:sqlite"
import { Schema } from "effect"
import { type Deed, nameOf } from "../support/ReferenceEntry.ts"
import { shown, statesOf } from "../support/ReferenceTimeline.ts"
import { type Ledger, lobby, type Made } from "./Ledger.ts"

const Row = Schema.Struct({
  place: Schema.String,
  seq: Schema.Int,
  at: Schema.Int,
  from: Schema.String,
  kind: Schema.Literals(["Said", "Edited", "Deleted", "Reacted", "Tombstone"]),
  target: Schema.NullOr(Schema.Int),
  content: Schema.String,
  key: Schema.NullOr(Schema.String)
})
const decodeRows = Schema.decodeUnknownSync(Schema.Array(Row))
const decodeFields = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      reason: Schema.optionalKey(Schema.String),
      reaction: Schema.optionalKey(Schema.String),
      removed: Schema.optionalKey(Schema.Boolean)
    })
  )
)

export interface Stored extends Made {
  readonly key: string | null
}

export type CrashLog = ReadonlyMap<string, ReadonlyArray<Stored>>

export const read = (file: string): CrashLog => {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 })
  const rows = database
    .prepare(
      `SELECT CASE conversations.kind WHEN 'Lobby' THEN '${lobby}' ELSE name END AS place,
         seq, at, sender AS "from", messages.kind, target, content, idempotency_key AS key
       FROM messages JOIN conversations ON conversations.id = messages.conversation ORDER BY place, seq`
    )
    .all()
  database.close()
  const stored = Map.groupBy(decodeRows(rows), ({ place }) => place)
  return new Map(
    Array.from(stored, ([place, all]) => [
      place,
      all.map(({ at, from, key, seq, ...row }) => ({ seq, at, from, key, deed: deedIn(row) }))
    ])
  )
}

const deedIn = ({ content, kind, target }: Pick<typeof Row.Type, "content" | "kind" | "target">): Deed | undefined => {
  if (kind === "Tombstone") return undefined
  if (kind === "Said") return { kind, words: content, target: target ?? undefined }
  const place = target ?? 0
  // A message that was deleted takes its edits' words with it a moment later.
  if (kind === "Edited") return content === "" ? undefined : { kind, words: content, target: place }
  const { reaction = "", reason, removed = false } = decodeFields(content)
  return kind === "Deleted"
    ? { kind, words: reason, target: place }
    : { kind, words: reaction, target: place, isRemoved: removed }
}

/** Whatever speaks against these being the logs that were promised and told. */
export const faults = (stored: CrashLog, { heard, promised, refused }: Ledger): ReadonlyArray<string> => {
  const found: Array<string> = []
  const deletions = new Map(Array.from(stored, ([place, entries]) => [place, deletedIn(entries)]))
  /** As it was made, or a Tombstone if it holds words that were deleted since. */
  const isKept = (place: string, { at, deed, from, seq }: Made, entry: Stored | undefined) => {
    const deleted = deletions.get(place)
    const target = deed?.kind === "Said" ? seq : deed?.kind === "Edited" ? deed.target : undefined
    const isDeleted = deed === undefined || (target !== undefined && deleted?.has(target) === true)
    // Edits are erased a moment after their message: see `isErased`.
    const isLeft = entry?.deed?.kind === "Edited" && deleted?.has(entry.deed.target) === true
    const isSame = isDeleted ? entry?.deed === undefined || isLeft : isAlike(deed, entry?.deed)
    return entry !== undefined && isSame && entry.seq === seq && entry.at === at && entry.from === from
  }

  for (const [place, entries] of stored) {
    entries.forEach(({ seq }, index) => {
      if (seq !== index + 1) found.push(`${place}: ${seq} stands where ${index + 1} should`)
    })
    const deeds = entries.flatMap(({ deed, from }) => (deed === undefined ? [] : [`${from} ${nameOf(deed)}`]))
    const extra = deeds.length - new Set(deeds).size
    if (extra > 0) found.push(`${place}: ${extra} entries are twice`)
    const keys = new Set(entries.map(({ key }) => key))
    for (const { from, key, place: where } of refused) {
      if (where === place && keys.has(`${from} ${key}`)) found.push(`${place}: ${key} was refused, and is there`)
    }
  }
  for (const promise of promised) {
    const entry = stored.get(promise.place)?.[promise.seq - 1]
    if (!isKept(promise.place, promise, entry) || entry?.key !== `${promise.from} ${promise.key}`) {
      found.push(`promised ${JSON.stringify(promise)}, stored ${JSON.stringify(entry)}`)
    }
  }
  for (const { entries, first, place, who } of heard) {
    const log = stored.get(place) ?? []
    entries.forEach((entry, index) => {
      if (!isKept(place, entry, log[first + index])) {
        found.push(`${who} heard ${JSON.stringify(entry)} in ${place}, stored ${JSON.stringify(log[first + index])}`)
      }
    })
  }
  return found
}

const isAlike = (one: Deed, other: Deed | undefined) => other !== undefined && nameOf(one) === nameOf(other)

/** Whether nothing is left of what was deleted. */
export const isErased = (stored: CrashLog): boolean =>
  [...stored.values()].every((entries) => {
    const deleted = deletedIn(entries)
    return entries.every(({ deed }) => deed?.kind !== "Edited" || !deleted.has(deed.target))
  })

const deletedIn = (entries: ReadonlyArray<Made>): ReadonlySet<number> =>
  new Set(entries.flatMap(({ deed }) => (deed?.kind === "Deleted" ? [deed.target] : [])))

/** Whether every client has heard its logs to their ends. */
export const isAllHeard = (stored: CrashLog, { heard }: Ledger): boolean =>
  heard.every(({ entries, first, place }) => first + entries.length === (stored.get(place)?.length ?? 0))

/** What History has to say of a log. */
export const standingIn = (entries: ReadonlyArray<Stored>): ReadonlyArray<string | undefined> => {
  const whole = entries.map((entry) => ({ ...entry, knownAt: 0, saidAt: 0, madeBy: [], partner: undefined }))
  const last = statesOf(whole).at(-1)
  return last === undefined ? [] : shown(last).map(({ text }) => text)
}

/**
 * The log of one conversation in memory: its entries, and the messages as they stand, by `Timeline`. Pure but for the log
 * that is handed in, whose owner is MemoryHistory.
 *
 * Bound (invariant 3): all that is held of an entry goes with it. What is done to a message stands behind it, so that a
 * message never outlives its edits and reactions, and these are never looked for once it has gone.
 */
import type { Conversation } from "../../common/log/Conversation.ts"
import { Epoch, type Seq, type Timestamp } from "../../common/log/Cursor.ts"
import type { AuthorId, Body, Entry } from "../../common/log/Entry.ts"
import { isGoverning, isModeration } from "../../common/log/Governing.ts"
import {
  maxReactors,
  placeOf,
  type ShownDeletion,
  type Standing,
  type StandingTombstone,
  step
} from "../../common/log/Timeline.ts"
import { nameKey } from "../../common/name/Name.ts"
import { fitting } from "../history/Fitting.ts"
import {
  type Facts,
  keyOf,
  type Question,
  reactorName,
  type ReactorFacts,
  type Stored,
  type TargetFacts
} from "../history/History.ts"
import type { Partner } from "../history/Partner.ts"
import type { Range, StandingRange } from "../history/Query.ts"
import { type KeptReaction, toText } from "./KeptReactions.ts"
import { bytesOfAct, bytesOfReactions, bytesOfSealed } from "./StandingRows.ts"
import { toStored } from "./StoredBody.ts"

/** An entry that is held: `number` counts all entries ever stored, so that a search can go on where it stopped. */
export interface Held {
  entry: Entry
  readonly author: AuthorId | undefined
  readonly key: string | undefined
  /** Further keys that were answered with it. */
  answered: ReadonlyArray<string>
  readonly number: number
  /** In an inbox, with whom it was exchanged, and where it stands in their inbox. */
  readonly partner: Partner | undefined
  readonly twin: Seq | undefined
}

export interface MemoryLog {
  readonly conversation: Conversation
  readonly epoch: Epoch
  /** Consecutive: the first stands at `dropped + 1`. */
  readonly entries: Array<Held>
  dropped: number
  /** The time of the newest, whether it is held or not. */
  at: Timestamp
  /** Where the held entries stand that keys were answered with. */
  readonly places: Map<string, Stored>
  /** The held messages and tombstones of messages, in the order of their places. */
  readonly standing: Map<Seq, Standing>
  /** The held edits of held messages, by the place of those. */
  readonly edits: Map<Seq, Array<Held>>
}

export const emptyLog = (conversation: Conversation, epoch: Epoch, number: number): MemoryLog => ({
  conversation,
  epoch: conversation._tag === "Lobby" ? epoch : Epoch.make(`${epoch}.${number}`),
  entries: [],
  dropped: 0,
  at: 0,
  places: new Map(),
  standing: new Map(),
  edits: new Map()
})

export const newestOf = (log: MemoryLog): number => log.dropped + log.entries.length

export const heldAt = (log: MemoryLog, seq: Seq): Held | undefined => log.entries[seq - log.dropped - 1]

/** UTF-16 units that are held for an entry's content. */
export const charactersOf = (body: Body): number => (body._tag === "Tombstone" ? 0 : toStored(body).content.length)

/** Remembers a key for a held entry. Answers by how many characters more is held. */
export const remember = (log: MemoryLog, key: string, seq: Seq): number => {
  const held = heldAt(log, seq)
  if (held === undefined || log.places.has(key)) return 0
  held.answered = [...held.answered, key]
  log.places.set(key, { seq, at: held.entry.at, repeated: false })
  return key.length
}

/** What follows from the newest entry. Answers by how many characters more is held: fewer, if something is deleted. */
export const follow = (log: MemoryLog, held: Held): number => {
  const { entry } = held
  const place = placeOf(entry)
  const before = place === undefined ? undefined : log.standing.get(place)
  const after = step(before, entry)
  if (place === undefined || after === undefined) return 0
  log.standing.set(place, after)
  if (entry.body._tag === "Edited") {
    if (after._tag === "Tombstone") return bury(held, after)
    const edits = log.edits.get(place) ?? []
    edits.push(held)
    log.edits.set(place, edits)
  }
  if ((before?._tag !== "Message" && before?._tag !== "Sealed") || after._tag !== "Tombstone") return 0
  const buried = [heldAt(log, place), ...(log.edits.get(place) ?? [])]
  log.edits.delete(place)
  return buried.reduce((sum, one) => sum + (one === undefined ? 0 : bury(one, after)), 0)
}

/** Puts a tombstone in the place of an entry. */
const bury = (held: Held, { deletedAt, deletedBy }: StandingTombstone): number => {
  const characters = charactersOf(held.entry.body)
  held.entry = { ...held.entry, body: { _tag: "Tombstone", deletedBy, deletedAt } }
  return -characters
}

/** The entries of a range, in their order. */
export const entriesIn = (log: MemoryLog, { after = 0, before = Infinity }: Range): ReadonlyArray<Entry> =>
  log.entries
    .slice(Math.max(after - log.dropped, 0), Math.max(Math.min(before - 1, newestOf(log)) - log.dropped, 0))
    .map(({ entry }) => entry)

/**
 * What stands: of an inbox what was exchanged with this partner, or all of it if none is named; of `only`'s kind, of every kind if
 * none is named.
 */
export const viewsIn = (
  log: MemoryLog,
  { only, with: partner }: Pick<StandingRange, "only" | "with">
): ReadonlyArray<Standing | ShownDeletion> => {
  if (only === "moderation") {
    return log.entries.flatMap(({ entry: { at, body, from, seq } }): ReadonlyArray<Standing | ShownDeletion> =>
      isModeration(body) ? [{ ...body, seq, at, from }] : []
    )
  }
  const all = [...log.standing.values()].filter((one) => only === undefined || !isGoverning(one))
  return partner === undefined ? all : all.filter(({ seq }) => heldAt(log, seq)?.partner === partner)
}

/** The part of these that is asked for, oldest first, and whether there are more in that direction. */
export const pageOf = <A extends { readonly seq: Seq }>(
  all: ReadonlyArray<A>,
  { after, before, limit }: Range,
  maxBytes: number | undefined,
  bytesOf: (one: A) => number
): { readonly given: ReadonlyArray<A>; readonly more: boolean } => {
  const within = all.filter(({ seq }) => seq > (after ?? 0) && seq < (before ?? Infinity))
  const isForwards = after !== undefined
  const wanted = isForwards ? within.slice(0, limit) : within.slice(Math.max(within.length - limit, 0)).toReversed()
  const count = maxBytes === undefined ? wanted.length : fitting(wanted.values().map(bytesOf), maxBytes)
  const given = wanted.slice(0, count)
  return { given: isForwards ? given : given.toReversed(), more: count < within.length }
}

/** Of its text and of the reactions that are shown; of what was done to a room, of its fields. */
export const bytesOfView = (standing: Standing | ShownDeletion): number => {
  if (standing._tag === "Sealed") return bytesOfSealed(standing)
  if (standing._tag !== "Message") return isGoverning(standing) ? bytesOfAct(standing) : 0
  const kept = standing.reactions.map(({ by, reaction }): KeptReaction => ({
    reaction,
    count: by.length,
    first: by.slice(0, maxReactors)
  }))
  return Buffer.byteLength(standing.content) + bytesOfReactions(toText(kept))
}

export const factsOf = (log: MemoryLog, { keys, reactors, targets }: Question): Facts => {
  const answered = keys.flatMap(({ from, key, with: partner }) => {
    const name = keyOf(from, key, partner)
    const stored = log.places.get(name)
    return stored === undefined ? [] : [[name, { seq: stored.seq, at: stored.at }] as const]
  })
  const asked = new Set(reactors.map(({ reaction, target, user }) => reactorName(target, user, reaction)))
  const known = targets
    .filter((seq) => seq >= 1 && seq <= newestOf(log))
    .map((seq) => [seq, targetFacts(log, seq, asked)] as const)
  return { answered: new Map(answered), targets: new Map(known) }
}

const targetFacts = (log: MemoryLog, seq: Seq, asked: ReadonlySet<string>): TargetFacts => {
  const held = heldAt(log, seq)
  if (held === undefined) return { seq, is: "Gone", at: 0, author: undefined, reactions: [], reactors: [] }
  const { at } = held.entry
  const standing = log.standing.get(seq)
  const exchanged = held.partner === undefined ? {} : { with: held.partner }
  if (standing?._tag !== "Message") {
    const is = standing?._tag === "Sealed" ? "Message" : standing?._tag === "Tombstone" ? "Tombstone" : "Other"
    const author = is === "Tombstone" ? undefined : held.author
    return { seq, is, at, author, reactions: [], reactors: [], ...exchanged }
  }
  const { reactions } = standing
  return {
    ...exchanged,
    seq,
    is: "Message",
    at,
    author: held.author,
    reactions: reactions.map(({ by, reaction }) => ({ reaction, count: by.length })),
    reactors: reactions
      .flatMap(({ by, reaction }) =>
        by.flatMap(({ seq: place, user }): ReadonlyArray<ReactorFacts> => {
          const reacted = asked.has(reactorName(seq, user, reaction)) ? heldAt(log, place) : undefined
          if (reacted === undefined) return []
          const { author, entry } = reacted
          return [{ reaction, user: nameKey(user), author, seq: place, at: entry.at }]
        })
      )
      .toSorted((one, other) => one.seq - other.seq)
  }
}

/**
 * The messages of a conversation as they stand: its log, folded. Pure, and shared by whoever keeps logs and whoever shows them.
 *
 * A message stands at its place with its text as last edited and the reactions that were not taken back; a deleted one as a
 * tombstone; what was sealed, and what was done to a room, as it is. Edits, deletions, reactions and what is done to keys stand nowhere themselves. What is done to a
 * message that is not there (taken by RETENTION, before what is known, deleted already) changes nothing.
 */
import { nameKey } from "../name/Name.ts"
import type { UserName } from "../name/UserName.ts"
import type { Seq, Timestamp } from "./Cursor.ts"
import { type BodyOf, type Entry, maxReactions, type Reaction, targetOf } from "./Entry.ts"
import { type Governing, isGoverning } from "./Governing.ts"

/** Who reacted so, earliest first. A name reacts in one way once. */
interface Reactions {
  readonly reaction: Reaction
  readonly by: ReadonlyArray<Reactor>
}

export interface Reactor {
  readonly user: UserName
  /** Where its entry stands. */
  readonly seq: Seq
}

export interface StandingMessage {
  readonly _tag: "Message"
  readonly seq: Seq
  readonly at: Timestamp
  readonly from: UserName
  /** In an inbox, whom it is for. */
  readonly to?: UserName
  readonly content: string
  readonly replyTo?: Seq
  /** When it was edited last. */
  readonly edited?: Timestamp
  /** In the order of the earliest of each that still stands. */
  readonly reactions: ReadonlyArray<Reactions>
}

export interface StandingTombstone extends Pick<StandingMessage, "at" | "from" | "seq" | "to"> {
  readonly _tag: "Tombstone"
  readonly deletedBy: UserName
  readonly deletedAt: Timestamp
}

/** What was done to a room, or to somebody in it. */
type StandingAct = Governing & Pick<StandingMessage, "at" | "from" | "seq">

/** What was said and only devices can read. Edits of it and reactions to it are sealed, too: it stands as it was made. */
type StandingSealed = BodyOf<"Sealed"> & Pick<StandingMessage, "at" | "from" | "seq">

export type Standing = StandingMessage | StandingSealed | StandingTombstone | StandingAct

/** What others are shown of the reactions to a message. */
export interface ReactionSummary {
  readonly reaction: Reaction
  /** The earliest. */
  readonly users: ReadonlyArray<UserName>
  /** How many there are. */
  readonly count: number
}

/** That somebody deleted what another wrote: shown only where one asks for moderation. */
export type ShownDeletion = BodyOf<"Deleted"> & Pick<StandingMessage, "at" | "from" | "seq">

/** What stands somewhere, as others are shown it. */
export type View =
  | StandingTombstone
  | StandingSealed
  | StandingAct
  | ShownDeletion
  | (Omit<StandingMessage, "reactions"> & { readonly reactions: ReadonlyArray<ReactionSummary> })

/** How many of those who reacted in one way are named. */
export const maxReactors = 20

export const viewOf = (standing: Standing): View =>
  standing._tag !== "Message"
    ? standing
    : {
        ...standing,
        reactions: standing.reactions.map(({ by, reaction }) => ({
          reaction,
          users: by.slice(0, maxReactors).map(({ user }) => user),
          count: by.length
        }))
      }

export type Timeline = ReadonlyMap<Seq, Standing>

/** The place at which something stands differently after this entry; none if nothing does. */
export const placeOf = ({ body, seq }: Entry): Seq | undefined => {
  if (body._tag === "Said" || body._tag === "Sealed" || body._tag === "Tombstone" || isGoverning(body)) return seq
  return targetOf(body)
}

/** What stands at `placeOf(entry)` after it. `before` is what stood there; the same is given back if nothing changes. */
export const step = (before: Standing | undefined, entry: Entry): Standing | undefined => {
  const { body, ...head } = entry
  const { at, from, seq } = head
  if (isGoverning(body)) return { ...body, seq, at, from }
  switch (body._tag) {
    case "Said":
      return { _tag: "Message", ...head, ...contentOf(body), reactions: [] }
    case "Sealed":
      return { ...body, seq, at, from }
    case "KeysCommitted":
    case "KeysReset":
      return before
    case "Tombstone":
      // One that stands for an edit stands behind the tombstone of what was edited.
      return { _tag: "Tombstone", ...head, deletedBy: body.deletedBy, deletedAt: body.deletedAt }
    case "Edited":
      return before?._tag === "Message" ? { ...before, content: body.content, edited: at } : before
    case "Deleted":
      return before?._tag === "Message" || before?._tag === "Sealed"
        ? { ...tombstoneOf(before), deletedBy: from, deletedAt: at }
        : before
    case "Reacted":
      return before?._tag === "Message" ? { ...before, reactions: react(before.reactions, from, seq, body) } : before
  }
}

const tombstoneOf = ({ at, from, seq, to }: Pick<StandingMessage, "at" | "from" | "seq" | "to">) => ({
  _tag: "Tombstone" as const,
  seq,
  at,
  from,
  ...(to !== undefined && { to })
})

const contentOf = ({ content, replyTo }: BodyOf<"Said">) => (replyTo === undefined ? { content } : { content, replyTo })

/** A timeline after some more entries, which come in the order of their places. */
export const follow = (timeline: Timeline, entries: Iterable<Entry>): Timeline => {
  const after = new Map(timeline)
  for (const entry of entries) {
    const place = placeOf(entry)
    const standing = place === undefined ? undefined : step(after.get(place), entry)
    if (place !== undefined && standing !== undefined) after.set(place, standing)
  }
  return after
}

/** The timeline of a log from its beginning, or from any place on. */
export const of = (entries: Iterable<Entry>): Timeline => follow(new Map(), entries)

const react = (
  before: ReadonlyArray<Reactions>,
  user: UserName,
  seq: Seq,
  { reaction, removed }: BodyOf<"Reacted">
): ReadonlyArray<Reactions> => {
  const key = nameKey(user)
  const known = before.find((one) => one.reaction === reaction)
  const isThere = known?.by.some((reactor) => nameKey(reactor.user) === key) === true
  if (removed === true) {
    if (known === undefined || !isThere) return before
    const by = known.by.filter((reactor) => nameKey(reactor.user) !== key)
    const others = before.filter((one) => one !== known)
    return by.length === 0 ? others : inOrder([...others, { reaction, by }])
  }
  if (isThere) return before
  if (known !== undefined)
    return before.map((one) => (one === known ? { reaction, by: [...known.by, { user, seq }] } : one))
  return before.length >= maxReactions ? before : [...before, { reaction, by: [{ user, seq }] }]
}

const inOrder = (reactions: ReadonlyArray<Reactions>): ReadonlyArray<Reactions> =>
  reactions.toSorted((a, b) => (a.by[0]?.seq ?? 0) - (b.by[0]?.seq ?? 0))

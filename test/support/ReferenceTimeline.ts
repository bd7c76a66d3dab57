/**
 * How the messages of a log stand after each of its entries, and what may be done next: the protocol's sentences, written
 * down one after the other, without the server's Timeline or Decider.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import { type Author, authorOf, type Deed, type Wish } from "./ReferenceEntry.ts"
import type { LogEntry } from "./ReferenceLog.ts"
import type { Governs } from "./ReferenceOwners.ts"

interface Reactor {
  readonly reaction: string
  readonly user: string
  readonly seq: number
  readonly at: number
  readonly authors: ReadonlyArray<Author>
}

interface Standing {
  readonly is: "Message" | "Tombstone" | "Other"
  readonly seq: number
  readonly at: number
  readonly from: string
  /** Nothing where nobody saw it. */
  readonly content: string | undefined
  readonly replyTo: number | undefined
  readonly edited: number | undefined
  /** Those that may have said it: usually one. */
  readonly authors: ReadonlyArray<Author>
  /** In an inbox, the key of whom it was exchanged with. */
  readonly partner: string | undefined
  /** As they came. */
  readonly reactors: ReadonlyArray<Reactor>
  readonly deletion: { readonly deletedBy: string; readonly deletedAt: number } | undefined
}

export type State = ReadonlyMap<number, Standing>

/** How a log stands after none of its entries, after the first, the second, and so on. */
export const statesOf = (entries: ReadonlyArray<LogEntry>): ReadonlyArray<State> => {
  const deleted = new Set(entries.flatMap(({ deed }) => (deed?.kind === "Deleted" ? [deed.target] : [])))
  const states: Array<State> = [new Map()]
  for (const entry of entries) {
    const state = new Map(states.at(-1))
    const { at, deed, from, madeBy, partner, seq } = entry
    const authors = [...new Set(madeBy.map(({ session }) => authorOf(session)))]
    // What was deleted is a message, although nobody saw it.
    const isMessage = deed?.kind === "Said" || (deed === undefined && deleted.has(seq))
    state.set(seq, {
      is: isMessage ? "Message" : "Other",
      seq,
      at,
      from,
      partner,
      content: deed?.kind === "Said" ? deed.words : undefined,
      replyTo: deed?.kind === "Said" ? deed.target : undefined,
      edited: undefined,
      authors,
      reactors: [],
      deletion: undefined
    })
    const target = deed?.target === undefined ? undefined : state.get(deed.target)
    if (deed !== undefined && target?.is === "Message") state.set(target.seq, after(target, deed, entry, authors))
    states.push(state)
  }
  return states
}

const after = (target: Standing, deed: Deed, { at, from, seq }: LogEntry, authors: ReadonlyArray<Author>): Standing => {
  switch (deed.kind) {
    case "Said":
      return target
    case "Edited":
      return { ...target, content: deed.words, edited: at }
    case "Deleted":
      return { ...target, is: "Tombstone", deletion: { deletedBy: from, deletedAt: at } }
    case "Reacted": {
      const others = target.reactors.filter((one) => !(one.reaction === deed.words && isSame(one.user, from)))
      const own = { reaction: deed.words, user: from, seq, at, authors }
      return { ...target, reactors: deed.isRemoved ? others : [...others, own] }
    }
  }
}

const isSame = (one: string, other: string) => nameKey(one) === nameKey(other)

/** What may become of a request: accepted, why it is refused, or what stands there already. */
export interface Outcome {
  readonly kind: "Accepted" | "Repeated" | "MessageNotFound" | "NotAllowed" | "TooManyReactions"
  readonly seq?: number
}

const accepted: Outcome = { kind: "Accepted" }
const notFound: Outcome = { kind: "MessageNotFound" }
const notAllowed: Outcome = { kind: "NotAllowed" }
const maxReactions = 50

/** Something to be done, who does it, and whether the room is theirs, where it is in one. */
export type Doing = Pick<Wish, "author" | "deed" | "from" | "partner"> & { readonly governs: Governs }

/** More than one only where it is not known whose something is. */
export const outcomesOf = (state: State, { author, deed, from, governs, partner }: Doing): ReadonlyArray<Outcome> => {
  if (deed.target === undefined) return [accepted]
  const found = state.get(deed.target)
  // What was exchanged with somebody else stands in another conversation.
  const target = found?.partner === partner ? found : undefined
  if (deed.kind === "Said") return [target === undefined || target.is === "Other" ? notFound : accepted]
  if (target?.is !== "Message") return [notFound]
  if (deed.kind === "Deleted" && governs !== "no") return governs === "yes" ? [accepted] : [accepted, notAllowed]
  if (deed.kind !== "Reacted") return ifOwn(target.authors, author, notAllowed)
  const mine = target.reactors.find((one) => one.reaction === deed.words && isSame(one.user, from))
  if (deed.isRemoved) return mine === undefined ? [notFound] : ifOwn(mine.authors, author, notFound)
  if (mine !== undefined) return [{ kind: "Repeated", seq: mine.seq }]
  const different = new Set(target.reactors.map(({ reaction }) => reaction))
  return [different.has(deed.words) || different.size < maxReactions ? accepted : { kind: "TooManyReactions" }]
}

const ifOwn = (authors: ReadonlyArray<Author>, author: Author, otherwise: Outcome): ReadonlyArray<Outcome> => {
  if (!authors.includes(author)) return [otherwise]
  return authors.length === 1 ? [accepted] : [accepted, otherwise]
}

/** How a message reads in History; its conversation is left out. */
export interface Shown {
  readonly seq: number
  readonly content: string
  /** All of it, as text; nothing where somebody's words are not known. */
  readonly text: string | undefined
}

/** The messages and tombstones, in their order; of an inbox, those exchanged with one partner. */
export const shown = (state: State, partner?: string): ReadonlyArray<Shown> =>
  [...state.values()].flatMap((standing) => {
    const { at, content, deletion, edited, from, is, replyTo, seq } = standing
    if (is === "Other" || standing.partner !== partner) return []
    if (deletion !== undefined) return [{ seq, content: "", text: textOf({ seq, at, from, ...deletion }) }]
    const reactions = reactionsOf(standing)
    const text =
      content === undefined
        ? undefined
        : textOf({
            seq,
            at,
            from,
            content,
            ...(replyTo !== undefined && { replyTo }),
            ...(edited !== undefined && { edited }),
            ...(reactions.length > 0 && { reactions })
          })
    return [{ seq, content: content ?? "", text }]
  })

/** In the order of the first that still stands, each with its first 20 users and how many there are. */
const reactionsOf = ({ reactors }: Standing) =>
  [...Map.groupBy(reactors, ({ reaction }) => reaction)].map(([reaction, by]) => ({
    reaction,
    users: by.slice(0, 20).map(({ user }) => user),
    count: by.length
  }))

const whereabouts: ReadonlySet<string> = new Set(["_tag", "room", "to", "with"])

/** The same for two messages that are the same, wherever they stand. */
export const textOf = (message: object): string =>
  JSON.stringify(
    Object.entries(message)
      .filter(([name]) => !whereabouts.has(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )

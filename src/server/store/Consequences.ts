/**
 * What follows from entries that are done to messages: how those stand afterwards. Pure; `StandingTables` brings what stands
 * before, and keeps what comes out of it, in the transaction that stores the entries (invariant 12).
 *
 * The same as `Timeline.step`, entry by entry, without holding all who reacted: of each reaction its count and the first
 * `maxReactors` are known. When one of the first takes theirs back, who is next is not: such a reaction is told in `refill`.
 *
 * Bounds: a run of n entries asks for n messages and n reactors at most; each message has `maxReactions` at most.
 */
import type { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { type BodyOf, maxReactions, type Reaction } from "../../common/log/Entry.ts"
import { maxReactors } from "../../common/log/Timeline.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { inOrder, type KeptReaction } from "./KeptReactions.ts"
import type { Deed } from "./Placement.ts"

/** A message that something is done to, as it stands before. */
export interface Before {
  readonly id: number
  readonly reactions: ReadonlyArray<KeptReaction>
}

/** Names a reaction of somebody to one message. */
export const reactorKey = (reaction: Reaction, user: NameKey): string => `${user} ${reaction}`

/** Somebody who reacts, by the entry at `seq`. */
interface NewReactor {
  readonly reaction: Reaction
  readonly key: NameKey
  readonly user: UserName
  readonly author: string | null
  readonly seq: Seq
  readonly at: Timestamp
}

/** A message as it stands afterwards. */
export interface After {
  readonly id: number
  /** By whom and when it was deleted; then nothing else matters. */
  readonly deleted?: { readonly by: UserName; readonly at: Timestamp }
  /** How it was edited last. */
  readonly edited?: { readonly content: string; readonly at: Timestamp }
  /** In their order but for those of `refill`; nothing if they are what they were. */
  readonly reactions?: ReadonlyArray<KeptReaction>
  /** Of whom the first are to be read anew, once `come` and `gone` are stored. */
  readonly refill: ReadonlySet<Reaction>
  readonly come: ReadonlyArray<NewReactor>
  readonly gone: ReadonlyArray<Pick<NewReactor, "key" | "reaction">>
}

/** `deeds` are those that are done to this message, in their order; `isThere` tells who reacted before. */
export const follow = (
  { id, reactions }: Before,
  deeds: ReadonlyArray<Deed>,
  isThere: (key: string) => boolean
): After => {
  const kept = new Map(reactions.map((one) => [one.reaction, one]))
  /** Who came or went in this run: the last that they did. */
  const changes = new Map<string, { readonly reaction: Reaction; readonly key: NameKey; readonly come?: NewReactor }>()
  const refill = new Set<Reaction>()
  let edited: After["edited"]

  const react = ({ at, author, from: user, seq }: Deed, { reaction, removed }: BodyOf<"Reacted">) => {
    const key = nameKey(user)
    const name = reactorKey(reaction, key)
    const change = changes.get(name)
    const isIn = change === undefined ? isThere(name) : change.come !== undefined
    const known = kept.get(reaction)
    if (removed === true) {
      if (!isIn || known === undefined) return
      changes.set(name, { reaction, key })
      leave(known, key)
      return
    }
    if (isIn || (known === undefined && kept.size >= maxReactions)) return
    changes.set(name, { reaction, key, come: { reaction, key, user, author: author ?? null, seq, at } })
    const { count, first } = known ?? { count: 0, first: [] }
    const isFirst = first.length < maxReactors && first.length === count
    kept.set(reaction, { reaction, count: count + 1, first: isFirst ? [...first, { user, seq }] : first })
  }

  const leave = ({ count, first, reaction }: KeptReaction, key: NameKey) => {
    if (count <= 1) {
      kept.delete(reaction)
      refill.delete(reaction)
      return
    }
    const left = first.filter(({ user }) => nameKey(user) !== key)
    kept.set(reaction, { reaction, count: count - 1, first: left })
    if (left.length < Math.min(maxReactors, count - 1)) refill.add(reaction)
  }

  for (const deed of deeds) {
    const { at, body, from } = deed
    switch (body._tag) {
      case "Edited":
        edited = { content: body.content, at }
        break
      case "Deleted":
        return { id, deleted: { by: from, at }, refill: new Set(), come: [], gone: [] }
      case "Reacted":
        react(deed, body)
        break
    }
  }
  const come = [...changes.values()].flatMap((change) => change.come ?? [])
  return {
    id,
    ...(edited === undefined ? {} : { edited }),
    ...(changes.size === 0 ? {} : { reactions: inOrder(kept.values()) }),
    refill,
    come,
    // Whoever came again comes behind those who stayed.
    gone: [...changes.values()].map(({ key, reaction }) => ({ key, reaction }))
  }
}

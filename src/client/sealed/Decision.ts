/**
 * What one conversation does next, decided from where it stands. Pure; Conversation.ts carries it out, one thing at a time, so that
 * no key is used by two.
 *
 * The order is the rule: what the log has comes before anything is sent; a change of keys that waits comes before another; who must
 * go goes before anything is said; what was sealed with keys that are gone is sealed again only here, where the log is known past
 * them and its echo has not come; and only then something new is sealed.
 */

/** How far keys have got: which group, and how many changes it has had. */
export interface KeyPlace {
  readonly incarnation: number
  readonly keyEpoch: number
}

export interface Standing {
  /** Whether this connection is in the room. */
  readonly isJoined: boolean
  readonly cursor: number
  /** The newest place that was heard of. */
  readonly heard: number
  /** The group that this device is in. */
  readonly group: KeyPlace | undefined
  /** The newest incarnation that is known of; 0 where there was no group yet. */
  readonly incarnation: number
  readonly isOutOfStep: boolean
  /** Which of this device's keys were used is not known: nothing is sealed with them, but for the change to others. */
  readonly isUnsure: boolean
  readonly pending: { readonly isAnswered: boolean } | undefined
  /** In the order in which they were said. */
  readonly outbox: ReadonlyArray<KeyPlace & { readonly key: string; readonly isSent: boolean }>
  readonly isWelcomeDue: boolean
  /** Somebody waits to be let in or is to go, and it is this device's turn to do it. */
  readonly isTendingDue: boolean
  /** Whether something waits to be said. */
  readonly hasWish: boolean
  /** Somebody has asked for fresh keys. */
  readonly isResetWished: boolean
  /** Something was refused, and is not sent again yet. */
  readonly isHeldBack: boolean
  /** Nothing may be sent with these keys any more: a copy of them is in use. */
  readonly isCopied: boolean
}

export type Action =
  | { readonly _tag: "Read" }
  | { readonly _tag: "SendChange" }
  /** A group of this device alone: the first, or in place of one that cannot be followed. */
  | { readonly _tag: "Reset" }
  | { readonly _tag: "TakeWelcome" }
  | { readonly _tag: "Tend" }
  | { readonly _tag: "SealAgain"; readonly key: string }
  | { readonly _tag: "Send"; readonly key: string }
  | { readonly _tag: "Seal" }
  | { readonly _tag: "Rest" }

/**
 * No log goes on by so many places, and no room has so many groups, while one is away: a number that is further ahead is a server's
 * lie. Taken for true, and kept, it would be ahead of the true ones for ever.
 */
const maxPlacesAhead = 2 ** 30
const maxGroupsAhead = 100_000
export const isPlaceOf = (cursor: number, seq: number): boolean => seq - cursor <= maxPlacesAhead
export const isGroupOf = (incarnation: number, claimed: number): boolean => claimed - incarnation <= maxGroupsAhead

export const isBehind = (one: KeyPlace, other: KeyPlace): boolean =>
  one.incarnation < other.incarnation || (one.incarnation === other.incarnation && one.keyEpoch < other.keyEpoch)

export const decide = (standing: Standing): Action => {
  const {
    cursor,
    group,
    hasWish,
    heard,
    incarnation,
    isCopied,
    isHeldBack,
    isJoined,
    isOutOfStep,
    isResetWished,
    isTendingDue,
    isUnsure,
    isWelcomeDue,
    outbox,
    pending
  } = standing
  if (!isJoined) return { _tag: "Rest" }
  if (heard > cursor) return { _tag: "Read" }
  if (isCopied) return { _tag: "Rest" }
  if (isHeldBack) {
    const mayLook = pending === undefined && group === undefined && incarnation > 0 && isWelcomeDue
    return { _tag: mayLook ? "TakeWelcome" : "Rest" }
  }
  // Answered, it is in the log, and what follows is read first.
  if (pending !== undefined) return pending.isAnswered ? { _tag: "Rest" } : { _tag: "SendChange" }
  if (isResetWished) return { _tag: "Reset" }
  if (group === undefined) {
    if (incarnation === 0) return { _tag: "Reset" }
    return isWelcomeDue ? { _tag: "TakeWelcome" } : { _tag: "Rest" }
  }
  if (isOutOfStep) return { _tag: "Rest" }
  if (isTendingDue) return { _tag: "Tend" }
  const next = outbox.find((row) => !row.isSent || isBehind(row, group))
  const isToSeal = next === undefined ? hasWish : isBehind(next, group)
  if (isUnsure && isToSeal) return { _tag: "Tend" }
  if (next !== undefined) return { _tag: isBehind(next, group) ? "SealAgain" : "Send", key: next.key }
  return hasWish ? { _tag: "Seal" } : { _tag: "Rest" }
}

/** What a refusal for keys that are not the current ones means. */
export const afterStale = (
  { cursor, group }: Pick<Standing, "cursor" | "group">,
  stale: { readonly keyEpoch: number; readonly seq: number }
): "read" | "remove" | "wait" => {
  if (stale.seq > cursor) return "read"
  // The keys are right, and somebody who has them is to go first.
  return stale.keyEpoch === group?.keyEpoch ? "remove" : "wait"
}

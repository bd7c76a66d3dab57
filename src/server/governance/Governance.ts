/**
 * How a room is governed: what its entries from TopicSet on have made of it, folded; pure.
 *
 * Who is meant by an entry is kept by what stays the same: an account by its number, whatever becomes of its name; a guest by
 * its name and its address, of IPv6 the network (see Peer), which bind every guest until they end.
 *
 * Bounds (invariant 3): the `max…` below of each kind, so that all of it fits into one line of the protocol; an act beyond is refused. What has run out makes no entry, binds nobody,
 * and goes with the next act.
 */
import { Schema } from "effect"
import { Timestamp } from "../../common/log/Cursor.ts"
import { type Governing, Reason, type Role, Topic } from "../../common/log/Governing.ts"
import { nameKey } from "../../common/name/Name.ts"
import { UserName } from "../../common/name/UserName.ts"
import { AccountId } from "../session/AccountId.ts"
import { Keys } from "./Sealing.ts"

export const maxModerators = 50
export const maxBans = 200
export const maxMutes = 200
export const maxInvited = 200

/** Somebody an entry is about. */
export const Subject = Schema.Struct({
  user: UserName,
  account: Schema.optionalKey(AccountId),
  /** Where a guest comes from. */
  network: Schema.optionalKey(Schema.String)
})
export type Subject = typeof Subject.Type

export const Bound = Schema.Struct({
  ...Subject.fields,
  by: UserName,
  until: Schema.optionalKey(Timestamp),
  reason: Schema.optionalKey(Reason)
})
/** A ban or a mute. */
export type Bound = typeof Bound.Type

const Holder = Schema.Struct({ user: UserName, account: AccountId })
type Holder = typeof Holder.Type

export const Governance = Schema.Struct({
  createdAt: Timestamp,
  topic: Schema.optionalKey(Topic),
  isPrivate: Schema.Boolean,
  owner: Schema.optionalKey(Holder),
  moderators: Schema.Array(Holder),
  bans: Schema.Array(Bound),
  mutes: Schema.Array(Bound),
  /** Those that have not joined since, the newest last. */
  invited: Schema.Array(
    Schema.Struct({
      ...Holder.fields,
      by: UserName,
      /** It has blocked who invited it: so that nobody can tell, it is kept, and lets it in nowhere. */
      isUnheard: Schema.optionalKey(Schema.Literal(true))
    })
  ),
  /** Of an encrypted room. */
  keys: Schema.optionalKey(Keys)
})
export type Governance = typeof Governance.Type

/** Of a room nobody owns, made then. */
export const ungoverned = (createdAt: Timestamp): Governance => ({
  createdAt,
  isPrivate: false,
  moderators: [],
  bans: [],
  mutes: [],
  invited: []
})

/** Whoever may be bound or hold a role. */
export interface Person extends Pick<Subject, "account" | "network" | "user"> {}

export const roleOf = ({ moderators, owner }: Governance, { account }: Pick<Person, "account">): Role => {
  if (account === undefined) return "member"
  if (owner?.account === account) return "owner"
  return moderators.some((one) => one.account === account) ? "moderator" : "member"
}

export const isInvited = ({ invited }: Governance, { account }: Pick<Person, "account">): boolean =>
  account !== undefined && invited.some((one) => one.account === account && one.isUnheard !== true)

/** What binds somebody now, if anything does. */
export const boundBy = (bounds: ReadonlyArray<Bound>, person: Person, now: Timestamp): Bound | undefined =>
  bounds.length === 0 ? undefined : bounds.find((bound) => isMeant(bound, person) && isOn(bound, now))

const isOn = ({ until }: Bound, now: Timestamp): boolean => until === undefined || now < until

/** A guest of whom it is not known where it comes from, since it has gone, may be the one who is meant. */
const isMeant = (bound: Bound, { account, network, user }: Person): boolean => {
  if (bound.account !== undefined) return bound.account === account
  // A guest who has become an account is still the same.
  if (nameKey(bound.user) === nameKey(user)) return true
  return account === undefined && bound.network !== undefined && (network === undefined || bound.network === network)
}

/** Those of them that bind now. */
export const standing = (bounds: ReadonlyArray<Bound>, now: Timestamp): ReadonlyArray<Bound> =>
  bounds.every((bound) => isOn(bound, now)) ? bounds : bounds.filter((bound) => isOn(bound, now))

/** Whether there is no room for what this would add. */
export const isFull = (before: Governance, act: Governing, subject: Subject | undefined, now: Timestamp): boolean => {
  const others = <One extends Subject>(all: ReadonlyArray<One>) => all.filter((one) => !isSame(one, subject)).length
  switch (act._tag) {
    case "RoleSet":
      // Whoever owned it is one more.
      return act.role !== "member" && others(before.moderators) >= maxModerators
    case "Banned":
      return others(standing(before.bans, now)) >= maxBans
    case "Muted":
      return others(standing(before.mutes, now)) >= maxMutes
    case "Invited":
      return others(before.invited) >= maxInvited
    default:
      return false
  }
}

const isSame = (one: Subject, other: Subject | undefined): boolean => {
  if (other === undefined) return false
  if (one.account !== undefined || other.account !== undefined) return one.account === other.account
  return nameKey(one.user) === nameKey(other.user)
}

const without = <One extends Subject>(all: ReadonlyArray<One>, subject: Subject | undefined): ReadonlyArray<One> =>
  all.some((one) => isSame(one, subject)) ? all.filter((one) => !isSame(one, subject)) : all

/** After an entry of this kind, by somebody, about somebody. */
export const govern = (
  before: Governance,
  act: Governing,
  by: UserName,
  subject: Subject | undefined,
  now: Timestamp
): Governance => {
  switch (act._tag) {
    case "TopicSet": {
      const { topic: _, ...rest } = before
      return act.topic === "" ? rest : { ...rest, topic: act.topic }
    }
    case "AccessSet":
      return { ...before, isPrivate: act.private }
    case "RoleSet":
      return subject?.account === undefined
        ? before
        : withRole(before, { user: subject.user, account: subject.account }, act.role)
    case "Invited":
      return subject?.account === undefined
        ? before
        : {
            ...before,
            invited: [...without(before.invited, subject), { user: subject.user, account: subject.account, by }]
          }
    case "Kicked":
      return { ...before, moderators: without(before.moderators, subject), invited: without(before.invited, subject) }
    case "Banned": {
      const rest = {
        ...before,
        moderators: without(before.moderators, subject),
        invited: without(before.invited, subject),
        bans: bind(before.bans, act, by, subject, now)
      }
      const { owner, ...ownerless } = rest
      return owner !== undefined && isSame(owner, subject) ? ownerless : rest
    }
    case "Unbanned":
      return { ...before, bans: standing(lifted(before.bans, act.user, subject), now) }
    case "Muted":
      return { ...before, mutes: bind(before.mutes, act, by, subject, now) }
    case "Unmuted":
      return { ...before, mutes: standing(lifted(before.mutes, act.user, subject), now) }
  }
}

/** Without all that binds this name: a guest's, and the account's that was made of it. */
const lifted = (bounds: ReadonlyArray<Bound>, user: UserName, subject: Subject | undefined): ReadonlyArray<Bound> =>
  bounds.filter((bound) => nameKey(bound.user) !== nameKey(user) && !isSame(bound, subject))

const bind = (
  bounds: ReadonlyArray<Bound>,
  { reason, until }: Extract<Governing, { readonly _tag: "Banned" | "Muted" }>,
  by: UserName,
  subject: Subject | undefined,
  now: Timestamp
): ReadonlyArray<Bound> => {
  const others = standing(without(bounds, subject), now)
  if (subject === undefined) return others
  return [...others, { ...subject, by, ...(until !== undefined && { until }), ...(reason !== undefined && { reason }) }]
}

const withRole = (before: Governance, holder: Holder, role: Role): Governance => {
  const moderators = without(before.moderators, holder)
  const { owner, ...ownerless } = before
  const isOwner = owner?.account === holder.account
  if (role === "member") return isOwner ? { ...ownerless, moderators } : { ...before, moderators }
  if (role === "moderator") {
    const all = [...moderators, holder]
    return isOwner ? { ...ownerless, moderators: all } : { ...before, moderators: all }
  }
  const former = owner === undefined || isOwner ? [] : [owner]
  return { ...before, owner: holder, moderators: [...moderators, ...former] }
}

/** The invitation of this account lets it in nowhere. */
export const unheard = (before: Governance, { account }: Pick<Person, "account">): Governance => ({
  ...before,
  invited: before.invited.map((one) => (one.account === account ? { ...one, isUnheard: true } : one))
})

/** Somebody has come in: the invitation is used. */
export const joined = (before: Governance, person: Person): Governance =>
  isInvited(before, person) ? { ...before, invited: without(before.invited, person) } : before

/** An account is gone: its roles and invitations end. What binds it stays, and binds nobody. */
export const forgetAccount = (before: Governance, subject: Holder): Governance => {
  const { owner, ...ownerless } = before
  const rest = owner?.account === subject.account ? ownerless : before
  const moderators = without(rest.moderators, subject)
  const invited = without(rest.invited, subject)
  const isSameStill = rest === before && moderators === rest.moderators && invited === rest.invited
  return isSameStill ? before : { ...rest, moderators, invited }
}

/** A guest who made the room has become this account. */
export const owned = (before: Governance, owner: Holder): Governance =>
  before.owner === undefined ? { ...before, owner } : before

/** Whether it says no more than that the room is there. */
export const isPlain = ({ bans, invited, isPrivate, keys, moderators, mutes, owner, topic }: Governance): boolean =>
  !isPrivate &&
  keys === undefined &&
  topic === undefined &&
  owner === undefined &&
  [bans, invited, moderators, mutes].every(({ length }) => length === 0)

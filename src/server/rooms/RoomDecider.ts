/**
 * What may be done in a conversation that people govern, the lobby or a room: pure. Beside its messages (see Decider) its state is
 * how it is governed, folded from its entries, and whom this very run has put out.
 *
 * A key that was answered is answered again first, whatever has become of who asks.
 */
import { HashSet, Option } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Timestamp } from "../../common/log/Cursor.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import type { AuthorId, Entry, Intent } from "../../common/log/Entry.ts"
import { type Governing, isGoverning } from "../../common/log/Governing.ts"
import type { Circumstances } from "../../common/log/Permission.ts"
import { actionOf, mayDelete, mayGovern, moderates, type Object, type Party } from "../../common/log/RoomPermission.ts"
import { isSealing } from "../../common/log/Sealing.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import * as Governance from "../governance/Governance.ts"
import * as Keys from "../governance/Sealing.ts"
import type { Stored } from "../history/History.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Act } from "./Act.ts"
import {
  answeredBefore,
  decide,
  type Decision,
  evolve,
  isOwn,
  notEncrypted,
  type Origin,
  remember,
  type State
} from "./Decider.ts"
import { decideSealing } from "./SealingDecider.ts"

export interface RoomState {
  readonly messages: State
  readonly governance: Governance.Governance
  readonly putOut: HashSet.HashSet<NameKey>
}

export const stateOf = (messages: State, governance: Governance.Governance): RoomState => ({
  messages,
  governance,
  putOut: HashSet.empty()
})

export interface RoomCircumstances extends Circumstances {
  readonly conversation: SharedConversation
  /** The guest who made the room, for as long as its connection stands. */
  readonly guestOwner: AuthorId | undefined
}

export type RoomDecision =
  | Exclude<Decision, { readonly _tag: "Accepted" }>
  | {
      readonly _tag: "Accepted"
      /** What is to be stored. */
      readonly body: Intent
      /** How the room is governed from then on, and who is no member any more: if that changes. */
      readonly governance?: Governance.Governance
      readonly dismissed?: AccountId
      /** In an encrypted room, who may read from there on, and who no more. */
      readonly sealed?: Keys.Changes
    }

/** Whether somebody may not say anything. Nearly always nobody is muted, and nothing is looked at. */
export const isMuted = ({ mutes }: Governance.Governance, act: Act, now: Timestamp): boolean =>
  mutes.length > 0 && Governance.boundBy(mutes, personOf(act), now) !== undefined

/** `seq`: where the entry would stand. */
export const decideInRoom = (state: RoomState, act: Act, circumstances: RoomCircumstances, seq: Seq): RoomDecision => {
  const first = answeredBefore(state.messages, act)
  if (first !== undefined) return first
  const { body } = act
  const { conversation, now } = circumstances
  // An admin need not be in for these.
  const isFromOutside = act.isAdmin === true && (isGoverning(body) || body._tag === "Deleted")
  if (conversation._tag === "Room" && !isFromOutside && HashSet.has(state.putOut, nameKey(act.from))) {
    return { _tag: "Refused", reason: { _tag: "NotInRoom", room: conversation.room } }
  }
  if (isGoverning(body)) return governing(state, act, body, circumstances, seq)
  const { keys } = state.governance
  if (keys !== undefined && conversation._tag === "Room" && isOpen(body)) {
    return { _tag: "Refused", reason: { _tag: "EncryptionRequired", room: conversation.room } }
  }
  const isMuteless = body._tag === "Deleted" || body._tag === "KeysCommitted" || body._tag === "KeysReset"
  const mute = isMuteless ? undefined : Governance.boundBy(state.governance.mutes, personOf(act), now)
  if (mute !== undefined) return { _tag: "Refused", reason: mutedIn(conversation, mute) }
  if (isSealing(body)) {
    if (keys === undefined || conversation._tag === "Lobby") return { _tag: "Refused", reason: notEncrypted(body) }
    const sealed = decideSealing(keys, act, body, conversation, seq, (user) => HashSet.has(state.putOut, nameKey(user)))
    if (sealed._tag === "Refused" || sealed.keys === undefined) return sealed
    return { ...sealed, governance: { ...state.governance, keys: sealed.keys } }
  }
  const actor = actorOf(state.governance, act, circumstances.guestOwner)
  const decision = decide(state.messages, act, circumstances, moderates(actor))
  if (decision._tag !== "Accepted") return decision
  if (body._tag !== "Deleted" || isOwn(state.messages, act)) return { _tag: "Accepted", body }
  return { _tag: "Accepted", body: { ...body, moderated: true } }
}

/** What anybody could read. */
const isOpen = ({ _tag }: Intent): boolean => _tag === "Said" || _tag === "Edited" || _tag === "Reacted"

/** As whom somebody is bound or holds a role. */
const personOf = ({ account, from, network }: Act): Governance.Person => ({
  user: from,
  ...(account !== undefined && { account }),
  ...(network !== undefined && { network })
})

export const mutedIn = (
  conversation: SharedConversation,
  { reason, until }: Pick<Governance.Bound, "reason" | "until">
): Rejection => ({
  _tag: "Muted",
  ...(conversation._tag === "Room" && { room: conversation.room }),
  ...(until !== undefined && { until }),
  ...(reason !== undefined && { reason })
})

/** Somebody who acts, as far as it matters what they are. */
export interface Actor extends Pick<Act, "account" | "author" | "guest" | "isAdmin"> {}

const actorOf = (governance: Governance.Governance, actor: Actor, guestOwner: AuthorId | undefined): Party => ({
  role: isGuestOwner(governance, guestOwner, actor.author, actor.guest)
    ? "owner"
    : Governance.roleOf(governance, actor),
  isAdmin: actor.isAdmin === true,
  isGuest: actor.account === undefined
})

/** Why somebody may not delete the room, if not. */
export const whyNotDelete = (
  governance: Governance.Governance,
  actor: Actor,
  guestOwner: AuthorId | undefined
): Rejection | undefined => mayDelete(actorOf(governance, actor, guestOwner))

/** A room that was made an account's is the guest's no more. */
const isGuestOwner = (
  { owner }: Governance.Governance,
  guest: AuthorId | undefined,
  ...authors: ReadonlyArray<AuthorId | undefined>
): boolean => owner === undefined && guest !== undefined && authors.includes(guest)

const governing = (
  { governance, putOut }: RoomState,
  act: Act,
  body: Governing,
  { conversation, guestOwner, now }: RoomCircumstances,
  seq: Seq
): RoomDecision => {
  if (governance.keys?.between !== undefined) return { _tag: "Refused", reason: ungovernable(body) }
  const subject = subjectOf(governance, act, body, now)
  const object = subject && objectOf(governance, act, subject, guestOwner, putOut)
  const place = { isLobby: conversation._tag === "Lobby", isPrivate: governance.isPrivate }
  const refusal = mayGovern(actorOf(governance, act, guestOwner), body, object, place)
  if (refusal !== undefined) return { _tag: "Refused", reason: refusal }
  // There is nothing to be done, and no entry that it could be answered with.
  const isUnheard = body._tag === "Invited" && act.about?.hasBlocked === true
  const invitation = governance.invited.find(({ account }) => account === subject?.account)
  const isInvitedAlready =
    body._tag === "Invited" &&
    (object?.isMember === true || (invitation !== undefined && (invitation.isUnheard !== true || isUnheard)))
  if (isInvitedAlready) return { _tag: "Repeated", seq: 0, at: now, key: undefined }
  if (Governance.isFull(governance, body, subject, now)) return { _tag: "Refused", reason: full(body) }
  const governed = Governance.govern(governance, body, act.from, subject && whoIs(subject, act), now)
  const after = isUnheard && subject !== undefined ? Governance.unheard(governed, subject) : governed
  const isOut = body._tag === "Kicked" || body._tag === "Banned"
  const dismissed = isOut ? subject?.account : undefined
  const { keys } = after
  const without = keys === undefined || !isOut ? keys : Keys.putOut(keys, dismissed, seq)
  const sealed = keys === undefined || without === undefined || keys === without ? undefined : endedBy(keys, dismissed)
  return {
    _tag: "Accepted",
    body,
    governance: without === keys || without === undefined ? after : { ...after, keys: without },
    ...(dismissed !== undefined && { dismissed }),
    ...(sealed !== undefined && { sealed })
  }
}

/** Whose devices read nothing more from there on. */
const endedBy = ({ devices }: Keys.Keys, dismissed: AccountId | undefined): Keys.Changes => ({
  begun: [],
  from: "behind",
  ended: devices
    .filter(({ account, out }) => account === dismissed && out === undefined)
    .map(({ account, device }) => ({ account, device }))
})

const ungovernable = ({ _tag }: Governing): Rejection => ({
  _tag: "NotAllowed",
  action: actionOf[_tag],
  why: "A private conversation is between two, and neither governs it. Block somebody who is not to write to you."
})

/** A guest who binds another one from its own address would bind itself: that one is bound by its name alone. */
const whoIs = ({ account, network, user }: Meant, by: Act): Governance.Subject => ({
  user,
  ...(account !== undefined && { account }),
  ...(network !== undefined && (by.account !== undefined || by.network !== network) && { network })
})

/** Somebody, and what binds it. */
interface Meant extends Governance.Subject {
  readonly isBanned: boolean
  readonly isMuted: boolean
}

/** Who is meant: of what is to be lifted, who is bound under that name. */
const subjectOf = (
  { bans, mutes }: Governance.Governance,
  { about }: Act,
  body: Governing,
  now: Timestamp
): Meant | undefined => {
  if (!("user" in body)) return undefined
  const isLift = body._tag === "Unbanned" || body._tag === "Unmuted"
  const bounds = body._tag === "Unbanned" ? bans : mutes
  const named = isLift
    ? Governance.standing(bounds, now).find(({ user }) => nameKey(user) === nameKey(body.user))
    : undefined
  const { account, network, user } = named ?? about ?? {}
  if (user === undefined) return undefined
  const subject = { user, ...(account !== undefined && { account }), ...(network !== undefined && { network }) }
  if (isLift) return { ...subject, isBanned: named !== undefined, isMuted: named !== undefined }
  return { ...subject, isBanned: Governance.boundBy(bans, subject, now) !== undefined, isMuted: false }
}

const objectOf = (
  governance: Governance.Governance,
  { about, from }: Act,
  subject: Meant,
  guestOwner: AuthorId | undefined,
  putOut: RoomState["putOut"]
): Object => ({
  role: isGuestOwner(governance, guestOwner, about?.author) ? "owner" : Governance.roleOf(governance, subject),
  isAdmin: about?.isAdmin === true,
  isGuest: subject.account === undefined,
  isOneself: nameKey(subject.user) === nameKey(from),
  // Who was put out by this run is in no more.
  isMember: about?.isMember === true && !HashSet.has(putOut, nameKey(subject.user)),
  isBanned: subject.isBanned,
  isMuted: subject.isMuted
})

const full = (body: Governing): Rejection => ({
  _tag: "NotAllowed",
  action: actionOf[body._tag],
  why: `This room has as many as it may have already: ${Governance.maxModerators} moderators, ${Governance.maxBans} bans, ${Governance.maxMutes} mutes and ${Governance.maxInvited} invitations. Take one back first.`
})

/** The state in which a key of this sender is answered with the entry that stands there. */
export const rememberInRoom = (
  state: RoomState,
  from: UserName,
  key: MessageKey,
  place: Pick<Stored, "at" | "seq">
): RoomState => ({ ...state, messages: remember(state.messages, from, key, place) })

/** The state after one entry more, which is the newest. */
export const evolveInRoom = (
  { governance, messages, putOut }: RoomState,
  entry: Entry,
  origin: Origin,
  accepted: Extract<RoomDecision, { readonly _tag: "Accepted" }>
): RoomState => {
  const { body } = entry
  const isOut = body._tag === "Kicked" || body._tag === "Banned"
  return {
    messages: evolve(messages, entry, origin),
    governance: accepted.governance ?? governance,
    putOut: isOut ? HashSet.add(putOut, nameKey(body.user)) : putOut
  }
}

/** Why somebody may not come in, if not: banned, or nobody let them in. Members and admins come into private rooms. */
export const whyNotEnter = (
  governance: Governance.Governance,
  person: Governance.Person,
  { conversation, isKnown, now }: Pick<RoomCircumstances, "conversation" | "now"> & { readonly isKnown: boolean }
): Option.Option<Rejection> => {
  if (conversation._tag === "Lobby") return Option.none()
  const { room } = conversation
  const ban = Governance.boundBy(governance.bans, person, now)
  const isVisible =
    isKnown ||
    !governance.isPrivate ||
    Governance.isInvited(governance, person) ||
    Governance.roleOf(governance, person) !== "member"
  if (!isVisible || (ban !== undefined && governance.isPrivate)) return Option.some({ _tag: "RoomNotFound", room })
  if (ban === undefined) return Option.none()
  const { reason, until } = ban
  return Option.some({
    _tag: "Banned",
    room,
    ...(until !== undefined && { until }),
    ...(reason !== undefined && { reason })
  })
}

/**
 * What each request about a governed room has to be answered with, and what follows from it, by PROTOCOL.md. Answers stand
 * without what is free (`id`, `epoch`, and the sentences for people). Pure.
 */
import * as Facts from "./GovernedFacts.ts"
import { accounts } from "./GovernedPeople.ts"

/** As it goes over the wire, but for its `id`. */
export interface Request {
  readonly _tag: string
  readonly room: string
  readonly user?: string
  readonly role?: string
  readonly topic?: string
  readonly private?: boolean
  readonly seconds?: number
  readonly reason?: string
  readonly content?: string
  readonly only?: string
}

/** A line that somebody is told beside the reply. */
interface Told {
  readonly to: number
  readonly line: object
}

export interface Outcome {
  readonly reply: object
  readonly facts: Facts.Facts
  readonly told: ReadonlyArray<Told>
}

const refused = (reason: object): Outcome => ({ reply: { _tag: "Rejected", reason }, facts: [], told: [] })
const answered = (reply: object): Outcome => ({ reply, facts: [], told: [] })

const entryOf: Readonly<Record<string, string>> = {
  RoomMessage: "RoomMessage",
  SetTopic: "TopicSet",
  SetRole: "RoleSet",
  SetAccess: "AccessSet",
  InviteUser: "Invited",
  Kick: "Kicked",
  Ban: "Banned",
  Unban: "Unbanned",
  Mute: "Muted",
  Unmute: "Unmuted"
}

/** Who asks, of which room, and when. */
interface Case {
  /** All that has happened. */
  readonly all: Facts.Facts
  /** What has since the room was made. */
  readonly facts: Facts.Facts
  readonly room: string
  readonly who: Facts.Who
  readonly now: number
}

export const outcomeOf = (all: Facts.Facts, who: Facts.Who, request: Request, now: number): Outcome => {
  const { room } = request
  const facts = Facts.since(all, room)
  if (request._tag === "CreateRoom") return creating(facts !== undefined, who, request, now)
  if (facts === undefined || !Facts.isThereFor(facts, room, who, now)) return refused({ _tag: "RoomNotFound", room })
  const asked = { all, facts, room, who, now }
  switch (request._tag) {
    case "JoinRoom":
      return joining(asked)
    case "LeaveRoom":
      return leaving(asked)
    case "DeleteRoom":
      return deleting(asked)
    case "GetRoom":
      return answered(aboutRoom(asked))
    case "ListRoomUsers":
      return listingUsers(asked)
    case "GetHistory":
      if (!Facts.isMember(facts, room, who)) return refused({ _tag: "NotInRoom", room })
      return answered({ _tag: "History", messages: moderationOf(facts, room), more: false })
    case "RoomMessage":
      return saying(asked, request)
    default:
      return governing(asked, request)
  }
}

/** What was done to the room. */
export const moderationOf = (facts: Facts.Facts, room: string): ReadonlyArray<Facts.Entry> =>
  Facts.entriesOf(facts, room).filter(({ _tag }) => _tag !== "RoomMessage")

const creating = (isThere: boolean, who: Facts.Who, request: Request, now: number): Outcome => {
  const { private: isPrivate = false, room, topic = "" } = request
  if (isPrivate && !who.isAccount) return refused({ _tag: "AccountRequired", action: "CreateRoom" })
  if (isThere) return refused({ _tag: "RoomExists", room })
  return {
    reply: { _tag: "RoomCreated", room, by: who.user },
    facts: [{ is: "Made", room, by: who, private: isPrivate, topic, at: now }],
    told: []
  }
}

const shownTopic = ({ facts, room }: Case) => {
  const topic = Facts.topicOf(facts, room)
  return topic === "" ? {} : { topic }
}

const namesOf = (all: ReadonlyArray<Facts.Who>): ReadonlyArray<string> =>
  [...new Set(all.map(({ user }) => user))].toSorted()

const joining = (asked: Case): Outcome => {
  const { facts, now, room, who } = asked
  if (Facts.isIn(facts, room, who)) return refused({ _tag: "AlreadyInRoom", room })
  const ban = Facts.boundBy(Facts.boundsOf(facts, room, "Banned", now), who)
  const isPrivate = Facts.isPrivate(facts, room)
  if (ban !== undefined) return refused(isPrivate ? { _tag: "RoomNotFound", room } : bindingIn("Banned", room, ban))
  const joined = { is: "Joined", room, who } as const
  const after = { ...asked, facts: [...facts, joined] }
  const seq = Facts.entriesOf(facts, room).length
  const reply = {
    _tag: "RoomJoined",
    room,
    seq,
    missed: 0,
    truncated: false,
    role: Facts.roleOf(facts, room, who),
    ...shownTopic(asked),
    ...(isPrivate && { private: true }),
    ...peopleIn(after, false)
  }
  return { reply, facts: [joined], told: [] }
}

/** Who is in; and who is away, as a list of all members has them. */
const peopleIn = ({ facts, room }: Case, withAway: boolean) => {
  const users = namesOf(Facts.inside(facts, room))
  const away = Facts.membersOf(facts, room).filter((user) => !users.includes(user))
  if (!withAway || away.length === 0) return { users, count: users.length }
  return { users, away: away.toSorted(), count: users.length + away.length }
}

const leaving = ({ facts, room, who }: Case): Outcome => {
  if (!Facts.isMember(facts, room, who)) return refused({ _tag: "NotInRoom", room })
  const others = Facts.inside(facts, room).filter(
    ({ connection, user }) => user === who.user && connection !== who.connection
  )
  return {
    reply: { _tag: "RoomLeft", room },
    facts: [{ is: "Left", room, who }],
    told: others.map(({ connection }) => ({ to: connection, line: { _tag: "RoomLeft", room } }))
  }
}

const deleting = (asked: Case): Outcome => {
  const { facts, room, who } = asked
  if (!isRuling(asked, who)) return refused({ _tag: "NotAllowed", action: "DeleteRoom" })
  const others = Facts.inside(facts, room).filter(({ connection }) => connection !== who.connection)
  const line = { _tag: "RoomDeleted", room, by: who.user }
  return {
    reply: line,
    facts: [{ is: "Erased", room }],
    told: others.map(({ connection }) => ({ to: connection, line }))
  }
}

const aboutRoom = (asked: Case): object => {
  const { facts, now, room, who } = asked
  const owner = Facts.ownerOf(facts, room)
  const [made] = facts
  const shown = (kind: "Banned" | "Muted") => Facts.boundsOf(facts, room, kind, now).map((bound) => bound.shown)
  return {
    _tag: "RoomInfo",
    room,
    ...shownTopic(asked),
    private: Facts.isPrivate(facts, room),
    ...(owner !== undefined && { owner }),
    moderators: Facts.moderatorsOf(facts, room),
    members: peopleIn(asked, true).count,
    createdAt: made?.is === "Made" && made.by.isAccount ? made.at : undefined,
    ...(isModerating(asked, who) && { bans: shown("Banned"), mutes: shown("Muted") })
  }
}

const listingUsers = (asked: Case): Outcome => {
  const { facts, room, who } = asked
  const mayAsk = !Facts.isPrivate(facts, room) || Facts.isAdmin(who) || Facts.isMember(facts, room, who)
  if (!mayAsk) return refused({ _tag: "NotInRoom", room })
  return answered({ _tag: "RoomUsers", room, ...peopleIn(asked, true) })
}

/** The rooms that there are for somebody. */
export const roomsFor = (all: Facts.Facts, names: ReadonlyArray<string>, who: Facts.Who, now: number): object => {
  const rooms = names.flatMap((room) => {
    const facts = Facts.since(all, room)
    if (facts === undefined || !Facts.isThereFor(facts, room, who, now)) return []
    const isOwn = who.isAccount && Facts.membersOf(facts, room).includes(who.user)
    return [
      {
        room,
        users: namesOf(Facts.inside(facts, room)).length,
        ...(isOwn && { member: true }),
        ...shownTopic({ all, facts, room, who, now }),
        ...(Facts.isPrivate(facts, room) && { private: true })
      }
    ]
  })
  return { _tag: "RoomList", rooms, count: rooms.length }
}

const bindingIn = (_tag: string, room: string, { shown: { reason, until } }: Facts.Bound): object => ({
  _tag,
  room,
  ...(until !== undefined && { until }),
  ...(reason !== undefined && { reason })
})

const isRuling = ({ facts, room }: Case, who: Facts.Who): boolean =>
  Facts.isAdmin(who) || Facts.roleOf(facts, room, who) === "owner"

const isModerating = (asked: Case, who: Facts.Who): boolean =>
  isRuling(asked, who) || Facts.roleOf(asked.facts, asked.room, who) === "moderator"

/** Everybody who is in hears it, whoever is put out by it too. */
const entered = ({ facts, now, room, who }: Case, body: object, about?: Facts.Whom): Outcome => {
  const entry = { _tag: "", ...body, room, seq: Facts.entriesOf(facts, room).length + 1, at: now, from: who.user }
  return {
    reply: { _tag: "Sent", seq: entry.seq, at: now },
    facts: [{ is: "Entered", room, entry, about }],
    told: Facts.inside(facts, room).map(({ connection }) => ({ to: connection, line: entry }))
  }
}

const saying = (asked: Case, { content }: Request): Outcome => {
  const { facts, now, room, who } = asked
  if (!Facts.isIn(facts, room, who)) return refused({ _tag: "NotInRoom", room })
  const mute = Facts.boundBy(Facts.boundsOf(facts, room, "Muted", now), who)
  return mute === undefined ? entered(asked, { _tag: "RoomMessage", content }) : refused(bindingIn("Muted", room, mute))
}

const governing = (asked: Case, request: Request): Outcome => {
  const { facts, now, room, who } = asked
  if (!Facts.isIn(facts, room, who) && !Facts.isAdmin(who)) return refused({ _tag: "NotInRoom", room })
  const refusal = whyNot(asked, request)
  if (refusal !== undefined) return refused(refusal)
  const { _tag: action, reason, role, seconds, topic, user } = request
  const _tag = entryOf[action] ?? "?"
  if (action === "SetTopic") return entered(asked, { _tag, topic })
  if (action === "SetAccess") return entered(asked, { _tag, private: request.private })
  const whom = nameOf(asked, request)
  if (whom === undefined) throw new Error(`${String(user)} was let through`)
  if (action === "SetRole") return entered(asked, { _tag, user: whom.user, role }, whom)
  if (action === "InviteUser") return inviting(asked, whom)
  if (action === "Unban" || action === "Unmute") return entered(asked, { _tag, user: whom.user }, whom)
  const until = seconds === undefined || action === "Kick" ? {} : { until: now + seconds * 1000 }
  const body = { _tag, user: whom.user, ...until, ...(reason !== undefined && { reason }) }
  // A guest does not bind the place that it comes from itself.
  const isFromSame = !who.isAccount && !whom.isAccount && who.address === whom.address
  const about = isFromSame ? { user: whom.user, isAccount: false } : whom
  const outcome = entered(asked, body, about)
  if (action === "Mute") return outcome
  const out = Facts.inside(facts, room).filter((one) => one.user === whom.user)
  const farewell = { _tag: "RoomLeft", room, ...(reason !== undefined && { reason }) }
  return { ...outcome, told: [...outcome.told, ...out.map(({ connection }) => ({ to: connection, line: farewell }))] }
}

/** Who is in, or let in already, is not let in again. */
const inviting = (asked: Case, { user }: Facts.Whom): Outcome => {
  const { all, facts, now, room, who } = asked
  const isLetIn =
    Facts.invitedBy(facts, room, user) !== undefined ||
    Facts.membersOf(facts, room).includes(user) ||
    Facts.inside(facts, room).some((one) => one.user === user)
  if (isLetIn) return answered({ _tag: "Sent", seq: 0, at: now, repeated: true })
  const outcome = entered(asked, { _tag: "Invited", user }, { user, isAccount: true })
  const invitation = { _tag: "Invitation", room, by: who.user }
  const told = Facts.here(all).flatMap((one) => (one.user === user ? [{ to: one.connection, line: invitation }] : []))
  return { ...outcome, told: [...outcome.told, ...told] }
}

/** Whom a request is about: an account, or a guest who is here; to lift something also who is bound under that name. */
const nameOf = ({ all, facts, now, room }: Case, { _tag, user: said = "" }: Request): Facts.Whom | undefined => {
  const user = said.toLowerCase()
  if (accounts.has(user)) return { user, isAccount: true }
  const bound = liftedBy(_tag, facts, room, now).find((one) => one.whom.user === user)
  return bound?.whom ?? Facts.here(all).find((one) => one.user === user)
}

const liftedBy = (action: string, facts: Facts.Facts, room: string, now: number) => {
  if (action === "Unban") return Facts.boundsOf(facts, room, "Banned", now)
  return action === "Unmute" ? Facts.boundsOf(facts, room, "Muted", now) : []
}

/** The first that is in the way. */
const whyNot = (asked: Case, request: Request): object | undefined => {
  const { facts, now, room, who } = asked
  const { _tag: action, user } = request
  const notAllowed = { _tag: "NotAllowed", action }
  const accountRequired = { _tag: "AccountRequired", action }
  const notFound = { _tag: "UserNotFound", user }
  const isForAccounts = action === "SetRole" || action === "InviteUser"
  if (!who.isAccount && (isForAccounts || (action === "SetAccess" && request.private === true))) return accountRequired

  const isRuler = isRuling(asked, who)
  if ((action === "SetRole" || action === "SetAccess") && !isRuler) return notAllowed
  const isOpenToMembers = action === "InviteUser" && !Facts.isPrivate(facts, room)
  if (!isOpenToMembers && !isModerating(asked, who)) return notAllowed
  if (action === "SetTopic" || action === "SetAccess") return undefined

  const whom = nameOf(asked, request)
  if (whom === undefined) return notFound
  if (whom.user === who.user) return notAllowed
  if (isForAccounts && !whom.isAccount) return accountRequired
  if (action === "Kick" && !peopleOf(asked).includes(whom.user)) return notFound
  const lifted = liftedBy(action, facts, room, now)
  if (action.startsWith("Un") && !lifted.some((bound) => bound.whom.user === whom.user)) return notFound
  if (isForAccounts) {
    return Facts.boundBy(Facts.boundsOf(facts, room, "Banned", now), whom) === undefined ? undefined : notAllowed
  }
  const role = Facts.roleOf(facts, room, whom)
  const isAbove = Facts.isAdmin(whom) || role === "owner" || role === "moderator"
  return isAbove && !isRuler ? notAllowed : undefined
}

const peopleOf = ({ facts, room }: Case): ReadonlyArray<string> => [
  ...Facts.membersOf(facts, room),
  ...Facts.inside(facts, room).map(({ user }) => user)
]

/**
 * Who is in a conversation that has members, the lobby or a room, and what they are told: pure.
 *
 * A guest is a member while its connection is in. An account is one until it leaves, in a room: it is in by those of its
 * connections that came in, or away.
 *
 * In comes a command of one connection, out come the next state and what is to be said to whom. Where an entry stands in the
 * log is not decided here; `published` is told. Invariant 5: who gets an entry is decided once for a whole run, and in the
 * run's order.
 */
import { HashMap, Option } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Entry } from "../../common/log/Entry.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { entryMessage } from "../../common/wire/EntryMessage.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { maxNames } from "../../common/wire/ServerMessage.ts"
import type { Member } from "../accounts/Memberships.ts"
import { pageOf, placeOf } from "../lists/NamePage.ts"
import * as Roster from "../lists/Roster.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import { rejected } from "../session/Rejected.ts"
import type { Answer } from "./Deciding.ts"
import { RoomCommand } from "./RoomCommand.ts"

export interface Room {
  readonly conversation: SharedConversation
  readonly members: HashMap.HashMap<SessionId, UserName>
  /** The members who are told what is said as it is said; the others are still catching up. */
  readonly upToDate: HashMap.HashMap<SessionId, UserName>
  /**
   * The same by their names, in the order in which they came: an account has several connections, and a guest's name is free
   * once its connection is gone, but that leaves only when what it said is stored, and hears it until then.
   */
  readonly byName: HashMap.HashMap<NameKey, ReadonlyArray<SessionId>>
  /** Each name that is in once, as it came last. */
  readonly roster: Roster.Roster<UserName>
  /** The accounts that are members, by their names. */
  readonly enrolled: HashMap.HashMap<NameKey, Member>
  /** The names of those of them who are not in. */
  readonly away: Roster.Roster<UserName>
}

/** Nobody is in yet; these accounts, in the order of their names, are members. */
export const make = (conversation: Room["conversation"], members: ReadonlyArray<Member> = []): Room => ({
  conversation,
  members: HashMap.empty(),
  upToDate: HashMap.empty(),
  byName: HashMap.empty(),
  roster: [],
  enrolled: HashMap.fromIterable(members.map((member) => [nameKey(member.user), member] as const)),
  away: members.map(({ user }) => user)
})

/** Nobody is in; somebody may be away. */
export const isEmpty = (room: Room): boolean => HashMap.isEmpty(room.members)

export const isMember = (room: Room, session: SessionId): boolean => HashMap.has(room.members, session)

/**
 * Why a command cannot be carried out here, if it cannot: only members leave and look back, and only who is in speaks. Each
 * connection joins once.
 */
export const refusal = (room: Room, command: RoomCommand): Option.Option<Rejection> => {
  if (room.conversation._tag === "Lobby" || !needsMembership(command)) return Option.none()
  const { from } = command
  const joins = command._tag === "Join"
  const isIn = isMember(room, from.session) || (isForAway(command) && isEnrolled(room, from))
  return isIn === joins
    ? Option.some({ _tag: joins ? "AlreadyInRoom" : "NotInRoom", room: room.conversation.room })
    : Option.none()
}

const needsMembership = RoomCommand.isAnyOf(["Join", "Leave", "Act", "Typing", "ReadHistory"])
/** What takes a member, but none that is in. */
export const isForAway = RoomCommand.isAnyOf(["Leave", "ReadHistory"])

/** Whether the account that asks is a member, on whatever connection. */
export const isEnrolled = (room: Room, { account, user }: Pick<Asker, "account" | "user">): boolean =>
  account !== undefined &&
  Option.exists(HashMap.get(room.enrolled, nameKey(user)), (member) => member.account === account)

/** An account is a member from now on. */
export const enrol = (room: Room, member: Member): Room => ({
  ...room,
  enrolled: HashMap.set(room.enrolled, nameKey(member.user), member),
  away: Roster.has(room.roster, member.user) ? room.away : Roster.insert(room.away, member.user)
})

/** An account is no member any more; those of its connections that are in are not taken out by this. */
export const dismiss = (room: Room, { account, user }: Member): Room =>
  isEnrolled(room, { account, user })
    ? {
        ...room,
        enrolled: HashMap.remove(room.enrolled, nameKey(user)),
        away: withoutName(room.away, user)
      }
    : room

/** As many accounts are members. */
export const countEnrolled = (room: Room): number => HashMap.size(room.enrolled)

const withoutName = (roster: Roster.Roster<UserName>, user: UserName): Roster.Roster<UserName> =>
  Roster.has(roster, user) ? roster.toSpliced(placeOf(roster, nameKey, nameKey(user)), 1) : roster

/** Which connections are in under this name, the latest last. */
export const sessionsOf = (room: Room, user: UserName): ReadonlyArray<SessionId> =>
  Option.getOrElse(HashMap.get(room.byName, nameKey(user)), () => [])

/** Adds a member, who hears nothing of what is said until it has caught up. */
export const join = (room: Room, { session, user }: Asker): Room => ({
  ...room,
  members: HashMap.set(room.members, session, user),
  byName: HashMap.set(room.byName, nameKey(user), [...without(sessionsOf(room, user), session), session]),
  roster: Roster.insert(room.roster, user),
  away: withoutName(room.away, user)
})

const without = (sessions: ReadonlyArray<SessionId>, session: SessionId): ReadonlyArray<SessionId> =>
  sessions.filter((other) => other !== session)

/** Lets a member who has caught up hear what is said from now on. */
export const caughtUp = (room: Room, session: SessionId): Room =>
  Option.match(HashMap.get(room.members, session), {
    onNone: () => room,
    onSome: (user) => ({ ...room, upToDate: HashMap.set(room.upToDate, session, user) })
  })

/** Who is in, in the order of their names: a page of them, as replies give it. */
export const usersOf = (room: Room, after: string | undefined) => {
  const [users, numbered] = pageOf(room.roster, nameKey, after)
  return { users, ...numbered }
}

/** All members, those in and those away, in the order of their names: a page of both together. */
export const membersOf = (room: Room, after: string | undefined) => {
  if (room.away.length === 0) return usersOf(room, after)
  const [present, ofPresent] = pageOf(room.roster, nameKey, after)
  const [absent, ofAway] = pageOf(room.away, nameKey, after)
  const users: Array<UserName> = []
  const away: Array<UserName> = []
  while (users.length + away.length < maxNames) {
    const [one, other] = [present[users.length], absent[away.length]]
    if (one !== undefined && (other === undefined || nameKey(one) < nameKey(other))) users.push(one)
    else if (other === undefined) break
    else away.push(other)
  }
  const isAll = users.length + away.length === present.length + absent.length
  const more = ofPresent.more ?? ofAway.more ?? !isAll
  const count = ofPresent.count + ofAway.count
  return { users, away, ...(more && { more }), count }
}

/** Somebody is out. */
export interface Left {
  readonly room: Room
  readonly user: UserName
  /** Nobody of that name is in any more. */
  readonly isNameGone: boolean
  /** As which the name is still in, if it is: in another spelling, perhaps. */
  readonly still: UserName | undefined
}

/** Takes a member out. */
export const leave = (room: Room, session: SessionId): Option.Option<Left> =>
  Option.map(HashMap.get(room.members, session), (user) => {
    const others = without(sessionsOf(room, user), session)
    const latest = Option.flatMap(Option.fromNullishOr(others.at(-1)), (other) => HashMap.get(room.members, other))
    const isNameGone = others.length === 0
    const key = nameKey(user)
    return {
      user,
      isNameGone,
      still: Option.getOrUndefined(latest),
      room: {
        ...room,
        members: HashMap.remove(room.members, session),
        upToDate: HashMap.remove(room.upToDate, session),
        byName: isNameGone ? HashMap.remove(room.byName, key) : HashMap.set(room.byName, key, others),
        // It is spelled as by who is in.
        away: isNameGone
          ? Option.match(HashMap.get(room.enrolled, key), {
              onNone: () => room.away,
              onSome: (member) => Roster.insert(room.away, member.user)
            })
          : room.away,
        roster: Option.match(latest, {
          onNone: () => Roster.remove(room.roster, user),
          onSome: (spelled) => (spelled === user ? room.roster : Roster.insert(room.roster, spelled))
        })
      }
    }
  })

/** What members are told of new entries, which come in the order of the log; who is put out by one hears none behind it. */
export const told = (room: Room, entries: ReadonlyArray<Entry>): ReadonlyArray<Delivery> => {
  const deliveries: Array<Delivery> = []
  let to = sessions(room.upToDate)
  let first = 0
  for (const [index, { body }] of entries.entries()) {
    const isLast = index === entries.length - 1
    const isOut = body._tag === "Kicked" || body._tag === "Banned"
    if (!isOut && !isLast) continue
    const messages = entries.slice(first, index + 1).map(entryMessage(room.conversation))
    deliveries.push({ _tag: "Tell", to, messages })
    first = index + 1
    if (!isOut || isLast) continue
    const out = sessionsOf(room, body.user)
    if (out.length > 0) to = to.filter((session) => !out.includes(session))
  }
  return deliveries
}

/** As whom a connection is in, if it is. */
export const nameOf = (room: Room, session: SessionId): Option.Option<UserName> => HashMap.get(room.members, session)

/** Who hears what is said, but for this user, on whatever connection. */
export const othersThan = (room: Room, user: UserName): ReadonlyArray<SessionId> => {
  const own = sessionsOf(room, user)
  return sessions(room.upToDate).filter((session) => !own.includes(session))
}

/** What is answered to those who asked for a run, in the order in which they asked; to be said behind the entries. */
export const answered = (
  run: ReadonlyArray<{ readonly from: Asker }>,
  answers: ReadonlyArray<Answer>
): ReadonlyArray<Delivery> =>
  answers.flatMap((answer, index): ReadonlyArray<Delivery> => {
    const to = run[index]?.from
    return to === undefined ? [] : [{ _tag: "Reply", to, message: replyOf(answer) }]
  })

const replyOf = (answer: Answer) => {
  if (answer._tag === "Refused") return rejected(answer.reason)
  const { at, repeated, seq } = answer
  return repeated ? { _tag: "Sent" as const, seq, at, repeated } : { _tag: "Sent" as const, seq, at }
}

/** The connections that hear what is said. */
export const upToDate = (room: Room): ReadonlyArray<SessionId> => sessions(room.upToDate)

/** The connections of all members. */
export const everybody = (room: Room): ReadonlyArray<SessionId> => sessions(room.members)

const sessions = (members: Room["members"]): ReadonlyArray<SessionId> => {
  const known = listed.get(members)
  if (known !== undefined) return known
  const found = Array.from(HashMap.keys(members))
  listed.set(members, found)
  return found
}

/** A room is written to far more often than it is joined: its list of connections is made once per membership. */
const listed = new WeakMap<Room["members"], ReadonlyArray<SessionId>>()

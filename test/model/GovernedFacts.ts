/**
 * What has happened in governed rooms, as a list, and what follows from it, found out by reading that list from the beginning for
 * each question. Made from PROTOCOL.md alone: nothing of the server's rules is used here.
 */
import { accounts, admin, eye } from "./GovernedPeople.ts"

/** Somebody on a connection. */
export interface Who {
  readonly user: string
  readonly isAccount: boolean
  readonly address: string
  readonly connection: number
}

/** Whom an act is about. A guest is bound by its name and, as a rule, by its address. */
export interface Whom {
  readonly user: string
  readonly isAccount: boolean
  readonly address?: string | undefined
}

export interface Entry {
  readonly _tag: string
  readonly room: string
  readonly seq: number
  readonly at: number
  readonly from: string
  readonly user?: string
  readonly role?: string
  readonly topic?: string
  readonly private?: boolean
  readonly until?: number
  readonly reason?: string
  readonly content?: string
}

type Fact =
  | { readonly is: "Came"; readonly who: Who }
  | { readonly is: "Went"; readonly who: Who }
  | { readonly is: "Restarted" }
  | {
      readonly is: "Made"
      readonly room: string
      readonly by: Who
      readonly private: boolean
      readonly topic: string
      readonly at: number
    }
  | { readonly is: "Erased"; readonly room: string }
  | { readonly is: "Joined"; readonly room: string; readonly who: Who }
  | { readonly is: "Left"; readonly room: string; readonly who: Who }
  | { readonly is: "Entered"; readonly room: string; readonly entry: Entry; readonly about: Whom | undefined }

export type Facts = ReadonlyArray<Fact>

/** Who is connected. */
export const here = (facts: Facts): ReadonlyArray<Who> => {
  let all: ReadonlyArray<Who> = []
  for (const fact of facts) {
    if (fact.is === "Came") all = all.concat(fact.who)
    if (fact.is === "Went") all = all.filter(({ connection }) => connection !== fact.who.connection)
    if (fact.is === "Restarted") all = []
  }
  return all
}

/** What happened in a room since it was made, and to everybody meanwhile; nothing if there is no such room. */
export const since = (facts: Facts, room: string): Facts | undefined => {
  const known = found.get(facts) ?? new Map<string, Facts | undefined>()
  found.set(facts, known)
  if (!known.has(room)) known.set(room, look(facts, room))
  return known.get(room)
}

/** It is asked often, and takes the longest. */
const found = new WeakMap<Facts, Map<string, Facts | undefined>>()

const look = (facts: Facts, room: string): Facts | undefined => {
  const made = facts.findLastIndex((fact) => fact.is === "Made" && fact.room === room)
  if (made < 0) return undefined
  const later = facts.slice(made)
  let was = false
  for (const [index, fact] of later.entries()) {
    if (fact.is === "Erased" && fact.room === room) return undefined
    const before = later.slice(0, index + 1)
    const isUnused = entriesOf(before, room).length === 0 && membersOf(before, room).length === 0
    const isEmpty = isUnused && inside(before, room).length === 0
    // Who made it may be waiting for somebody to come in.
    const isOver = was || (fact.is === "Went" && fact.who.connection === makerOf(later)?.connection)
    if (isEmpty && isOver) return undefined
    if (isUnused && fact.is === "Restarted") return undefined
    was = inside(before, room).length > 0 || membersOf(before, room).length > 0
  }
  return later
}

const makerOf = (facts: Facts): Who | undefined => {
  const [first] = facts
  return first?.is === "Made" ? first.by : undefined
}

export const entriesOf = (facts: Facts, room: string): ReadonlyArray<Entry> =>
  facts.flatMap((fact) => (fact.is === "Entered" && fact.room === room ? [fact.entry] : []))

const isOut = (fact: Fact, room: string, user: string): boolean =>
  fact.is === "Entered" &&
  fact.room === room &&
  (fact.entry._tag === "Kicked" || fact.entry._tag === "Banned") &&
  fact.about?.user === user

/** The connections that are in. */
export const inside = (facts: Facts, room: string): ReadonlyArray<Who> => {
  let all: ReadonlyArray<Who> = []
  for (const fact of facts) {
    if (fact.is === "Restarted") all = []
    if (fact.is === "Joined" && fact.room === room) all = all.concat(fact.who)
    if (fact.is === "Went") all = all.filter(({ connection }) => connection !== fact.who.connection)
    if (fact.is === "Left" && fact.room === room) all = all.filter(({ user }) => user !== fact.who.user)
    all = all.filter(({ user }) => !isOut(fact, room, user))
  }
  return all
}

/** The accounts that are members, here or away. */
export const membersOf = (facts: Facts, room: string): ReadonlyArray<string> => {
  let all: ReadonlyArray<string> = []
  for (const fact of facts) {
    if (fact.is === "Joined" && fact.room === room && fact.who.isAccount) {
      all = [...all.filter((user) => user !== fact.who.user), fact.who.user]
    }
    if (fact.is === "Left" && fact.room === room) all = all.filter((user) => user !== fact.who.user)
    all = all.filter((user) => !isOut(fact, room, user))
  }
  return all
}

export const isIn = (facts: Facts, room: string, { connection }: Who): boolean =>
  inside(facts, room).some((who) => who.connection === connection)

/** In, or an account that is away. */
export const isMember = (facts: Facts, room: string, who: Who): boolean =>
  isIn(facts, room, who) || (who.isAccount && membersOf(facts, room).includes(who.user))

export const topicOf = (facts: Facts, room: string): string => {
  const [made] = facts
  const first = made?.is === "Made" ? made.topic : ""
  return entriesOf(facts, room).findLast(({ _tag }) => _tag === "TopicSet")?.topic ?? first
}

export const isPrivate = (facts: Facts, room: string): boolean => {
  const [made] = facts
  const first = made?.is === "Made" && made.private
  return entriesOf(facts, room).findLast(({ _tag }) => _tag === "AccessSet")?.private ?? first
}

/** What an account is by the entries about it, and by those that made somebody else the owner. */
const roleOfAccount = (facts: Facts, room: string, user: string): string => {
  const maker = makerOf(facts)
  let role = maker?.isAccount === true && maker.user === user ? "owner" : "member"
  for (const { _tag, role: given, user: about } of entriesOf(facts, room)) {
    if (_tag === "RoleSet" && about !== user && given === "owner" && role === "owner") role = "moderator"
    if (about !== user) continue
    if (_tag === "RoleSet" && given !== undefined) role = given
    if (_tag === "Banned" || (_tag === "Kicked" && role === "moderator")) role = "member"
  }
  return role
}

/** Who made the room as a guest, as long as it is here, not banned, and no account was given the room. */
const guestOwner = (facts: Facts, room: string): Who | undefined => {
  const maker = makerOf(facts)
  if (maker === undefined || maker.isAccount) return undefined
  const isOver = facts.some((fact) => {
    if (fact.is === "Restarted") return true
    if (fact.is === "Went") return fact.who.connection === maker.connection
    if (fact.is !== "Entered" || fact.room !== room) return false
    const { _tag, role, user } = fact.entry
    return (_tag === "RoleSet" && role === "owner") || (_tag === "Banned" && user === maker.user)
  })
  return isOver ? undefined : maker
}

export const roleOf = (facts: Facts, room: string, { isAccount, user }: Whom): string => {
  if (isAccount) return roleOfAccount(facts, room, user)
  return guestOwner(facts, room)?.user === user ? "owner" : "member"
}

export const ownerOf = (facts: Facts, room: string): string | undefined =>
  [...accounts].find((user) => roleOfAccount(facts, room, user) === "owner") ?? guestOwner(facts, room)?.user

export const moderatorsOf = (facts: Facts, room: string): ReadonlyArray<string> =>
  [...accounts].filter((user) => roleOfAccount(facts, room, user) === "moderator").toSorted()

/** Who let an account in, if it has neither come since nor been put out. */
export const invitedBy = (facts: Facts, room: string, user: string): string | undefined => {
  let by: string | undefined
  for (const fact of facts) {
    if (fact.is === "Joined" && fact.room === room && fact.who.user === user) by = undefined
    if (isOut(fact, room, user)) by = undefined
    if (fact.is === "Entered" && fact.room === room && fact.entry._tag === "Invited" && fact.entry.user === user) {
      by = fact.entry.from
    }
  }
  return by
}

/** A ban or a mute that is on. */
export interface Bound {
  readonly whom: Whom
  readonly shown: {
    readonly user: string
    readonly by: string
    readonly until?: number | undefined
    readonly reason?: string | undefined
  }
}

const liftOf = { Banned: "Unbanned", Muted: "Unmuted" } as const

/** All that are on, the earliest first. */
export const boundsOf = (facts: Facts, room: string, kind: "Banned" | "Muted", now: number): ReadonlyArray<Bound> =>
  facts.flatMap((fact, index) => {
    if (fact.is !== "Entered" || fact.room !== room || fact.entry._tag !== kind || fact.about === undefined) return []
    const { about, entry } = fact
    const isOver = entriesOf(facts.slice(index + 1), room).some(
      ({ _tag, user }) => (_tag === kind || _tag === liftOf[kind]) && user === about.user
    )
    if (isOver || (entry.until !== undefined && entry.until <= now)) return []
    const { from: by, reason, until } = entry
    const shown = {
      user: about.user,
      by,
      ...(until !== undefined && { until }),
      ...(reason !== undefined && { reason })
    }
    return [{ whom: about, shown }]
  })

/** What binds somebody. An account is bound by its name, a guest by its name and by where it comes from. */
export const boundBy = (bounds: ReadonlyArray<Bound>, who: Whom): Bound | undefined =>
  bounds.find(({ whom }) => {
    if (whom.user === who.user) return true
    return !whom.isAccount && !who.isAccount && whom.address !== undefined && whom.address === who.address
  })

export const isAdmin = ({ isAccount, user }: Whom): boolean => isAccount && (user === admin || user === eye)

/** Whether there is such a room for somebody. */
export const isThereFor = (facts: Facts, room: string, who: Who, now: number): boolean => {
  if (!isPrivate(facts, room) || isAdmin(who) || isMember(facts, room, who)) return true
  const isLetIn =
    roleOf(facts, room, who) !== "member" || (who.isAccount && invitedBy(facts, room, who.user) !== undefined)
  return isLetIn && boundBy(boundsOf(facts, room, "Banned", now), who) === undefined
}

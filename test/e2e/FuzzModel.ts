/**
 * A plain model of all that a server keeps, and of who is connected: what is answered as done is applied to it (see FuzzDeeds),
 * and nothing else is. It knows nothing of the server's code but when two names are the same.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { Json } from "./FuzzContract.ts"

/** An entry at its place, as a database has it: `fields` is what it has beside its target. */
export interface Entry {
  readonly seq: number
  readonly at: number
  readonly from: string
  readonly to?: string
  kind: string
  target: number | undefined
  fields: Json
  /** The connection it was made on, and the account that made it. */
  readonly session: number
  readonly account: Account | undefined
  /** Where the same stands in the other inbox. */
  twin?: Place
  /** All that it ever said. */
  readonly versions: Array<string>
  /** Who reacted, as `name reaction`. */
  readonly reactions: Set<string>
}

interface Place {
  readonly log: Log
  readonly seq: number
}

export class Log {
  readonly entries = new Map<number, Entry>()
  /** By sender and key, where it stands. */
  readonly keys = new Map<string, number>()
  newest = 0
  /** Where it stood before what is being asked: read marks keep no order with what they overtake. */
  newestBefore = 0
  add(entry: Entry): void {
    this.entries.set(entry.seq, entry)
    this.newest = Math.max(this.newest, entry.seq)
  }
  standing(seq: unknown): Entry | undefined {
    const entry = this.entries.get(Number(seq))
    return entry?.kind === "Said" ? entry : undefined
  }
}

export interface Bound {
  readonly user: string
  readonly by: string
  readonly until?: number
  readonly reason?: string
}

export class Room {
  readonly name: string
  readonly log = new Log()
  topic: string | undefined
  isPrivate = false
  /** An account, or a guest on the connection that made the room. */
  owner: Account | number | undefined
  readonly moderators = new Set<Account>()
  readonly bans = new Map<string, Bound>()
  readonly mutes = new Map<string, Bound>()
  readonly invited = new Map<Account, string>()
  readonly accounts = new Set<Account>()
  readonly guests = new Set<Session>()
  constructor(name: string) {
    this.name = name
  }
}

export class Account {
  readonly name: string
  isAdmin = false
  isDeleted = false
  password: string
  readonly devices = new Map<string, string>()
  readonly keys = new Map<string, string | undefined>()
  readonly blocked = new Map<string, string>()
  readonly inbox = new Log()
  lobbyRead = 0
  /** By the name's key of a room, or of a partner. */
  readonly roomRead = new Map<string, number>()
  readonly partnerRead = new Map<string, number>()
  constructor(name: string, password: string) {
    this.name = name
    this.password = password
  }
}

export interface Report {
  readonly by: string
  readonly reason: string
  readonly where: Json
  readonly seq: number
  readonly from: string
  readonly content: string
}

/** One connection. */
export class Session {
  readonly id: number
  user: string | undefined
  account: Account | undefined
  device: string | undefined
  /** What a device that is made by Register is to be called. */
  deviceName = "unnamed"
  inbox = new Log()
  /** The rooms it hears, by their keys. */
  readonly rooms = new Set<string>()
  /** The rooms it, or its account, was in before what is being asked: a search keeps no order with what it overtakes. */
  wasIn: ReadonlySet<string> = new Set()
  /** Who it is was refused or ended: it is to say no more. */
  isOver = false
  constructor(id: number) {
    this.id = id
  }
}

export class Model {
  readonly lobby = new Log()
  readonly lobbyMutes = new Map<string, Bound>()
  readonly rooms = new Map<string, Room>()
  readonly accounts = new Map<string, Account>()
  readonly sessions = new Set<Session>()
  readonly reports: Array<Report> = []
  /** What was answered as done although the contract says that it cannot be. */
  readonly breaches: Array<string> = []
  /** All passwords and tokens there ever were. */
  readonly secrets = new Set<string>()
  #sessions = 0

  readonly connect = (): Session => {
    const session = new Session(++this.#sessions)
    this.sessions.add(session)
    return session
  }

  /** Something is about to be asked on this connection. */
  readonly begin = (session: Session): void => {
    const rooms = [...this.rooms.values()]
    session.wasIn = new Set(rooms.filter((room) => this.isIn(room, session)).map(({ name }) => nameKey(name)))
    for (const log of [this.lobby, session.inbox, ...rooms.map((room) => room.log)]) log.newestBefore = log.newest
  }

  readonly room = (name: unknown): Room | undefined => this.rooms.get(nameKey(spelled(name)))
  readonly account = (name: unknown): Account | undefined => this.accounts.get(nameKey(spelled(name)))
  /** Who is connected under this name. */
  readonly here = (name: unknown): ReadonlyArray<Session> => {
    const key = nameKey(spelled(name))
    return [...this.sessions].filter(({ user }) => user !== undefined && nameKey(user) === key)
  }

  readonly isIn = (room: Room, session: Session): boolean =>
    session.account === undefined ? room.guests.has(session) : room.accounts.has(session.account)

  readonly isOwner = (room: Room, { account, id }: Session): boolean =>
    room.owner !== undefined && (room.owner === account || room.owner === id)

  readonly governs = (room: Room, session: Session): boolean =>
    session.account?.isAdmin === true ||
    this.isOwner(room, session) ||
    (session.account !== undefined && room.moderators.has(session.account))

  /** It is connected no more. */
  readonly leave = (session: Session): void => {
    this.sessions.delete(session)
    session.isOver = true
    for (const room of this.rooms.values()) {
      room.guests.delete(session)
      if (room.owner === session.id) room.owner = undefined
    }
  }

  /** It is in this room no more, nor is any other connection of its account. */
  readonly putOut = (room: Room, who: Account | Session): void => {
    if (who instanceof Session) {
      room.guests.delete(who)
      who.rooms.delete(nameKey(room.name))
      return
    }
    room.accounts.delete(who)
    for (const session of this.sessions) if (session.account === who) session.rooms.delete(nameKey(room.name))
  }

  readonly deleteRoom = (room: Room): void => {
    const key = nameKey(room.name)
    this.rooms.delete(key)
    for (const { roomRead } of this.accounts.values()) roomRead.delete(key)
    for (const { rooms } of this.sessions) rooms.delete(key)
  }

  /** Whether the server may have forgotten it: nobody wrote, and nobody is in. */
  readonly isVacant = (room: Room): boolean =>
    room.log.entries.size === 0 &&
    room.guests.size === 0 &&
    ![...this.sessions].some(({ rooms }) => rooms.has(nameKey(room.name)))

  readonly breach = (why: string, request: Json, reply: Json): void => {
    this.breaches.push(`${why}: ${JSON.stringify(request).slice(0, 400)} -> ${JSON.stringify(reply).slice(0, 400)}`)
  }
}

/** A name as it is kept. */
export const spelled = (name: unknown): string => String(name).normalize("NFKC")
export const sameName = (one: unknown, other: unknown): boolean => nameKey(spelled(one)) === nameKey(spelled(other))

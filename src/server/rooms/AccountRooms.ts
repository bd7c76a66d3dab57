/**
 * Which rooms the accounts that are here are members of: read when one first asks for what depends on it, and kept up to date
 * by what the rooms' managers tell, until its last connection is gone. What it asks meanwhile waits, in order; nobody else
 * waits.
 *
 * Bounds: of each account that is here at most `MAX_ROOMS_PER_USER` rooms, and as many that it has asked to join.
 */
import { Effect, type Scope } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { SessionId } from "../session/Asker.ts"
import { RoomsCommand } from "./RoomsCommand.ts"

interface Services {
  readonly scope: Scope.Scope
  readonly maxRooms: number
  readonly read: (account: AccountId) => Effect.Effect<ReadonlyArray<RoomName>, StorageUnavailable>
  /** What waits may be resumed. */
  readonly onRead: (account: AccountId) => void
}

interface Known {
  readonly sessions: Set<SessionId>
  /** Those it is a member of, once they have been read. */
  rooms: Set<NameKey> | undefined
  /** Those it asked to join, until it is told what came of it. */
  readonly asked: Set<NameKey>
  /** While they are read: what waits for that, and what has changed since. */
  reading: { readonly waiting: Array<RoomsCommand>; readonly changes: Map<NameKey, boolean> } | undefined
}

export interface AccountRooms {
  /** Whether a command waits. Its account is here from then on, with the connection that asks. */
  readonly postpone: (command: RoomsCommand) => Effect.Effect<void> | undefined
  /** What waited, in order; what depends on the rooms can be answered only if they are known now. */
  readonly resume: (account: AccountId) => ReadonlyArray<RoomsCommand>
  readonly isAnswerable: (command: RoomsCommand) => boolean
  /** The connection is gone, or belongs to no account. */
  readonly gone: (session: SessionId) => void
  /** The rooms of an account, none where they are not known. */
  readonly of: (account: AccountId | undefined) => ReadonlySet<NameKey>
  /** The connections of an account that have asked for anything. */
  readonly sessionsOf: (account: AccountId) => Iterable<SessionId>
  /** Whether it may be a member of this room, too. */
  readonly mayJoin: (account: AccountId, room: NameKey) => boolean
  /** It is a member of a room now, or is not; or has not become one. */
  readonly changed: (account: AccountId, room: NameKey, isMember: boolean) => void
  /** There is no such room any more: nobody is a member, nor has asked to be. */
  readonly deleted: (room: NameKey) => void
}

export const makeAccountRooms = ({ maxRooms, onRead, read, scope }: Services): AccountRooms => {
  const accounts = new Map<AccountId, Known>()
  const bySession = new Map<SessionId, AccountId>()

  const here = (account: AccountId, session: SessionId): Known => {
    const none: Known = { sessions: new Set(), rooms: undefined, asked: new Set(), reading: undefined }
    const known = accounts.get(account) ?? none
    accounts.set(account, known)
    known.sessions.add(session)
    bySession.set(session, account)
    return known
  }

  /** Whose command it is, if an account's. */
  const knownOf = (command: RoomsCommand): Known | undefined => {
    if (command._tag === "Own") return here(command.account, command.session)
    if ("from" in command)
      return command.from.account === undefined ? undefined : here(command.from.account, command.from.session)
    const account = command._tag === "Gone" ? bySession.get(command.session) : undefined
    return account === undefined ? undefined : accounts.get(account)
  }

  const begin = (account: AccountId, known: Known) => {
    const done = (rooms: ReadonlyArray<RoomName> | undefined) => {
      if (rooms !== undefined) {
        known.rooms = new Set(rooms.map(nameKey))
        for (const [room, isMember] of known.reading?.changes ?? []) note(known.rooms, room, isMember)
      }
      onRead(account)
    }
    return read(account).pipe(
      Effect.map(done),
      Effect.catch(() => Effect.sync(() => done(undefined))),
      Effect.catchDefect((defect) => {
        done(undefined)
        return Effect.logError("The rooms of an account could not be read", defect)
      }),
      Effect.forkIn(scope),
      Effect.asVoid
    )
  }

  const changed = (account: AccountId, room: NameKey, isMember: boolean) => {
    const known = accounts.get(account)
    if (known === undefined) return
    known.asked.delete(room)
    known.reading?.changes.set(room, isMember)
    if (known.rooms !== undefined) note(known.rooms, room, isMember)
  }

  return {
    postpone: (command) => {
      const known = knownOf(command)
      if (known === undefined) return undefined
      if (known.reading !== undefined) {
        known.reading.waiting.push(command)
        return Effect.void
      }
      const account = dependent(command)
      if (account === undefined || known.rooms !== undefined) return undefined
      known.reading = { waiting: [command], changes: new Map() }
      return begin(account, known)
    },
    resume: (account) => {
      const known = accounts.get(account)
      const waiting = known?.reading?.waiting ?? []
      if (known !== undefined) known.reading = undefined
      return waiting
    },
    isAnswerable: (command) => {
      const account = dependent(command)
      return account === undefined || accounts.get(account)?.rooms !== undefined
    },
    gone: (session) => {
      const account = bySession.get(session)
      bySession.delete(session)
      if (account === undefined) return
      const known = accounts.get(account)
      known?.sessions.delete(session)
      if (known?.sessions.size === 0) accounts.delete(account)
    },
    of: (account) => (account === undefined ? none : (accounts.get(account)?.rooms ?? none)),
    sessionsOf: (account) => accounts.get(account)?.sessions ?? [],
    mayJoin: (account, room) => {
      const known = accounts.get(account)
      if (known?.rooms === undefined) return false
      if (known.rooms.has(room) || known.asked.has(room)) return true
      // An encrypted conversation is none of those that one chose to be in.
      const chosen = [...known.rooms, ...known.asked].filter((key) => !key.startsWith("~"))
      if (room.startsWith("~")) return false
      if (chosen.length >= maxRooms) return false
      known.asked.add(room)
      return true
    },
    changed,
    deleted: (room) => {
      for (const account of accounts.keys()) changed(account, room, false)
    }
  }
}

const none: ReadonlySet<NameKey> = new Set()

const note = (rooms: Set<NameKey>, room: NameKey, isMember: boolean) => {
  if (isMember) rooms.add(room)
  else rooms.delete(room)
}

/** The account whose rooms have to be known to answer this. */
const dependent = (command: RoomsCommand): AccountId | undefined =>
  isDependent(command) ? command.from.account : undefined

const isDependent = RoomsCommand.isAnyOf(["List", "Open", "Search", "Report", "InRoom"])

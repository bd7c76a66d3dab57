/**
 * Who is here under which name: pure.
 *
 * A name belongs to one guest's connection, or to one account with up to `maxConnections`. It is claimed before its owner is
 * welcomed and seen by others only after; it is free again as soon as its last connection departs. At most one place per
 * session, so as many as there may be connections.
 */
import { HashMap, Option, Result } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { SessionId } from "../session/Asker.ts"

/** So often an account may be connected at once. */
const maxConnections = 16

export interface Registration {
  readonly user: UserName
  /** None: a guest's, with one connection. */
  readonly account: AccountId | undefined
  /** Those that others see, and those that have not been welcomed yet: one at least. */
  readonly present: ReadonlyArray<SessionId>
  readonly claiming: ReadonlyArray<SessionId>
}

export interface Registry {
  readonly byName: HashMap.HashMap<NameKey, Registration>
  readonly bySession: HashMap.HashMap<SessionId, NameKey>
}

export const empty: Registry = { byName: HashMap.empty(), bySession: HashMap.empty() }

/** Takes a name that is free, or this account's, for a connection that has none. */
export const claim = (
  registry: Registry,
  session: SessionId,
  user: UserName,
  account?: AccountId
): Result.Result<Registry, Rejection> => {
  const key = nameKey(user)
  const owner = Option.getOrUndefined(HashMap.get(registry.byName, key))
  if (owner !== undefined && (account === undefined || owner.account !== account)) {
    // No guest asks for an account's name: whoever has none wants to register it.
    const isAccounts = account === undefined && owner.account !== undefined
    return Result.fail(isAccounts ? { _tag: "AccountExists", user: owner.user } : { _tag: "UserNameTaken", user })
  }
  if (HashMap.has(registry.bySession, session)) return Result.fail({ _tag: "AlreadyIdentified" })
  const { claiming, present, ...whose } = owner ?? { user, account, present: [], claiming: [] }
  if (present.length + claiming.length >= maxConnections) return Result.fail({ _tag: "TooManyConnections" })
  return Result.succeed({
    byName: HashMap.set(registry.byName, key, { ...whose, present, claiming: [...claiming, session] }),
    bySession: HashMap.set(registry.bySession, session, key)
  })
}

/** Somebody who came; `isNews` if no other connection was seen under the name. */
export interface Arrived {
  readonly user: UserName
  readonly isNews: boolean
}

/** Lets others see a connection that has been welcomed. None if it has no name, or was seen before. */
export const arrive = (registry: Registry, session: SessionId): Option.Option<readonly [Registry, Arrived]> =>
  Option.map(
    Option.filter(registrationOf(registry, session), ({ claiming }) => claiming.includes(session)),
    (registration) => {
      const { claiming, present, user } = registration
      const arrived = { ...registration, present: [...present, session], claiming: without(claiming, session) }
      return [
        { ...registry, byName: HashMap.set(registry.byName, nameKey(user), arrived) },
        { user, isNews: present.length === 0 }
      ]
    }
  )

/** Somebody of whom a connection went; `isNews` if it was the last that others saw. */
export type Departed = Arrived

/** Takes a connection from its name, which is free with the last. None if it has none, or no longer. */
export const depart = (registry: Registry, session: SessionId): Option.Option<readonly [Registry, Departed]> =>
  Option.map(registrationOf(registry, session), (registration) => {
    const { user } = registration
    const present = without(registration.present, session)
    const claiming = without(registration.claiming, session)
    const isFree = present.length + claiming.length === 0
    return [
      {
        byName: isFree
          ? HashMap.remove(registry.byName, nameKey(user))
          : HashMap.set(registry.byName, nameKey(user), { ...registration, present, claiming }),
        bySession: HashMap.remove(registry.bySession, session)
      },
      { user, isNews: present.length === 0 && registration.present.length > 0 }
    ]
  })

/** A guest's name becomes this account's. None if the connection has no name, or it is an account's already. */
export const own = (registry: Registry, session: SessionId, account: AccountId): Option.Option<Registry> =>
  Option.map(
    Option.filter(registrationOf(registry, session), (registration) => registration.account === undefined),
    (registration) => ({
      ...registry,
      byName: HashMap.set(registry.byName, nameKey(registration.user), { ...registration, account })
    })
  )

/** The user whom others see under this name. */
export const find = (registry: Registry, user: UserName): Option.Option<Registration> =>
  Option.filter(HashMap.get(registry.byName, nameKey(user)), ({ present }) => present.length > 0)

const registrationOf = (registry: Registry, session: SessionId): Option.Option<Registration> =>
  Option.flatMap(HashMap.get(registry.bySession, session), (key) => HashMap.get(registry.byName, key))

const without = (sessions: ReadonlyArray<SessionId>, session: SessionId): ReadonlyArray<SessionId> =>
  sessions.filter((other) => other !== session)

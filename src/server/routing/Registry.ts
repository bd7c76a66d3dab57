/**
 * Who is here under which name: pure.
 *
 * A name is claimed before its owner is welcomed and seen by others only after; it is free again as soon as its
 * connection departs. At most one entry per session, so as many as there may be connections.
 */
import { HashMap, Option, Result } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { SessionId } from "../session/Asker.ts"

export interface Registration {
  readonly user: UserName
  readonly session: SessionId
  readonly present: boolean
}

export interface Registry {
  readonly byName: HashMap.HashMap<NameKey, Registration>
  readonly bySession: HashMap.HashMap<SessionId, NameKey>
}

export const empty: Registry = { byName: HashMap.empty(), bySession: HashMap.empty() }

/** Takes a free name for a connection that has none. */
export const claim = (registry: Registry, session: SessionId, user: UserName): Result.Result<Registry, Rejection> => {
  const key = nameKey(user)
  if (HashMap.has(registry.byName, key)) return Result.fail({ _tag: "UserNameTaken", user })
  if (HashMap.has(registry.bySession, session)) return Result.fail({ _tag: "AlreadyIdentified" })
  return Result.succeed({
    ...registry,
    byName: HashMap.set(registry.byName, key, { user, session, present: false }),
    bySession: HashMap.set(registry.bySession, session, key)
  })
}

/** Lets others see a user who has been welcomed. None if the connection has no name, or was seen before. */
export const arrive = (registry: Registry, session: SessionId): Option.Option<readonly [Registry, UserName]> =>
  Option.map(
    Option.filter(registrationOf(registry, session), ({ present }) => !present),
    ({ user }) => [
      {
        ...registry,
        byName: HashMap.set(registry.byName, nameKey(user), { user, session, present: true })
      },
      user
    ]
  )

/** Frees the name of a connection. None if it has none, or no longer. */
export const depart = (registry: Registry, session: SessionId): Option.Option<readonly [Registry, Registration]> =>
  Option.map(registrationOf(registry, session), (registration) => [
    {
      byName: HashMap.remove(registry.byName, nameKey(registration.user)),
      bySession: HashMap.remove(registry.bySession, session)
    },
    registration
  ])

/** The user whom others see under this name. */
export const find = (registry: Registry, user: UserName): Option.Option<Registration> =>
  Option.filter(HashMap.get(registry.byName, nameKey(user)), ({ present }) => present)

const registrationOf = (registry: Registry, session: SessionId): Option.Option<Registration> =>
  Option.flatMap(HashMap.get(registry.bySession, session), (key) => HashMap.get(registry.byName, key))

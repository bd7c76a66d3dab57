/**
 * The names that belong to accounts, also to deleted ones, so that nobody else comes under one of them or one that looks
 * like it. Without effects: whoever owns the accounts owns this, and fills it when it starts.
 *
 * A name stays until it is freed: deleting its account does not free it. So it grows with the accounts there ever were: 70 to
 * 90 bytes each beside the name, and as much again for the few names that have two looks.
 */
import { Array as Arr } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { type Look, looksOf } from "./Skeleton.ts"

export interface ReservedNames {
  /** Reserves a name; one that is reserved keeps the spelling it has. */
  readonly add: (name: UserName) => void
  /** Frees a name, in whatever spelling, for somebody else. */
  readonly free: (name: UserName) => void
  /** The same name, in the spelling it was reserved in; or else the first reserved one that looks like it. */
  readonly similarTo: (name: UserName) => UserName | undefined
}

export const makeReservedNames = (): ReservedNames => {
  /** Nearly always one each, which as an array would take four times the memory: only operators give out names that look alike. */
  const byLook = new Map<Look, UserName | ReadonlyArray<UserName>>()

  const at = (look: Look): ReadonlyArray<UserName> => Arr.ensure(byLook.get(look) ?? [])

  const put = (look: Look, names: ReadonlyArray<UserName>) => {
    const [first, second] = names
    if (first === undefined) byLook.delete(look)
    else byLook.set(look, second === undefined ? first : names)
  }

  /** The same name and all that look like it. */
  const find = (name: UserName) => {
    const looks = looksOf(name)
    const alike = looks.flatMap(at)
    const key = nameKey(name)
    return { looks, alike, same: alike.find((other) => nameKey(other) === key) }
  }

  return {
    add: (name) => {
      const { looks, same } = find(name)
      if (same !== undefined) return
      for (const look of looks) put(look, [...at(look), name])
    },
    free: (name) => {
      const { same } = find(name)
      if (same === undefined) return
      for (const look of looksOf(same)) {
        put(
          look,
          at(look).filter((other) => other !== same)
        )
      }
    },
    similarTo: (name) => {
      const { alike, same } = find(name)
      return same ?? alike[0]
    }
  }
}

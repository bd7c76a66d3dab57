/**
 * A sorted list of names that is cheap to keep sorted: pure.
 *
 * Names are ordered by their keys, so without regard to case. Changing a list of a thousand names copies it (8 kB)
 * instead of sorting it, which matters when a thousand users join one room, each to be told who is in.
 */
import { nameKey } from "../../common/name/Name.ts"
import { placeOf } from "./NamePage.ts"

export type Roster<Name extends string> = ReadonlyArray<Name>

export const has = <Name extends string>(roster: Roster<Name>, name: Name): boolean => {
  const found = roster[placeOf(roster, nameKey, nameKey(name))]
  return found !== undefined && nameKey(found) === nameKey(name)
}

/** Each name stands once, as it was spelled last. */
export const insert = <Name extends string>(roster: Roster<Name>, name: Name): Roster<Name> =>
  roster.toSpliced(placeOf(roster, nameKey, nameKey(name)), has(roster, name) ? 1 : 0, name)

export const remove = <Name extends string>(roster: Roster<Name>, name: Name): Roster<Name> => {
  const place = placeOf(roster, nameKey, nameKey(name))
  return roster[place] === name ? roster.toSpliced(place, 1) : roster
}

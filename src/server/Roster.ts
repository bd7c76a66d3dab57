/**
 * A sorted list of names that is cheap to keep sorted: pure.
 *
 * Names are ordered by UTF-16 code unit, as `Array.prototype.sort` orders strings. Changing a list of a thousand names
 * copies it (8 kB) instead of sorting it, which matters when a thousand users join one room, each to be told who is in.
 */
export type Roster<Name extends string> = ReadonlyArray<Name>

export const insert = <Name extends string>(roster: Roster<Name>, name: Name): Roster<Name> =>
  roster.toSpliced(placeOf(roster, name), 0, name)

export const remove = <Name extends string>(roster: Roster<Name>, name: Name): Roster<Name> => {
  const place = placeOf(roster, name)
  return roster[place] === name ? roster.toSpliced(place, 1) : roster
}

/** The first place whose name does not come before `name`. */
const placeOf = (roster: Roster<string>, name: string): number => {
  let low = 0
  let high = roster.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = roster[middle]
    if (found !== undefined && found < name) low = middle + 1
    else high = middle
  }
  return low
}

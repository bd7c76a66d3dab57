/** Finds what somebody meant who mistyped a word. */

/**
 * The candidate nearest to `word`, if one is near enough: one slip in a word of three to five letters, two in a
 * longer one, none in a shorter: an odd guess is worse than none. Of equally near ones it is the first.
 */
export const nearest = <A>(
  word: string,
  candidates: ReadonlyArray<A>,
  spell: (candidate: A) => string
): A | undefined => {
  let best: A | undefined
  let bestSlips = word.length < 3 ? 0 : word.length < 6 ? 1 : 2
  for (const candidate of candidates.toReversed()) {
    const count = slips(word, spell(candidate))
    if (count <= bestSlips) {
      best = candidate
      bestSlips = count
    }
  }
  return best
}

/**
 * How many letters were left out, added, mistaken or swapped with their neighbour: the optimal string alignment
 * distance (Boytsov, "Indexing methods for approximate dictionary searching", 2011, section 2.1).
 */
const slips = (from: string, to: string): number => {
  let beforeLast: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        row > 1 && column > 1 && isSwapped ? at(beforeLast, column - 2) + 1 : Infinity
      )
    }
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

const at = (row: ReadonlyArray<number>, column: number): number => row[column] ?? Infinity

/** Finds names by some of their letters in order, best first. Pure. */

/** Lower is better; undefined if it does not fit: what begins so, then what holds it, then what has its letters in order. */
const distance = (name: string, wanted: string): number | undefined => {
  const [all, part] = [name.toLowerCase(), wanted.toLowerCase()]
  if (part === "") return 0
  const at = all.indexOf(part)
  if (at !== -1) return at === 0 ? 0 : 1 + at / 100
  let [from, gaps] = [0, 0]
  for (const letter of part) {
    const next = all.indexOf(letter, from)
    if (next === -1) return undefined
    gaps += next - from
    from = next + 1
  }
  return 2 + gaps / 100
}

/** Of equally good ones, their own order stays. */
export const fuzzy = <A>(candidates: ReadonlyArray<A>, wanted: string, nameOf: (one: A) => string): ReadonlyArray<A> =>
  candidates
    .flatMap((one) => {
      const far = distance(nameOf(one), wanted)
      return far === undefined ? [] : [{ one, far }]
    })
    .toSorted((one, other) => one.far - other.far)
    .map(({ one }) => one)

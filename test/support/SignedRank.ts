/**
 * Whether of two things that were timed in pairs one takes longer: Wilcoxon's signed-rank test (Biometrics Bulletin 1, 1945),
 * by its normal approximation, which holds from some twenty pairs on. A pause of the machine is one high rank, however long it is.
 */
export type Pair = readonly [one: number, other: number]

/** What a fair comparison is beyond once in two thousand times, on either side. */
const significant = 3.3
/** What takes so little longer, of the one's own time, is not looked at. */
const negligible = 0.1

/** In standard deviations; above 0 if the one is the greater. */
export const signedRank = (pairs: ReadonlyArray<Pair>): number => {
  const differences = pairs.map(([one, other]) => one - other).filter((difference) => difference !== 0)
  const count = differences.length
  const sum = differences
    .toSorted((left, right) => Math.abs(left) - Math.abs(right))
    .reduce((total, difference, index) => total + Math.sign(difference) * (index + 1), 0)
  return count === 0 ? 0 : sum / Math.sqrt((count * (count + 1) * (2 * count + 1)) / 6)
}

const medianOf = (values: ReadonlyArray<number>): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0

/** 1 if the one takes longer, -1 if the other does, 0 if that cannot be told. */
export const longer = (pairs: ReadonlyArray<Pair>): -1 | 0 | 1 => {
  const rank = signedRank(pairs)
  const difference = medianOf(pairs.map(([one, other]) => one - other))
  const isSmall = Math.abs(difference) < negligible * medianOf(pairs.map(([one]) => one))
  if (Math.abs(rank) < significant || isSmall) return 0
  return rank > 0 ? 1 : -1
}

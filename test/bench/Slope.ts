/** By how much a series grows from each of its values to the next: the slope of its least-squares line. */
export const slopeOf = (values: ReadonlyArray<number>): number => {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const covariance = values.reduce((sum, value, index) => sum + (index - middle) * (value - mean), 0)
  const variance = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  return covariance / variance
}

/**
 * Counts durations for quantiles: in microseconds, exact below 2048 and within a thousandth above, in fixed memory.
 *
 * Log-linear buckets, like HdrHistogram's: each power of two is cut into 1024 equal parts. Recording is a few integer
 * operations, so that a million receipts a second can be recorded by the process that receives them. The maximum is
 * kept apart and exact.
 */
const partBits = 10
const parts = 1 << partBits
/** 2^31 µs are 35 minutes; what takes longer counts as that. */
const longestMicros = 2 ** 31 - 1
const size = parts * (31 - partBits + 1)

const bucketOf = (micros: number): number => {
  if (micros < parts) return micros
  const shift = 31 - partBits - Math.clz32(micros)
  return (shift << partBits) + (micros >>> shift)
}

/** The middle of a bucket. */
const microsOf = (bucket: number): number => {
  if (bucket < 2 * parts) return bucket
  const shift = (bucket >>> partBits) - 1
  return ((bucket & (parts - 1)) + parts + 0.5) * 2 ** shift
}

export class Histogram {
  readonly #counts = new Uint32Array(size + parts)
  #maxMillis = 0
  count = 0

  /** Records a duration in milliseconds. */
  record(millis: number): void {
    const micros = millis * 1000
    const bucket = bucketOf(micros <= 0 ? 0 : micros >= longestMicros ? longestMicros : Math.trunc(micros))
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.count++
    if (millis > this.#maxMillis) this.#maxMillis = millis
  }

  /** The duration in milliseconds that this share (0 to 1) of all recorded ones does not exceed; NaN if there is none. */
  quantile(share: number): number {
    if (this.count === 0) return Number.NaN
    const rank = Math.max(1, Math.ceil(share * this.count))
    let seen = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] ?? 0
      if (seen >= rank) return Math.min(microsOf(bucket) / 1000, this.#maxMillis)
    }
    return this.#maxMillis
  }

  max(): number {
    return this.count === 0 ? Number.NaN : this.#maxMillis
  }
}

/**
 * How much may be said or done in a time: pure arithmetic of a token bucket (RFC 2697 without the second colour).
 *
 * Holds at most `burst` tokens, gains `rate` a second, and each message takes one. Counts in thousandths, of which `rate`
 * come in each millisecond: whole numbers, so that nobody is told to wait a millisecond too little.
 */
export interface TokenBucket {
  /** Thousandths of a token; less than none where tokens were borrowed. */
  readonly thousandths: number
  /** When that was right, in monotonic milliseconds. */
  readonly at: number
}

export interface Allowance {
  /** Messages per second; 0 means as many as they like. */
  readonly rate: number
  readonly burst: number
}

const perToken = 1000

export const full = ({ burst }: Allowance, now: number): TokenBucket => ({ thousandths: burst * perToken, at: now })

/** The bucket after taking one token, or after how many milliseconds there will be one. */
export const take = (bucket: TokenBucket, allowance: Allowance, now: number): TokenBucket | number => {
  if (allowance.rate === 0) return bucket
  const thousandths = heldAt(bucket, allowance, now)
  return thousandths >= perToken
    ? { thousandths: thousandths - perToken, at: now }
    : Math.ceil((perToken - thousandths) / allowance.rate)
}

/** The bucket after taking one token that will be there only later, when `take` said. Whoever comes next waits behind it. */
export const borrow = (bucket: TokenBucket, allowance: Allowance, now: number): TokenBucket => ({
  thousandths: heldAt(bucket, allowance, now) - perToken,
  at: now
})

/** After how many milliseconds so many tokens more will have come as there would have to be for `count`, also beyond its burst. */
export const waitFor = (count: number, bucket: TokenBucket, allowance: Allowance, now: number): number =>
  Math.max(0, Math.ceil((count * perToken - heldAt(bucket, allowance, now)) / allowance.rate))

/** Whether nothing is left of what was taken. */
export const isFull = (bucket: TokenBucket, allowance: Allowance, now: number): boolean =>
  allowance.rate === 0 || heldAt(bucket, allowance, now) >= allowance.burst * perToken

const heldAt = ({ at, thousandths }: TokenBucket, { burst, rate }: Allowance, now: number): number =>
  Math.min(burst * perToken, thousandths + Math.max(0, now - at) * rate)

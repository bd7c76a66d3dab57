/**
 * How much one connection may say: pure arithmetic of a token bucket (RFC 2697 without the second colour).
 *
 * Holds at most `burst` tokens, gains `rate` a second, and each message takes one. Counts in thousandths, of which `rate`
 * come in each millisecond: whole numbers, so that nobody is told to wait a millisecond too little.
 */
export interface TokenBucket {
  /** Thousandths of a token. */
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
export const take = (bucket: TokenBucket, { burst, rate }: Allowance, now: number): TokenBucket | number => {
  if (rate === 0) return bucket
  const gained = Math.max(0, now - bucket.at) * rate
  const thousandths = Math.min(burst * perToken, bucket.thousandths + gained)
  return thousandths >= perToken
    ? { thousandths: thousandths - perToken, at: now }
    : Math.ceil((perToken - thousandths) / rate)
}

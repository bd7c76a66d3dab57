/**
 * How much one connection may say: pure arithmetic of a token bucket (RFC 2697 without the second colour).
 *
 * Holds at most `burst` tokens, gains `rate` a second, and each message takes one.
 */
export interface TokenBucket {
  readonly tokens: number
  /** When `tokens` was right, in milliseconds. */
  readonly at: number
}

export interface Allowance {
  /** Messages per second; 0 means as many as they like. */
  readonly rate: number
  readonly burst: number
}

export const full = ({ burst }: Allowance, now: number): TokenBucket => ({ tokens: burst, at: now })

/** The bucket after taking one token, or after how many milliseconds there will be one. */
export const take = (bucket: TokenBucket, { burst, rate }: Allowance, now: number): TokenBucket | number => {
  if (rate === 0) return bucket
  const elapsed = Math.max(0, now - bucket.at)
  const tokens = Math.min(burst, bucket.tokens + (elapsed * rate) / 1000)
  return tokens >= 1 ? { tokens: tokens - 1, at: now } : Math.ceil(((1 - tokens) * 1000) / rate)
}

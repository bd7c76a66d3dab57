/**
 * How often somebody was wrong, and how long they have to wait for it: pure arithmetic.
 *
 * So many failures are free. After those, each makes the wait before the next try twice as long. They are forgotten one by
 * one: another for each `forgivenAfter` that has passed since one might have tried again, and did not. All times are
 * milliseconds.
 */
export interface Rule {
  readonly free: number
  readonly firstWait: number
  readonly maxWait: number
  readonly forgivenAfter: number
}

export interface Failures {
  /** At most `maxCount`: a higher one would make nobody wait longer, and take longer to be forgotten. */
  readonly count: number
  /** When the last of them was, in monotonic time. */
  readonly at: number
}

export const noFailures: Failures = { count: 0, at: 0 }

/** The count at which one waits longest. */
export const maxCount = ({ firstWait, free, maxWait }: Rule): number => free + Math.ceil(Math.log2(maxWait / firstWait))

/** How long nothing may be tried after the last of so many. */
export const waitAfter = ({ firstWait, free, maxWait }: Rule, count: number): number =>
  count < free ? 0 : Math.min(firstWait * 2 ** (count - free), maxWait)

/** How long it is still to wait. */
export const remainingWait = (rule: Rule, { at, count }: Failures, now: number): number =>
  Math.max(0, at + waitAfter(rule, count) - now)

/** How many of them are not forgotten yet. */
export const countLeft = (rule: Rule, { at, count }: Failures, now: number): number => {
  const quiet = now - at - waitAfter(rule, count)
  return Math.max(0, count - Math.max(0, Math.floor(quiet / rule.forgivenAfter)))
}

/** One more. */
export const counted = (rule: Rule, failures: Failures, now: number): Failures => ({
  count: Math.min(countLeft(rule, failures, now) + 1, maxCount(rule)),
  at: now
})

/**
 * How many hints a server gives: what nobody misses must not keep anybody waiting. Each line of them is a write of its own, 10 us: in
 * a lobby of 600 who type all the time, each saying so once in 3 s, they were 116,000 a second, and nobody could log in.
 */

/** As many at once, too; 5% of a processor. */
export const hintsPerSecond = 5000

/** Whether a hint to so many may be given now (in milliseconds); of one that may not, nobody hears. */
export const makeHintPace = (now: () => number): ((receivers: number) => boolean) => {
  let left = hintsPerSecond
  let at = now()
  return (receivers) => {
    left = Math.min(hintsPerSecond, left + ((now() - at) * hintsPerSecond) / 1000)
    at = now()
    if (left < receivers) return false
    left -= receivers
    return true
  }
}

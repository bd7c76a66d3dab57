/**
 * How long a device has waited to be let in, in milliseconds that only pass: however often it looked, for whoever comes or goes is a
 * reason to look. From one look to the next no more counts than the longest pause between two: it may have been away.
 */
import { growing } from "./Timers.ts"

/** So long until fresh keys are asked for: a minute, and then longer each time. */
const shortestWait = 60_000
const longestWait = 300_000
/** What `patience` is mostly: a shorter one shortens these as it does all pauses. */
const usualPatience = 400

export const make = (patience: number, longestPause: number) => {
  const share = patience / usualPatience
  const waits = growing(shortestWait * share, longestWait * share)
  let wait = waits.take()
  let waited = 0
  let lastLook: number | undefined
  return {
    /** It was looked for in vain; whether it was long enough by now, from when on it is waited anew. */
    isOver: (now: number): boolean => {
      waited += Math.min(now - (lastLook ?? now), longestPause)
      lastLook = now
      if (waited < wait) return false
      waited = 0
      wait = waits.take()
      return true
    },
    beginAgain: () => {
      waited = 0
      lastLook = undefined
      waits.beginAgain()
      wait = waits.take()
    }
  }
}

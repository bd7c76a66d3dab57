/** When something was said, in the reader's time zone: the time of day, and the day. Pure but for what it remembers. */
import type { DateTime } from "effect"
import * as Timestamp from "../text/Timestamp.ts"

/** Both of epoch milliseconds. */
export interface Times {
  /** `12:04`. */
  readonly time: (at: number) => string
  /** `2026-11-28`. */
  readonly day: (at: number) => string
  /** `12:04`, or on another day than `now` with the day before it. */
  readonly moment: Timestamp.Timestamp
}

const minute = 60_000
const twoDays = 2 * 24 * 60 * minute

/** Remembers the minutes asked for lately: what is on a screen is drawn again and again. */
const maxKnown = 2048

export const make = (zone: DateTime.TimeZone): Times => {
  const moment = Timestamp.make(zone)
  const known = new Map<number, { readonly time: string; readonly day: string }>()
  const lookUp = (at: number) => {
    const key = Math.floor(at / minute)
    const found = known.get(key)
    if (found !== undefined) return found
    // Seen from another day, both are told.
    const [day = "", time = "??:??"] = moment(at, at + twoDays).split(" ")
    if (known.size >= maxKnown) known.clear()
    const both = { day, time }
    known.set(key, both)
    return both
  }
  return { time: (at) => lookUp(at).time, day: (at) => lookUp(at).day, moment }
}

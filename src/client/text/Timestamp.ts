/** When a message was said, in the reader's time zone: `12:04`, or on another day `2026-11-22 12:04`. */
import { DateTime, Option } from "effect"

/** Both times in epoch milliseconds. */
export type Timestamp = (at: number, now: number) => string

const minute = 60_000

/** Remembers the last answer: messages come many to the minute, and looking up a time zone's rules takes its time. */
export const make = (zone: DateTime.TimeZone): Timestamp => {
  const dayAndTime = (at: number): readonly [day: string, time: string] =>
    Option.match(DateTime.makeZoned(at, { timeZone: zone }), {
      // Beyond all calendars (ECMA-262, 21.4.1.1).
      onNone: () => ["", "??:??"],
      onSome: (zoned) => {
        const { year, month, day, hour, minute } = DateTime.toParts(zoned)
        return [`${year}-${twoDigits(month)}-${twoDigits(day)} `, `${twoDigits(hour)}:${twoDigits(minute)}`]
      }
    })

  let last = { at: NaN, now: NaN, text: "" }
  return (at, now) => {
    const minutes = { at: Math.floor(at / minute), now: Math.floor(now / minute) }
    if (last.at !== minutes.at || last.now !== minutes.now) {
      const [day, time] = dayAndTime(at)
      const [today] = dayAndTime(now)
      last = { ...minutes, text: day === today ? time : `${day}${time}` }
    }
    return last.text
  }
}

/** For scripts: in UTC, whatever the day, `2026-11-23T12:04:11Z` (RFC 3339). */
export const utc: Timestamp = (at) =>
  Option.match(DateTime.make(at), {
    onNone: () => "????-??-??T??:??:??Z",
    onSome: (time) => DateTime.formatIso(time).replace(/\.\d+Z$/, "Z")
  })

const twoDigits = (part: number): string => `${part}`.padStart(2, "0")

/** How long a ban or a mute is to bind, as a person types it: `30m`, `2h`, `7d`. */
import { Schema, SchemaGetter } from "effect"
import { maxSeconds } from "../../common/wire/RoomRequest.ts"

const minute = 60
const hour = 60 * minute
const day = 24 * hour
const secondsPer: Readonly<Record<string, number>> = { s: 1, m: minute, h: hour, d: day, w: 7 * day, y: 365 * day }

/** Undefined if it is no time, or none that a server takes. */
const secondsOf = (typed: string): number | undefined => {
  const [, amount, unit] = /^(\d{1,8})([smhdwy])$/i.exec(typed) ?? []
  if (amount === undefined || unit === undefined) return undefined
  const seconds = Number(amount) * (secondsPer[unit.toLowerCase()] ?? Infinity)
  return seconds >= 1 && seconds <= maxSeconds ? seconds : undefined
}

/** Whether somebody may have meant a time by this: then it is one or an error, and never part of a reason. */
export const looksLikeTime = (word: string): boolean => /^[-+.]?\d/.test(word)

const allowed =
  "must be a time from 1 second to 1 year: a number and s, m, h, d, w or y, as 30m, 2h or 7d. A reason begins with no digit"

/** In seconds. */
export const Term = Schema.String.check(
  Schema.makeFilter<string>((typed) => secondsOf(typed) !== undefined, { message: allowed })
).pipe(
  Schema.decodeTo(Schema.Int, {
    decode: SchemaGetter.transform((typed: string) => secondsOf(typed) ?? 0),
    encode: SchemaGetter.transform((seconds: number) => `${seconds}s`)
  })
)

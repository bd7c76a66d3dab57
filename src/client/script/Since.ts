/** Since when: a time ago (`90s`, `30m`, `1h`, `2d`, `1w`) or a moment (RFC 3339: `2026-11-28`, `2026-11-28T10:00Z`). Pure. */
import { DateTime, Option, Schema, SchemaGetter } from "effect"

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const millisPer: Readonly<Record<string, number>> = { s: second, m: minute, h: hour, d: day, w: 7 * day }

/** In milliseconds: so long ago, or a moment since 1970. */
export type Since = { readonly _tag: "Ago"; readonly millis: number } | { readonly _tag: "At"; readonly at: number }

const read = (typed: string): Since | undefined => {
  const millis = millisOf(typed)
  if (millis !== undefined) return { _tag: "Ago", millis }
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(typed)) return undefined
  const moment = Option.getOrUndefined(DateTime.make(typed))
  return moment === undefined ? undefined : { _tag: "At", at: moment.epochMilliseconds }
}

/** Of `90s`, `30m`, `1h`, `2d` or `1w`. */
const millisOf = (typed: string): number | undefined => {
  const [, amount, unit = ""] = /^(\d{1,6})([smhdw])$/.exec(typed) ?? []
  return amount === undefined ? undefined : Number(amount) * (millisPer[unit] ?? NaN)
}

const Parsed = Schema.Union([
  Schema.TaggedStruct("Ago", { millis: Schema.Finite }),
  Schema.TaggedStruct("At", { at: Schema.Finite })
])

export const Since = Schema.String.check(
  Schema.makeFilter<string>((typed) => read(typed) !== undefined, {
    message: "must be a time ago, as 90s, 30m, 1h, 2d or 1w, or a moment, as 2026-11-28 or 2026-11-28T10:00Z"
  })
).pipe(
  Schema.decodeTo(Schema.toType(Parsed), {
    decode: SchemaGetter.transform((typed: string): Since => read(typed) ?? { _tag: "Ago", millis: 0 }),
    encode: SchemaGetter.transform((since: Since) =>
      since._tag === "Ago"
        ? `${Math.round(since.millis / second)}s`
        : Option.match(DateTime.make(since.at), { onNone: () => "1970-01-01", onSome: DateTime.formatIso })
    )
  })
)

/** How long something may take, in milliseconds. */
export const Patience = Schema.String.check(
  Schema.makeFilter<string>((typed) => (millisOf(typed) ?? 0) > 0, { message: "must be a time, as 10s or 5m" })
).pipe(
  Schema.decodeTo(Schema.Finite, {
    decode: SchemaGetter.transform((typed: string) => millisOf(typed) ?? 0),
    encode: SchemaGetter.transform((millis: number) => `${Math.round(millis / second)}s`)
  })
)

export const momentOf = (since: Since, now: number): number =>
  since._tag === "At" ? since.at : Math.max(0, now - since.millis)

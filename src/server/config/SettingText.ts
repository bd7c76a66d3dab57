/** How the texts of settings are read, whatever the setting: durations, sizes, numbers, names. Each is a schema of its own. */
import { isIPv4, isIPv6 } from "node:net"
import { ByteSize, Duration, Option, Schema, SchemaGetter } from "effect"

const units: Record<string, string> = {
  "": "millis",
  ms: "millis",
  s: "seconds",
  sec: "seconds",
  m: "minutes",
  min: "minutes",
  h: "hours",
  d: "days"
}

/** `5 seconds`, `30s`, `5 min`; a bare number is milliseconds. */
export const DurationFromText = Schema.String.pipe(
  Schema.decode({
    decode: SchemaGetter.transform((text: string) => {
      const [, amount = "", unit = ""] = /^\s*([\d.]+)\s*([a-z]*)\s*$/i.exec(text) ?? []
      return `${amount} ${units[unit.toLowerCase()] ?? unit.toLowerCase()}`
    }),
    encode: SchemaGetter.passthrough()
  }),
  Schema.decodeTo(Schema.DurationFromString)
)

/** A second or more, as somebody typed it. */
export const durationOf = (text: string): Duration.Duration | undefined =>
  Option.getOrUndefined(
    Option.filter(Schema.decodeOption(DurationFromText)(text), (duration) =>
      Duration.isGreaterThanOrEqualTo(duration, Duration.seconds(1))
    )
  )

/** Never nothing: a timer of 0 would keep the server busy. */
export const DurationText = DurationFromText.pipe(
  Schema.check(
    Schema.makeFilter((duration: Duration.Duration) =>
      Duration.between(duration, { minimum: Duration.millis(1), maximum: Duration.days(20) })
    )
  )
)

/** `forever`, which is no duration, or a duration of a second at least. */
export const RetentionText = Schema.Union([
  Schema.Literal("forever"),
  DurationFromText.pipe(
    Schema.check(
      Schema.makeFilter((duration: Duration.Duration) => Duration.isGreaterThanOrEqualTo(duration, Duration.seconds(1)))
    )
  )
])

/** `65536` or `64 KiB`, in bytes. */
export const BytesText = Schema.String.pipe(
  Schema.decodeTo(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)), {
    decode: SchemaGetter.transform((text: string) => {
      const size = ByteSize.fromString(/^\d+$/.test(text.trim()) ? `${text.trim()} B` : text)
      return Number(Option.getOrElse(Option.flatMap(size, ByteSize.toNumber), () => Number.NaN))
    }),
    encode: SchemaGetter.transform(String)
  })
)

export const wholeNumber = (minimum: number, maximum: number) =>
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum }))

export const anyText = Schema.String.check(Schema.isNonEmpty())

export const onOrOff = Schema.Literals(["on", "off"]).pipe(
  Schema.decodeTo(Schema.Boolean, {
    decode: SchemaGetter.transform((text) => text === "on"),
    encode: SchemaGetter.transform((isOn) => (isOn ? "on" : "off"))
  })
)

export const trueOrFalse = Schema.Literals(["true", "false"]).pipe(
  Schema.decodeTo(Schema.Boolean, {
    decode: SchemaGetter.transform((text) => text === "true"),
    encode: SchemaGetter.transform((is) => (is ? "true" : "false"))
  })
)

const isBlock = (text: string): boolean => {
  const [address = "", prefix, ...rest] = text.split("/")
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
  return bits > 0 && isPrefix && rest.length === 0
}

/** Addresses and CIDR blocks. */
export const BlocksText = Schema.String.pipe(
  Schema.decodeTo(Schema.Array(Schema.String.check(Schema.makeFilter(isBlock))), {
    decode: SchemaGetter.transform((text: string) =>
      text
        .split(",")
        .map((block) => block.trim())
        .filter((block) => block !== "")
    ),
    encode: SchemaGetter.transform((blocks) => blocks.join(","))
  })
)

/** Host names, in lower case: DNS knows no other. */
export const NamesText = Schema.String.pipe(
  Schema.decodeTo(Schema.Array(Schema.String), {
    decode: SchemaGetter.transform((text: string) =>
      text
        .split(",")
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== "")
    ),
    encode: SchemaGetter.transform((names) => names.join(","))
  })
)

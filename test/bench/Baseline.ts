/**
 * Ratios that were good once, in baseline.json: to hold later ones against.
 *
 * Never absolute times: a ratio to the floor, measured in the same minute, says the same of a slow and a fast machine,
 * more or less. What fell by more than a fifth is measured again, and named if it did so twice: of two runs of the same
 * code each may have one or two such ratios, but hardly the same ones.
 */
import { Effect, FileSystem, Option, Schema } from "effect"
import { BenchError } from "./Crowd.ts"
import type { Column } from "./Mode.ts"
import type { ModeResult } from "./Runner.ts"

const Baseline = Schema.Struct({
  /** Where and when; for people. */
  machine: Schema.String,
  savedAt: Schema.String,
  ratios: Schema.Record(Schema.String, Schema.Finite)
})

const BaselineText = Schema.fromJsonString(Baseline)

/** By how much a ratio may be worse before it is named. */
const tolerance = 0.2

interface Ratio {
  readonly key: string
  readonly value: number
  readonly better: Column["better"]
}

/** All of parley's ratios; their keys say what was sent, so that only like is compared with like. */
const ratiosOf = (results: ReadonlyArray<ModeResult>): ReadonlyArray<Ratio> =>
  results.flatMap(({ load, mode, results: servers }) => {
    const parley = servers.find(({ subject }) => subject === "parley")
    if (parley === undefined) return []
    const { bytes, members, messages, rate, seconds, senders } = load
    const sent = `${members} members, ${Math.min(senders, members)} talk, ${rate}/s, ${messages} messages, ${bytes} bytes, ${seconds} s`
    return mode.columns.flatMap(({ better, isRatio, isVolatile, key }) => {
      const value = (isRatio === true ? parley.median : parley.ratio)[key]
      return better === "none" || isVolatile === true || value === undefined || !Number.isFinite(value)
        ? []
        : [{ key: `${mode.name} ${key} (${sent})`, value, better }]
    })
  })

/** None if there is no such file; fails with a BenchError if it is no baseline. */
export const read = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  if (!(yield* files.exists(file))) return Option.none()
  const baseline = yield* Effect.mapError(
    Schema.decodeEffect(BaselineText)(yield* files.readFileString(file)),
    ({ message }) => new BenchError({ message: `${file} is damaged: ${message}\nDelete it, or restore it with git.` })
  )
  return Option.some(baseline)
})

/** Adds these ratios to those that are there, in place of their older selves. */
export const save = Effect.fnUntraced(function* (
  file: string,
  results: ReadonlyArray<ModeResult>,
  machine: string,
  savedAt: string
) {
  const files = yield* FileSystem.FileSystem
  const before = yield* read(file)
  const rounded = ratiosOf(results).map(({ key, value }) => [key, Number(value.toPrecision(3))] as const)
  const ratios = { ...Option.getOrUndefined(before)?.ratios, ...Object.fromEntries(rounded) }
  yield* files.writeFileString(file, `${JSON.stringify({ machine, savedAt, ratios }, null, 2)}\n`)
  return rounded.length
})

export interface Comparison {
  readonly key: string
  readonly hasFallen: boolean
  /** The ratio, what it was, and by how much it is worse. */
  readonly text: string
}

/** Each ratio that the baseline knows. */
export const compare = (
  { ratios }: typeof Baseline.Type,
  results: ReadonlyArray<ModeResult>
): ReadonlyArray<Comparison> =>
  ratiosOf(results).flatMap(({ better, key, value }) => {
    const before = ratios[key]
    if (before === undefined) return []
    const kept = better === "higher" ? value / before : before / value
    const worse = Math.round((1 - kept) * 100)
    const text = `${key}: ${value.toFixed(2)}×, was ${before.toFixed(2)}× (${worse}% worse)`
    return [{ key, hasFallen: kept < 1 - tolerance, text }]
  })

/** What fell both times it was measured, or could not be measured the second time. */
export const fallenTwice = (
  first: ReadonlyArray<Comparison>,
  second: ReadonlyArray<Comparison>
): ReadonlyArray<Comparison> => {
  const recovered = new Set(second.flatMap(({ hasFallen, key }) => (hasFallen ? [] : [key])))
  return first.filter(({ hasFallen, key }) => hasFallen && !recovered.has(key))
}

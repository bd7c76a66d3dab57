/**
 * Runs modes: all servers of one mode and size stand prepared beside each other, and are measured in turn, `repeat`
 * times round, after one trial round that is thrown away. So a server and its floor see the same minute of the machine.
 *
 * A server that cannot be measured costs its own figures only; why is told in its result.
 */
import { Effect, Result, type Scope } from "effect"
import type { BenchError } from "./Crowd.ts"
import type { Cores } from "./Machine.ts"
import type { Figures, Load, Measured, Measurement, Mode } from "./Mode.ts"
import { start, type Subject, type SubjectName } from "./Subject.ts"

export interface RunOptions {
  readonly subjects: ReadonlyArray<SubjectName>
  readonly repeat: number
  readonly cores: Cores | undefined
  readonly entry?: string | undefined
  /** For parley only. */
  readonly nodeFlags?: ReadonlyArray<string>
}

export interface SubjectResult {
  readonly subject: SubjectName
  readonly runs: ReadonlyArray<Measured>
  readonly median: Figures
  /** To the floor's figures of the same round, the median over all rounds. */
  readonly ratio: Figures
  /** The largest and the median share of a core. */
  readonly generatorCpu: number
  readonly serverCpu: number
  readonly failure?: string
}

export interface ModeResult {
  readonly mode: Mode
  readonly load: Load
  readonly results: ReadonlyArray<SubjectResult>
}

/** NaN if there is nothing. */
const medianOf = (values: ReadonlyArray<number>): number => {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((left, right) => left - right)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}

interface Lane {
  readonly subject: SubjectName
  readonly once: Effect.Effect<Measured, BenchError>
  readonly runs: Array<Measured>
  failure: string | undefined
}

/** Measures one mode with one load on all servers it is for. */
export const runMode = Effect.fnUntraced(function* (mode: Mode, load: Load, options: RunOptions) {
  const lanes: Array<Lane> = []
  for (const subject of options.subjects) {
    if (!mode.subjects.includes(subject)) continue
    const prepared = yield* Effect.result(laneOf(mode, load, subject, options))
    const once = Result.isSuccess(prepared) ? prepared.success.measure : Effect.fail(prepared.failure)
    lanes.push({ subject, once, runs: [], failure: undefined })
  }
  const trials = mode.isOnce === true || mode.isFresh === true ? 0 : 1
  const rounds = mode.isOnce === true ? 1 : options.repeat
  for (let round = -trials; round < rounds; round++) {
    // Nobody is always the one behind the same other.
    for (const lane of round % 2 === 0 ? lanes : lanes.toReversed()) {
      if (lane.failure !== undefined) continue
      const measured = yield* Effect.result(lane.once)
      if (Result.isFailure(measured)) lane.failure = measured.failure.message
      else if (round >= 0) lane.runs.push(measured.success)
    }
  }
  const floor = lanes.find(({ subject }) => subject === "floor")
  const result: ModeResult = { mode, load, results: lanes.map((lane) => resultOf(mode, lane, floor)) }
  return result
}, Effect.scoped)

/** The server of one mode, started and prepared; or, if each measurement wants its own, that done each time. */
const laneOf = (mode: Mode, load: Load, name: SubjectName, options: RunOptions) =>
  mode.isFresh === true
    ? Effect.succeed({
        measure: Effect.scoped(Effect.flatMap(prepare(mode, load, name, options), ({ measure }) => measure))
      })
    : prepare(mode, load, name, options)

const prepare = Effect.fnUntraced(function* (
  mode: Mode,
  load: Load,
  name: SubjectName,
  { cores, entry, nodeFlags = [] }: RunOptions
): Effect.fn.Return<Measurement, BenchError, Scope.Scope> {
  const subject: Subject = yield* start(name, {
    cores,
    entry,
    through: mode.through ?? [],
    nodeFlags: name === "parley" ? [...nodeFlags, ...(mode.nodeFlags ?? [])] : []
  })
  return yield* mode.prepare(subject, load)
})

const resultOf = (mode: Mode, { failure, runs, subject }: Lane, floor: Lane | undefined): SubjectResult => {
  const over = (figure: (run: Measured, round: number) => number) => medianOf(runs.map(figure))
  const byColumn = (figure: (key: string) => number): Figures =>
    Object.fromEntries(mode.columns.map(({ key }) => [key, figure(key)]))
  const of = (run: Measured | undefined, key: string) => run?.figures[key] ?? Number.NaN
  return {
    subject,
    runs,
    median: byColumn((key) => over((run) => of(run, key))),
    ratio: byColumn((key) => over((run, round) => of(run, key) / of(floor?.runs[round], key))),
    generatorCpu: Math.max(0, ...runs.map(({ generatorCpu }) => generatorCpu)),
    serverCpu: over(({ serverCpu }) => serverCpu),
    ...(failure !== undefined && { failure })
  }
}

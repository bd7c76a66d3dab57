/**
 * What a mode of the benchmark is: which servers it is for, what it measures, and how it is prepared and measured.
 *
 * `prepare` brings a server into the state that is measured from, and gives the measurement: an effect that may be run
 * many times on it. So several servers can stand prepared beside each other and be measured in turn, in the same minute.
 */
import { Effect, type Scope } from "effect"
import type { BenchError } from "./Crowd.ts"
import { cpuSecondsOf } from "./Machine.ts"
import type { Subject, SubjectName } from "./Subject.ts"

/** What is given on the command line, filled in for one mode and one number of members. */
export interface Load {
  readonly members: number
  /** How many of the members talk. */
  readonly senders: number
  /** Messages a second, of all senders together. */
  readonly rate: number
  readonly seconds: number
  /** Of a message's content. */
  readonly bytes: number
  /** How many messages are sent where that is what bounds a measurement. */
  readonly messages: number
}

export interface Column {
  readonly key: string
  readonly title: string
  /** `none`: shown, and never compared with the floor or the baseline. */
  readonly better: "higher" | "lower" | "none"
  /** It compares two measurements on one server already, and is held against the baseline as it is. */
  readonly isRatio?: boolean
  /** It moves too much from run to run to be held against the baseline: a short measurement's slowest hundredth. */
  readonly isVolatile?: boolean
}

/** By column; what could not be measured is NaN. */
export type Figures = Readonly<Record<string, number>>

export interface Measured {
  readonly figures: Figures
  /** Shares of one core that generator and server used while it was measured. */
  readonly generatorCpu: number
  readonly serverCpu: number
}

/** What may be run again and again on a server that stands prepared. */
export interface Measurement {
  readonly measure: Effect.Effect<Measured, BenchError>
}

export interface Mode {
  readonly name: string
  readonly summary: string
  readonly subjects: ReadonlyArray<SubjectName>
  /** Numbers of members, unless others are given. */
  readonly members: ReadonlyArray<number>
  /** The same for the quick set. */
  readonly quickMembers: ReadonlyArray<number>
  readonly columns: ReadonlyArray<Column>
  /** Each measurement has a server of its own, where one leaves traces in the next. */
  readonly isFresh?: boolean
  /** Measured once, whatever `--repeat` says, and without a trial run. */
  readonly isOnce?: boolean
  /** Left out unless it is named with `--mode`. */
  readonly isOnlyNamed?: boolean
  /** Its members are part of what it is, and `--members` is not for it. */
  readonly hasOwnSize?: boolean
  /** Put before parley's script. */
  readonly nodeFlags?: ReadonlyArray<string>
  /** Put before the server's command. */
  readonly through?: ReadonlyArray<string>
  /** Why it cannot be measured here, if it cannot. */
  readonly obstacle?: () => string | undefined
  /** How long a paced part lasts, unless told otherwise. */
  readonly seconds?: number
  /** What is sent, unless told otherwise. */
  readonly load: (members: number, seconds: number) => Pick<Load, "senders" | "rate" | "messages">
  readonly prepare: (subject: Subject, load: Load) => Effect.Effect<Measurement, BenchError, Scope.Scope>
}

export const everyone: ReadonlyArray<SubjectName> = ["parley", "floor", "ngircd", "inspircd"]

export const sizes: ReadonlyArray<number> = [10, 100, 500, 1000]

/** Runs a measurement and says what it cost both sides. */
export const metered = <E>(subject: Subject, measure: Effect.Effect<Figures, E>): Effect.Effect<Measured, E> =>
  Effect.suspend(() => {
    const generator = process.cpuUsage()
    const server = cpuSecondsOf(subject.pid)
    const startedAt = performance.now()
    return Effect.map(measure, (figures) => {
      const seconds = (performance.now() - startedAt) / 1000
      const { system, user } = process.cpuUsage(generator)
      return {
        figures,
        generatorCpu: (user + system) / 1e6 / seconds,
        serverCpu: (cpuSecondsOf(subject.pid) - server) / seconds
      }
    })
  })

/**
 * Which figures are reached: pure. The bounds are the product's promise of what one cheap request may cost others, and
 * are the same for every attack; what an attack adds to them, it says itself.
 */
import type { Attack, ProbeName } from "./Attack.ts"
import type { Tally } from "./Orders.ts"
import type { Seen } from "./Watch.ts"

/** One pair in one phase. */
export type PairSeen = Partial<Record<ProbeName, Seen>>

export interface Phase {
  /** By pair: `near` is where the attack is, `far` in a room that has nothing to do with it. */
  readonly pairs: Readonly<Record<string, PairSeen>>
  readonly cuts: ReadonlyArray<string>
  readonly refusals: ReadonlyArray<string>
  /** How late the measuring process itself was, p99 in milliseconds. */
  readonly lateP99: number
  /** The share of the time for which the server's first thread could have run and another had its core. */
  readonly waited: number
}

/** The server's memory in bytes after a collection, but for the peak. */
interface Memory {
  readonly residentBefore: number
  readonly residentPeak: number
  readonly residentBeside: number
  readonly residentAfter: number
  readonly heldBefore: number
  readonly heldBeside: number
  readonly heldAfter: number
  readonly socketsBefore: number
  readonly socketsAfter: number
  readonly filesPeak: number
  /** When a tenth of what is counted was done; NaN where nothing is. */
  readonly residentAtTenth: number
}

export interface Outcome {
  readonly attack: string
  readonly k: number
  readonly before: Phase
  readonly beside: Phase
  readonly after: Phase | undefined
  readonly tally: Tally
  readonly memory: Memory
  readonly arrivals: { readonly coming: number; readonly welcomed: number } | undefined
  readonly stopMillis: number
}

export interface Verdict {
  readonly figure: string
  readonly value: number
  readonly unit: string
  /** It must be below, or exactly this where it says so. */
  readonly bound: number
  readonly isExact?: boolean
  readonly isReached: boolean
  /** To the same before the attack, in the same run. */
  readonly ratio?: number
}

const one = { ping: 50, message: 150, login: 150 }
const many = { ping: 100, message: 500, login: 500 }

/** Nothing else is promised for what is asked less often; it is held to what a message is. */
const boundOf = (probe: ProbeName, bounds: typeof one) =>
  probe === "ping" || probe === "login" ? bounds[probe] : bounds.message

const mebi = 1024 * 1024
const mebibytesPerConnection = 3
const mebibytesLeft = 40
const stopBound = 5000

/** Sockets that were closed a moment ago may still be on their way out. */
const socketSlack = 3

const below = (figure: string, value: number, bound: number, unit: string, ratio?: number): Verdict => ({
  figure,
  value,
  unit,
  bound,
  isReached: value < bound,
  ...(ratio !== undefined && { ratio })
})

const exactly = (figure: string, value: number, bound: number): Verdict => ({
  figure,
  value,
  unit: "",
  bound,
  isExact: true,
  isReached: value === bound
})

const timesOf = ({ before, beside }: Outcome, bounds: typeof one): ReadonlyArray<Verdict> =>
  Object.entries(beside.pairs).flatMap(([pair, probes]) =>
    probesOf(probes).map(([probe, seen]) => {
      const ratio = seen.p99 / (before.pairs[pair]?.[probe]?.p99 ?? Number.NaN)
      return below(`${pair} ${probe} p99`, seen.p99, boundOf(probe, bounds), "ms", ratio)
    })
  )

export const probesOf = (seen: PairSeen): ReadonlyArray<readonly [ProbeName, Seen]> =>
  probeOrder.flatMap((probe) => {
    const of = seen[probe]
    return of === undefined ? [] : [[probe, of] as const]
  })

const probeOrder: ReadonlyArray<ProbeName> = ["ping", "message", "login", "list", "private", "idle", "search"]

const sumOf = ({ pairs }: Phase, key: "refused" | "unanswered") =>
  Object.values(pairs)
    .flatMap(probesOf)
    .reduce((sum, [, seen]) => sum + seen[key], 0)

/** What each of the hostile connections that were there at once costs. */
export const mebibytesEach = (bytes: number, { k, tally }: Pick<Outcome, "k" | "tally">) =>
  bytes / mebi / Math.max(k, tally.hostileOpen)

/** From so many on, what is garbage at the peak is shared by enough of them; fewer are judged after a collection. */
const manyConnections = 10

const grownBytes = ({ k, memory }: Outcome) =>
  (k < manyConnections ? memory.residentBeside : memory.residentPeak) - memory.residentBefore

export const judge = (attack: Attack, outcome: Outcome): ReadonlyArray<Verdict> => {
  const { arrivals, beside, k, memory, stopMillis, tally } = outcome
  const bounds = k === 1 && attack.isCrowd !== true ? one : many
  const cut = Object.values(tally.cut).reduce((sum, count) => sum + count, 0)
  return [
    ...timesOf(outcome, bounds),
    exactly("honest ones cut off", beside.cuts.length, 0),
    exactly("honest requests refused", sumOf(beside, "refused"), 0),
    exactly("honest requests unanswered", sumOf(beside, "unanswered"), 0),
    ...(attack.isCounted === true
      ? []
      : [
          below(
            "RSS per hostile connection",
            mebibytesEach(grownBytes(outcome), outcome),
            mebibytesPerConnection,
            "MiB"
          )
        ]),
    ...(Number.isNaN(memory.residentAtTenth)
      ? []
      : [
          below(
            "RSS since a tenth was done",
            (memory.residentAfter - memory.residentAtTenth) / mebi,
            mebibytesLeft,
            "MiB"
          )
        ]),
    ...(attack.stopsBeside === true
      ? []
      : [below("sockets left behind", memory.socketsAfter - memory.socketsBefore, socketSlack, "")]),
    ...(arrivals === undefined ? [] : [exactly("honest ones let in", arrivals.welcomed, arrivals.coming)]),
    ...(attack.isHonest === true
      ? [exactly("readers cut off", cut, 0), exactly("readers caught up", Math.round(tally.done * k), k)]
      : []),
    below("SIGTERM to exit", stopMillis, stopBound, "ms")
  ]
}

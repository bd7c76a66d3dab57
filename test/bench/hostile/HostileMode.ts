/** Runs the attacks that are asked for, one after another, and tells of each which figures are reached. */
import { Console, Effect, Result } from "effect"
import { maxOpenFiles } from "../Machine.ts"
import type { Attack } from "./Attack.ts"
import { attacks } from "./Attacks.ts"
import { type Judged, outcomeText, summaryText } from "./HostileReport.ts"
import { type HostileOptions, runAttack } from "./HostileRun.ts"
import { judge } from "./Verdict.ts"

export const hostileMode = {
  name: "hostile",
  summary: "Attacks, each beside honest pairs that chat, ping and log in: what it costs them. Only when it is named."
}

export const usualKs: ReadonlyArray<number> = [1, 40]
export const usualSeconds = 5
export const quickSeconds = 2

export interface Assault {
  readonly attack: Attack
  readonly k: number
}

/** Which attacks with how many hostile connections. */
export const assaultsOf = (names: ReadonlyArray<string>, ks: ReadonlyArray<number>): ReadonlyArray<Assault> =>
  attacks
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .flatMap((attack) => (attack.isCrowd === true ? [Math.max(...ks)] : ks).map((k) => ({ attack, k })))

/** Files that are open beside the connections. */
const otherFiles = 300

/** A crowd is on either side: in the attackers' process and in the server. */
const obstacleOf = ({ count, isCounted, name, obstacle }: Attack, options: HostileOptions): string | undefined => {
  const size = options.count ?? (options.isQuick ? count?.quick : count?.usual) ?? 0
  const isOfPeople = isCounted !== true && ["users", "rejoin", "room-created", "room-created-return"].includes(name)
  const needed = size + otherFiles
  return isOfPeople && needed > maxOpenFiles()
    ? `${size} connections need ${needed} open files: raise ulimit -n, or give a smaller --count`
    : obstacle?.()
}

export const runAll = Effect.fnUntraced(function* (assaults: ReadonlyArray<Assault>, options: HostileOptions) {
  const all: Array<Judged> = []
  for (const [index, { attack, k }] of assaults.entries()) {
    const obstacle = obstacleOf(attack, options)
    if (obstacle !== undefined) {
      yield* Console.log(`\n${attack.name}: left out, since ${obstacle}.`)
      continue
    }
    yield* Console.error(`[${index + 1}/${assaults.length}] ${attack.name}, K = ${k} …`)
    const ran = yield* Effect.result(runAttack(attack, k, options))
    if (Result.isFailure(ran)) {
      const failure = ran.failure.message
      yield* Console.log(`\n${attack.name}, K = ${k}: ${failure}`)
      all.push({ attack, k, outcome: undefined, verdicts: [], failure })
      continue
    }
    const verdicts = judge(attack, ran.success)
    yield* Console.log(`\n${outcomeText(attack, ran.success, verdicts)}`)
    all.push({ attack, k, outcome: ran.success, verdicts, failure: undefined })
  }
  if (all.length > 0) yield* Console.log(`\n${summaryText(all)}`)
  return all
})

/** For the file of all figures. */
export const figuresOf = (all: ReadonlyArray<Judged>) =>
  all.map(({ attack, failure, k, outcome, verdicts }) => ({ attack: attack.name, k, failure, verdicts, outcome }))

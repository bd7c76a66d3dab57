/** Many runs, one after the other: each from a seed of its own, up to the first one that goes wrong. */
import { Effect } from "effect"
import { type Outcome, run } from "./Simulation.ts"

/** How many steps a run has. Short runs find as much in the same time, and say more clearly what they found. */
export const defaultSteps = 12

/** How many lines of its journal a run that went wrong shows. */
const shownLines = 60

/** Seeds are whole numbers below this. */
export const seedLimit = 2 ** 31

export interface SeriesOptions {
  readonly seed: number
  readonly runs: number
  readonly steps: number
  readonly hasAccounts?: boolean
  /** Hears of each run that went well. */
  readonly onRun?: (done: number) => Effect.Effect<void>
}

/** Gives the run that went wrong, if one did. Run number `n` has the seed `seed + n`. */
export const findFailure = Effect.fnUntraced(function* ({
  hasAccounts = false,
  onRun,
  runs,
  seed,
  steps
}: SeriesOptions): Effect.fn.Return<Outcome | undefined> {
  for (let done = 0; done < runs; done++) {
    const outcome = yield* run({ seed: (seed + done) % seedLimit, steps, hasAccounts })
    if (outcome.wrong.length > 0) return outcome
    if (onRun !== undefined) yield* onRun(done + 1)
  }
  return undefined
})

/** What went wrong, what came before it, and how to see it again. */
export const describeFailure = (
  { journal, seed, steps, wrong }: Outcome,
  stepsAsked: number,
  hasAccounts = false
): string =>
  [
    `Seed ${seed} goes wrong in step ${steps}:`,
    ...wrong.map((what) => `  ${what}`),
    "",
    `The last ${shownLines} lines of its journal, each with the simulated milliseconds:`,
    ...journal.tail(shownLines),
    "",
    `To repeat it: pnpm simulate --seed ${seed} --runs 1 --steps ${stepsAsked}${hasAccounts ? " --accounts" : ""}`
  ].join("\n")

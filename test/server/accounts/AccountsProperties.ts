/** What holds of every `Accounts`, whatever is done to it, in whatever order. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { tries } from "../../support/generators.ts"
import { carryOut, NaiveAccounts, readAll, type Step, someSteps } from "./NaiveAccounts.ts"

/** Runs a test with accounts of its own. */
export type Fresh<LayerError> = <A, E>(effect: Effect.Effect<A, E, Accounts>) => Effect.Effect<A, E | LayerError>

/** `restart` gives what there is after a stop and a start. */
export const agree = Effect.fnUntraced(function* <E, R>(
  steps: ReadonlyArray<Step>,
  begin: Accounts["Service"],
  restart: Effect.Effect<Accounts["Service"], E, R>
) {
  const naive = new NaiveAccounts()
  let accounts = begin
  for (const [number, step] of steps.entries()) {
    if (!naive.isPossible(step)) continue
    if (step.do === "restart") accounts = yield* restart
    const answered = yield* carryOut(accounts, step, number)
    assert.deepStrictEqual(answered, naive.after(step, number), `step ${number}: ${JSON.stringify(step)}`)
  }
  assert.deepStrictEqual(yield* readAll(accounts), naive.all)
})

export const accountsProperties = <LayerError>(fresh: Fresh<LayerError>, runs: number): void => {
  it.effect.prop(
    "answers as lists would, whatever is done in whatever order, and ends with what they would hold",
    [someSteps],
    ([steps]) => Effect.flatMap(Accounts, (accounts) => agree(steps, accounts, Effect.succeed(accounts))).pipe(fresh),
    tries(runs, 40)
  )
}

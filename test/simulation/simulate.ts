/** `pnpm simulate`: simulations for as long as one likes. Exits with 1 at the first that goes wrong, and shows it. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Clock, Console, Effect, Option, Random, Schema, Stdio, Terminal } from "effect"
import { Command, Flag } from "effect/cli"
import manifest from "../../package.json" with { type: "json" }
import { defaultSteps, describeFailure, findFailure, seedLimit } from "./Series.ts"

/** How often progress is shown, in runs. */
const progressInterval = 10

/** Shown already. */
class WentWrong extends Schema.TaggedError<WentWrong>()("WentWrong", {}) {}

const atLeast = (minimum: number) => Schema.Int.check(Schema.isGreaterThanOrEqualTo(minimum))

const flags = {
  seed: Flag.Int("seed").pipe(
    Flag.withSchema(atLeast(0)),
    Flag.withDescription("The first run's seed, a random one unless given; each further run has the next one"),
    Flag.optional
  ),
  runs: Flag.Int("runs").pipe(
    Flag.withSchema(atLeast(1)),
    Flag.withDescription("How many runs"),
    Flag.withDefault(1000)
  ),
  accounts: Flag.Boolean("accounts").pipe(
    Flag.withDescription("Some people have accounts, on several devices"),
    Flag.withDefault(false)
  ),
  steps: Flag.Int("steps").pipe(
    Flag.withSchema(atLeast(1)),
    Flag.withDescription("How many steps a run has"),
    Flag.withDefault(defaultSteps)
  )
}

const command = Command.make(
  "simulate",
  flags,
  Effect.fnUntraced(function* ({ accounts: hasAccounts, runs, seed: given, steps }) {
    const terminal = yield* Terminal.Terminal
    const { stdoutIsTerminal } = yield* Stdio.Stdio
    const isTerminal = yield* stdoutIsTerminal
    const clock = yield* Clock.Clock
    const seed = Option.isSome(given) ? given.value : yield* Random.nextIntBetween(0, seedLimit)
    const start = clock.currentTimeMillisUnsafe()

    const progress = (done: number) => {
      const seconds = (clock.currentTimeMillisUnsafe() - start) / 1000
      return `${done} of ${runs} runs from seed ${seed}, ${(done / seconds).toFixed(0)} per second`
    }
    const showProgress = (done: number) =>
      isTerminal && done % progressInterval === 0 ? Effect.orDie(terminal.display(`\r${progress(done)}`)) : Effect.void
    const endLine = isTerminal ? Effect.orDie(terminal.display("\r\u001b[K")) : Effect.void

    const failure = yield* findFailure({ seed, runs, steps, hasAccounts, onRun: showProgress })
    yield* endLine
    if (failure === undefined) return yield* Console.log(`Nothing went wrong: ${progress(runs)}.`)
    yield* Console.error(describeFailure(failure, steps, hasAccounts))
    return yield* new WentWrong()
  })
).pipe(
  Command.withDescription(
    "Simulates the server, its clients, the network and the disk in one process, with trouble of every kind, and looks after every step whether anything was lost, repeated or out of order."
  ),
  Command.withExamples([
    { command: "pnpm simulate", description: "1000 runs that nobody has tried" },
    { command: "pnpm simulate --seed 7 --runs 1", description: "Repeat a run that went wrong" },
    { command: "pnpm simulate --runs 100000 --steps 100", description: "Leave it to itself overnight" }
  ])
)

Command.run(command, { version: manifest.version }).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)

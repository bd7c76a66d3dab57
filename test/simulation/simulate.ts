/** `pnpm simulate`: simulations for as long as one likes. Exits with 1 at the first that goes wrong, and shows it. */
import * as process from "node:process"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Option, Random, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import manifest from "../../package.json" with { type: "json" }
import { maxRoomDevices } from "../../src/common/log/Sealing.ts"
import { temporaryFolders } from "../support/TemporaryFolder.ts"
import * as Progress from "./Progress.ts"
import * as SealedSeries from "./SealedSeries.ts"
import { defaultSteps, describeFailure, findFailure, seedLimit } from "./Series.ts"

/** Shown already. */
class WentWrong extends Schema.TaggedError<WentWrong>()("WentWrong", {}) {}

const atLeast = (minimum: number) => Schema.Int.check(Schema.isGreaterThanOrEqualTo(minimum))

/** A run of devices in trouble takes a thousand times as long as another. */
const defaultRuns = { simulated: 1000, sealed: 6 }

const flags = {
  seed: Flag.Int("seed").pipe(
    Flag.withSchema(atLeast(0)),
    Flag.withDescription("The first run's seed, a random one unless given; each further run has the next one"),
    Flag.optional
  ),
  runs: Flag.Int("runs").pipe(
    Flag.withSchema(atLeast(1)),
    Flag.withDescription(`How many runs; unless given ${defaultRuns.simulated}, and ${defaultRuns.sealed} with --e2ee`),
    Flag.optional
  ),
  accounts: Flag.Boolean("accounts").pipe(
    Flag.withDescription("Some people have accounts, on several devices"),
    Flag.withDefault(false)
  ),
  steps: Flag.Int("steps").pipe(
    Flag.withSchema(atLeast(1)),
    Flag.withDescription("How many steps a run has"),
    Flag.withDefault(defaultSteps)
  ),
  e2ee: Flag.Boolean("e2ee").pipe(
    Flag.withDescription("Not simulated: real devices in an encrypted room, a real server, and trouble of every kind"),
    Flag.withDefault(false)
  ),
  operations: Flag.Int("operations").pipe(
    Flag.withSchema(atLeast(1)),
    Flag.withDescription("With --e2ee: how many operations a run has"),
    Flag.withDefault(300)
  ),
  kills: Flag.Int("kills").pipe(
    Flag.withSchema(atLeast(1)),
    Flag.withDescription("With --e2ee, instead of runs: a client that is killed so often while it talks"),
    Flag.optional
  ),
  devices: Flag.Int("devices").pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 3, maximum: maxRoomDevices }))),
    Flag.withDescription("With --e2ee, instead of runs: a room of so many devices, without trouble"),
    Flag.optional
  ),
  people: Flag.Int("people").pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 6 }))),
    Flag.withDescription("With --e2ee: how many people there are, each with two devices"),
    Flag.withDefault(5)
  )
}

type Given = Command.Command.Config.Infer<typeof flags>

const simulate = Effect.fnUntraced(function* ({ accounts: hasAccounts, runs, steps }: Given, seed: number) {
  const shown = yield* Progress.make
  const count = Option.getOrElse(runs, () => defaultRuns.simulated)
  const progress = (done: number) =>
    `${done} of ${count} runs from seed ${seed}, ${(done / shown.seconds()).toFixed(0)} per second`
  const onRun = (done: number) => shown.show(() => progress(done))
  const failure = yield* findFailure({ seed, runs: count, steps, hasAccounts, onRun })
  if (failure === undefined) return yield* shown.tell(`Nothing went wrong: ${progress(count)}.`)
  yield* shown.tell("")
  yield* Console.error(describeFailure(failure, steps, hasAccounts))
  return yield* new WentWrong()
})

const sealed = Effect.fnUntraced(function* ({ devices, kills, operations, people, runs }: Given, seed: number) {
  // What waits for a disk would only wait.
  Object.assign(process.env, temporaryFolders())
  const progress = yield* Progress.make
  const count = Option.getOrElse(runs, () => defaultRuns.sealed)
  const failure = yield* Option.isSome(devices)
    ? SealedSeries.findFailureOfFullRoom(devices.value, progress)
    : Option.isSome(kills)
      ? SealedSeries.findFailureOfKills(seed, kills.value, progress)
      : SealedSeries.findFailure({ seed, runs: count, operations, people, progress })
  if (failure === undefined) return
  yield* Console.error(failure)
  return yield* new WentWrong()
}, Effect.scoped)

const command = Command.make(
  "simulate",
  flags,
  Effect.fnUntraced(function* (given) {
    const seed = Option.isSome(given.seed) ? given.seed.value : yield* Random.nextIntBetween(0, seedLimit)
    return yield* given.e2ee ? sealed(given, seed) : simulate(given, seed)
  })
).pipe(
  Command.withDescription(
    "Simulates the server, its clients, the network and the disk in one process, with trouble of every kind, and looks after every step whether anything was lost, repeated or out of order."
  ),
  Command.withExamples([
    { command: "pnpm simulate", description: "1000 runs that nobody has tried" },
    { command: "pnpm simulate --seed 7 --runs 1", description: "Repeat a run that went wrong" },
    { command: "pnpm simulate --runs 100000 --steps 100", description: "Leave it to itself overnight" },
    { command: "pnpm simulate --e2ee", description: "6 runs of encrypted conversations in trouble" },
    { command: "pnpm simulate --e2ee --kills 60", description: "Kill a client that talks in one, again and again" },
    { command: "pnpm simulate --e2ee --devices 100", description: "Fill a room, and measure every line" }
  ])
)

Command.run(command, { version: manifest.version }).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)

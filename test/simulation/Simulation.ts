/**
 * One run: a server that is stopped, killed and started again on the same disk, clients that come and go, and a network
 * and a disk in trouble, all in one process, on simulated time, from one seed.
 *
 * A run is a number of steps. In each one something is done, some time passes, and then everything is judged (see
 * `WireWatch`, `View` and `Person`). At the end all trouble is over, and everybody must get everything.
 *
 * Each run has its own kinds of trouble, since one that has them all gets nowhere.
 */
import { Clock, Effect, Scheduler, Scope } from "effect"
import { durationOf, makeActions } from "./Actions.ts"
import { Chance, seeded } from "./Chance.ts"
import type { Effort } from "./Costs.ts"
import type { Journal } from "./Journal.ts"
import { judgeWhatIsLeft } from "./LeftBehind.ts"
import { makeTurns, type Turns } from "./Turns.ts"
import * as World from "./World.ts"
import { WorldClock } from "./WorldClock.ts"

/** How long everybody may take to have everything once all trouble is over: a Ping that finds nobody, and backoff. */
const recoveryMillis = 90_000
const recoveryStep = 500

/** How long it takes until a connection may say all it may say at once. */
const quietMillis = 5000

export interface Options {
  readonly seed: number
  readonly steps: number
  /** Whether some people have accounts, on several devices. */
  readonly hasAccounts?: boolean
}

export interface Outcome {
  readonly seed: number
  /** How many steps were taken: fewer than asked for if something was wrong. */
  readonly steps: number
  readonly wrong: ReadonlyArray<string>
  readonly journal: Journal
  /** Where the most turns were taken for what had happened, of all there may be. */
  readonly hardest: Effort
}

export const run = (options: Options): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    const chance = new Chance(options.seed)
    const turns = makeTurns(chance, chance.pick([0, 0, 0.1, 0.5, 1]))
    const clock = new WorldClock()
    return simulate({ chance, clock, turns }, options).pipe(
      // Never closed: to end in good order takes time, which nobody lets pass any more. What is left has no owner then.
      Effect.provideService(Scope.Scope, Scope.makeUnsafe()),
      Effect.provideService(Clock.Clock, clock.clockFor({ count: 0 })),
      Effect.provideService(Scheduler.Scheduler, turns),
      seeded(options.seed)
    )
  })

/** What a run stands on. */
interface Ground {
  readonly chance: Chance
  readonly clock: WorldClock
  readonly turns: Turns
}

const simulate = Effect.fnUntraced(function* (
  { chance, clock, turns }: Ground,
  { hasAccounts = false, seed, steps }: Options
) {
  const world = yield* World.make(chance, clock, turns, hasAccounts)
  const { costs, disk, journal, network, people } = world
  const { rooms } = World
  const nextAction = makeActions(chance, world)
  let taken = 0

  const outcome = (): Outcome => ({
    seed,
    steps: Math.min(taken, steps),
    wrong: journal.wrong,
    journal,
    hardest: costs.hardest
  })

  const judge = () => {
    for (const person of people) person.check()
    for (const log of disk.logs) {
      const texts = (disk.log(log)?.made ?? []).flatMap(({ body }) => ("content" in body ? [body.content] : []))
      if (new Set(texts).size < texts.length) journal.accuse(`${log} holds a text twice`)
    }
    return journal.wrong.length === 0
  }

  yield* world.start
  for (const person of people) yield* person.arrive()
  yield* network.pass(20)
  if (world.isCrowded) for (const person of people) yield* person.ask({ _tag: "ListRooms" })
  if (chance.is(0.7)) {
    for (const room of rooms) yield* people[0].ask({ _tag: "CreateRoom", room })
    yield* network.pass(20)
    for (const person of people) for (const room of rooms) yield* person.ask({ _tag: "JoinRoom", room })
    yield* network.pass(20)
  }

  for (taken = 1; taken <= steps; taken++) {
    for (let actions = chance.between(1, 3); actions > 0; actions--) yield* nextAction()
    yield* network.pass(durationOf(chance))
    if (!judge()) return outcome()
  }

  journal.note("all trouble is over")
  network.heal()
  disk.heal()
  // One may have taken another's name.
  yield* world.strangers.allGo
  const isSettled = () => world.isServed() && network.isQuiet && people.every(({ isSettled }) => isSettled)
  for (let waited = 0; waited < recoveryMillis && !isSettled(); waited += recoveryStep) {
    if (!world.isServed()) yield* world.start
    yield* network.pass(recoveryStep)
    if (!judge()) return outcome()
  }
  for (const { label, whatIsMissing } of people) {
    if (whatIsMissing !== undefined) journal.accuse(`${label}: ${whatIsMissing}, although all is well again`)
  }
  if (world.rate > 0) {
    // Whoever was too fast is not after a while of silence, whatever the clocks on the wall say.
    yield* network.pass(quietMillis)
    for (const person of people) yield* person.ping()
    yield* network.pass(quietMillis)
  }
  if (judge()) yield* judgeWhatIsLeft(chance, world)
  return outcome()
})

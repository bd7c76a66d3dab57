/**
 * The server is killed, again and again, while clients write, edit, delete, react and reply: nothing that was answered as
 * sent may be lost, be twice, or change its place; and History says afterwards what follows from all that.
 *
 * A failure prints the seed: `CRASH_SEED=<seed> pnpm test test/durability/Crash` repeats the moments, as far as a busy
 * machine does the same twice. `CRASH_ROUNDS=<n>` kills each server more often; so does `pnpm test:long`.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Config, Effect, Random } from "effect"
import * as CrashLane from "./CrashLane.ts"
import * as Eventually from "./Eventually.ts"
import * as Strace from "./Strace.ts"

/** Processes take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })

/** Each has its own file, server and clients; they run at once. */
const lanes = 2

/** How often a lane's server is killed. A round costs 2 s of a processor: what finds rare things is the long run. */
const roundsOf = Config.withDefault(Config.Int("CRASH_ROUNDS"), 3)
const timeout = 3_600_000

const seedOf = Effect.flatMap(Random.nextIntBetween(0, 1_000_000_000), (chosen) =>
  Config.withDefault(Config.Int("CRASH_SEED"), chosen)
)

/** After so many answers, and then at any moment of the work for the next ones. */
const atAnyMoment = Effect.fnUntraced(function* ({ answered, server }: CrashLane.Life) {
  const enough = yield* Random.nextIntBetween(0, 300)
  if (answered !== undefined) yield* answered(enough)
  yield* Effect.sleep(yield* Random.nextBetween(0, answered === undefined ? 100 : 30))
  yield* server.kill("SIGKILL")
})

/** By the kernel, at a system call on the log of the database that is not there yet when a commit begins. */
const insideOf = (calls: ReadonlyArray<string>, latest: number) =>
  Effect.fnUntraced(function* ({ answered, file, server, standing }: CrashLane.Life) {
    const enough = yield* Random.nextIntBetween(0, 100)
    if (answered !== undefined) yield* answered(enough)
    const when = yield* Random.nextIntBetween(1, latest)
    const fault = { pid: server.pid, files: [`${file}-wal`], calls, inject: `signal=SIGKILL:when=${when}` }
    const isDead = Eventually.ask("the server was dead", server.isRunning, (isRunning) => !isRunning, standing)
    yield* Strace.during(fault, isDead)
  })

const report = (results: ReadonlyArray<Effect.Success<ReturnType<typeof CrashLane.run>>>, seed: number) => {
  const sum = (of: (result: (typeof results)[number]) => number) => results.reduce((all, result) => all + of(result), 0)
  const figures = {
    rounds: sum(({ rounds }) => rounds),
    answered: sum(({ answered }) => answered),
    repeated: sum(({ repeated }) => repeated),
    refused: sum(({ refused }) => refused),
    kinds: results.map(({ kinds }) => kinds),
    stored: sum(({ stored }) => stored)
  }
  assert.deepStrictEqual(
    results.flatMap(({ problems }) => problems),
    [],
    `CRASH_SEED=${seed}`
  )
  return figures
}

realTime("a server that is killed", (it) => {
  it.effect(
    "at random moments, over and over, has kept every message it answered with Sent, once and in its place",
    () =>
      Effect.gen(function* () {
        const seed = yield* seedOf
        yield* Effect.log(`CRASH_SEED=${seed}`)
        const rounds = yield* roundsOf
        const results = yield* Effect.forEach(
          Array.from({ length: lanes }, (_, lane) => lane),
          (lane) =>
            CrashLane.run({ rounds, kill: atAnyMoment, earlyEnds: 0.25 }).pipe(Random.withSeed(`${seed} ${lane}`)),
          { concurrency: lanes }
        )
        const figures = report(results, seed)
        yield* Effect.log(figures)
        assert.strictEqual(figures.rounds, lanes * rounds)
        assert.strictEqual(figures.stored, figures.answered)
      }),
    timeout
  )

  it.effect.skipIf(Strace.missing !== undefined)(
    `inside a commit, while its log is written and before it is on the disk, has kept them too${Strace.note}`,
    () =>
      Effect.gen(function* () {
        const seed = yield* seedOf
        yield* Effect.log(`CRASH_SEED=${seed}`)
        const rounds = Math.ceil((yield* roundsOf) / 2)
        const kills = [insideOf(["fsync", "fdatasync"], 3), insideOf(["pwrite64"], 12)]
        const results = yield* Effect.forEach(
          kills,
          (kill, lane) => CrashLane.run({ rounds, kill }).pipe(Random.withSeed(`${seed} inside ${lane}`)),
          { concurrency: kills.length }
        )
        const figures = report(results, seed)
        yield* Effect.log(figures)
        assert.strictEqual(figures.stored, figures.answered)
      }),
    timeout
  )
})

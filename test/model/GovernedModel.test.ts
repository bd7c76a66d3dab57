/**
 * Rooms that people govern, against a model made from the protocol alone: random programs of an admin, of those who own, moderate
 * and use a room, of outsiders and of guests, over real sockets and on a real file, restarts included.
 *
 * A failure prints the program's seed, its smallest form and what was wrong. `GOVERNED_SEED=<seed> GOVERNED_RUNS=1 pnpm test
 * test/model/GovernedModel` repeats it; `GOVERNED_RUNS=500` looks longer.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Logger, Random } from "effect"
import { seats, targets } from "./GovernedPeople.ts"
import { type Act, type Program, programFrom } from "./GovernedProgram.ts"
import { runInOrder, runTogether } from "./GovernedRun.ts"
import { Registered } from "./GovernedWorld.ts"

const runs = Number(process.env["GOVERNED_RUNS"] ?? 4)
const givenSeed = process.env["GOVERNED_SEED"]

/** How many acts a program has; and how often a smaller one is tried that goes wrong as well. */
const inOrder = { run: runInOrder, length: 100, maxTries: 60 }
/** Nobody has so many requests under way that others would have to wait. */
const together = { run: runTogether, length: 60, maxTries: 200 }
type Way = typeof inOrder | typeof together

const outcomeOf = ({ run }: Way, program: Program) => {
  const failed = (problem: unknown) => Effect.succeed({ wrong: [String(problem)], count: program.acts.length })
  return run(program).pipe(Effect.catchDefect(failed), Effect.catch(failed))
}

/** Without what it does not take to go wrong: first what came behind, then as large parts as possible. */
const smallest = Effect.fnUntraced(function* (way: Way, program: Program) {
  let { count, wrong } = yield* outcomeOf(way, program)
  let acts = program.acts.slice(0, count)
  let tries = 0
  for (let size = Math.ceil(acts.length / 2); size > 0; size = Math.floor(size / 2)) {
    for (let start = 0; start < acts.length && tries < way.maxTries; tries++) {
      const fewer = acts.toSpliced(start, size)
      const outcome = yield* outcomeOf(way, { ...program, acts: fewer })
      if (outcome.wrong.length === 0) start += size
      else {
        wrong = outcome.wrong
        acts = fewer.slice(0, outcome.count)
      }
    }
  }
  return [JSON.stringify({ ...program, acts }), ...wrong].join("\n")
})

const check = Effect.fnUntraced(function* (way: Way) {
  const first = givenSeed === undefined ? yield* Random.nextIntBetween(0, 2 ** 31) : Number(givenSeed)
  for (let seed = first; seed < first + runs; seed++) {
    const program = programFrom(seed, way.length)
    const { wrong } = yield* outcomeOf(way, program)
    if (wrong.length === 0) continue
    const found = yield* smallest(way, program)
    assert.fail(`GOVERNED_SEED=${seed} GOVERNED_RUNS=1 repeats this:\n${wrong.join("\n")}\nThe smallest is\n${found}`)
  }
})

const [root, ada, , cyd, , gus, hal] = seats.keys()
const act = (does: Act["does"], seat: number | undefined, target: string = "nobody", way = 0): Act => ({
  does,
  seat: seat ?? 0,
  room: 0,
  target: targets.findIndex((name) => name === target),
  way,
  isApt: false
})

/** Programs that found something, or would have. */
const found: ReadonlyArray<readonly [string, Program]> = [
  [
    "are there for the guest who made one and is not in, once an admin made it private",
    {
      beginning: "nobody",
      acts: [
        act("CreateRoom", gus),
        act("SetAccess", root, "nobody", 1),
        act("GetRoom", gus),
        act("ListRooms", gus),
        act("JoinRoom", gus)
      ]
    }
  ],
  [
    "are not there, if private, for the guest who made one and left, once all from its address are banned",
    {
      beginning: "a guest's",
      acts: [
        act("Ban", root, "hal"),
        act("SetAccess", root, "nobody", 1),
        act("GetRoom", gus),
        act("LeaveRoom", gus),
        act("GetRoom", gus),
        act("ListRooms", gus),
        act("JoinRoom", gus)
      ]
    }
  ],
  [
    "are no guest's any more once given to an account, whatever becomes of that",
    {
      beginning: "a guest's",
      acts: [
        act("SetRole", root, "ada", 0),
        act("GetRoom", gus),
        act("Ban", root, "ada"),
        act("GetRoom", gus),
        act("SetTopic", gus),
        act("DeleteRoom", gus),
        act("JoinRoom", ada),
        act("GetRoom", hal)
      ]
    }
  ],
  [
    "let nobody in twice by one invitation",
    {
      beginning: "private",
      acts: [act("LeaveRoom", cyd), act("JoinRoom", cyd), act("InviteUser", ada, "cyd"), act("JoinRoom", cyd)]
    }
  ]
]

/** What the servers have to say is no part of it. */
const quietly = Registered.layer.pipe(Layer.provideMerge(Logger.layer([])))

layer(quietly, { excludeTestServices: true })("Rooms that people govern", (it) => {
  const timeout = 300_000 + runs * 10_000

  it.effect.each(found)("%s", ([, program]) =>
    Effect.map(outcomeOf(inOrder, program), ({ wrong }) => assert.deepStrictEqual(wrong, []))
  )

  it.effect("are what the protocol says, whatever their people do one after the other", () => check(inOrder), {
    timeout
  })

  it.effect("are what their log says, whatever their people do at the same time", () => check(together), { timeout })
})

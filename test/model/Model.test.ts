/**
 * The whole server against the reference model: random programs of guests and of accounts on several
 * devices, who act at the same time.
 *
 * A failure prints the seed, the program in its smallest form and what was wrong. `MODEL_SEED=<seed> pnpm test test/model`
 * repeats a run; `MODEL_REPLAY=<token>` repeats the smallest program alone; `MODEL_RUNS=5000` looks longer.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Random } from "effect"
import { violations } from "../support/ReferenceModel.ts"
import { accountNames } from "./People.ts"
import { type Program, program } from "./Program.ts"
import { run } from "./Simulation.ts"

const runs = Number(process.env["MODEL_RUNS"] ?? 40)
const givenSeed = process.env["MODEL_SEED"]
const replay = process.env["MODEL_REPLAY"]

/** What the server does with this program that the protocol does not allow. */
const wrongIn = (program: Program) =>
  run(program).pipe(
    Effect.map(({ logged, trace }) => [
      ...logged.map((line) => `the server logged ${line}`),
      ...violations(trace, accountNames)
    ]),
    Effect.catchDefect((defect) => Effect.succeed([String(defect)]))
  )

const connect = { _tag: "Connect", resume: false, isLost: false } as const
const join = { _tag: "JoinRoom", room: 0, spelling: 0, cursor: "none" } as const
const room = { room: 0, spelling: 0 } as const
const say = { keyed: false, reply: 0, mention: 0 } as const

/** Programs that found something once. */
const found: ReadonlyArray<readonly [string, Program["steps"]]> = [
  [
    "forgets an abandoned room although another request about it was under way",
    [
      [{ user: 0, actions: [connect, { _tag: "CreateRoom", ...room }] }],
      [
        {
          user: 0,
          actions: [join, { _tag: "LeaveRoom", ...room }, { _tag: "SayRoom", ...room, ...say }]
        }
      ]
    ]
  ],
  [
    "forgets an abandoned room although presence was announced in it",
    [
      [{ user: 0, actions: [connect, { _tag: "CreateRoom", ...room }, join] }],
      [{ user: 0, actions: [{ _tag: "Vanish" }] }]
    ]
  ],
  [
    "gives a room that was made again another epoch, which it keeps once something is said there",
    [
      [{ user: 0, actions: [connect, { _tag: "CreateRoom", ...room }, join] }],
      [{ user: 0, actions: [{ _tag: "Vanish" }] }],
      [{ user: 0, actions: [connect, { _tag: "CreateRoom", ...room }, join, { _tag: "SayRoom", ...room, ...say }] }],
      [{ user: 1, actions: [connect, join] }]
    ]
  ]
]

/** Those whose network matters, too. */
const foundThere: ReadonlyArray<readonly [string, Program]> = [
  [
    "lets a guest who made a room delete what others said there",
    {
      beginning: "in rooms",
      network: 0,
      steps: [[{ user: 0, actions: [{ _tag: "Delete", log: 1, spelling: 0, own: false, back: 2, keyed: false }] }]]
    }
  ],
  [
    "has a name in a room once, although what its earlier connection said is still being stored",
    {
      beginning: "in rooms",
      network: 439353,
      steps: [
        [
          { user: 2, actions: [{ _tag: "SayRoom", ...room, ...say }] },
          { user: 2, actions: [{ _tag: "Vanish" }] },
          { user: 2, actions: [connect, join] }
        ]
      ]
    }
  ],
  [
    "tells who is gone, although somebody of that name in another case came and went before",
    {
      beginning: "nobody",
      network: 140035,
      steps: [
        [
          { user: 3, actions: [connect] },
          { user: 0, actions: [connect] }
        ],
        [
          { user: 0, actions: [{ _tag: "SayLobby", ...say }] },
          { user: 0, actions: [{ _tag: "Impersonate" }] },
          { user: 3, actions: [{ _tag: "Edit", log: 0, spelling: 0, own: false, back: 0, keyed: false }] },
          { user: 0, actions: [{ _tag: "Vanish" }] }
        ],
        []
      ]
    }
  ],
  [
    "tells nothing to a connection before its Welcome, whatever is read on another meanwhile",
    {
      beginning: "connected",
      network: 0,
      steps: [
        [],
        [
          {
            user: 5,
            actions: [
              { _tag: "Vanish" },
              { _tag: "Connect", resume: false, isLost: true },
              { _tag: "ListRoomUsers", room: 1, spelling: 1 },
              { _tag: "LookAtInbox", user: 7, before: 4, after: 0, limit: 5 }
            ]
          },
          {
            user: 4,
            actions: [
              { ...join, room: 1, spelling: 1 },
              { _tag: "Rework", log: 8, spelling: 0, own: false, back: 2, deeds: ["Delete", "React"] },
              { _tag: "Edit", log: 1, spelling: 0, own: false, back: 2, keyed: true },
              { _tag: "MarkRead", log: 11, spelling: 1, own: false, back: 3 }
            ]
          }
        ]
      ]
    }
  ]
]

describe("The server", () => {
  it.live.each(foundThere)("%s", ([, program]) =>
    Effect.map(wrongIn(program), (wrong) => assert.deepStrictEqual(wrong, []))
  )

  it.live.each(found)("%s", ([, steps]) =>
    Effect.map(wrongIn({ beginning: "nobody", network: 0, steps }), (wrong) => assert.deepStrictEqual(wrong, []))
  )

  it.live(
    "does what the protocol says, whatever guests and accounts on several devices do at the same time",
    () =>
      Effect.gen(function* () {
        const seed: number = givenSeed === undefined ? yield* Random.nextIntBetween(0, 2 ** 31) : Number(givenSeed)
        const result = yield* Arbitrary.checkEffect(
          program,
          (program) =>
            Effect.flatMap(wrongIn(program), (wrong) =>
              wrong.length === 0 ? Effect.succeed(true) : Effect.fail(wrong)
            ),
          { runs, size: 12, seed, maxShrinks: 1000, ...(replay === undefined ? {} : { replay }) }
        )
        if (result._tag === "Falsified") assert.fail(describeFailure(seed, result))
        assert.strictEqual(result._tag, "Passed", `MODEL_SEED=${seed}`)
      }),
    { timeout: 120_000 + runs * 5000 }
  )
})

const describeFailure = (
  seed: number,
  { failure, replay, runs, shrunkInput }: Arbitrary.Falsified<Program, ReadonlyArray<string>>
) =>
  [
    `MODEL_SEED=${seed} fails in program ${runs}; MODEL_REPLAY='${replay}' runs only this one:`,
    JSON.stringify(shrunkInput),
    ...(failure._tag === "PropertyError" ? failure.error : [])
  ].join("\n")

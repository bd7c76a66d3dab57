import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option } from "effect"
import * as Baseline from "./Baseline.ts"
import { closedMode, floodMode, pacedMode } from "./BroadcastModes.ts"
import { historyMode } from "./HistoryMode.ts"
import type { Figures, Mode } from "./Mode.ts"
import type { ModeResult } from "./Runner.ts"

const load = { members: 10, senders: 1, rate: 0, seconds: 1, bytes: 64, messages: 0 }

const resultOf = (mode: Mode, ratio: Figures, members = load.members, median: Figures = {}): ModeResult => ({
  mode,
  load: { ...load, members },
  results: [{ subject: "parley", runs: [], median, ratio, generatorCpu: 0, serverCpu: 0 }]
})

const before = [
  resultOf(floodMode, { deliveriesPerSecond: 2 }),
  resultOf(closedMode, { roundsPerSecond: 0.8, p50: 1.5 })
]

/** Saves what was before, and compares what is now with it. */
const compareWithBefore = Effect.fnUntraced(function* (now: ReadonlyArray<ModeResult>) {
  const files = yield* FileSystem.FileSystem
  const file = `${yield* files.makeTempDirectoryScoped()}/baseline.json`
  yield* Baseline.save(file, before, "a machine", "2026-11-24")
  return Baseline.compare(Option.getOrThrow(yield* Baseline.read(file)), now)
})

describe("Baseline", () => {
  it.layer(NodeServices.layer)((it) => {
    it.effect("names what fell by more than a fifth, where more is better and where less is", () =>
      Effect.gen(function* () {
        const compared = yield* compareWithBefore([
          resultOf(floodMode, { deliveriesPerSecond: 1.5 }),
          resultOf(closedMode, { roundsPerSecond: 0.7, p50: 2 })
        ])
        assert.deepStrictEqual(
          compared.map(({ hasFallen, key }) => [key.split(" (")[0], hasFallen]),
          [
            ["flood deliveriesPerSecond", true],
            ["closed roundsPerSecond", false],
            ["closed p50", true]
          ]
        )
        assert.include(compared[0]?.text ?? "", "1.50×, was 2.00× (25% worse)")
      })
    )

    it.effect("does not name what became better, or worse by less than a fifth", () =>
      Effect.gen(function* () {
        const better = resultOf(closedMode, { roundsPerSecond: 1.6, p50: 0.7 })
        const slightlyWorse = resultOf(floodMode, { deliveriesPerSecond: 1.7 })
        const compared = yield* compareWithBefore([better, slightlyWorse])
        assert.deepStrictEqual(
          compared.map(({ hasFallen }) => hasFallen),
          [false, false, false]
        )
      })
    )

    it.effect("compares only like loads, and no figure that could not be measured", () =>
      Effect.gen(function* () {
        const other = resultOf(floodMode, { deliveriesPerSecond: 0.1 }, 11)
        const unmeasured = resultOf(closedMode, { roundsPerSecond: Number.NaN })
        assert.deepStrictEqual(yield* compareWithBefore([other, unmeasured]), [])
      })
    )

    it.effect("keeps no ratio that moves from run to run, or of what cannot be better", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const file = `${yield* files.makeTempDirectoryScoped()}/baseline.json`
        assert.isTrue(pacedMode.columns.some(({ isVolatile, key }) => key === "p99" && isVolatile === true))
        const paced = resultOf(pacedMode, { sentPerSecond: 1, p99: 3, lost: 1 })
        assert.strictEqual(yield* Baseline.save(file, [paced], "a machine", "2026-11-24"), 0)
        assert.deepStrictEqual(Option.getOrThrow(yield* Baseline.read(file)).ratios, {})
      })
    )

    it.effect("compares as it is what a mode gives as a ratio already", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const file = `${yield* files.makeTempDirectoryScoped()}/baseline.json`
        const slowdown = (factor: number) => [
          resultOf(historyMode, { slowdown: 1 }, load.members, { slowdown: factor })
        ]
        yield* Baseline.save(file, slowdown(1.5), "a machine", "2026-11-24")
        const baseline = Option.getOrThrow(yield* Baseline.read(file))
        const fallen = (factor: number) =>
          Baseline.compare(baseline, slowdown(factor)).map(({ hasFallen }) => hasFallen)
        assert.deepStrictEqual([fallen(1.6), fallen(2)], [[false], [true]])
      })
    )

    it.effect("names of what fell only what falls again, or cannot be measured again", () =>
      Effect.gen(function* () {
        const flood = (ratio: number) => resultOf(floodMode, { deliveriesPerSecond: ratio })
        const first = yield* compareWithBefore([flood(1), resultOf(closedMode, { roundsPerSecond: 0.1, p50: 1.5 })])
        const named = (second: ReadonlyArray<Baseline.Comparison>) =>
          Baseline.fallenTwice(first, second).map(({ key }) => key.split(" ")[0])
        assert.deepStrictEqual(named(yield* compareWithBefore([flood(2)])), ["closed"])
        assert.deepStrictEqual(named(yield* compareWithBefore([flood(1.1)])), ["flood", "closed"])
        assert.deepStrictEqual(
          named(yield* compareWithBefore([resultOf(closedMode, { roundsPerSecond: 0.8, p50: 9 })])),
          ["flood"]
        )
      })
    )

    for (const { damage, text, told } of [
      { damage: "was cut off", text: '{"machine":"a mach', told: "Expected a valid JSON string" },
      { damage: "lacks its ratios", text: '{"machine":"m","savedAt":"today"}', told: "ratios" },
      {
        damage: "holds a ratio that is no number",
        text: '{"machine":"m","savedAt":"today","ratios":{"flood":"2"}}',
        told: '["ratios"]["flood"]'
      }
    ]) {
      it.effect(`says which file ${damage}, and what is wrong, and writes nothing over it`, () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const file = `${yield* files.makeTempDirectoryScoped()}/baseline.json`
          yield* files.writeFileString(file, text)
          const attempts = [
            Effect.asVoid(Baseline.read(file)),
            Effect.asVoid(Baseline.save(file, before, "a machine", "2026-11-24"))
          ]
          for (const attempt of attempts) {
            const { _tag, message } = yield* Effect.flip(attempt)
            assert.strictEqual(_tag, "BenchError")
            assert.include(message, `${file} is damaged: `)
            assert.include(message, told)
          }
          assert.strictEqual(yield* files.readFileString(file), text)
        })
      )
    }

    it.effect("keeps the ratios of other loads when some are saved anew", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const file = `${yield* files.makeTempDirectoryScoped()}/baseline.json`
        assert.isTrue(Option.isNone(yield* Baseline.read(file)))
        yield* Baseline.save(file, before, "a machine", "2026-11-24")
        yield* Baseline.save(file, [resultOf(floodMode, { deliveriesPerSecond: 3 })], "a machine", "2026-11-25")
        const { ratios } = Option.getOrThrow(yield* Baseline.read(file))
        assert.sameMembers(Object.values(ratios), [3, 0.8, 1.5])
      })
    )
  })
})

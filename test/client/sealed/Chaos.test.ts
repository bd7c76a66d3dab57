/**
 * Short chaos from seeds nobody has tried. `SEALED_SEED=<seed>` begins elsewhere, `SEALED_OPERATIONS=<n>` and `SEALED_RUNS=<n>` look
 * longer; each run prints its seed. That what judges them finds what is left out is shown in Crashes.test.ts and Kills.test.ts.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Config, Effect, Random } from "effect"
import { seedLimit } from "../../simulation/Series.ts"
import { type ChaosOptions, run } from "./Chaos.ts"
import { folder } from "./Folder.ts"

const chaos = Effect.fnUntraced(function* (options: Omit<ChaosOptions, "folder">) {
  return yield* run({ ...options, folder: yield* folder })
}, Effect.scoped)

describe("Devices that are cut off, killed and brought back", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect(
      "read everything that was said exactly once, and nothing else",
      () =>
        Effect.gen(function* () {
          const chosen = yield* Random.nextIntBetween(0, seedLimit)
          const first = yield* Config.withDefault(Config.Int("SEALED_SEED"), chosen)
          const runs = yield* Config.withDefault(Config.Int("SEALED_RUNS"), 1)
          const operations = yield* Config.withDefault(Config.Int("SEALED_OPERATIONS"), 60)
          const accounts = yield* Config.withDefault(Config.Int("SEALED_ACCOUNTS"), 3)
          const missed = yield* Config.withDefault(Config.Int("SEALED_MISSED"), 30)
          for (let seed = first; seed < first + runs; seed++) {
            const { story, wrong, ...figures } = yield* chaos({ seed, operations, accounts, missed })
            yield* Effect.log(`Seed ${seed}: ${JSON.stringify(figures)}`)
            assert.deepStrictEqual(
              wrong.slice(0, 20),
              [],
              `${story.join("\n")}\nSEALED_SEED=${seed} SEALED_OPERATIONS=${operations} SEALED_ACCOUNTS=${accounts}`
            )
          }
        }),
      3_600_000
    )
  })
})

/**
 * Short chaos from seeds nobody has tried. `SEALED_SEED=<seed>` begins elsewhere, `SEALED_OPERATIONS=<n>` and `SEALED_RUNS=<n>` look
 * longer; each run prints its seed.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Config, Effect, Random } from "effect"
import { seedLimit } from "../../simulation/Series.ts"
import * as TestServer from "../../support/TestServer.ts"
import { run } from "./Chaos.ts"
import { folder } from "./Folder.ts"

const chaos = Effect.fnUntraced(function* (seed: number, operations: number, accounts: number) {
  const { port } = yield* TestServer.start()
  return yield* run({ seed, operations, accounts, port, folder: yield* folder })
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
          for (let seed = first; seed < first + runs; seed++) {
            const { deeds, deliveries, said, wrong } = yield* chaos(seed, operations, accounts)
            const figures = `${said} said, ${deliveries} deliveries, ${JSON.stringify(deeds)}`
            yield* Effect.log(`Seed ${seed}: ${figures}`)
            assert.deepStrictEqual(
              wrong.slice(0, 20),
              [],
              `SEALED_SEED=${seed} SEALED_OPERATIONS=${operations}: ${figures}`
            )
          }
        }),
      3_600_000
    )
  })
})

/**
 * Short chaos from seeds nobody has tried. `SEALED_SEED=<seed>` begins elsewhere, `SEALED_OPERATIONS=<n>` and `SEALED_RUNS=<n>` look
 * longer; each run prints its seed.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Config, Effect, Random } from "effect"
import type { Kept } from "../../../src/client/sealed/Kept.ts"
import { seedLimit } from "../../simulation/Series.ts"
import { type ChaosOptions, run } from "./Chaos.ts"
import { folder } from "./Folder.ts"

type Control = NonNullable<ChaosOptions["store"]>

const chaos = Effect.fnUntraced(function* (options: Omit<ChaosOptions, "folder">) {
  return yield* run({ ...options, folder: yield* folder })
}, Effect.scoped)

/** Keeps what was sealed without the group whose key it has used up: after a crash the key is used again. */
const withoutTheGroup: Control = () => (store) => {
  let before: Kept | undefined
  const remembering = <A, E>(kept: Kept, writing: Effect.Effect<A, E>) =>
    Effect.tap(writing, () =>
      Effect.sync(() => {
        before = kept
      })
    )
  return {
    ...store,
    kept: (room) =>
      Effect.tap(store.kept(room), (kept) =>
        Effect.sync(() => {
          before = kept
        })
      ),
    received: (received) => remembering(received.kept, store.received(received)),
    joined: (kept, rows, spent) => remembering(kept, store.joined(kept, rows, spent)),
    committing: (kept, pending) => remembering(kept, store.committing(kept, pending)),
    sealed: (kept, row) => store.sealed({ ...kept, group: before?.group ?? kept.group }, row)
  }
}

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

    it.effect(
      "lose messages if one write is left out: what is sealed without the group that sealed it",
      () =>
        Effect.gen(function* () {
          let wrong = 0
          for (let seed = 1; seed <= 6 && wrong === 0; seed++) {
            wrong = (yield* chaos({ seed, operations: 60, accounts: 2, missed: 0, store: withoutTheGroup })).wrong
              .length
          }
          assert.isAbove(wrong, 0)
        }),
      600_000
    )
  })
})

/**
 * A real client that is killed while it talks. `SEALED_SEED=<seed>` repeats the moments, as far as a busy machine does the same twice;
 * `SEALED_KILLS=<n>` kills it more often; so do `pnpm simulate --e2ee --kills 60` and `pnpm test:long`.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Config, Effect, Random } from "effect"
import { seedLimit } from "../../simulation/Series.ts"
import { folder } from "./Folder.ts"
import { type KillsOptions, run } from "./Kills.ts"

const killing = Effect.fnUntraced(function* (options: Omit<KillsOptions, "folder">) {
  return yield* run({ ...options, folder: yield* folder })
}, Effect.scoped)

describe("A client that is killed (SIGKILL) while it talks", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect(
      "loses nothing that it had stored, says nothing twice, and uses no key twice",
      () =>
        Effect.gen(function* () {
          const chosen = yield* Random.nextIntBetween(0, seedLimit)
          const seed = yield* Config.withDefault(Config.Int("SEALED_SEED"), chosen)
          const kills = yield* Config.withDefault(Config.Int("SEALED_KILLS"), 4)
          const { story, wrong, ...figures } = yield* killing({ seed, kills })
          yield* Effect.log(`Seed ${seed}: ${JSON.stringify(figures)}`)
          assert.deepStrictEqual(
            wrong.slice(0, 20),
            [],
            `${story.join("\n")}\nSEALED_SEED=${seed} SEALED_KILLS=${kills}`
          )
        }),
      3_600_000
    )

    it.effect(
      "uses keys twice if it stores what is sealed without the group that sealed it",
      () =>
        Effect.gen(function* () {
          let wrong: ReadonlyArray<string> = []
          const isFound = () => wrong.some((what) => what.includes("was used twice"))
          for (let seed = 1; seed <= 10 && !isFound(); seed++) {
            ;({ wrong } = yield* killing({ seed, kills: 4, control: "withoutTheGroup" }))
          }
          assert.isTrue(isFound(), wrong.slice(0, 20).join("\n"))
        }),
      600_000
    )
  })
})

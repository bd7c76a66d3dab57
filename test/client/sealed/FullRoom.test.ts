/**
 * An encrypted room of 16 devices, each a client of its own. `SEALED_DEVICES=100` fills it, which takes a minute; so do
 * `pnpm simulate --e2ee --devices 100` and `pnpm test:long`.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Config, Effect } from "effect"
import { folder } from "./Folder.ts"
import { run } from "./FullRoom.ts"

describe("An encrypted room of many devices", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect(
      "lets in all who join, each reads what each other says, and they go on when one leaves, all in lines that fit a frame",
      () =>
        Effect.gen(function* () {
          const devices = yield* Config.withDefault(Config.Int("SEALED_DEVICES"), 16)
          const { client, server, story, wrong } = yield* run({ devices, folder: yield* folder })
          yield* Effect.log(`The longest lines: ${JSON.stringify({ client, server })}`)
          assert.deepStrictEqual(wrong.slice(0, 20), [], story.join("\n"))
          // They went by where they are measured.
          assert.isAbove(client["CommitKeys"] ?? 0, 1000)
          assert.isAbove(server["Welcomes"] ?? 0, 1000)
        }).pipe(Effect.scoped),
      3_600_000
    )
  })
})

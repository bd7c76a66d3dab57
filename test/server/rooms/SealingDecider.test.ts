/** What is decided on keys and who may read, held to a model: in memory many programs, and in a file some that stop and start the server. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Database from "../../../src/server/store/Database.ts"
import * as MemoryStores from "../../../src/server/store/MemoryStores.ts"
import { tries } from "../../support/generators.ts"
import { newFile } from "../store/OpenLog.ts"
import { play, someSteps, type Step } from "./SealedProgram.ts"

describe("The keys of an encrypted room", () => {
  layer(NodeFileSystem.layer, { excludeTestServices: true })((it) => {
    it.effect.prop(
      "stand as the model says after any acts, and each device may read what it says",
      [someSteps],
      ([steps]) => play(steps, Layer.build(Layer.fresh(MemoryStores.layer)), false),
      tries(150, 60)
    )

    it.effect("let nobody in whom the same run has put out before", () => {
      const step = { late: 0, removes: [], isSensible: false }
      const steps: ReadonlyArray<Step> = [
        { ...step, what: "reset", by: 0, adds: [], isWithNext: false },
        { ...step, what: "kick", by: 0, adds: [2], isWithNext: true },
        { ...step, what: "commit", by: 0, adds: [2], isWithNext: false }
      ]
      return Effect.scoped(play(steps, Layer.build(Layer.fresh(MemoryStores.layer)), false))
    })

    it.effect.prop(
      "do so in a file that is closed and opened again in between",
      [someSteps],
      ([steps]) =>
        Effect.scoped(
          Effect.flatMap(newFile, (file) =>
            play(steps, Layer.build(Database.layerFile({ file, retention: "forever" })), true)
          )
        ),
      tries(6, 60)
    )
  })
})

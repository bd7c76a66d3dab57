/** Memberships in a SQLite file, held to the same contract as every other, and over restarts. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { layer } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import * as Database from "../../../src/server/store/Database.ts"
import { tries } from "../../support/generators.ts"
import { membershipsContract } from "../accounts/MembershipsContract.ts"
import { agree } from "../accounts/MembershipsProperties.ts"
import { someSteps } from "../accounts/NaiveMemberships.ts"
import { newFile } from "./OpenLog.ts"

const fresh = Layer.unwrap(Effect.map(newFile, (file) => Database.layerFile({ file, retention: "forever" }))).pipe(
  Layer.provide(NodeFileSystem.layer)
)

membershipsContract("SqlMemberships", fresh, 15)

/** Opens the file for as long as the scope is open. */
const open = (file: string, scope: Scope.Scope) =>
  Scope.provide(Layer.build(Database.layerFile({ file, retention: "forever" })), scope)

layer(NodeFileSystem.layer, { excludeTestServices: true })("SqlMemberships", (it) => {
  it.effect.prop(
    "count the same after a stop and a start",
    [someSteps],
    ([steps]) =>
      Effect.gen(function* () {
        const file = yield* newFile
        let scope = yield* Scope.make()
        const restart = Effect.gen(function* () {
          yield* Scope.close(scope, Exit.void)
          scope = yield* Scope.make()
          return yield* open(file, scope)
        })
        yield* Effect.ensuring(
          agree(steps, yield* open(file, scope), restart),
          Effect.suspend(() => Scope.close(scope, Exit.void))
        )
      }).pipe(Effect.scoped),
    tries(6, 40)
  )
})

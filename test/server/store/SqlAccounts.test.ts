/** Accounts in a SQLite file, held to the same contract as every other, and over restarts. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, FileSystem, Layer, Option, Result, Scope } from "effect"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import * as Database from "../../../src/server/store/Database.ts"
import { tries } from "../../support/generators.ts"
import { hash, newAccount } from "../accounts/AccountsAsked.ts"
import { accountsContract } from "../accounts/AccountsContract.ts"
import { agree } from "../accounts/AccountsProperties.ts"
import { someSteps } from "../accounts/NaiveAccounts.ts"
import { newFile } from "./OpenLog.ts"

const fresh = Layer.unwrap(
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
    return Database.layerFile({ file: `${folder}/chat.sqlite`, retention: "forever" })
  })
).pipe(Layer.provide(NodeFileSystem.layer))

accountsContract("SqlAccounts", fresh, 6)

/** Opens the file for as long as the scope is open. */
const open = Effect.fnUntraced(function* (file: string, scope: Scope.Scope) {
  const services = yield* Scope.provide(Layer.build(Database.layerFile({ file, retention: "forever" })), scope)
  return Context.get(services, Accounts)
})

layer(NodeFileSystem.layer, { excludeTestServices: true })("SqlAccounts", (it) => {
  it.effect.prop(
    "keeps all of it over a stop and a start",
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

  it.effect("keeps when somebody was seen last, if it is stopped in order", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const opened = Effect.flatMap(Effect.scope, (scope) => open(file, scope))
      const made = yield* Effect.scoped(
        Effect.gen(function* () {
          const accounts = yield* opened
          const { account, device } = Result.getOrThrow(
            yield* accounts.create(newAccount("ada", { device: { name: "laptop", token: hash("1") } }))
          )
          yield* accounts.seen(account.id, device, 900)
          return account.id
        })
      )
      const accounts = yield* opened
      assert.strictEqual(Option.getOrThrow(yield* accounts.get(made)).account.lastSeen, 900)
      assert.deepStrictEqual(
        (yield* accounts.devices(made)).map(({ lastSeen }) => lastSeen),
        [900]
      )
    }).pipe(Effect.scoped)
  )
})

import { copyFileSync, readFileSync } from "node:fs"
/** Accounts in a SQLite file, held to the same contract as every other, and over restarts. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, FileSystem, Layer, Option, Result, Scope } from "effect"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import type { StorageUnavailable } from "../../../src/server/history/History.ts"
import type { AccountId } from "../../../src/server/session/AccountId.ts"
import * as Database from "../../../src/server/store/Database.ts"
import { tries } from "../../support/generators.ts"
import { hash, newAccount, password } from "../accounts/AccountsAsked.ts"
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

  const secret = "Zugzwangler"
  /** Until no file has it any more. */
  const untilGone = (file: string) =>
    Effect.sync(() => ["", "-wal"].some((ending) => readFileSync(`${file}${ending}`).includes(secret))).pipe(
      Effect.tap(Effect.sleep("50 millis")),
      Effect.repeat({ while: (isThere) => isThere })
    )

  const endings: Readonly<
    Record<string, (accounts: Accounts["Service"], account: AccountId) => Effect.Effect<unknown, StorageUnavailable>>
  > = {
    changed: (accounts, account) => accounts.setPassword(account, password("next"), undefined),
    reset: (accounts, account) => accounts.reset(account, { code: hash("code"), expires: 900 }),
    "hashed anew": (accounts, account) => accounts.rehash(account, password(secret), password("next")),
    "deleted with its account": (accounts, account) => accounts.setState(account, "Deleted", undefined)
  }
  it.effect.each(Object.keys(endings))("leaves nothing of a password that is %s, in any file", (what) =>
    Effect.gen(function* () {
      const file = yield* newFile
      const accounts = yield* open(file, yield* Effect.scope)
      const { account } = Result.getOrThrow(yield* accounts.create(newAccount("ada", { password: password(secret) })))
      yield* endings[what]?.(accounts, account.id) ?? Effect.void
      yield* untilGone(file)
    }).pipe(Effect.scoped)
  )

  it.effect("leaves nothing of such a password after a crash either, once it is started again", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const crashed = yield* newFile
      const accounts = yield* open(file, yield* Effect.scope)
      const { account } = Result.getOrThrow(yield* accounts.create(newAccount("ada", { password: password(secret) })))
      yield* accounts.setPassword(account.id, password("next"), undefined)
      for (const ending of ["", "-wal"]) copyFileSync(`${file}${ending}`, `${crashed}${ending}`)
      assert.include(readFileSync(`${crashed}-wal`).toString("latin1"), secret)
      yield* open(crashed, yield* Effect.scope)
      yield* untilGone(crashed)
    }).pipe(Effect.scoped)
  )
})

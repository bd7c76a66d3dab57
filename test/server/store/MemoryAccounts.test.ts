/** Accounts in memory, held to the same contract as every other. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import * as MemoryAccounts from "../../../src/server/store/MemoryAccounts.ts"
import { newAccount } from "../accounts/AccountsAsked.ts"
import { accountsContract } from "../accounts/AccountsContract.ts"

accountsContract("MemoryAccounts", MemoryAccounts.layer)

describe("MemoryAccounts", () => {
  it.effect("has room for so many accounts, and says that there is none for more", () =>
    Effect.gen(function* () {
      const accounts = yield* Accounts
      yield* accounts.create(newAccount("a"))
      yield* accounts.create(newAccount("b"))
      assert.strictEqual((yield* Effect.flip(accounts.create(newAccount("c"))))._tag, "StorageUnavailable")
      assert.strictEqual((yield* accounts.list(undefined, 9)).length, 2)
    }).pipe(Effect.provide(MemoryAccounts.layerWith(2)))
  )
})

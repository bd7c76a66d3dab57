import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber, Layer, Redacted, Result } from "effect"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { CommonPasswords } from "../../../src/server/accounts/CommonPasswords.ts"
import { Login } from "../../../src/server/accounts/Login.ts"
import { Passwords } from "../../../src/server/accounts/Passwords.ts"
import { Registering } from "../../../src/server/accounts/Registering.ts"
import { Secrets } from "../../../src/server/accounts/Secrets.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"

const ada = UserName.make("ada")
const device = DeviceId.make("d7k2")

describe("Somebody who registers and leaves while the account is being stored", () => {
  it.effect("has registered: the name is nobody else's", () =>
    Effect.gen(function* () {
      const storing = yield* Deferred.make<void>()
      const stored = yield* Deferred.make<void>()
      const slow = Layer.mock(Accounts, {
        create: ({ at, isAdmin, user }) =>
          Effect.gen(function* () {
            yield* Deferred.succeed(storing, undefined)
            // What has been handed to the database is stored, whoever waits for it.
            yield* Deferred.await(stored)
            const account = { id: AccountId.make(1), user, since: at, lastSeen: at, isAdmin, reason: undefined }
            return Result.succeed({ account: { ...account, state: "Active" as const }, device })
          })
      })
      const provided = Registering.layer.pipe(
        Layer.provideMerge(AccountNames.layer),
        Layer.provide([
          slow,
          CommonPasswords.layer,
          Layer.mock(Login, { plaintext: () => undefined }),
          Passwords.layer,
          Secrets.layer,
          ServerConfig.layer
        ]),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({})))
      )
      yield* Effect.gen(function* () {
        const { refusalOfGuest, register } = yield* Registering
        const names = yield* AccountNames
        const applicant = {
          user: ada,
          password: Redacted.make("correct horse battery"),
          invite: undefined,
          device: undefined,
          peer: { address: "127.0.0.1", isPrivate: true },
          action: "Handshake" as const
        }
        const registering = yield* Effect.forkChild(register(applicant), { startImmediately: true })
        yield* Deferred.await(storing)
        const leaving = yield* Effect.forkChild(Fiber.interrupt(registering), { startImmediately: true })
        yield* Deferred.succeed(stored, undefined)
        yield* Fiber.join(leaving)

        assert.strictEqual(names.find(ada)?.user, ada)
        assert.deepStrictEqual(refusalOfGuest(ada), { _tag: "PasswordRequired", user: ada })
      }).pipe(Effect.provide(provided))
    })
  )
})

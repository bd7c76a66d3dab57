import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber, Layer, Redacted, Result } from "effect"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { Attempts } from "../../../src/server/accounts/Attempts.ts"
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
        isLockedDown: Effect.succeed(false),
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
        Layer.provide([
          slow,
          Attempts.layer,
          CommonPasswords.layer,
          Layer.mock(Login, { plaintext: () => undefined }),
          Passwords.layer,
          Secrets.layer,
          ServerConfig.layer
        ]),
        Layer.provideMerge(AccountNames.layer),
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

/** Registering over passwords that are hashed when the test lets them. */
const withHashing = (settings: Readonly<Record<string, string>>, hash: Effect.Effect<never>) =>
  Registering.layer.pipe(
    Layer.provide([
      Layer.mock(Accounts, {
        isLockedDown: Effect.succeed(false),
        create: () => Effect.succeed(Result.fail("InvalidInvite" as const))
      }),
      Attempts.layer,
      CommonPasswords.layer,
      Layer.mock(Login, { plaintext: () => undefined }),
      Layer.mock(Passwords, { hash: () => hash }),
      Secrets.layer,
      ServerConfig.layer
    ]),
    Layer.provideMerge(AccountNames.layer),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(settings)))
  )

const applicant = (name: string, invite?: string) => ({
  user: UserName.make(name),
  password: Redacted.make("correct horse battery"),
  invite: invite === undefined ? undefined : Redacted.make(invite),
  device: undefined,
  peer: { address: "192.0.2.7", isPrivate: true },
  action: "Handshake" as const
})

describe("A flood of people who register", () => {
  it.live("has one hash at a time and eight that wait; others are told to try again", () => {
    let underWay = 0
    const hash = Effect.andThen(
      Effect.sync(() => {
        underWay++
      }),
      Effect.never
    )
    return Effect.gen(function* () {
      const { register } = yield* Registering
      // The list of common passwords is loaded for the first.
      const fibers = yield* Effect.forEach(
        Array.from({ length: 9 }, (_, index) => index),
        (index) => Effect.forkChild(register(applicant(`user${index}`)), { startImmediately: true })
      )
      const last = fibers.at(-1)
      assert(last !== undefined)
      assert.deepStrictEqual<unknown>(
        yield* Fiber.join(last),
        Result.fail({ _tag: "TooManyAttempts", retryAfter: 1000 })
      )
      yield* Effect.repeat(Effect.yieldNow, { until: () => underWay > 0 })
      assert.strictEqual(underWay, 1)
      yield* Effect.forEach(fibers, Fiber.interrupt)
    }).pipe(Effect.provide(withHashing({}, hash)))
  })

  it.effect("does not guess an invite: the sixth wrong one waits, before anything is hashed", () => {
    let hashed = 0
    const hash = Effect.suspend(() => {
      hashed++
      return Effect.die("no hash is made in this test")
    })
    return Effect.gen(function* () {
      const { register } = yield* Registering
      for (let index = 0; index < 5; index++) yield* Effect.exit(register(applicant("eve", "0000-0000-0000-0000-0000")))
      assert.deepStrictEqual<unknown>(
        yield* register(applicant("eve", "0000-0000-0000-0000-0000")),
        Result.fail({ _tag: "TooManyAttempts", retryAfter: 5000 })
      )
      assert.strictEqual(hashed, 5)
    }).pipe(Effect.provide(withHashing({ REGISTRATION: "invite" }, hash)))
  })
})

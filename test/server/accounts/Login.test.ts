import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Layer, Redacted, Result } from "effect"
import { Digest, SecureRandom, Signature } from "effect/crypto"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { Attempts } from "../../../src/server/accounts/Attempts.ts"
import { Login } from "../../../src/server/accounts/Login.ts"
import { Passwords } from "../../../src/server/accounts/Passwords.ts"
import { Secrets } from "../../../src/server/accounts/Secrets.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"

describe("A password", () => {
  it.effect("counts as wrong where who said it leaves before it is answered", () => {
    const provided = Login.layer.pipe(
      Layer.provide([
        Attempts.layer,
        Digest.layerWebCrypto,
        SecureRandom.layerWebCrypto,
        Layer.mock(Accounts, { find: () => Effect.succeedNone }),
        Layer.mock(Passwords, { verify: () => Effect.never }),
        Secrets.layer,
        ServerConfig.layer,
        Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))
      ]),
      Layer.provide(AccountNames.layer),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({})))
    )
    return Effect.gen(function* () {
      const { prove } = yield* Login
      const peer = { address: "127.0.0.1", isPrivate: true }
      const stranger = { user: UserName.make("ada"), device: undefined, challenge: undefined, peer }
      const trying = prove(stranger, { _tag: "Password", password: Redacted.make("correct horse battery") })
      for (let count = 0; count < 5; count++) {
        yield* Fiber.interrupt(yield* Effect.forkChild(trying, { startImmediately: true }))
      }
      const another = yield* Effect.forkChild(trying, { startImmediately: true })
      assert.isDefined(another.pollUnsafe())
      assert.deepStrictEqual(
        yield* Fiber.join(another),
        Result.fail<Rejection>({ _tag: "TooManyAttempts", retryAfter: 5000 })
      )
    }).pipe(Effect.provide(provided))
  })
})

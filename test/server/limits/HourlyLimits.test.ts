import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, ConfigProvider, Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import { type Counted, HourlyLimits, maxKeys } from "../../../src/server/limits/HourlyLimits.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"

const made = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.map(
    Layer.build(
      HourlyLimits.layer.pipe(
        Layer.provide(ServerConfig.layer),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(settings)))
      )
    ),
    Context.get(HourlyLimits)
  )

const stranger: Counted = { address: "192.0.2.1" }
const ada: Counted = { account: AccountId.make(1), address: "127.0.0.1" }
const minute = 60_000

describe("What is limited per hour", () => {
  it.effect("is so many in the hour that begins with the first, and then as many again", () =>
    Effect.gen(function* () {
      const { take } = yield* made({ ROOMS_PER_HOUR: "3" })
      for (let hour = 0; hour < 3; hour++) {
        assert.isUndefined(take("Room", ada))
        yield* TestClock.adjust("20 minutes")
        assert.deepStrictEqual([take("Room", ada), take("Room", ada)], [undefined, undefined])
        assert.strictEqual(take("Room", ada), 40 * minute)
        yield* TestClock.adjust(40 * minute - 1)
        assert.strictEqual(take("Room", ada), 1)
        yield* TestClock.adjust(1)
      }
    })
  )

  it.effect("is counted apart for each kind, account and address, of IPv6 a /64", () =>
    Effect.gen(function* () {
      const { take } = yield* made({ ROOMS_PER_HOUR: "1", INVITATIONS_PER_HOUR: "1", ACCOUNTS_PER_HOUR: "1" })
      const ben: Counted = { account: AccountId.make(2), address: ada.address }
      for (const by of [ada, ben, stranger, { address: "192.0.2.2" }, { address: "2001:db8::1" }]) {
        for (const what of ["Room", "Invitation", "Account"] as const) {
          assert.isUndefined(take(what, by))
          assert.strictEqual(take(what, by), 60 * minute)
        }
      }
      assert.strictEqual(take("Room", { address: "2001:db8::2" }), 60 * minute)
      assert.strictEqual(take("Room", { ...ada, address: "192.0.2.9" }), 60 * minute)
    })
  )

  it.effect("is 10 accounts, 50 rooms and 100 invitations, unless it is set", () =>
    Effect.gen(function* () {
      const { take } = yield* made()
      const count = (what: "Account" | "Room" | "Invitation", by: Counted) =>
        Arr.makeBy(200, () => take(what, by)).filter((retryAfter) => retryAfter === undefined).length
      assert.deepStrictEqual(
        [count("Account", stranger), count("Room", stranger), count("Room", ada), count("Invitation", ada)],
        [10, 50, 50, 100]
      )
      assert.strictEqual(count("Account", { address: "127.0.0.1" }), 200)
      assert.strictEqual(count("Room", { address: "::1" }), 200)
    })
  )

  it.effect("is for this machine itself what was set", () =>
    Effect.gen(function* () {
      const { take } = yield* made({ ACCOUNTS_PER_HOUR: "1" })
      assert.isUndefined(take("Account", { address: "127.0.0.1" }))
      assert.isNumber(take("Account", { address: "127.0.0.1" }))
    })
  )

  it.effect("does not count what came to nothing", () =>
    Effect.gen(function* () {
      const { giveBack, take } = yield* made({ ACCOUNTS_PER_HOUR: "1" })
      for (let round = 0; round < 5; round++) {
        assert.isUndefined(take("Account", stranger))
        giveBack("Account", stranger)
      }
      assert.isUndefined(take("Account", stranger))
      assert.isNumber(take("Account", stranger))
    })
  )

  it.effect("is remembered of a bounded number, and of nobody after the hour", () =>
    Effect.gen(function* () {
      const { size, take } = yield* made()
      for (let index = 0; index < maxKeys + 100; index++) {
        take("Room", { account: AccountId.make(index + 1), address: undefined })
      }
      assert.strictEqual(size(), maxKeys)
      yield* TestClock.adjust("1 hour")
      take("Room", ada)
      assert.strictEqual(size(), 1)
    })
  )
})

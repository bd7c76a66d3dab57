import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, ConfigProvider, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import * as Addresses from "../../../src/server/limits/Addresses.ts"

const madeWith = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.provide(
    Addresses.make,
    Layer.provide(ServerConfig.layer, ConfigProvider.layer(ConfigProvider.fromEnvRecord(settings)))
  )

/** How many of so many are let in, one after the other, each of which gets its name at once. */
const welcomed = ({ admitUnsafe }: Addresses.Addresses, address: string, count: number) =>
  Arr.makeBy(count, () => {
    const admission = admitUnsafe(address)
    admission?.welcomeUnsafe()
    return admission
  }).filter((admission) => admission !== undefined).length

describe("What one address may have", () => {
  it.effect("is 100 connections, made at 10 a second after 50 at once", () =>
    Effect.gen(function* () {
      const addresses = yield* madeWith()
      assert.strictEqual(welcomed(addresses, "192.0.2.1", 200), 50)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(welcomed(addresses, "192.0.2.1", 200), 10)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(welcomed(addresses, "192.0.2.1", 200), 40)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(welcomed(addresses, "192.0.2.1", 200), 0)
    })
  )

  it.effect("is 20 connections without a name", () =>
    Effect.gen(function* () {
      const addresses = yield* madeWith()
      const strangers = Arr.makeBy(20, () => addresses.admitUnsafe("192.0.2.1"))
      assert.isUndefined(addresses.admitUnsafe("192.0.2.1"))
      strangers[0]?.welcomeUnsafe()
      strangers[0]?.welcomeUnsafe()
      assert.isDefined(addresses.admitUnsafe("192.0.2.1"))
      assert.isUndefined(addresses.admitUnsafe("192.0.2.1"))
      // A stranger that goes is one less, too, and only once.
      strangers[1]?.releaseUnsafe()
      strangers[1]?.releaseUnsafe()
      assert.isDefined(addresses.admitUnsafe("192.0.2.1"))
      assert.isUndefined(addresses.admitUnsafe("192.0.2.1"))
    })
  )

  it.effect("is the same for all of an IPv6 /64 together, and for IPv4 however it is written", () =>
    Effect.gen(function* () {
      const addresses = yield* madeWith({ MAX_CONNECTIONS_PER_ADDRESS: "3" })
      assert.strictEqual(welcomed(addresses, "2001:db8:0:1::1", 2), 2)
      assert.strictEqual(welcomed(addresses, "2001:db8:0:1:ffff::2", 2), 1)
      assert.strictEqual(welcomed(addresses, "2001:db8:0:2::1", 2), 2)
      assert.strictEqual(welcomed(addresses, "192.0.2.1", 2), 2)
      assert.strictEqual(welcomed(addresses, "::ffff:192.0.2.1", 2), 1)
    })
  )

  it.effect("is any number for this machine itself, unless it was said how many", () =>
    Effect.gen(function* () {
      const unset = yield* madeWith()
      assert.strictEqual(Arr.makeBy(500, () => unset.admitUnsafe("127.0.0.1")).filter((_) => _ === undefined).length, 0)
      const set = yield* madeWith({ MAX_CONNECTIONS_PER_ADDRESS: "3" })
      assert.strictEqual(welcomed(set, "::1", 10), 3)
      const burst = yield* madeWith({ CONNECTION_BURST: "4" })
      assert.strictEqual(welcomed(burst, "127.0.0.1", 10), 4)
    })
  )

  it.effect("is forgotten with its last connection, once it might make as many anew as anybody", () =>
    Effect.gen(function* () {
      const addresses = yield* madeWith()
      const all = Arr.makeBy(1000, (index) => addresses.admitUnsafe(`192.0.${index >> 8}.${index & 0xff}`))
      for (let round = 0; round < 20; round++) addresses.admitUnsafe("192.0.2.1")
      assert.strictEqual(addresses.size(), 1000)
      for (const admission of all) admission?.releaseUnsafe()
      yield* TestClock.adjust("10 seconds")
      // Each that comes has two looked at.
      for (let index = 0; index < 600; index++)
        addresses.admitUnsafe(`198.51.${index >> 8}.${index & 0xff}`)?.releaseUnsafe()
      assert.isAtMost(addresses.size(), 620)
      yield* TestClock.adjust("10 seconds")
      for (let index = 0; index < 600; index++) addresses.admitUnsafe("198.51.100.1")?.releaseUnsafe()
      assert.isAtMost(addresses.size(), 620)
    })
  )
})

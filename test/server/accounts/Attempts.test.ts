import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Clock, Duration, Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { UserName } from "../../../src/common/name/UserName.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { type Attempt, Attempts } from "../../../src/server/accounts/Attempts.ts"
import { oneOf, tries } from "../../support/generators.ts"

const here = "192.0.2.1"
const there = "192.0.2.2"

/** As it would be typed. */
const decodeName = Schema.decodeSync(UserName)

const begin = (name: string, address: string | undefined = here) =>
  Effect.flatMap(Attempts, (attempts) => attempts.begin(decodeName(name), address))

const retryAfter = (attempt: Attempt) => (attempt._tag === "TooManyAttempts" ? attempt.retryAfter : 0)

const fail = Effect.fnUntraced(function* (name: string, address: string, times: number) {
  for (let count = 0; count < times; count++) {
    assert.strictEqual(retryAfter(yield* begin(name, address)), 0, `try ${count + 1} of ${times}`)
  }
})

/** A try that is right; it must not have to wait. */
const succeed = Effect.fnUntraced(function* (name: string, address: string) {
  const attempt = yield* begin(name, address)
  if (attempt._tag === "TooManyAttempts") return assert.fail(`to wait ${attempt.retryAfter} ms`)
  yield* attempt.takeBack
})

/** Lets time go on until it is done. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const before = clock.monotonicTimeNanosUnsafe()
    const running = yield* Effect.forkChild(effect, { startImmediately: true })
    while (running.pollUnsafe() === undefined) yield* TestClock.adjust(125)
    const value = yield* Fiber.join(running)
    return { value, millis: Number(clock.monotonicTimeNanosUnsafe() - before) / 1e6 }
  })

const layer = Layer.provideMerge(Attempts.layer, AccountNames.layer)
const provided = <A, E>(effect: Effect.Effect<A, E, AccountNames | Attempts>) => Effect.provide(effect, layer)

describe("Who tries to log in", () => {
  it.effect("may be wrong five times, and then waits twice as long each time, up to a quarter of an hour", () =>
    Effect.gen(function* () {
      yield* fail("ada", here, 5)
      for (const seconds of [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]) {
        assert.strictEqual(retryAfter(yield* begin("ada")), seconds * 1000)
        yield* TestClock.adjust(Duration.millis(seconds * 1000 - 1))
        assert.strictEqual(retryAfter(yield* begin("ada")), 1)
        yield* TestClock.adjust(1)
        yield* fail("ada", here, 1)
      }
    }).pipe(provided)
  )

  it.effect("is not kept waiting longer for asking while it waits", () =>
    Effect.gen(function* () {
      yield* fail("ada", here, 5)
      for (let count = 0; count < 100; count++) assert.strictEqual(retryAfter(yield* begin("ada")), 5000)
      yield* TestClock.adjust(5000)
      yield* succeed("ada", here)
    }).pipe(provided)
  )

  it.effect("may try again as if nothing had been after a time of quiet", () =>
    Effect.gen(function* () {
      yield* fail("ada", here, 5)
      yield* TestClock.adjust(Duration.minutes(6))
      yield* fail("ada", here, 5)
      assert.strictEqual(retryAfter(yield* begin("ada")), 5000)
    }).pipe(provided)
  )

  it.effect("does not wait for having been right, however often", () =>
    Effect.gen(function* () {
      for (let count = 0; count < 100; count++) yield* succeed("ada", here)
      yield* fail("ada", here, 4)
      for (let count = 0; count < 100; count++) yield* succeed("ada", here)
      yield* fail("ada", here, 1)
      assert.strictEqual(retryAfter(yield* begin("ada")), 5000)
    }).pipe(provided)
  )

  it.effect("has as many guesses as one after the other when it tries all at once", () =>
    Effect.gen(function* () {
      const all = yield* Effect.all(
        Array.from({ length: 20 }, () => begin("ada")),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(all.filter(({ _tag }) => _tag === "Begun").length, 5)
    }).pipe(provided)
  )

  it.effect("has a right guess among several at once taken back alone, and once only", () =>
    Effect.gen(function* () {
      const [first, second] = yield* Effect.all([begin("ada"), begin("ada"), begin("ada")])
      for (const attempt of [first, second, first, second]) {
        if (attempt._tag === "Begun") yield* attempt.takeBack
      }
      yield* fail("ada", here, 4)
      assert.strictEqual(retryAfter(yield* begin("ada")), 5000)
    }).pipe(provided)
  )

  it.effect("waits for what others did meanwhile when it turns out late that a guess was right", () =>
    Effect.gen(function* () {
      yield* fail("ada", here, 5)
      yield* TestClock.adjust(5000)
      const late = yield* begin("ada")
      yield* TestClock.adjust(70_000)
      yield* fail("ada", here, 1)
      assert.strictEqual(retryAfter(yield* begin("ada")), 10_000)
      if (late._tag === "Begun") yield* late.takeBack
      assert.strictEqual(retryAfter(yield* begin("ada")), 5000)
    }).pipe(provided)
  )

  it.effect("waits with any account after ten failures from one address, whosever they were", () =>
    Effect.gen(function* () {
      yield* fail("ada", here, 5)
      for (const name of ["bob", "cyd", "dan", "eve", "fay"]) yield* fail(name, here, 1)
      assert.strictEqual(retryAfter(yield* begin("gus")), 5000)
      yield* fail("gus", there, 1)
      yield* TestClock.adjust(5000)
      yield* fail("gus", here, 1)
      assert.strictEqual(retryAfter(yield* begin("gus")), 10_000)
    }).pipe(provided)
  )

  it.effect("does not make others at its address wait longer by being right", () =>
    Effect.gen(function* () {
      for (const name of ["ada", "bob"]) yield* fail(name, here, 5)
      yield* TestClock.adjust(5000)
      yield* succeed("cyd", here)
      yield* fail("dan", here, 1)
      assert.strictEqual(retryAfter(yield* begin("cyd")), 10_000)
    }).pipe(provided)
  )

  it.effect("waits with an account in any spelling, at any address of its network", () =>
    Effect.gen(function* () {
      for (const [index, name] of ["Ada", "ada", "ADA", "Ａda", "aDA"].entries()) {
        yield* fail(name, `2001:db8:1:2::${index}`, 1)
      }
      assert.strictEqual(retryAfter(yield* begin("ada", "2001:db8:1:2:ffff::1")), 5000)
      assert.strictEqual(retryAfter(yield* begin("ada", "2001:db8:1:3::1")), 0)
      yield* fail("bob", "::ffff:192.0.2.1", 5)
      assert.strictEqual(retryAfter(yield* begin("bob", here)), 5000)
    }).pipe(provided)
  )

  it.effect("does not keep others from the account: from another address one may, if later", () =>
    Effect.gen(function* () {
      for (let index = 0; index < 30; index++) {
        yield* timed(fail("ada", `198.51.100.${index}`, 1))
      }
      assert.strictEqual((yield* timed(succeed("ada", there))).millis, 2000)
    }).pipe(provided)
  )

  it.effect("is remembered among thousands of others", () =>
    Effect.gen(function* () {
      yield* fail("ada", here, 5)
      for (let index = 0; index < 3000; index++) yield* fail(`guest${index}`, `10.0.${index >> 8}.${index & 0xff}`, 1)
      assert.strictEqual(retryAfter(yield* begin("ada")), 5000)
      yield* fail("guest0", "10.0.0.0", 4)
      assert.strictEqual(retryAfter(yield* begin("guest0", "10.0.0.0")), 5000)
    }).pipe(provided)
  )

  it.effect("is slowed only for an account that was tried often, and by little at first", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      for (let index = 0; index < 16; index++) {
        times.push((yield* timed(fail("ada", `198.51.100.${index}`, 1))).millis)
      }
      assert.deepStrictEqual(times, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 125, 250, 500, 1000, 2000, 2000])
      assert.strictEqual((yield* timed(succeed("bob", there))).millis, 0)
      yield* TestClock.adjust(Duration.minutes(20))
      assert.strictEqual((yield* timed(succeed("ada", there))).millis, 0)
    }).pipe(provided)
  )

  it.effect("is counted though it leaves before its turn", () =>
    Effect.gen(function* () {
      for (let index = 0; index < 14; index++) yield* timed(fail("ada", `198.51.100.${index}`, 1))
      for (let count = 0; count < 5; count++) {
        const leaving = yield* Effect.forkChild(begin("ada"), { startImmediately: true })
        yield* Fiber.interrupt(leaving)
      }
      assert.strictEqual(retryAfter(yield* begin("ada")), 5000)
    }).pipe(provided)
  )

  it.effect.prop(
    "waits for what a naive account of all that was ever tried says",
    [
      Arbitrary.array(
        Arbitrary.all({
          name: oneOf("ada", "bob"),
          address: oneOf(here, there, "2001:db8::1"),
          isRight: oneOf(false, false, false, true),
          gap: oneOf(0, 1, 5000, 20_000, 61_000, 300_000, 1_000_000)
        }),
        { minLength: 1 }
      )
    ],
    ([all]) =>
      Effect.gen(function* () {
        const clock = yield* Clock.Clock
        /** When each failed, for ever. */
        const failed = new Map<string, ReadonlyArray<number>>()
        for (const { address, gap, isRight, name } of all) {
          yield* TestClock.adjust(gap)
          const now = Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
          const keys = [address, `${name} at ${address}`]
          const waits = keys.map((key, index) =>
            Math.max(0, naiveEnd(failed.get(key) ?? [], index === 0 ? 10 : 5) - now)
          )
          const { value: attempt } = yield* timed(begin(name, address))
          assert.strictEqual(retryAfter(attempt), Math.max(...waits))
          if (attempt._tag === "TooManyAttempts") continue
          if (isRight) yield* attempt.takeBack
          else for (const key of keys) failed.set(key, [...(failed.get(key) ?? []), now])
        }
      }).pipe(provided),
    tries(100, 40)
  )
})

/** When another may be tried after failures at these times, of which so many were free. */
const naiveEnd = (times: ReadonlyArray<number>, free: number): number => {
  let count = 0
  let end = 0
  for (const time of times) {
    for (let minute = end + 60_000; minute <= time && count > 0; minute += 60_000) count--
    count = Math.min(count + 1, free + 8)
    end = time + Math.min(count < free ? 0 : 5000 * 2 ** (count - free), 900_000)
  }
  return end
}

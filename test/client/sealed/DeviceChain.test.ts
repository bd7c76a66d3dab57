/** Lists of devices: what a server can do to them, and what is made of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Base64 } from "effect/encoding"
import { type Device, makeDevice } from "../../../src/client/crypto/Device.ts"
import * as DeviceChain from "../../../src/client/sealed/DeviceChain.ts"
import * as LinkCode from "../../../src/client/sealed/LinkCode.ts"
import * as Pin from "../../../src/client/sealed/Pin.ts"
import { safetyNumber } from "../../../src/client/sealed/SafetyNumber.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { DeviceEntry } from "../../../src/common/wire/SealingRequest.ts"
import { identity } from "../crypto/Crowd.ts"

const ada = UserName.make("Ada")
const desk = makeDevice(identity("Ada", "desk"))
const phone = makeDevice(identity("Ada", "phone"))

const chainOf = Effect.fnUntraced(function* (entries: ReadonlyArray<DeviceEntry>, before?: DeviceChain.DeviceChain) {
  const found = yield* DeviceChain.follow(ada, before, entries)
  assert(found !== undefined && DeviceChain.isChain(found), JSON.stringify(found))
  return found
})

const issueOf = Effect.fnUntraced(function* (entries: ReadonlyArray<DeviceEntry>, user = ada) {
  const found = yield* DeviceChain.follow(user, undefined, entries)
  return found !== undefined && !DeviceChain.isChain(found) ? found.issue : "none"
})

const next = Effect.fnUntraced(function* (signer: Device, after: DeviceEntry, op: "add" | "remove", device: Device) {
  return yield* DeviceChain.sign(signer, {
    n: after.n + 1,
    prev: yield* DeviceChain.hashOf(ada, after),
    op,
    device: device.identity.device,
    publicKey: op === "add" ? Base64.encode(device.publicKey) : ""
  })
})

/** Ada's desk, which signs her phone in. */
const two = Effect.gen(function* () {
  const [first, second] = [yield* desk, yield* phone]
  const begun = yield* DeviceChain.beginning(first, 1)
  return { first, second, entries: [begun, yield* next(first, begun, "add", second)] as const }
})

describe("A list of devices", () => {
  it.effect("is followed from where it was known, and knows who is in it and who was", () =>
    Effect.gen(function* () {
      const { entries, first, second } = yield* two
      const chain = yield* chainOf(entries)
      assert.deepStrictEqual([...chain.devices.keys()], ["desk", "phone"])
      const out = yield* next(second, entries[1], "remove", first)
      const after = yield* chainOf([out], chain)
      assert.deepStrictEqual([...after.devices.keys()], ["phone"])
      assert.deepStrictEqual([...after.ever.keys()], ["desk", "phone"])
      assert.strictEqual(after.root, chain.root)
      assert.deepStrictEqual(yield* chainOf([...entries, out]), after)
    })
  )

  it.effect("is refused where a server has changed, left out, moved or made up anything", () =>
    Effect.gen(function* () {
      const { entries, first, second } = yield* two
      const [begun, added] = entries
      const eve = yield* makeDevice(identity("Ada", "eve"))
      const cases: ReadonlyArray<readonly [ReadonlyArray<DeviceEntry>, RegExp]> = [
        [[begun, { ...added, publicKey: Base64.encode(eve.publicKey) }], /entry 2 is not signed by the device desk/],
        [[begun, { ...added, device: eve.identity.device }], /entry 2 is not signed/],
        [
          [
            { ...begun, n: 2 },
            { ...added, n: 3 }
          ],
          /entry 2 is not signed/
        ],
        [[begun, yield* next(eve, begun, "add", eve)], /entry 2 is by a device that is not in the list/],
        [[added], /entry 2 does not begin a list/],
        [[begun, yield* next(first, added, "remove", second)], /entry 3 does not follow entry 1/],
        [[begun, added, yield* next(first, added, "add", second)], /entry 3 adds a device that was in the list before/],
        [[begun, added, yield* next(first, added, "remove", eve)], /entry 3 removes a device that is not in the list/],
        [[begun, { ...added, signature: "" }], /entry 2 is not signed/],
        [[{ ...begun, publicKey: "AAAA" }], /entry 1 has no key of 32 bytes/]
      ]
      for (const [wrong, issue] of cases) assert.match(yield* issueOf(wrong), issue)
      assert.match(yield* issueOf(entries, UserName.make("ben")), /entry 1 is not signed/)
      // The name in another spelling is the same account's.
      assert.strictEqual(yield* issueOf(entries, UserName.make("ADA")), "none")
    })
  )

  it.effect("that begins anew is held until its owner is trusted again", () =>
    Effect.gen(function* () {
      const { entries, first } = yield* two
      const { pin } = Pin.first(yield* chainOf(entries))
      const anew = yield* makeDevice(identity("Ada", "new"))
      const { news, pin: held } = Pin.replaced(pin, yield* chainOf([yield* DeviceChain.beginning(anew, 3)]))
      assert.deepStrictEqual(news, [{ _tag: "ChainReplaced", user: ada, wasVerified: false }])
      assert.deepStrictEqual([...Pin.devicesOf(held).keys()], [])
      const key = Base64.encode(anew.publicKey)
      assert.isTrue(Pin.isKnown(held, "new", key), "who trusts it already may let it in, and is followed")
      assert.isFalse(Pin.isKnown(held, "new", Base64.encode(first.publicKey)))
      const trusted = Pin.trusted(held)
      assert.deepStrictEqual([...Pin.devicesOf(trusted).keys()], ["new"])
      assert.isTrue(Pin.isKnown(trusted, "new", key))
      assert.isTrue(Pin.isKnown(trusted, "desk", Base64.encode(first.publicKey)), "who catches up meets the old ones")
      assert.isFalse(Pin.isKnown(trusted, "desk", key))
    })
  )

  it.effect(
    "that begins anew is told louder where its safety number had been compared, until it is compared again",
    () =>
      Effect.gen(function* () {
        const { entries } = yield* two
        const compared = Pin.verified(Pin.first(yield* chainOf(entries)).pin)
        assert.isTrue(Pin.isVerified(compared))
        const anew = yield* makeDevice(identity("Ada", "new"))
        const other = yield* chainOf([yield* DeviceChain.beginning(anew, 3)])
        const { news, pin: held } = Pin.replaced(compared, other)
        assert.deepStrictEqual(news, [{ _tag: "ChainReplaced", user: ada, wasVerified: true }])
        assert.isFalse(Pin.isVerified(held))
        assert.isTrue(Pin.wasVerified(held))
        // Trusted without a look, it is not verified; compared first, it is.
        assert.isFalse(Pin.isVerified(Pin.trusted(held)))
        assert.isFalse(Pin.wasVerified(Pin.trusted(held)))
        assert.isTrue(Pin.isVerified(Pin.trusted(Pin.verified(held))))
      })
  )
})

describe("A safety number", () => {
  it("is the same for both, 60 digits, and another for another beginning", () => {
    const one = { user: ada, root: "one" }
    const other = { user: UserName.make("ben"), root: "two" }
    const number = safetyNumber(one, other)
    assert.match(number, /^(?:\d{5} ){11}\d{5}$/)
    assert.strictEqual(safetyNumber(other, one), number)
    assert.strictEqual(safetyNumber({ ...one, user: UserName.make("ADA") }, other), number)
    assert.notStrictEqual(safetyNumber({ ...one, root: "three" }, other), number)
    assert.notStrictEqual(safetyNumber({ ...one, user: UserName.make("adb") }, other), number)
    // Held fast: people have it on paper.
    assert.strictEqual(number, "08322 55779 13239 54416 48994 32933 52654 99765 96909 16876 74219 35264")
  })
})

describe("A code that links a device", () => {
  it.effect("makes one key pair for one device, however it is typed", () =>
    Effect.gen(function* () {
      const code = yield* LinkCode.make
      assert.match(code, /^(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{2}$/)
      const laptop = identity("Ada", "laptop")
      const made = yield* LinkCode.deviceOf(laptop, code, "root")
      assert.deepStrictEqual(yield* LinkCode.deviceOf(laptop, code.toLowerCase().replaceAll("-", " "), "root"), made)
      assert.notDeepEqual(
        (yield* LinkCode.deviceOf(identity("Ada", "other"), code, "root"))?.publicKey,
        made?.publicKey
      )
      assert.notDeepEqual((yield* LinkCode.deviceOf(laptop, yield* LinkCode.make, "root"))?.publicKey, made?.publicKey)
      assert.strictEqual(yield* LinkCode.deviceOf(laptop, code.slice(1), "root"), undefined)
      assert.notDeepEqual((yield* LinkCode.deviceOf(laptop, code, "another"))?.publicKey, made?.publicKey)
      assert(made !== undefined)
      assert.strictEqual(yield* issueOf([yield* DeviceChain.beginning(made, 1)]), "none")
    })
  )
})

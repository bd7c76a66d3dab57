/** Who a device says it is, and the key packages by which others add it. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { generateKeyPackageWithKey, signKeyPackage } from "ts-mls/keyPackage.js"
import { encodeMlsMessage } from "ts-mls/message.js"
import { credentialOf, identityIn, identityKey, isSameIdentity } from "../../../src/client/crypto/Identity.ts"
import { isFresh, makeKeyPackage, readKeyPackage, readPrivateKeys } from "../../../src/client/crypto/KeyPackage.ts"
import { capabilities, suite } from "../../../src/client/crypto/Suite.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { tries } from "../../support/generators.ts"
import { bytesOf, deviceOf, hex, identity, packageOf, trustingAll } from "./Crowd.ts"

const someone = Arbitrary.schema(Schema.Struct({ user: UserName, device: DeviceId }))
const basic = (bytes: ReadonlyArray<number>) => ({ credentialType: "basic" as const, identity: Uint8Array.from(bytes) })
const spelled = (user: ReadonlyArray<number>, device: ReadonlyArray<number>) =>
  basic([1, 0, user.length, ...user, 0, device.length, ...device])
const letters = (text: string) => [...bytesOf(text)]

const day = 86_400
/** The library looks at the clock of the process when a device is added. */
const realTime = () => Date.now()
const days = (from: number, to: number) => {
  const now = Math.floor(realTime() / 1000)
  return { notBefore: BigInt(now + from * day), notAfter: BigInt(now + to * day) }
}

describe("The identity in a credential", () => {
  it.prop(
    "is who it was made of",
    [someone],
    ([person]) => {
      assert.deepStrictEqual(identityIn(credentialOf(person)), person)
    },
    tries(100)
  )

  it.prop(
    "is another one for every two who are not the same",
    [someone, someone],
    ([one, other]) => {
      const credentials = [one, other].map((person) => JSON.stringify(credentialOf(person)))
      const isSame = one.user === other.user && one.device === other.device
      assert.strictEqual(credentials[0] === credentials[1], isSame)
    },
    tries(100)
  )

  it("is none in bytes that are not spelled so, or name nobody who could be here", () => {
    assert.deepStrictEqual(identityIn(spelled(letters("ada"), letters("desk"))), identity("ada"))
    const others = [
      basic([]),
      basic([1]),
      basic([1, 0, 3, ...letters("ada"), 0]),
      basic([2, 0, 3, ...letters("ada"), 0, 4, ...letters("desk")]),
      basic([1, 0, 3, ...letters("ada"), 0, 4, ...letters("desk"), 0]),
      basic([1, 0, 3, ...letters("ada"), 0, 5, ...letters("desk")]),
      spelled([], letters("desk")),
      spelled(letters("ada"), []),
      spelled(letters("ada"), [0x1b, 0x5b]),
      spelled([0x1b, 0x5b], letters("desk")),
      spelled([0xff], letters("desk")),
      spelled([...letters("a"), 0xcc, 0x81, 0xef, 0xbb, 0xbf], letters("desk")),
      // Not in the form that names are kept in.
      spelled(letters("Ａｄａ"), letters("desk")),
      spelled(letters("a".repeat(33)), letters("desk")),
      spelled(letters("ada"), letters("d".repeat(65)))
    ]
    assert.deepStrictEqual(
      others.map(identityIn).filter((person) => person !== undefined),
      []
    )
    assert.isUndefined(identityIn({ credentialType: "x509", certificates: [bytesOf("ada")] }))
  })

  it("is the same for two spellings of a name, and another for another device", () => {
    assert.isTrue(isSameIdentity(identity("ada"), identity("ADA")))
    assert.isFalse(isSameIdentity(identity("ada"), identity("ada", "phone")))
    assert.notStrictEqual(identityKey(identity("ada", "ab")), identityKey(identity("adaa", "b")))
  })
})

describe("A key package", () => {
  it.live("tells who it is of, and is named alike by both", () =>
    Effect.gen(function* () {
      const ada = yield* deviceOf("ada")
      const own = yield* makeKeyPackage(ada, "once")
      const asked: Array<string> = []
      const read = yield* readKeyPackage(own.publicBytes, (who, key) => asked.push(`${who.user} ${hex(key)}`) > 0)
      assert.deepStrictEqual(read.identity, ada.identity)
      assert.deepStrictEqual(read.publicKey, ada.publicKey)
      assert.deepStrictEqual(read.ref, own.ref)
      assert.deepStrictEqual(asked, [`ada ${hex(ada.publicKey)}`])
      const another = yield* makeKeyPackage(ada, "once")
      assert.notStrictEqual(hex(another.ref), hex(own.ref))
    })
  )

  it.live("is refused if who asks does not know the key", () =>
    Effect.gen(function* () {
      const own = yield* makeKeyPackage(yield* deviceOf("ada"), "once")
      const error = yield* Effect.flip(readKeyPackage(own.publicBytes, () => false))
      assert.deepInclude(error, { _tag: "Untrusted", user: "ada", device: "desk" })
    })
  )

  it.live("is refused if any bit of it was changed", () =>
    Effect.gen(function* () {
      const { publicBytes } = yield* makeKeyPackage(yield* deviceOf("ada"), "once")
      for (let index = 0; index < publicBytes.length; index++) {
        const changed = publicBytes.with(index, (publicBytes[index] ?? 0) ^ (1 << (index % 8)))
        yield* Effect.flip(readKeyPackage(changed, trustingAll))
      }
      for (const bytes of [publicBytes.subarray(1), Uint8Array.from([...publicBytes, 0])]) {
        yield* Effect.flip(readKeyPackage(bytes, trustingAll))
      }
      const error = yield* Effect.flip(readKeyPackage(new Uint8Array(2049), trustingAll))
      assert.deepInclude(error, { _tag: "TooLarge", limit: 2048 })
    })
  )

  it.live("has one spelling: a length that could be shorter is refused, though the signature holds", () =>
    Effect.gen(function* () {
      const { publicBytes } = yield* makeKeyPackage(yield* deviceOf("ada"), "once")
      // The 32 of the init key, behind two versions, the format and the suite, in two bytes.
      assert.strictEqual(publicBytes[8], 32)
      const longer = Uint8Array.from([...publicBytes.subarray(0, 8), 0x40, 32, ...publicBytes.subarray(9)])
      assert.strictEqual((yield* Effect.flip(readKeyPackage(longer, trustingAll)))._tag, "Damaged")
    })
  )

  it.live("is refused if it has one key for two purposes", () =>
    Effect.gen(function* () {
      const ada = yield* deviceOf("ada")
      const cs = yield* suite
      const { read } = yield* packageOf(ada)
      const signed = (initKey: Uint8Array) =>
        Effect.promise(() => signKeyPackage({ ...read.mls, initKey }, ada.privateKey, cs.signature)).pipe(
          Effect.map((keyPackage) => encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage })),
          Effect.flatMap((bytes) => readKeyPackage(bytes, trustingAll))
        )
      yield* signed(read.mls.initKey)
      const error = yield* Effect.flip(signed(read.mls.leafNode.hpkePublicKey))
      assert.deepInclude(error, { _tag: "Damaged", issue: "a key package has no key of its own" })
    })
  )

  it.effect("is good for a year, and for a clock that is a day slow", () =>
    Effect.gen(function* () {
      const now = realTime()
      yield* TestClock.setTime(now)
      const ada = yield* deviceOf("ada")
      const made = yield* makeKeyPackage(ada, "once")
      const keys = yield* readPrivateKeys(made.privateBytes)
      const outcomeAt = Effect.fnUntraced(function* (days: number) {
        yield* TestClock.setTime(now + days * day * 1000)
        return yield* Effect.match(readKeyPackage(made.publicBytes, trustingAll), {
          onFailure: ({ _tag }) => _tag,
          onSuccess: () => "good"
        })
      })
      const outcomes: Array<string> = []
      for (const days of [-1.1, -0.9, 364, 366]) outcomes.push(yield* outcomeAt(days))
      const expired = "KeyPackageExpired"
      assert.deepStrictEqual(outcomes, [expired, "good", "good", expired])
      yield* TestClock.setTime(now + 182 * day * 1000)
      assert.isTrue(yield* isFresh(keys))
      yield* TestClock.setTime(now + 183 * day * 1000)
      assert.isFalse(yield* isFresh(keys))
    })
  )

  it.live("is refused if it keeps other rules than ours", () =>
    Effect.gen(function* () {
      const ada = yield* deviceOf("ada")
      const cs = yield* suite
      const keys = { signKey: ada.privateKey, publicKey: ada.publicKey }
      const extension = { extensionType: 0xff01, extensionData: new Uint8Array(1) }
      const make = (changed: {
        readonly lifetime?: ReturnType<typeof days>
        readonly can?: ReturnType<typeof capabilities>
        readonly extensions?: Array<typeof extension>
        readonly inLeaf?: Array<typeof extension>
        readonly name?: string
      }) =>
        Effect.promise(() =>
          generateKeyPackageWithKey(
            changed.name === undefined ? credentialOf(ada.identity) : basic(letters(changed.name)),
            changed.can ?? capabilities(),
            changed.lifetime ?? days(-1, 90),
            changed.extensions ?? [],
            keys,
            cs,
            changed.inLeaf
          )
        ).pipe(
          Effect.map(({ publicPackage }) =>
            encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage: publicPackage })
          ),
          Effect.flatMap((bytes) => readKeyPackage(bytes, trustingAll))
        )
      yield* make({})
      const refused = [
        make({ lifetime: days(-1, 400) }),
        make({ lifetime: { notBefore: 0n, notAfter: 2n ** 63n } }),
        make({ can: { ...capabilities(), extensions: [0xff01] } }),
        make({ can: { ...capabilities(), proposals: [0xff01] } }),
        make({ can: { ...capabilities(), credentials: ["basic", "x509"] } }),
        make({ can: { ...capabilities(), ciphersuites: [] } }),
        make({ extensions: [extension] }),
        make({ inLeaf: [extension] }),
        make({ name: "ada" })
      ]
      const tags = yield* Effect.forEach(refused, (made) => Effect.map(Effect.flip(made), ({ _tag }) => _tag))
      const damaged = "Damaged"
      const expired = "KeyPackageExpired"
      assert.deepStrictEqual(tags, [expired, expired, ...Array.from({ length: 7 }, () => damaged)])
    })
  )
})

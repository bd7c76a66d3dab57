/** What every keeper of device lists has to do: chains go on one by one, and each key package is handed out once. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, Context, Effect, Layer, Result } from "effect"
import { maxDevices } from "../../../src/common/wire/AccountMessage.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { type DeviceEntry, maxDeviceEntries, maxKeyPackages } from "../../../src/common/wire/SealingRequest.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { DeviceLists } from "../../../src/server/accounts/DeviceLists.ts"
import type { OwnedDevice } from "../../../src/server/governance/Sealing.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"
import { hash, newAccount } from "./AccountsAsked.ts"

export const entryOf = (n: number, device: DeviceId, over: Partial<DeviceEntry> = {}): DeviceEntry => ({
  n,
  prev: n === 1 ? "" : "AAAA",
  op: "add",
  device,
  publicKey: "BBBB",
  by: device,
  signature: "CCCC",
  ...over
})

/** So many packages, all different. */
const packagesOf = (label: string, count: number) =>
  Arr.makeBy(count, (index) => Buffer.from(`${label} ${index}`).toString("base64"))

let accountsMade = 0

/** An account with so many devices, none in its list. */
export const ownerOf = Effect.fnUntraced(function* (services: Context.Context<Accounts>, count: number) {
  const accounts = Context.get(services, Accounts)
  const name = `owner${++accountsMade}`
  const created = Result.getOrThrow(yield* accounts.create(newAccount(name)))
  const devices: Array<OwnedDevice> = []
  for (let number = 0; number < count; number++) {
    const token = hash(`${name} ${number}`)
    const added = yield* accounts.addDevice(created.account.id, { name: `device ${number}`, token }, 100)
    devices.push({ account: created.account.id, device: Result.getOrThrow(added) })
  }
  return devices
})

export const deviceListsContract = <E>(name: string, fresh: Layer.Layer<Accounts | DeviceLists, E>, runs = 30) => {
  const withLists = <A, F>(
    use: (lists: DeviceLists["Service"], services: Context.Context<Accounts | DeviceLists>) => Effect.Effect<A, F>
  ) =>
    Effect.scoped(
      Effect.gen(function* () {
        const services = yield* Layer.build(fresh)
        return yield* use(Context.get(services, DeviceLists), services)
      })
    )

  describe(`${name}, a list of devices,`, () => {
    it.live("grows by the next entry alone, is read in pages, and begins anew by an entry without the one before", () =>
      withLists(
        Effect.fnUntraced(function* (lists, services) {
          const [one, two] = yield* ownerOf(services, 2)
          assert(one !== undefined && two !== undefined)
          const { account } = one
          const first = entryOf(1, one.device)
          for (const wrong of [0, 2]) {
            const refused = yield* lists.publish(account, { ...first, n: wrong })
            assert.deepStrictEqual(refused, Result.fail({ _tag: "Stale", n: 0 }))
          }
          const chain = [first, entryOf(2, two.device), entryOf(3, one.device, { op: "remove" })]
          for (const entry of chain) assert.deepStrictEqual(yield* lists.publish(account, entry), Result.void)
          assert.deepStrictEqual(
            yield* lists.publish(account, entryOf(3, one.device)),
            Result.fail({ _tag: "Stale", n: 3 })
          )
          assert.deepStrictEqual(yield* lists.entries(account, 0, 2), chain.slice(0, 2))
          assert.deepStrictEqual(yield* lists.entries(account, 2, 9), chain.slice(2))
          assert.deepStrictEqual((yield* lists.all).get(account), { n: 3, devices: new Map([[two.device, 2]]) })
          yield* lists.addPackages(one, packagesOf("before", 3), "TEFTVA==")
          const anew = entryOf(4, one.device, { prev: "" })
          assert.deepStrictEqual(yield* lists.publish(account, anew), Result.void)
          assert.deepStrictEqual(yield* lists.entries(account, 0, 9), [anew])
          // What was left with the keys of before lets nobody in.
          assert.deepStrictEqual(yield* lists.claim([{ ...one, isLastResort: false }]), [undefined])
          assert.strictEqual(yield* lists.addPackages(one, packagesOf("before", 3), undefined), 0)
          assert.strictEqual(yield* lists.addPackages(one, packagesOf("behind", 2), undefined), 2)
          assert.deepStrictEqual((yield* lists.all).get(account), { n: 4, devices: new Map([[one.device, 4]]) })
        })
      )
    )

    it.live("has so many devices and entries and no more, and goes with its account", () =>
      withLists(
        Effect.fnUntraced(function* (lists, services) {
          const [owned] = yield* ownerOf(services, 1)
          assert(owned !== undefined)
          const { account } = owned
          for (let n = 1; n <= maxDevices; n++) yield* lists.publish(account, entryOf(n, DeviceId.make(`d${n}`)))
          const full = yield* lists.publish(account, entryOf(maxDevices + 1, DeviceId.make("more")))
          assert.deepStrictEqual(full, Result.fail({ _tag: "TooManyDevices" }))
          for (let n = maxDevices + 1; n <= maxDeviceEntries; n++) {
            yield* lists.publish(account, entryOf(n, DeviceId.make("d1"), { op: n % 2 === 0 ? "add" : "remove" }))
          }
          const next = entryOf(maxDeviceEntries + 1, DeviceId.make("d1"), { op: "remove" })
          assert.deepStrictEqual(yield* lists.publish(account, next), Result.fail({ _tag: "TooManyEntries" }))
          assert.deepStrictEqual(yield* lists.publish(account, { ...next, op: "add", prev: "" }), Result.void)
          yield* Context.get(services, Accounts).setState(account, "Deleted", undefined)
          assert.deepStrictEqual(yield* lists.entries(account, 0, 9), [])
          assert.deepStrictEqual(yield* lists.claim([{ ...owned, isLastResort: false }]), [undefined])
        })
      )
    )
  })

  describe(`${name}, a key package,`, () => {
    it.live("is handed out once, whoever asks at the same time, and then the last resort is", () =>
      withLists(
        Effect.fnUntraced(function* (lists, services) {
          const [device] = yield* ownerOf(services, 1)
          assert(device !== undefined)
          assert.strictEqual(yield* lists.addPackages(device, packagesOf("once", 20), "TEFTVA=="), 20)
          const claims = Arr.makeBy(12, () =>
            lists.claim([
              { ...device, isLastResort: false },
              { ...device, isLastResort: false }
            ])
          )
          const given = (yield* Effect.all(claims, { concurrency: "unbounded" })).flat()
          const once = given.filter((one) => one !== "TEFTVA==")
          assert.strictEqual(new Set(once).size, 20)
          assert.sameMembers(once, packagesOf("once", 20))
          assert.lengthOf(given, 24)
          // Those that were handed out are no new ones.
          assert.strictEqual(yield* lists.addPackages(device, packagesOf("once", 21), undefined), 1)
        })
      )
    )

    it.live("is one of a device that the account has, of which so many wait and no more", () =>
      withLists(
        Effect.fnUntraced(function* (lists, services) {
          const [one, other] = yield* ownerOf(services, 2)
          const [stranger] = yield* ownerOf(services, 1)
          assert(one !== undefined && other !== undefined && stranger !== undefined)
          assert.strictEqual(yield* lists.addPackages({ ...one, account: stranger.account }, ["AAAA"], "BBBB"), 0)
          for (const label of ["a", "b", "c", "d", "e"]) yield* lists.addPackages(one, packagesOf(label, 24), undefined)
          assert.strictEqual(yield* lists.addPackages(one, ["AAAA"], "BBBB"), maxKeyPackages)
          const foreign = yield* lists.claim([{ ...one, account: stranger.account, isLastResort: false }])
          assert.deepStrictEqual(foreign, [undefined])
          const claimed = yield* lists.claim([
            { ...one, isLastResort: false },
            { ...one, isLastResort: true },
            { ...other, isLastResort: false }
          ])
          assert.deepStrictEqual(claimed, [packagesOf("a", 1)[0], "BBBB", undefined])
          yield* Context.get(services, Accounts).removeDevice(one.account, one.device)
          assert.deepStrictEqual(yield* lists.claim([{ ...one, isLastResort: false }]), [undefined])
          assert.strictEqual(yield* lists.addPackages(one, ["CCCC"], undefined), 0)
        })
      )
    )

    const someStep = Arbitrary.all([
      oneOf("add", "add", "claim", "claim", "last"),
      wholeNumber(0, 12),
      wholeNumber(1, 3)
    ])
    it.effect.prop(
      "is what a list of those that wait says, whatever was asked before",
      [Arbitrary.array(someStep, { maxLength: 25 })],
      ([steps]) =>
        withLists(
          Effect.fnUntraced(function* (lists, services) {
            const [device] = yield* ownerOf(services, 1)
            assert(device !== undefined)
            let waiting: ReadonlyArray<string> = []
            let last: string | undefined
            const known = new Set<string>()
            for (const [what, number, count] of steps) {
              if (what === "claim") {
                const claims = Arr.makeBy(count, () => ({ ...device, isLastResort: number === 0 }))
                const expected = claims.map(({ isLastResort }) => {
                  const [first, ...rest] = isLastResort ? [] : waiting
                  if (first !== undefined) waiting = rest
                  return first ?? last
                })
                assert.deepStrictEqual(yield* lists.claim(claims), expected)
                continue
              }
              const given = what === "last" ? [] : packagesOf(`${number}`, count)
              const fresh = given.filter((one) => !known.has(one))
              waiting = [...waiting, ...fresh]
              for (const one of fresh) known.add(one)
              const lastResort = what === "last" ? Buffer.from(`last ${number}`).toString("base64") : undefined
              last = lastResort ?? last
              assert.strictEqual(yield* lists.addPackages(device, given, lastResort), waiting.length)
            }
          })
        ),
      tries(runs)
    )
  })
}

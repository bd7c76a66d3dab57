/** What every layer of `Accounts` must do, in memory or on disk: call it with a layer that begins with nothing. */
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, type Layer, Option, Result } from "effect"
import { UserName } from "../../../src/common/name/UserName.ts"
import { maxBlocked, maxDevices, maxKeys } from "../../../src/common/wire/AccountMessage.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { Blocked, NewInvite } from "../../../src/server/accounts/Account.ts"
import { Accounts, maxInvites } from "../../../src/server/accounts/Accounts.ts"
import { Partner } from "../../../src/server/history/Partner.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { hash, key, newAccount, password } from "./AccountsAsked.ts"
import { accountsProperties, type Fresh } from "./AccountsProperties.ts"

export const accountsContract = <LayerError>(
  name: string,
  layer: Layer.Layer<Accounts, LayerError>,
  runs = 100
): void => {
  const fresh: Fresh<LayerError> = (effect) => Effect.provide(effect, layer, { local: true })

  const made = Effect.fnUntraced(function* (name: string, over: Parameters<typeof newAccount>[1] = {}) {
    const accounts = yield* Accounts
    const created = yield* accounts.create(newAccount(name, over))
    assert.isTrue(Result.isSuccess(created), `${name} was not made`)
    return yield* Result.match(created, { onSuccess: Effect.succeed, onFailure: Effect.die })
  })
  const device = (label: string, token: string) => ({ name: label, token: hash(token) })
  const use = Effect.fnUntraced(function* (user: string, token: string, next: string, at = 100, label?: string) {
    const accounts = yield* Accounts
    const found = yield* accounts.useToken(UserName.make(user), hash(token), hash(next), at, label)
    return Option.map(found, ({ device }) => device.id)
  })

  describe(`${name}, as Accounts,`, () => {
    accountsProperties(fresh, runs)

    it.effect("lists accounts by their names, whatever their case and script, page by page", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const names = ["zoe", "Ada", "bob", "Ж", "𠀀", "STRASSE", "ﾀ", "9", "a.b", "A-b", "漢"]
        for (const name of names) yield* made(name.normalize("NFKC"))
        const all = yield* accounts.list(undefined, 100)
        assert.deepStrictEqual(
          all.map(({ user }) => user),
          ["9", "A-b", "a.b", "Ada", "bob", "STRASSE", "zoe", "Ж", "タ", "漢", "𠀀"]
        )
        for (const limit of [1, 2, 3, 11]) {
          const paged: Array<string> = []
          let page = yield* accounts.list(undefined, limit)
          while (page.length > 0) {
            paged.push(...page.map(({ user }) => user))
            page = yield* accounts.list(page.at(-1)?.user, limit)
          }
          assert.deepStrictEqual(
            paged,
            all.map(({ user }) => user)
          )
        }
        // Behind a name that there is not.
        assert.strictEqual((yield* accounts.list(UserName.make("BO"), 1))[0]?.user, "bob")
      }).pipe(fresh)
    )

    it.effect("uses an invite as often as it says, and not once after it has run out", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const once = (over: Partial<NewInvite>): NewInvite => ({
          code: hash("once"),
          uses: 1,
          expires: undefined,
          ...over
        })
        const refusal = (name: string, invite: string, at = 100) =>
          Effect.map(
            accounts.create(newAccount(name, { invite: hash(invite), at })),
            Result.match({ onSuccess: () => "made", onFailure: (refused): string => refused })
          )
        yield* accounts.addInvite(once({}), 100)
        yield* accounts.addInvite(once({ code: hash("twice"), uses: 2, expires: 200 }), 100)
        assert.strictEqual(yield* refusal("a", "never"), "InvalidInvite")
        yield* made("taken")
        // Who is refused for another reason has not used it.
        assert.strictEqual(yield* refusal("TAKEN", "once"), "AccountExists")
        assert.strictEqual(yield* refusal("a", "once"), "made")
        assert.strictEqual(yield* refusal("b", "once"), "InvalidInvite")
        assert.strictEqual(yield* refusal("b", "twice", 199), "made")
        assert.strictEqual(yield* refusal("c", "twice", 200), "InvalidInvite")
        assert.isTrue(Option.isNone(yield* accounts.find(UserName.make("c"))))
        assert.strictEqual(yield* refusal("c", "twice", 199), "made")
        assert.strictEqual(yield* refusal("d", "twice", 199), "InvalidInvite")
      }).pipe(fresh)
    )

    it.effect("keeps so many invites and no more, not counting those that are used up or have run out", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const add = (code: string, expires: number | undefined, now: number) =>
          Effect.map(accounts.addInvite({ code: hash(code), uses: 1, expires }, now), Result.isSuccess)
        yield* Effect.forEach(
          Arr.range(1, maxInvites),
          (number) => add(`${number}`, number === 1 ? 50 : undefined, 1),
          {
            concurrency: "unbounded"
          }
        )
        assert.isFalse(yield* add("more", undefined, 1))
        assert.isTrue(yield* add("more", undefined, 50))
        assert.isFalse(yield* add("another", undefined, 50))
        yield* made("ada", { invite: hash("more") })
        assert.isTrue(yield* add("another", undefined, 50))
      }).pipe(fresh)
    )

    it.effect(
      "keeps whom an account has blocked, each once and so many, until it is unblocked or the account is deleted",
      () =>
        Effect.gen(function* () {
          const accounts = yield* Accounts
          const { account: ada } = yield* made("ada")
          const { account: ben } = yield* made("ben")
          const guest = (name: string): Blocked => ({ partner: Partner.make(name), user: UserName.make(name) })
          const blockedBy = (account: AccountId) =>
            Effect.map(accounts.blocked(account), (all) =>
              all.map(({ partner, user }) => `${partner} ${user}`).toSorted()
            )
          const block = (account: AccountId, blocked: Blocked) =>
            Effect.map(accounts.block(account, blocked), Result.isSuccess)
          const number = Partner.make(`#${ben.id}`)
          assert.isTrue(yield* block(ada.id, { partner: number, user: ben.user }))
          assert.isTrue(yield* block(ada.id, { ...guest("zed"), user: UserName.make("Zed") }))
          assert.isTrue(yield* block(ada.id, guest("zed")))
          assert.isTrue(yield* block(ben.id, guest("zed")))
          assert.isTrue(yield* block(AccountId.make(99), guest("zed")))
          assert.deepStrictEqual(yield* blockedBy(ada.id), [`${number} ben`, "zed Zed"])
          assert.deepStrictEqual(yield* blockedBy(AccountId.make(99)), [])

          const [first, ...others] = yield* accounts.blockers(undefined, 1)
          assert.deepStrictEqual([first?.account, first?.blocked.length, others.length], [ada.id, 2, 0])
          const next = yield* accounts.blockers(ada.id, 9)
          assert.deepStrictEqual(next, [{ account: ben.id, blocked: [guest("zed")] }])
          assert.deepStrictEqual(yield* accounts.blockers(ben.id, 9), [])

          yield* accounts.unblock(ada.id, [Partner.make("zed"), Partner.make("nobody")])
          assert.deepStrictEqual(yield* blockedBy(ada.id), [`${number} ben`])
          for (let count = 1; count < maxBlocked; count++) assert.isTrue(yield* block(ada.id, guest(`g${count}`)))
          assert.isFalse(yield* block(ada.id, guest("more")))
          assert.isTrue(yield* block(ada.id, guest("g1")))

          // What is blocked stays so when it goes; who blocks takes it along.
          yield* accounts.setState(ben.id, "Deleted", undefined)
          assert.deepStrictEqual(yield* blockedBy(ben.id), [])
          assert.strictEqual((yield* accounts.blocked(ada.id)).length, maxBlocked)
          assert.isTrue(yield* block(ben.id, guest("zed")))
          assert.deepStrictEqual(yield* blockedBy(ben.id), [])
        }).pipe(fresh)
    )

    it.effect("takes so many devices and keys and no more, and none of who is not active", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const { account } = yield* made("ada", { device: device("first", "0") })
        for (let count = 1; count < maxDevices; count++) {
          assert.isTrue(Result.isSuccess(yield* accounts.addDevice(account.id, device("next", `${count}`), 100)))
        }
        assert.deepStrictEqual(
          yield* accounts.addDevice(account.id, device("more", "more"), 100),
          Result.fail("TooManyDevices")
        )
        assert.isTrue(Option.isNone(yield* use("ada", "more", "next")))
        for (let count = 0; count < maxKeys; count++) {
          assert.isTrue(Result.isSuccess(yield* accounts.addKey(account.id, key(`${count}`))))
        }
        assert.deepStrictEqual(yield* accounts.addKey(account.id, key("more")), Result.fail("TooManyKeys"))
        // One that is there is no more.
        assert.isTrue(Result.isSuccess(yield* accounts.addKey(account.id, key("3", { name: "laptop" }))))
        const keys = yield* accounts.keys(account.id)
        assert.strictEqual(keys.length, maxKeys)
        assert.deepStrictEqual(keys[3], key("3", { name: "laptop" }))
        // Without a name it keeps the one it has.
        yield* accounts.addKey(account.id, key("3"))
        assert.strictEqual((yield* accounts.keys(account.id))[3]?.name, "laptop")

        yield* accounts.setState(account.id, "Disabled", "spam")
        assert.deepStrictEqual(
          yield* accounts.addDevice(account.id, device("late", "late"), 100),
          Result.fail("NotActive")
        )
        assert.deepStrictEqual(
          yield* accounts.addDevice(AccountId.make(999), device("late", "late"), 100),
          Result.fail("NotActive")
        )
      }).pipe(fresh)
    )

    it.effect("takes the newest token of a device and the one before, by the account's name, and no other", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const { device: id = DeviceId.make("none") } = yield* made("ada", { device: device("laptop", "1") })
        yield* made("bob", { device: device("phone", "other") })
        assert.deepStrictEqual(yield* use("ADA", "1", "2"), Option.some(id))
        // Killed before it could keep 2: 1 is good still, and 2 is not any more.
        assert.deepStrictEqual(yield* use("ada", "1", "3"), Option.some(id))
        assert.deepStrictEqual(yield* use("ada", "2", "4"), Option.none())
        assert.deepStrictEqual(yield* use("ada", "3", "4"), Option.some(id))
        assert.deepStrictEqual(yield* use("ada", "1", "5"), Option.none())
        assert.deepStrictEqual(yield* use("ada", "3", "5"), Option.some(id))
        assert.deepStrictEqual(yield* use("ada", "5", "6"), Option.some(id))
        assert.deepStrictEqual(yield* use("bob", "6", "7"), Option.none())
        assert.deepStrictEqual(yield* use("nobody", "6", "7"), Option.none())
        assert.deepStrictEqual(yield* use("ada", "6", "8", 500, "new laptop"), Option.some(id))
        const { account } = yield* made("carol")
        assert.deepStrictEqual(yield* accounts.devices(account.id), [])
        const ada = Option.getOrThrow(yield* accounts.find(UserName.make("ada")))
        assert.strictEqual(ada.account.lastSeen, 500)
        assert.deepStrictEqual(yield* accounts.devices(ada.account.id), [
          { id, name: "new laptop", since: 100, lastSeen: 500 }
        ])
      }).pipe(fresh)
    )

    it.effect("tells who has a good token of a disabled account, and changes nothing", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const { account, device: id = DeviceId.make("none") } = yield* made("ada", { device: device("laptop", "1") })
        assert.deepStrictEqual(yield* accounts.setState(account.id, "Disabled", "spam"), [id])
        const recognised = yield* accounts.useToken(account.user, hash("1"), hash("2"), 900, "other")
        assert.deepStrictEqual(
          recognised,
          Option.some({
            account: { ...account, state: "Disabled" as const, reason: "spam" },
            device: { id, name: "laptop", since: 100, lastSeen: 100 }
          })
        )
        yield* accounts.setState(account.id, "Active", undefined)
        assert.deepStrictEqual(yield* use("ada", "2", "3"), Option.none())
        assert.deepStrictEqual(yield* use("ada", "1", "3"), Option.some(id))
      }).pipe(fresh)
    )

    it.effect("removes a device of the account it belongs to alone, and its token with it", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const ada = yield* made("ada", { device: device("laptop", "1") })
        const bob = yield* made("bob", { device: device("phone", "2") })
        const id = ada.device ?? DeviceId.make("none")
        assert.isFalse(yield* accounts.removeDevice(bob.account.id, id))
        for (const odd of ["", "0", "01", "-1", "1e0", "1.0", " 1", "99999999999999999999", "x"].filter(Boolean)) {
          assert.isFalse(yield* accounts.removeDevice(ada.account.id, DeviceId.make(odd)), odd)
        }
        assert.isTrue(yield* accounts.removeDevice(ada.account.id, id))
        assert.isFalse(yield* accounts.removeDevice(ada.account.id, id))
        assert.deepStrictEqual(yield* use("ada", "1", "3"), Option.none())
        // Its name is not given again.
        const next = yield* accounts.addDevice(ada.account.id, device("laptop", "4"), 100)
        assert.notStrictEqual(Result.getOrThrow(next), id)
      }).pipe(fresh)
    )

    it.effect("ends, with a password, a reset code and all devices but one", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const reset = { code: hash("reset"), expires: 700 }
        const { account, device: id } = yield* made("ada", { password: undefined, reset, device: device("a", "1") })
        const other = Result.getOrThrow(yield* accounts.addDevice(account.id, device("b", "2"), 100))
        const third = Result.getOrThrow(yield* accounts.addDevice(account.id, device("c", "3"), 100))
        assert.deepStrictEqual(
          yield* accounts.setPassword(account.id, password("next"), other),
          Option.some(Arr.getSomes([Option.fromUndefinedOr(id), Option.some(third)]))
        )
        const now = Option.getOrThrow(yield* accounts.get(account.id))
        assert.deepStrictEqual(now, { account, password: password("next"), reset: undefined })
        // Hashed in another way, but only if it is the same still.
        yield* accounts.rehash(account.id, password("before"), password("wrong"))
        yield* accounts.rehash(account.id, password("next"), password("stronger"))
        assert.strictEqual(Option.getOrThrow(yield* accounts.get(account.id)).password, password("stronger"))
        yield* accounts.addKey(account.id, key("1"))
        assert.deepStrictEqual(yield* accounts.reset(account.id, reset), [other])
        assert.deepStrictEqual(Option.getOrThrow(yield* accounts.get(account.id)), {
          account,
          password: undefined,
          reset
        })
        assert.deepStrictEqual(yield* accounts.keys(account.id), [])
        // Whoever was logged out by that meanwhile does not have the last word.
        assert.deepStrictEqual(yield* accounts.setPassword(account.id, password("mine"), other), Option.none())
        assert.deepStrictEqual(Option.getOrThrow(yield* accounts.get(account.id)).reset, reset)
      }).pipe(fresh)
    )

    it.effect("keeps the name of a deleted account until it is freed, and gives its number to nobody", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const { account, device: id } = yield* made("Ada", { device: device("laptop", "1") })
        yield* accounts.addKey(account.id, key("1"))
        assert.isFalse(yield* accounts.free(account.id))
        assert.sameOrderedMembers([...(yield* accounts.setState(account.id, "Deleted", undefined))], [id])
        assert.deepStrictEqual(yield* accounts.create(newAccount("ada")), Result.fail("AccountExists"))
        // Nothing comes back to it.
        yield* accounts.setPassword(account.id, password("next"), undefined)
        yield* accounts.addKey(account.id, key("2"))
        assert.deepStrictEqual(yield* accounts.setState(account.id, "Active", undefined), [])
        assert.deepStrictEqual(Option.getOrThrow(yield* accounts.find(UserName.make("ADA"))), {
          account: { ...account, state: "Deleted" },
          password: undefined,
          reset: undefined
        })
        assert.deepStrictEqual(yield* accounts.keys(account.id), [])
        assert.isTrue(yield* accounts.free(account.id))
        assert.isFalse(yield* accounts.free(account.id))
        assert.deepStrictEqual(yield* accounts.list(undefined, 9), [])
        const again = yield* made("ada")
        assert.isAbove(again.account.id, account.id)
        assert.isTrue(Option.isNone(yield* accounts.get(account.id)))
      }).pipe(fresh)
    )

    it.effect("carries out what comes at once as if one came after the other", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        yield* accounts.addInvite({ code: hash("three"), uses: 3, expires: undefined }, 1)
        const made = yield* Effect.forEach(
          Arr.range(1, 40),
          (number) => accounts.create(newAccount(`user${number % 20}`, { invite: hash("three") })),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(made.filter(Result.isSuccess).length, 3)
        assert.strictEqual((yield* accounts.list(undefined, 99)).length, 3)
      }).pipe(fresh)
    )
  })
}

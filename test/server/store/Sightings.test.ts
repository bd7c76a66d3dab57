import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { Account } from "../../../src/server/accounts/Account.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { maxSightings, Sightings } from "../../../src/server/store/Sightings.ts"

const account = (id: number): Account => ({
  id: AccountId.make(id),
  user: UserName.make("ada"),
  since: 1,
  lastSeen: 5,
  isAdmin: false,
  state: "Active",
  reason: undefined
})
const laptop = DeviceId.make("1")

describe("What was seen", () => {
  it("is known at once, and never goes back", () => {
    const sightings = new Sightings()
    sightings.note(AccountId.make(1), laptop, 9)
    sightings.note(AccountId.make(1), laptop, 7)
    sightings.note(AccountId.make(2), undefined, 3)
    assert.deepStrictEqual(
      [1, 2, 3].map((id) => sightings.account(account(id)).lastSeen),
      [9, 5, 5]
    )
    assert.strictEqual(sightings.device({ id: laptop, name: "laptop", since: 1, lastSeen: 2 }).lastSeen, 9)
  })

  it.effect("is handed out once to be stored, but again if it was later meanwhile, or was not stored", () =>
    Effect.gen(function* () {
      const sightings = new Sightings()
      const stored: Array<unknown> = []
      sightings.note(AccountId.make(1), laptop, 9)
      sightings.note(AccountId.make(2), undefined, 9)
      yield* Effect.flip(sightings.store(() => Effect.fail("the disk is full")))
      yield* sightings.store((accounts, devices) =>
        Effect.sync(() => {
          stored.push(accounts, devices)
          sightings.note(AccountId.make(1), undefined, 10)
        })
      )
      yield* sightings.store((accounts, devices) => Effect.sync(() => stored.push(accounts, devices)))
      assert.deepStrictEqual(stored, [
        [
          [1, 9],
          [2, 9]
        ],
        [["1", 9]],
        [[1, 10]],
        []
      ])
      assert.isTrue(sightings.isEmpty)
    })
  )

  it("is of so many accounts and no more, until it is stored", () => {
    const sightings = new Sightings()
    for (let id = 1; id <= maxSightings + 5; id++) sightings.note(AccountId.make(id), DeviceId.make(`${id}`), 9)
    assert.isTrue(sightings.isFull)
    assert.strictEqual(sightings.account(account(maxSightings)).lastSeen, 9)
    assert.strictEqual(sightings.account(account(maxSightings + 1)).lastSeen, 5)
    sightings.note(AccountId.make(1), undefined, 11)
    assert.strictEqual(sightings.account(account(1)).lastSeen, 11)
  })
})

/** How fast connections may speak, and who shares that with whom. */
import { assert, describe, it } from "@effect/vitest"
import { makeRates, type Rate } from "../../../src/server/dialogue/Rates.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"

const allowance = { rate: 10, burst: 20 }

/** How many messages in a row are within it. */
const most = (rate: Rate, now: number) => {
  let count = 0
  while (count < 1000 && rate.take(now)) count++
  return count
}

const guest = (rateOf: (now: number) => Rate, address: string | undefined) => {
  const rate = rateOf(0)
  rate.asGuest(address, 0)
  return rate
}

describe("the rate of a connection", () => {
  it("is its own, whoever it is, and comes back with time", () => {
    const rateOf = makeRates(allowance)
    const [first, second] = [guest(rateOf, "192.0.2.1"), guest(rateOf, "192.0.2.2")]
    assert.deepStrictEqual([most(first, 0), most(second, 0), most(rateOf(0), 0)], [20, 20, 20])
    assert.strictEqual(first.waitFor(1, 0), 100)
    assert.strictEqual(most(first, 1000), 10)
  })

  it("is one for all guests of an address, four times as much, whatever is left of each one's own", () => {
    const rateOf = makeRates(allowance)
    const all = Array.from({ length: 6 }, () => guest(rateOf, "2001:db8::1"))
    const neighbour = guest(rateOf, "2001:db8::2")
    assert.deepStrictEqual(
      all.map((rate) => most(rate, 0)),
      [20, 20, 20, 20, 0, 0]
    )
    // An IPv6 network is one address.
    assert.strictEqual(most(neighbour, 0), 0)
    assert.strictEqual(most(guest(rateOf, "2001:db8:0:1::1"), 0), 20)
    assert.strictEqual(neighbour.waitFor(1, 0), 25)
    neighbour.borrow(0)
    assert.strictEqual(neighbour.waitFor(1, 0), 50)
  })

  it("is not shared by guests of this machine, or of no known address", () => {
    const rateOf = makeRates(allowance)
    for (const address of ["127.0.0.1", "::1", "127.3.4.5", undefined]) {
      const all = Array.from({ length: 6 }, () => guest(rateOf, address))
      assert.deepStrictEqual(
        all.map((rate) => most(rate, 0)),
        [20, 20, 20, 20, 20, 20]
      )
    }
  })

  it("is one for all connections of an account, which share nothing with the guests of their address", () => {
    const rateOf = makeRates(allowance)
    const [first, second] = [guest(rateOf, "192.0.2.1"), guest(rateOf, "192.0.2.1")]
    assert.strictEqual(most(first, 0), 20)
    for (const rate of [first, second]) rate.asAccount(AccountId.make(1), 0)
    assert.deepStrictEqual([most(first, 0), most(second, 0)], [20, 0])
    const guests = Array.from({ length: 4 }, () => guest(rateOf, "192.0.2.1"))
    assert.deepStrictEqual(
      guests.map((rate) => most(rate, 0)),
      [20, 20, 20, 0]
    )
  })

  it("is as much as it was for who goes and comes back", () => {
    const rateOf = makeRates(allowance)
    for (let coming = 0; coming < 4; coming++) {
      const rate = guest(rateOf, "192.0.2.1")
      assert.strictEqual(most(rate, 0), 20)
      rate.end(0)
    }
    assert.strictEqual(most(guest(rateOf, "192.0.2.1"), 0), 0)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { isLoopback, networkOf } from "../../../src/server/session/Peer.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

const someGroups = Arbitrary.array(wholeNumber(0, 0xff_ff), { minLength: 8, maxLength: 8 })

/** With all noughts written, and with none that can be left out, as a browser's URL writes it. */
const spellings = (groups: ReadonlyArray<number>) => {
  const full = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":")
  return [full, new URL(`http://[${full}]/`).hostname.slice(1, -1)]
}

describe("A peer's network", () => {
  it("is an IPv4 address itself, also where it is written as one of IPv6", () => {
    for (const address of ["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:c000:201", "::ffff:192.0.2.1%eth0"]) {
      assert.strictEqual(networkOf(address), "192.0.2.1", address)
    }
    assert.notStrictEqual(networkOf("192.0.2.2"), networkOf("192.0.2.1"))
  })

  it("is the first half of an IPv6 address", () => {
    for (const address of [
      "2001:db8:0:1::",
      "2001:db8:0:1::1",
      "2001:DB8::1:ffff:ffff:ffff:ffff",
      "2001:0db8:0:0001::2"
    ]) {
      assert.strictEqual(networkOf(address), "2001:db8:0:1::/64", address)
    }
    assert.strictEqual(networkOf("2001:db8:0:2::1"), "2001:db8:0:2::/64")
    assert.strictEqual(networkOf("fe80::1%eth0"), "fe80:0:0:0::/64")
    assert.strictEqual(networkOf("::1"), "0:0:0:0::/64")
    assert.strictEqual(networkOf("::"), "0:0:0:0::/64")
    // Neither is an IPv4 address that was mapped.
    assert.strictEqual(networkOf("1::ffff:192.0.2.1"), "1:0:0:0::/64")
    assert.strictEqual(networkOf("::fffe:192.0.2.1"), "0:0:0:0::/64")
  })

  it("is one for all whose address is not known", () => {
    for (const address of [undefined, "", "localhost", "256.0.0.1", "1::2::3", "192.0.2.01", "12345::"]) {
      assert.strictEqual(networkOf(address), "unknown", address)
    }
  })

  it.prop(
    "is the same for all of one half and for no others, however they are written",
    [someGroups, someGroups, wholeNumber(0, 3)],
    ([groups, others, place]) => {
      const network = groups.slice(0, 4)
      const neighbours = [groups, [...network, ...others.slice(4)]].flatMap(spellings)
      assert.strictEqual(new Set(neighbours.map(networkOf)).size, 1)
      const elsewhere = groups.map((group, index) => (index === place ? group ^ 1 : group))
      for (const address of spellings(elsewhere)) assert.notStrictEqual(networkOf(address), networkOf(neighbours[0]))
    },
    tries(200)
  )

  it.prop("is told of any text", [Arbitrary.schema(Schema.String)], ([text]) => {
    assert.isAtMost(networkOf(text).length, 24)
  })
})

describe("This machine", () => {
  it("is 127.0.0.0/8 and ::1, in any spelling", () => {
    for (const address of ["127.0.0.1", "127.255.0.9", "::ffff:127.0.0.1", "::ffff:7f00:1", "::1", "0:0:0:0:0:0:0:1"]) {
      assert.isTrue(isLoopback(address), address)
    }
    for (const address of [
      "128.0.0.1",
      "12.7.0.0",
      "::",
      "::2",
      "1::1",
      "::ffff:128.0.0.1",
      "localhost",
      "127.",
      undefined
    ]) {
      assert.isFalse(isLoopback(address), address)
    }
  })
})

import { assert, describe, it } from "@effect/vitest"
import { makeTrustedProxies } from "../../../src/server/limits/TrustedProxies.ts"

describe("Trusted proxies", () => {
  it("are those that are named, alone or by a block, in whatever form their address comes", () => {
    const { isTrusted } = makeTrustedProxies(["192.0.2.1", "198.51.100.0/24", "2001:db8:1::/48", "fe80::1"])
    for (const address of ["192.0.2.1", "::ffff:192.0.2.1", "198.51.100.255", "2001:db8:1:2::3", "fe80::1%eth0"]) {
      assert.isTrue(isTrusted(address), address)
    }
    for (const address of [
      "192.0.2.2",
      "198.51.101.1",
      "2001:db8:2::1",
      "::1",
      "127.0.0.1",
      "",
      "nonsense",
      undefined
    ]) {
      assert.isFalse(isTrusted(address), address)
    }
  })

  it("are nobody, unless somebody is named", () => {
    const { isTrusted } = makeTrustedProxies([])
    for (const address of ["127.0.0.1", "::1", "192.0.2.1", undefined]) assert.isFalse(isTrusted(address))
  })
})

/**
 * Whose word is taken for where a connection comes from: TRUSTED_PROXIES, addresses and CIDR blocks (RFC 4632, RFC 4291, 2.3).
 *
 * Nobody's, unless the setting names somebody. An IPv4 address in IPv6 form is that IPv4 address.
 */
import { BlockList, isIPv4, isIPv6 } from "node:net"

export interface TrustedProxies {
  readonly isTrusted: (address: string | undefined) => boolean
}

export const makeTrustedProxies = (blocks: ReadonlyArray<string>): TrustedProxies => {
  const list = new BlockList()
  for (const block of blocks) {
    const [address = "", prefix] = block.split("/")
    const [family, length] = isIPv4(address) ? (["ipv4", 32] as const) : (["ipv6", 128] as const)
    list.addSubnet(address, prefix === undefined ? length : Number(prefix), family)
  }
  return {
    isTrusted: (address = "") => {
      if (blocks.length === 0) return false
      // Only its own network knows what stands behind `%`.
      const [plain = ""] = address.split("%")
      if (isIPv4(plain)) return list.check(plain, "ipv4")
      return isIPv6(plain) && list.check(plain, "ipv6")
    }
  }
}

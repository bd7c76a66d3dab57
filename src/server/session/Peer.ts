/**
 * Where a connection comes from, as far as it matters: one who wants another IPv4 address has to find one, but of IPv6 most
 * have a network of 2^64 for themselves, which counts as one address.
 *
 * Node gives addresses in many forms: an IPv4 peer of a socket that takes both is `::ffff:192.0.2.1`, a link-local one has
 * its interface behind `%`, and a peer that has just gone has none.
 */
import { isIPv4, isIPv6 } from "node:net"

/** What is counted as one peer: `192.0.2.1` or `2001:db8:0:1::/64`. Whatever is no address is one as well. */
export const networkOf = (address: string | undefined): string => {
  const peer = peerOf(address)
  if (peer === undefined) return "unknown"
  return typeof peer === "string" ? peer : `${peer.slice(0, networkGroups).map(hex).join(":")}::/64`
}

/** Whether it is this machine itself. */
export const isLoopback = (address: string | undefined): boolean => {
  const peer = peerOf(address)
  if (peer === undefined) return false
  return typeof peer === "string"
    ? peer.startsWith("127.")
    : peer.every((group, index) => group === (index === 7 ? 1 : 0))
}

const groupCount = 8
const networkGroups = 4

/** The text of an IPv4 address, or the eight groups of an IPv6 address that stands for none of those. */
const peerOf = (address = ""): string | ReadonlyArray<number> | undefined => {
  const [plain = ""] = address.split("%")
  if (isIPv4(plain)) return plain
  if (!isIPv6(plain)) return undefined
  const groups = groupsOf(plain)
  const [, , , , , sixth, high = 0, low = 0] = groups
  const isMapped = sixth === 0xff_ff && groups.slice(0, 5).every((group) => group === 0)
  return isMapped ? [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".") : groups
}

/** RFC 4291, section 2.2. `::` stands for as many noughts as are missing; the last two groups may be an IPv4 address. */
const groupsOf = (address: string): ReadonlyArray<number> => {
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").flatMap(groupsIn))
  const missing = groupCount - head.length - tail.length
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

const groupsIn = (text: string): ReadonlyArray<number> => {
  if (text === "") return []
  if (!text.includes(".")) return [Number.parseInt(text, 16)]
  const [first = 0, second = 0, third = 0, fourth = 0] = text.split(".").map(Number)
  return [first * 256 + second, third * 256 + fourth]
}

const hex = (group: number): string => group.toString(16)

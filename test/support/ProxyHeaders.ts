/** The binary header of the PROXY protocol (version 2), written out from its specification with nothing of the server's code. */
import { isIPv6 } from "node:net"

interface Header {
  /** 0x21 is PROXY, 0x20 is LOCAL. */
  readonly command?: number
  /** That of the source, unless it is said; over TCP. */
  readonly family?: number
  /** An IPv6 address with all its groups. */
  readonly source?: string
  /** So many bytes behind the addresses. */
  readonly more?: number
}

const signature = "0d0a0d0a000d0a515549540a"

export const binaryHeader = ({ command = 0x21, family, more = 0, source }: Header): Buffer => {
  const isSixth = source !== undefined && isIPv6(source)
  const address =
    source === undefined
      ? Buffer.alloc(0)
      : isSixth
        ? Buffer.from(
            source
              .split(":")
              .map((group) => group.padStart(4, "0"))
              .join(""),
            "hex"
          )
        : Buffer.from(source.split(".").map(Number))
  const addresses = source === undefined ? address : Buffer.concat([address, Buffer.alloc(address.length + 4)])
  const length = Buffer.alloc(2)
  length.writeUInt16BE(addresses.length + more)
  const kind = family ?? (source === undefined ? 0 : isSixth ? 0x21 : 0x11)
  return Buffer.concat([
    Buffer.from(signature, "hex"),
    Buffer.from([command, kind]),
    length,
    addresses,
    Buffer.alloc(more)
  ])
}

/**
 * What a proxy says before everything else, of whose connection it hands on: the PROXY protocol, versions 1 (a line of text) and 2
 * (binary), of https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt (sections 2.1 and 2.2). Pure: bytes in, a header out.
 *
 * What the proxy says of its own account (LOCAL, UNKNOWN, a family that is no IP) has no source: then the proxy is the peer. Bounds: a
 * line of 107 bytes, and `maxBytes` of a binary header, of which what stands behind the addresses is passed over.
 */
import { isIPv4, isIPv6 } from "node:net"

export type ProxyHeader =
  /** It takes so many bytes; what follows is the client's. */
  | { readonly _tag: "Header"; readonly bytes: number; readonly source: string | undefined }
  /** There must be more. */
  | { readonly _tag: "Unfinished" }
  | { readonly _tag: "NoHeader" }

/** With addresses of Unix sockets it has 232 bytes, and what proxies add to it (TLVs) is some hundred. */
const maxBytes = 4096

const maxLineBytes = 107
const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])
const fixedBytes = 16
const word = Buffer.from("PROXY ")

const unfinished: ProxyHeader = { _tag: "Unfinished" }
const noHeader: ProxyHeader = { _tag: "NoHeader" }

export const parseProxyHeader = (bytes: Buffer): ProxyHeader => {
  if (beginsAs(bytes, signature)) return bytes.length < fixedBytes ? unfinished : parseBinary(bytes)
  return beginsAs(bytes, word) ? parseLine(bytes) : noHeader
}

/** As far as it goes. */
const beginsAs = (bytes: Buffer, expected: Buffer): boolean => {
  const length = Math.min(bytes.length, expected.length)
  return bytes.subarray(0, length).equals(expected.subarray(0, length))
}

/** The version and the command, the family, and how many bytes follow; then addresses and ports. */
const parseBinary = (bytes: Buffer): ProxyHeader => {
  const command = bytes.readUInt8(12)
  const family = bytes.readUInt8(13) >> 4
  const length = bytes.readUInt16BE(14)
  const whole = fixedBytes + length
  // Version 2, LOCAL or PROXY: whatever else there may be is to be refused.
  if ((command !== 0x20 && command !== 0x21) || whole > maxBytes) return noHeader
  if (bytes.length < whole) return unfinished
  const of = (source: string | undefined): ProxyHeader => ({ _tag: "Header", bytes: whole, source })
  if (command === 0x20) return of(undefined)
  const addresses = bytes.subarray(fixedBytes, whole)
  if (family === 1) return length < 12 ? noHeader : of(addresses.subarray(0, 4).join("."))
  if (family === 2) return length < 36 ? noHeader : of(ipv6Of(addresses))
  return of(undefined)
}

const ipv6Of = (bytes: Buffer): string =>
  [0, 2, 4, 6, 8, 10, 12, 14].map((at) => bytes.readUInt16BE(at).toString(16)).join(":")

/** `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`, ended by CR and LF. */
const parseLine = (bytes: Buffer): ProxyHeader => {
  const end = bytes.subarray(0, maxLineBytes).indexOf("\r\n")
  if (end === -1) return bytes.length < maxLineBytes ? unfinished : noHeader
  const [, family, source = "", target = "", ...ports] = bytes.toString("latin1", 0, end).split(" ")
  const of = (address: string | undefined): ProxyHeader => ({ _tag: "Header", bytes: end + 2, source: address })
  if (family === "UNKNOWN") return of(undefined)
  const isOfFamily = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : () => false
  const isWhole = isOfFamily(source) && isOfFamily(target) && ports.length === 2 && ports.every(isPort)
  return isWhole ? of(source) : noHeader
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535

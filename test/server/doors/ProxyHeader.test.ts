import { assert, describe, it } from "@effect/vitest"
import { parseProxyHeader } from "../../../src/server/doors/ProxyHeader.ts"
import { binaryHeader } from "../../support/ProxyHeaders.ts"

const text = (line: string) => Buffer.from(line)
const said = Buffer.from('{"_tag":"Handshake"}\n')

const good: ReadonlyArray<readonly [name: string, header: Buffer, source: string | undefined]> = [
  ["TCP4", text("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), "192.0.2.1"],
  ["TCP6", text("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"), "2001:db8::1"],
  ["UNKNOWN", text("PROXY UNKNOWN\r\n"), undefined],
  ["UNKNOWN with addresses", text(`PROXY UNKNOWN ${"f".repeat(39)} ${"f".repeat(39)} 65535 65535\r\n`), undefined],
  ["binary IPv4", binaryHeader({ source: "192.0.2.1" }), "192.0.2.1"],
  ["binary IPv6", binaryHeader({ source: "2001:db8:0:0:0:0:0:1" }), "2001:db8:0:0:0:0:0:1"],
  ["binary with more behind the addresses", binaryHeader({ source: "192.0.2.1", more: 500 }), "192.0.2.1"],
  ["LOCAL", binaryHeader({ command: 0x20, source: "192.0.2.1" }), undefined],
  ["LOCAL without addresses", binaryHeader({ command: 0x20 }), undefined],
  ["a Unix socket's", binaryHeader({ family: 0x31, more: 216 }), undefined]
]

const bad: ReadonlyArray<readonly [name: string, bytes: Buffer]> = [
  ["what a client says", said],
  ["a line that has no end", text(`PROXY TCP4 ${"1".repeat(200)}`)],
  ["a line that is too long", text(`PROXY UNKNOWN ${"x".repeat(100)}\r\n`)],
  ["no address", text("PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n")],
  ["an address of the other family", text("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n")],
  ["no port", text("PROXY TCP4 192.0.2.1 198.51.100.1 1 65536\r\n")],
  ["too few words", text("PROXY TCP4 192.0.2.1\r\n")],
  ["another protocol", text("PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n")],
  ["another version", binaryHeader({ command: 0x11, source: "192.0.2.1" })],
  ["another command", binaryHeader({ command: 0x22, source: "192.0.2.1" })],
  ["addresses that are cut short", binaryHeader({ family: 0x11, more: 8 })],
  ["a header that is too long", binaryHeader({ source: "192.0.2.1", more: 4096 })],
  ["half of a signature and something else", Buffer.concat([binaryHeader({}).subarray(0, 6), said])]
]

describe("The header of a proxy", () => {
  it.each(good)("says where a connection comes from, and what follows it is the client's: %s", (_, header, source) => {
    const expected = { _tag: "Header", bytes: header.length, source } as const
    assert.deepStrictEqual(parseProxyHeader(header), expected)
    assert.deepStrictEqual(parseProxyHeader(Buffer.concat([header, said])), expected)
    for (let length = 0; length < header.length; length++) {
      assert.deepStrictEqual(parseProxyHeader(header.subarray(0, length)), { _tag: "Unfinished" }, `${length} bytes`)
    }
  })

  it.each(bad)("is none if it is %s", (_, bytes) => {
    assert.deepStrictEqual(parseProxyHeader(bytes), { _tag: "NoHeader" })
  })
})

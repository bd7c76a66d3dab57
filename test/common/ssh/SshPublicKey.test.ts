import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { Digest } from "effect/crypto"
import { Base64 } from "effect/encoding"
import { fingerprintOf, formatSshPublicKey, parseSshPublicKey } from "../../../src/common/ssh/SshPublicKey.ts"
import { joined, sshString } from "../../../src/common/ssh/SshWire.ts"
import { tries, wholeNumber } from "../../support/generators.ts"
import { ecdsa256, ed25519, rsa, samples } from "./Samples.ts"

const lineOf = (kind: string, ...fields: ReadonlyArray<Uint8Array | string>) =>
  `${kind} ${Base64.encode(joined(...fields.map(sshString)))}`

const bytes = (length: number, first: number, last = 1) => {
  const filled = new Uint8Array(length).fill(0xa5)
  filled[0] = first
  filled[length - 1] = last
  return filled
}

/** A modulus of so many bits, as it is written: a number whose first bit is set has a nought before it. */
const modulus = (bits: number, last = 1) => {
  const first = 1 << ((bits - 1) % 8)
  const number = bytes(Math.ceil(bits / 8), first, last)
  return first === 0x80 ? joined(Uint8Array.of(0), number) : number
}
const f4 = Uint8Array.of(1, 0, 1)
const rsaOf = (bits: number, exponent: Uint8Array = f4, last = 1) =>
  parseSshPublicKey(lineOf("ssh-rsa", "ssh-rsa", exponent, modulus(bits, last)))

describe("A public key of OpenSSH", () => {
  for (const { fingerprint, name, publicKey } of samples) {
    it.effect(`is read and written again: ${name}`, () =>
      Effect.gen(function* () {
        const key = parseSshPublicKey(publicKey)
        if (key === undefined) return assert.fail("not read")
        const [kind, base64] = publicKey.split(" ")
        assert.strictEqual(key.kind, kind)
        assert.strictEqual(formatSshPublicKey(key), `${kind} ${base64}`)
        assert.strictEqual(yield* fingerprintOf(key), fingerprint)
      }).pipe(Effect.provide(Digest.layerWebCrypto))
    )
  }

  it("is called what stands behind it, if anything does", () => {
    const [kind, base64] = ed25519.publicKey.split(" ")
    const commentOf = (text: string) => parseSshPublicKey(text)?.comment
    assert.strictEqual(commentOf(ed25519.publicKey), "ada at home")
    assert.strictEqual(commentOf(`${kind} ${base64}`), "")
    assert.strictEqual(commentOf(`${kind}\t${base64}  ada@höme 漢字\r\n`), "ada@höme 漢字")
    assert.isUndefined(commentOf(`${kind} ${base64} ada\u001b[31m`))
    assert.isUndefined(commentOf(`${kind} ${base64} ada\n${kind} ${base64} bob`))
  })

  it("is of RSA with 2048 to 8192 bits, and with an exponent that is fast to use", () => {
    assert.isDefined(rsaOf(2048))
    assert.isUndefined(rsaOf(2047))
    assert.isUndefined(rsaOf(1024))
    assert.isDefined(rsaOf(3071))
    assert.isDefined(rsaOf(8192))
    assert.isUndefined(rsaOf(8193))
    assert.isDefined(rsaOf(2048, Uint8Array.of(3)))
    assert.isUndefined(rsaOf(2048, Uint8Array.of(1)))
    assert.isUndefined(rsaOf(2048, Uint8Array.of(4)))
    assert.isUndefined(rsaOf(2048, f4, 2), "a modulus that two divides")
    assert.isDefined(rsaOf(2048, Uint8Array.of(0x7f, 1, 1, 1)))
    assert.isUndefined(rsaOf(2048, Uint8Array.of(1, 1, 1, 1, 1)))
    assert.isUndefined(rsaOf(2048, modulus(2040)))
  })

  it("has a point of the length of its curve, with both coordinates", () => {
    const ed = (length: number) => parseSshPublicKey(lineOf("ssh-ed25519", "ssh-ed25519", bytes(length, 1)))
    assert.isDefined(ed(32))
    assert.isUndefined(ed(31))
    assert.isUndefined(ed(33))
    const ec = (size: number, curve: string, length: number, first = 4) =>
      parseSshPublicKey(lineOf(`ecdsa-sha2-nistp${size}`, `ecdsa-sha2-nistp${size}`, curve, bytes(length, first)))
    assert.isDefined(ec(256, "nistp256", 65))
    assert.isUndefined(ec(256, "nistp256", 64))
    assert.isUndefined(ec(256, "nistp256", 33, 2), "a compressed point")
    assert.isUndefined(ec(256, "nistp256", 65, 6))
    assert.isUndefined(ec(256, "nistp384", 65), "of another curve")
    assert.isDefined(ec(384, "nistp384", 97))
    assert.isUndefined(ec(384, "nistp384", 65))
    assert.isDefined(ec(521, "nistp521", 133))
  })

  it("is of no other kind", () => {
    for (const kind of ["ssh-dss", "sk-ssh-ed25519@openssh.com", "ssh-ed448", "ssh-ed25519-cert-v01@openssh.com", ""]) {
      assert.isUndefined(parseSshPublicKey(lineOf(kind, kind, bytes(32, 1))), kind)
    }
  })

  it("has one spelling", () => {
    const [kind = "", base64 = "", comment] = ed25519.publicKey.split(" ")
    const blob = Buffer.from(base64, "base64")
    const of = (changed: Uint8Array) => `${kind} ${Base64.encode(changed)}`
    assert.isDefined(parseSshPublicKey(of(blob)))
    for (const [why, text] of [
      ["nothing", ""],
      ["no kind", base64],
      ["no key", kind],
      ["another kind", `ssh-rsa ${base64}`],
      ["another kind inside", lineOf("ssh-ed25519", "ssh-rsa", bytes(32, 1))],
      ["options before it", `no-pty ${kind} ${base64} ${comment}`],
      ["capitals", `SSH-ED25519 ${base64}`],
      ["something behind the key", of(joined(blob, Uint8Array.of(0)))],
      ["something missing", of(blob.subarray(0, -1))],
      ["no padding", rsa.publicKey.replace(/=*$/, "").slice(0, -1)],
      ["padding without need", `${kind} ${base64}====`],
      ["another alphabet", `${kind} ${base64.replaceAll("/", "_")}`],
      ["a nought before the exponent", lineOf("ssh-rsa", "ssh-rsa", Uint8Array.of(0, 3), modulus(2048))],
      ["a negative modulus", lineOf("ssh-rsa", "ssh-rsa", f4, bytes(256, 0x80))],
      ["a text of 4,097 characters", `${kind} ${base64} ${"a".repeat(4096 - kind.length - base64.length - 1)}`]
    ] as const) {
      assert.isUndefined(parseSshPublicKey(text), why)
    }
    // Of the last character only two bits count here.
    assert.isUndefined(parseSshPublicKey(ecdsa256.publicKey.replace(/g=$/, "h=")))
    assert.isDefined(parseSshPublicKey(`${kind} ${base64} ${"a".repeat(4096 - kind.length - base64.length - 2)}`))
  })

  it.prop(
    "is read or refused, however it was cut and changed",
    [wholeNumber(0, samples.length - 1), wholeNumber(0, 3000), wholeNumber(0, 255), wholeNumber(0, 3000)],
    ([which, place, value, end]) => {
      const { publicKey } = samples[which] ?? ed25519
      const [kind = "", base64 = ""] = publicKey.split(" ")
      const blob = Uint8Array.from(Buffer.from(base64, "base64"))
      blob[place % blob.length] = value
      for (const changed of [blob, blob.subarray(0, end % (blob.length + 1))]) {
        const key = parseSshPublicKey(`${kind} ${Base64.encode(changed)}`)
        if (key !== undefined) assert.strictEqual(formatSshPublicKey(key), `${kind} ${Base64.encode(changed)}`)
      }
      parseSshPublicKey(publicKey.slice(0, end))
    },
    tries(500)
  )

  it.prop(
    "is found in no garbage",
    [Arbitrary.schema(Schema.String), Arbitrary.array(wholeNumber(0, 255))],
    ([text, garbage]) => {
      assert.isUndefined(parseSshPublicKey(text))
      assert.isUndefined(parseSshPublicKey(`ssh-ed25519 ${Base64.encode(Uint8Array.from(garbage))}`))
      assert.isUndefined(parseSshPublicKey(`ssh-rsa ${" ".repeat(4000)}${text}\u0001`))
    },
    tries(200, 60)
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { Base64 } from "effect/encoding"
import { parseSshSignature } from "../../../src/common/ssh/SshSignature.ts"
import { joined, sshString } from "../../../src/common/ssh/SshWire.ts"
import { tries, wholeNumber } from "../../support/generators.ts"
import { ecdsa521, ed25519, forFile, rsa, samples, withSha256 } from "./Samples.ts"

const begin = "-----BEGIN SSH SIGNATURE-----"
const end = "-----END SSH SIGNATURE-----"
const armoured = (blob: Uint8Array) => `${begin}\n${Base64.encode(blob)}\n${end}\n`

interface Parts {
  readonly magic: string
  readonly version: number
  readonly key: string
  readonly namespace: string
  readonly reserved: string
  readonly hash: string
  readonly signature: Uint8Array
  readonly rest: string
}

const blobOf = (changes: Partial<Parts>) => {
  const parts: Parts = {
    magic: "SSHSIG",
    version: 1,
    key: "the key",
    namespace: "parley",
    reserved: "",
    hash: "sha512",
    signature: joined(sshString("ssh-ed25519"), sshString("the value")),
    rest: "",
    ...changes
  }
  return joined(
    new TextEncoder().encode(parts.magic),
    Uint8Array.of(0, 0, 0, parts.version),
    ...[parts.key, parts.namespace, parts.reserved, parts.hash, parts.signature].map(sshString),
    new TextEncoder().encode(parts.rest)
  )
}
const parsed = (changes: Partial<Parts> = {}) => parseSshSignature(armoured(blobOf(changes)))

describe("A signature of OpenSSH", () => {
  it("says with which key it was made, how, and what for", () => {
    for (const [{ publicKey, signature }, algorithm] of [
      [ed25519, "ssh-ed25519"],
      [ecdsa521, "ecdsa-sha2-nistp521"],
      [rsa, "rsa-sha2-512"]
    ] as const) {
      const read = parseSshSignature(signature)
      assert.strictEqual(Base64.encode(read?.key ?? new Uint8Array()), publicKey.split(" ")[1])
      assert.strictEqual(read?.namespace, "parley")
      assert.strictEqual(read?.hash, "sha512")
      assert.strictEqual(read?.algorithm, algorithm)
    }
    assert.strictEqual(parseSshSignature(withSha256)?.hash, "sha256")
    assert.strictEqual(parseSshSignature(forFile)?.namespace, "file")
  })

  it("may have lines of any length, ended in any way, and space around it", () => {
    const { signature } = ed25519
    for (const text of [
      signature,
      signature.trim(),
      signature.replaceAll("\n", "\r\n"),
      `\n  ${signature}\n\n`,
      armoured(Buffer.from(signature.split("\n").slice(1, -2).join(""), "base64"))
    ]) {
      assert.deepStrictEqual(parseSshSignature(text), parseSshSignature(signature), text)
      assert.isDefined(parseSshSignature(text))
    }
  })

  it("is of version 1, over a hash of SHA-2, and whole", () => {
    assert.isDefined(parsed())
    assert.isDefined(parsed({ reserved: "for later", namespace: "file" }))
    for (const changes of [
      { magic: "SSHSIH" },
      { magic: "SSHSI" },
      { version: 0 },
      { version: 2 },
      { hash: "sha1" },
      { hash: "SHA512" },
      { hash: "" },
      { rest: "\u0000" },
      { signature: new Uint8Array(0) },
      { signature: sshString("ssh-ed25519") },
      { signature: joined(sshString("ssh-ed25519"), sshString("the value"), Uint8Array.of(0)) },
      { namespace: "par ley" }
    ]) {
      assert.isUndefined(parsed(changes), JSON.stringify(changes))
    }
  })

  it("stands in one armour, in one spelling of base64", () => {
    const { signature } = ed25519
    for (const [why, text] of [
      ["nothing", ""],
      ["no armour", signature.split("\n").slice(1, -2).join("\n")],
      ["another armour", signature.replaceAll("SSH SIGNATURE", "PGP SIGNATURE")],
      ["two", `${signature}${signature}`],
      ["a header", signature.replace(begin, `${begin}\nVersion: 1\n`)],
      ["no end", signature.replace(end, "")],
      ["nothing inside", `${begin}\n\n${end}`],
      ["no line of its own", signature.replaceAll("\n", "")],
      ["a space", signature.replace("\n", " \n")],
      ["padding without need", signature.replace(`\n${end}`, `====\n${end}`)],
      ["spare bits", signature.replace(`E=\n${end}`, `F=\n${end}`)],
      ["more than 4,096 characters", armoured(blobOf({ key: "k".repeat(3100) }))]
    ] as const) {
      assert.isUndefined(parseSshSignature(text), why)
    }
    assert.isDefined(parsed({ key: "k".repeat(2800) }))
  })

  it.prop(
    "is read or refused, however it was cut and changed",
    [wholeNumber(0, samples.length - 1), wholeNumber(0, 3000), wholeNumber(0, 255), wholeNumber(0, 3000)],
    ([which, place, value, cut]) => {
      const { signature } = samples[which] ?? ed25519
      const blob = Uint8Array.from(Buffer.from(signature.split("\n").slice(1, -2).join(""), "base64"))
      blob[place % blob.length] = value
      parseSshSignature(armoured(blob))
      assert.isUndefined(parseSshSignature(armoured(blob.subarray(0, cut % blob.length))), "truncated")
      assert.isUndefined(parseSshSignature(signature.slice(0, cut % (signature.length - 1))), "truncated")
    },
    tries(500)
  )

  it.prop(
    "is found in no garbage",
    [Arbitrary.schema(Schema.String), Arbitrary.array(wholeNumber(0, 255))],
    ([text, garbage]) => {
      assert.isUndefined(parseSshSignature(text))
      assert.isUndefined(parseSshSignature(`${begin}\n${text}\n${end}`))
      assert.isUndefined(parseSshSignature(armoured(Uint8Array.from(garbage))))
      assert.isUndefined(parseSshSignature(armoured(joined(blobOf({}).subarray(0, 12), Uint8Array.from(garbage)))))
    },
    tries(200, 60)
  )
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Digest, SecureRandom, Signature } from "effect/crypto"
import { Base64 } from "effect/encoding"
import { UserName } from "../../../src/common/name/UserName.ts"
import { loginNamespace, loginText } from "../../../src/common/ssh/LoginText.ts"
import { parseSshPublicKey } from "../../../src/common/ssh/SshPublicKey.ts"
import { parseSshSignature, type SshSignature } from "../../../src/common/ssh/SshSignature.ts"
import { type Claim, isSignedBy } from "../../../src/common/ssh/SshVerify.ts"
import { joined, SshReader, sshString } from "../../../src/common/ssh/SshWire.ts"
import { tries, wholeNumber } from "../../support/generators.ts"
import {
  ecdsa256,
  ecdsa384,
  ecdsa521,
  ed25519,
  forFile,
  login,
  rsa,
  type Sample,
  samples,
  withSha256
} from "./Samples.ts"

const webCrypto = Layer.merge(
  Digest.layerWebCrypto,
  Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))
)

const present = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("There is none")
  return value
}

const text = present(loginText(login))

const check = ({ publicKey, signature }: Pick<Sample, "publicKey" | "signature">, changes: Partial<Claim> = {}) =>
  isSignedBy({ key: present(parseSshPublicKey(publicKey)), namespace: loginNamespace, text, signature, ...changes })

/** The signature with some of its parts replaced. */
const changed = (signature: string, changes: Partial<SshSignature>) => {
  const { algorithm, hash, key, namespace, reserved, value } = { ...present(parseSshSignature(signature)), ...changes }
  const blob = joined(
    new TextEncoder().encode("SSHSIG"),
    Uint8Array.of(0, 0, 0, 1),
    ...[key, namespace, reserved, hash, joined(sshString(algorithm), sshString(value))].map(sshString)
  )
  return `-----BEGIN SSH SIGNATURE-----\n${Base64.encode(blob)}\n-----END SSH SIGNATURE-----\n`
}

const keyOf = (sample: Sample) => present(parseSshPublicKey(sample.publicKey))
const valueOf = ({ signature }: Sample) => present(parseSshSignature(signature)).value

describe("What was signed with a key", () => {
  layer(webCrypto)((it) => {
    for (const sample of samples) {
      it.effect(`is right as it stands: ${sample.name}`, () =>
        Effect.gen(function* () {
          assert.isTrue(yield* check(sample))
          // So are its parts, put together again: what the tests below change is all there is to change.
          assert.isTrue(yield* check({ ...sample, signature: changed(sample.signature, {}) }))
        })
      )

      it.effect(`is wrong for another text, purpose or key: ${sample.name}`, () =>
        Effect.gen(function* () {
          for (const other of [
            { ...login, host: "chat.example.com" },
            { ...login, user: UserName.make("adam") },
            { ...login, nonce: "nonces" }
          ]) {
            assert.isFalse(yield* check(sample, { text: present(loginText(other)) }))
          }
          assert.isFalse(yield* check(sample, { text: new Uint8Array(0) }))
          assert.isFalse(yield* check(sample, { namespace: "file" }))
          for (const other of samples) {
            if (other !== sample) assert.isFalse(yield* check(sample, { key: keyOf(other) }), other.name)
          }
        })
      )

      it.effect(`is wrong where anything was changed: ${sample.name}`, () =>
        Effect.gen(function* () {
          const value = valueOf(sample)
          const flipped = Uint8Array.from(value)
          flipped[value.length - 5] = (flipped[value.length - 5] ?? 0) ^ 1
          for (const changes of [
            { reserved: Uint8Array.of(1) },
            { hash: "sha256" },
            { value: flipped },
            { value: value.subarray(1) },
            { value: joined(value, Uint8Array.of(0)) },
            { value: new Uint8Array(0) }
          ] as const) {
            const signature = changed(sample.signature, changes)
            assert.isFalse(yield* check({ ...sample, signature }), JSON.stringify(Object.keys(changes)))
          }
        })
      )
    }

    it.effect("may have been hashed with SHA-256", () =>
      Effect.gen(function* () {
        assert.isTrue(yield* check({ ...ed25519, signature: withSha256 }))
        assert.isFalse(yield* check({ ...ed25519, signature: changed(withSha256, { hash: "sha512" }) }))
      })
    )

    it.effect("for another purpose is wrong for ours, whatever it says it was for", () =>
      Effect.gen(function* () {
        assert.isTrue(yield* check({ ...ed25519, signature: forFile }, { namespace: "file" }))
        assert.isFalse(yield* check({ ...ed25519, signature: forFile }))
        assert.isFalse(yield* check({ ...ed25519, signature: changed(forFile, { namespace: "parley" }) }))
      })
    )

    it.effect("is wrong if it names another key, though it was made with this one", () =>
      Effect.gen(function* () {
        const own = keyOf(ed25519).blob
        for (const key of [keyOf(rsa).blob, own.subarray(0, -1), joined(own, Uint8Array.of(0))]) {
          assert.isFalse(yield* check({ ...ed25519, signature: changed(ed25519.signature, { key }) }))
        }
      })
    )

    it.effect("is wrong by any other algorithm than the key's own, and never right by SHA-1", () =>
      Effect.gen(function* () {
        for (const [sample, algorithms] of [
          [ed25519, ["ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed448", ""]],
          [ecdsa256, ["ecdsa-sha2-nistp384", "ssh-ed25519"]],
          [ecdsa521, ["ecdsa-sha2-nistp256"]],
          [rsa, ["ssh-rsa", "rsa-sha2-256", "ssh-ed25519", ""]]
        ] as const) {
          for (const algorithm of algorithms) {
            const signature = changed(sample.signature, { algorithm })
            assert.isFalse(yield* check({ ...sample, signature }), `${sample.name} ${algorithm}`)
          }
        }
      })
    )

    it.effect("by ECDSA has two numbers above 0 in their one spelling, and no more", () =>
      Effect.gen(function* () {
        const reader = new SshReader(valueOf(ecdsa384))
        const [r, s] = [reader.string(), reader.string()]
        const longer = joined(Uint8Array.of(1), new Uint8Array(48))
        for (const [why, parts] of [
          ["one", [r]],
          ["three", [r, s, s]],
          ["noughts", [Uint8Array.of(), Uint8Array.of()]],
          ["a nought too many", [joined(Uint8Array.of(0, 0), r), s]],
          ["one larger than the curve", [longer, s]],
          ["the other larger than the curve", [r, longer]]
        ] as const) {
          const signature = changed(ecdsa384.signature, { value: joined(...parts.map(sshString)) })
          assert.isFalse(yield* check({ ...ecdsa384, signature }), why)
        }
      })
    )

    it.effect("is wrong by a key whose point is beside its curve", () =>
      Effect.gen(function* () {
        for (const sample of [ecdsa256, ecdsa384, ecdsa521]) {
          const [kind = "", base64 = ""] = sample.publicKey.split(" ")
          const blob = Uint8Array.from(Buffer.from(base64, "base64"))
          blob[blob.length - 1] = (blob.at(-1) ?? 0) ^ 1
          const beside = { publicKey: `${kind} ${Base64.encode(blob)}` }
          const signature = changed(sample.signature, { key: blob })
          assert.isFalse(yield* check({ ...beside, signature }), sample.name)
        }
      })
    )

    it.effect.prop(
      "is wrong where any byte of key or signature was changed, and never an error",
      [wholeNumber(0, samples.length - 1), wholeNumber(0, 999), wholeNumber(1, 255)],
      ([which, place, change]) =>
        Effect.gen(function* () {
          const sample = samples[which] ?? ed25519
          const value = Uint8Array.from(valueOf(sample))
          value[place % value.length] = (value[place % value.length] ?? 0) ^ change
          assert.isFalse(yield* check({ ...sample, signature: changed(sample.signature, { value }) }))

          const [kind = "", base64 = ""] = sample.publicKey.split(" ")
          const blob = Uint8Array.from(Buffer.from(base64, "base64"))
          blob[place % blob.length] = (blob[place % blob.length] ?? 0) ^ change
          const key = parseSshPublicKey(`${kind} ${Base64.encode(blob)}`)
          if (key === undefined) return
          assert.isFalse(yield* check({ ...sample, signature: changed(sample.signature, { key: blob }) }, { key }))
        }),
      tries(150)
    )
  })
})

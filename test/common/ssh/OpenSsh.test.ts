/** Keys and signatures as the OpenSSH of this machine makes them. Skipped where there is none. */
import { execFileSync } from "node:child_process"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { UserName } from "../../../src/common/name/UserName.ts"
import { loginNamespace, loginText } from "../../../src/common/ssh/LoginText.ts"
import { fingerprintOf, parseSshPublicKey } from "../../../src/common/ssh/SshPublicKey.ts"
import { isSignedBy } from "../../../src/common/ssh/SshVerify.ts"

const isThere = (() => {
  try {
    execFileSync("sh", ["-c", "command -v ssh-keygen"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

const note = isThere ? "" : " (skipped: ssh-keygen is missing)"

const text = loginText({ host: "chat.example.org", user: UserName.make("ada"), nonce: "x3vJ-0b" }) ?? new Uint8Array()

/** What it prints. */
const keygen = Effect.fnUntraced(function* (cwd: string, ...flags: ReadonlyArray<string>) {
  const processes = yield* ChildProcessSpawner.ChildProcessSpawner
  return yield* processes.string(ChildProcess.make("ssh-keygen", flags, { cwd, stdin: "ignore" }))
})

/** A key in a folder of its own. */
const makeKey = Effect.fnUntraced(function* (type: ReadonlyArray<string>) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  yield* keygen(folder, "-q", "-t", ...type, "-N", "", "-C", "ada at home", "-f", "key")
  yield* files.writeFile(`${folder}/text`, text)
  const key = parseSshPublicKey(yield* files.readFileString(`${folder}/key.pub`))
  return key === undefined ? assert.fail("the key was not read") : { folder, key }
})

/** The signature of a text with the key in this folder. */
const signWith = Effect.fnUntraced(function* (folder: string, ...flags: ReadonlyArray<string>) {
  const files = yield* FileSystem.FileSystem
  // It would ask whether to write over the one before.
  yield* files.remove(`${folder}/text.sig`, { force: true })
  yield* keygen(folder, "-q", "-Y", "sign", ...flags, "-f", "key", "text")
  return yield* files.readFileString(`${folder}/text.sig`)
})

/** A new key, and the signature of a text with it. */
const sign = Effect.fnUntraced(function* (
  type: ReadonlyArray<string>,
  { flags = [], namespace = loginNamespace }: { flags?: ReadonlyArray<string>; namespace?: string } = {}
) {
  const { folder, key } = yield* makeKey(type)
  const signature = yield* signWith(folder, "-n", namespace, ...flags)
  const listed = yield* keygen(folder, "-l", "-f", "key.pub")
  return { key, signature, fingerprint: listed.split(" ")[1], namespace: loginNamespace }
})

const kinds = [
  ["ed25519"],
  ["ecdsa", "-b", "256"],
  ["ecdsa", "-b", "384"],
  ["ecdsa", "-b", "521"],
  ["rsa", "-b", "2048"],
  ["rsa", "-b", "3072"]
]

describe("OpenSSH", () => {
  layer(Layer.merge(NodeServices.layer, NodeCrypto.layer))((it) => {
    for (const kind of kinds) {
      it.effect.skipIf(!isThere)(`signs with a key that is known here: ${kind.join(" ")}${note}`, () =>
        Effect.gen(function* () {
          const signed = yield* sign(kind)
          assert.strictEqual(signed.key.comment, "ada at home")
          assert.strictEqual(yield* fingerprintOf(signed.key), signed.fingerprint)
          assert.isTrue(yield* isSignedBy({ ...signed, text }))
          assert.isFalse(yield* isSignedBy({ ...signed, text: text.subarray(1) }))
          assert.isFalse(yield* isSignedBy({ ...signed, text, namespace: "file" }))
        })
      )
    }

    it.effect.skipIf(!isThere)(`signs with whichever hash is asked for${note}`, () =>
      Effect.gen(function* () {
        for (const kind of [["ed25519"], ["rsa", "-b", "2048"]]) {
          assert.isTrue(yield* isSignedBy({ ...(yield* sign(kind, { flags: ["-O", "hashalg=sha256"] })), text }))
        }
      })
    )

    it.effect.skipIf(!isThere)(`signs for another purpose, and that is worth nothing here${note}`, () =>
      Effect.gen(function* () {
        assert.isFalse(yield* isSignedBy({ ...(yield* sign(["ed25519"], { namespace: "file" })), text }))
      })
    )

    it.effect.skipIf(!isThere)(`signs as somebody else, and that is worth nothing here${note}`, () =>
      Effect.gen(function* () {
        const ada = yield* sign(["ed25519"])
        const bob = yield* sign(["ed25519"])
        assert.isFalse(yield* isSignedBy({ ...ada, signature: bob.signature, text }))
      })
    )

    it.effect.skipIf(!isThere)(`makes numbers of every length: 30 signatures by ECDSA are right${note}`, () =>
      Effect.gen(function* () {
        // One number in 256 has a byte less than its curve.
        const { folder, key } = yield* makeKey(["ecdsa", "-b", "521"])
        for (let count = 0; count < 30; count++) {
          const signature = yield* signWith(folder, "-n", loginNamespace)
          assert.isTrue(yield* isSignedBy({ key, signature, namespace: loginNamespace, text }))
        }
      })
    )
  })
})

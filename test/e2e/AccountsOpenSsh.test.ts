/** Keys as OpenSSH makes them log in, signed by `ssh-keygen -Y sign` as the protocol says. Skipped where there is no OpenSSH. */
import { execFileSync } from "node:child_process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Talk from "../support/AccountTalk.ts"
import { loginText } from "../support/Ed25519.ts"
import * as TestServer from "../support/TestServer.ts"

const isThere = (() => {
  try {
    execFileSync("sh", ["-c", "command -v ssh-keygen"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

/** What it prints. */
const keygen = Effect.fnUntraced(function* (cwd: string, ...flags: ReadonlyArray<string>) {
  const processes = yield* ChildProcessSpawner.ChildProcessSpawner
  return yield* processes.string(ChildProcess.make("ssh-keygen", flags, { cwd, stdin: "ignore" }))
})

const kinds = ["ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 2048"]

describe.skipIf(!isThere)("a key of OpenSSH", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect.each(kinds)("(%s) is added with the fingerprint that ssh-keygen prints, and logs in", (kind) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
        yield* keygen(folder, "-q", "-t", ...kind.split(" "), "-N", "", "-C", "ada at home", "-f", "key")
        const publicKey = yield* files.readFileString(`${folder}/key.pub`)
        const listed = yield* keygen(folder, "-l", "-f", "key.pub")

        const server = yield* TestServer.start({ settings: { SERVER_NAME: "chat.example" } })
        const ada = yield* Talk.register(server, "ada")
        const added = yield* ada.client.ask({ _tag: "AddKey", publicKey: publicKey.trim() })
        assert.propertyVal(added, "fingerprint", listed.split(" ")[1])

        const client = yield* server.connect()
        const { nonce } = yield* client.ask({
          _tag: "Handshake",
          user: "ada",
          credentials: { _tag: "Key", publicKey: publicKey.trim() }
        })
        yield* files.writeFileString(`${folder}/text`, loginText("chat.example", "ada", nonce))
        yield* keygen(folder, "-q", "-Y", "sign", "-n", "parley", "-f", "key", "text")
        const signature = yield* files.readFileString(`${folder}/text.sig`)
        const welcome = yield* client.ask({
          _tag: "Handshake",
          user: "ada",
          credentials: { _tag: "KeyProof", publicKey: publicKey.trim(), host: "chat.example", signature }
        })
        assert.deepInclude(welcome, { _tag: "Welcome", user: "ada", account: true })
        assert.notStrictEqual(welcome["device"], ada.device)
        yield* Talk.comeBack(server, "ada", String(welcome["token"]))
      })
    )
  })
})

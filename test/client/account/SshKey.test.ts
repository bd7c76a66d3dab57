/** Keys that ssh-keygen made, of each kind and form, with an agent and without. */
import { spawnSync } from "node:child_process"
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Option, Redacted } from "effect"
import * as SshKey from "../../../src/client/account/SshKey.ts"

const hasNoOpenSsh = spawnSync("ssh-keygen", ["-?"]).error !== undefined

const makeFolder = FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped({ prefix: "parley-" }))

/** Runs a program of OpenSSH to its end. */
const run = (command: string, args: ReadonlyArray<string>, input = "") =>
  Effect.sync(() => {
    const { status, stderr, stdout } = spawnSync(command, args, { input, encoding: "utf8" })
    assert.strictEqual(status, 0, `${command} ${args.join(" ")}: ${stderr}`)
    return stdout
  })

const makeKey = Effect.fnUntraced(function* (options: ReadonlyArray<string>, passphrase = "") {
  const path = join(yield* makeFolder, "key")
  yield* run("ssh-keygen", ["-q", "-N", passphrase, "-C", "ada@laptop", "-f", path, ...options])
  return path
})

/** Tells this process's children where the agent is; gives what they were told before. */
const setAgent = (socket: string | undefined): string | undefined => {
  const before = process.env["SSH_AUTH_SOCK"]
  if (socket === undefined) delete process.env["SSH_AUTH_SOCK"]
  else process.env["SSH_AUTH_SOCK"] = socket
  return before
}

/** An agent of the test's own, which this process's children know of; they know of no other. */
const startAgent = Effect.acquireRelease(
  Effect.gen(function* () {
    const socket = join(yield* makeFolder, "agent")
    const said = yield* run("ssh-agent", ["-a", socket, "-s"])
    return { before: setAgent(socket), pid: Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]) }
  }),
  ({ before, pid }) =>
    Effect.sync(() => {
      process.kill(pid)
      setAgent(before)
    })
)

const nobody: SshKey.AskUnseen = () => Effect.succeedNone

/** Answers with these, one after the other, and remembers what it was asked. */
const answering = (...answers: ReadonlyArray<string>) => {
  const asked: Array<string> = []
  const ask: SshKey.AskUnseen = (question) =>
    Effect.sync(() => {
      asked.push(question)
      return Option.map(Option.fromUndefinedOr(answers[asked.length - 1]), (answer) => Redacted.make(answer))
    })
  return { ask, asked }
}

const text = "parley-login\nlocalhost\nada\nnonce\n"

/** The signature is one over the text, for parley, by this key. */
const assertSigns = Effect.fnUntraced(function* (key: { readonly publicKey: string }, signature: string) {
  const folder = yield* makeFolder
  writeFileSync(join(folder, "signature"), signature)
  writeFileSync(join(folder, "signers"), `ada ${key.publicKey}\n`)
  const place = ["-n", "parley", "-I", "ada", "-s", join(folder, "signature"), "-f", join(folder, "signers")]
  yield* run("ssh-keygen", ["-Y", "verify", ...place], text)
})

/** One round of what makes a key of a passphrase. */
const quickly = ["-a", "1"]

const kinds = [
  ["ed25519", ["-t", "ed25519"]],
  ["ecdsa", ["-t", "ecdsa", "-b", "256"]],
  ["rsa", ["-t", "rsa", "-b", "2048"]],
  ["rsa in the older form", ["-t", "rsa", "-b", "2048", "-m", "PEM"]],
  ["ecdsa in the form of PKCS 8", ["-t", "ecdsa", "-m", "PKCS8"]]
] as const

layer(NodeServices.layer, { excludeTestServices: true })((it) => {
  describe.skipIf(hasNoOpenSsh)("a key in a file", () => {
    for (const [kind, options] of kinds) {
      it.effect(`of the kind ${kind} signs, encrypted or not`, () =>
        Effect.gen(function* () {
          const path = yield* makeKey(options)
          const key = yield* SshKey.open(path, nobody)
          assert.strictEqual(`${key.publicKey} ada@laptop\n`, readFileSync(`${path}.pub`, "utf8"))
          yield* assertSigns(key, yield* key.sign(text))

          const encrypted = yield* makeKey([...options, ...quickly], "two words")
          const { ask, asked } = answering("two  words", "two words")
          const opened = yield* SshKey.open(encrypted, ask)
          assert.deepStrictEqual(asked, [`Passphrase of ${encrypted}`, `Passphrase of ${encrypted}`])
          yield* assertSigns(opened, yield* opened.sign(text))
        })
      )
    }

    it.effect("is known by what is inside, without the public key beside it", () =>
      Effect.gen(function* () {
        const path = yield* makeKey(["-t", "ed25519"])
        const beside = readFileSync(`${path}.pub`, "utf8")
        rmSync(`${path}.pub`)
        assert.strictEqual(`${(yield* SshKey.publicKeyOf(path)).publicKey} ada@laptop\n`, beside)
        const key = yield* SshKey.open(path, nobody)
        yield* assertSigns(key, yield* key.sign(text))
      })
    )

    it.effect("may be named by its public key, or by another's name beside it", () =>
      Effect.gen(function* () {
        const path = yield* makeKey(["-t", "ed25519"])
        const key = yield* SshKey.open(`${path}.pub`, nobody)
        yield* assertSigns(key, yield* key.sign(text))
        assert.strictEqual((yield* SshKey.publicKeyOf(`${path}.pub`)).comment, "ada@laptop")
        const other = yield* makeKey(["-t", "ed25519"])
        copyFileSync(`${other}.pub`, `${path}.pub`)
        assert.strictEqual((yield* SshKey.open(path, nobody)).publicKey, key.publicKey)
      })
    )

    it.effect("is not opened by three wrong passphrases, nor where there is nobody to ask", () =>
      Effect.gen(function* () {
        const path = yield* makeKey(["-t", "ed25519", ...quickly], "two words")
        const { ask, asked } = answering("wrong", "as wrong", "wrong again", "two words")
        const wrong = yield* Effect.flip(SshKey.open(path, ask))
        assert.strictEqual(asked.length, 3)
        assert.include(wrong.message, "this is not the passphrase of")
        const unasked = yield* Effect.flip(SshKey.open(path, nobody))
        assert.include(unasked.message, "nobody to ask")
        assert.include(unasked.message, "ssh-add")
      })
    )

    it.effect("that is none is told of with what to do", () =>
      Effect.gen(function* () {
        const path = join(yield* makeFolder, "key")
        const complaint = Effect.map(Effect.flip(SshKey.open(path, nobody)), ({ message }) => message)
        assert.include(yield* complaint, "is not there, or may not be read")
        writeFileSync(path, "hello")
        assert.include(yield* complaint, "is no OpenSSH key")
        for (const rest of ["", "b3BlbnNzaC1rZXktdjEA", "b3BlbnNzaC1rZXktdjEAAAAA////", "%"]) {
          writeFileSync(path, `-----BEGIN OPENSSH PRIVATE KEY-----\n${rest}\n-----END OPENSSH PRIVATE KEY-----\n`)
          assert.include(yield* complaint, "The key cannot sign")
        }
        const older = yield* makeKey(["-t", "rsa", "-b", "2048", "-m", "PEM"])
        rmSync(`${older}.pub`)
        const error = yield* Effect.flip(SshKey.open(older, nobody))
        assert.include(error.message, "ssh-keygen -p -f FILE")
      })
    )
  })

  describe.skipIf(hasNoOpenSsh)("an agent", () => {
    it.effect("signs with the keys it holds, also if only the public one is in a file, and asks nobody", () =>
      Effect.gen(function* () {
        const path = yield* makeKey(["-t", "rsa", "-b", "2048"])
        yield* startAgent
        yield* run("ssh-add", ["-q", path])
        yield* run("ssh-keygen", ["-q", "-p", ...quickly, "-P", "", "-N", "two words", "-f", path])
        const encrypted = yield* SshKey.open(path, nobody)
        yield* assertSigns(encrypted, yield* encrypted.sign(text))
        rmSync(path)
        const key = yield* SshKey.open(`${path}.pub`, nobody)
        const signature = yield* key.sign(text)
        assert.include(Buffer.from(signature.replace(/-----.*-----|\n/g, ""), "base64").toString(), "rsa-sha2-512")
        yield* assertSigns(key, signature)
      }).pipe(Effect.scoped)
    )

    it.effect("does not get to sign a passphrase", () =>
      Effect.gen(function* () {
        const path = yield* makeKey(["-t", "ed25519", ...quickly], "two words")
        yield* startAgent
        const key = yield* SshKey.open(path, answering("two words").ask)
        // The agent has it from now on: its signature would be over the passphrase, too.
        const plain = `${path}.plain`
        copyFileSync(path, plain)
        yield* run("ssh-keygen", ["-q", "-p", "-P", "two words", "-N", "", "-f", plain])
        yield* run("ssh-add", ["-q", plain])
        yield* assertSigns(key, yield* key.sign(text))
      }).pipe(Effect.scoped)
    )

    it.effect("that does not hold the key cannot sign for it, and one is told", () =>
      Effect.gen(function* () {
        const path = yield* makeKey(["-t", "ed25519"])
        rmSync(path)
        const error = yield* Effect.flip(SshKey.open(`${path}.pub`, nobody))
        assert.include(error.message, "ssh-add")
      })
    )
  })
})

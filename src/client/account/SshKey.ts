/**
 * A key that its user logs in with, as OpenSSH has it: in a file, or in an agent, which then signs for it.
 *
 * What is secret in a key is read by `ssh-keygen` alone, which whoever has such a key has too: it knows all forms of keys,
 * and talks to the agent. The agent is preferred, for it asks nobody; and `FILE.pub` names a key that is only there.
 *
 * A server waits some seconds for a signature, which is too short for a person to type: so the passphrase of an encrypted key
 * is asked for, and tried, before anything is dialled. It goes to `ssh-keygen` as the first line of its standard input,
 * which it reads where there is no terminal to ask on; what is to be signed follows. It is in no argument and no environment,
 * which others could see; and no agent is asked then, which would sign it.
 */
import { Duration, Effect, FileSystem, Option, Redacted, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { NotSigned } from "../core/ClientError.ts"
import type { Key } from "../core/Login.ts"
import { isOlderEncrypted, isOlderPrivateKey, maxKeyBytes, privateKeyIn, publicKeyIn } from "./KeyFile.ts"

/** Tells apart what is signed for parley from what is signed for others (PROTOCOL.sshsig of OpenSSH). */
const namespace = "parley"

/** How long `ssh-keygen` may take; an agent may ask its user. */
const patience = Duration.seconds(60)

/** How often a passphrase may be wrong. */
const maxAttempts = 3

/** Asks for what is typed unseen; nothing if there is nobody to ask. */
export type AskUnseen<R = never> = (question: string) => Effect.Effect<Option.Option<Redacted.Redacted>, never, R>

type Needs = FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner

/** The key in this file, ready to sign. */
export const open = Effect.fnUntraced(function* <R>(
  path: string,
  askUnseen: AskUnseen<R>
): Effect.fn.Return<Key, NotSigned, Needs | R> {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const { isEncrypted, publicKey, signer } = yield* find(path)
  const provided = <A, E>(effect: Effect.Effect<A, E, ChildProcessSpawner.ChildProcessSpawner>) =>
    Effect.provideService(effect, ChildProcessSpawner.ChildProcessSpawner, spawner)
  if (yield* isInAgent(publicKey)) {
    return { publicKey, sign: (text) => provided(sign({ path: signer ?? path, text, byAgent: true })) }
  }
  if (signer === undefined) {
    return yield* new NotSigned({
      issue: `${path} is a public key, and neither an agent (SSH_AUTH_SOCK) nor a file beside it has the private one. ssh-add adds one to an agent`
    })
  }
  if (!isEncrypted) return { publicKey, sign: (text) => provided(sign({ path: signer, text })) }
  const passphrase = yield* askPassphrase(signer, askUnseen)
  return { publicKey, sign: (text) => provided(sign({ path: signer, text, passphrase })) }
})

/** The public key that a file holds, whichever of the two it is; and what its owner calls it. */
export const publicKeyOf = Effect.fnUntraced(function* (path: string) {
  const { comment, publicKey } = yield* find(path)
  return { publicKey, comment }
})

interface Found {
  readonly publicKey: string
  readonly comment: string | undefined
  /** The file of the private key, if there is one. */
  readonly signer: string | undefined
  readonly isEncrypted: boolean
}

const find = Effect.fnUntraced(function* (path: string): Effect.fn.Return<Found, NotSigned, FileSystem.FileSystem> {
  const text = yield* read(path)
  const own = publicKeyIn(text)
  if (Option.isSome(own)) {
    const privatePath = path.endsWith(".pub") ? path.slice(0, -".pub".length) : undefined
    const beside = privatePath === undefined ? "" : yield* Effect.orElseSucceed(read(privatePath), () => "")
    const isThere = Option.isSome(privateKeyIn(beside)) || isOlderPrivateKey(beside)
    return { ...own.value, signer: isThere ? privatePath : undefined, isEncrypted: needsPassphrase(beside) }
  }
  const beside = Option.getOrUndefined(publicKeyIn(yield* Effect.orElseSucceed(read(`${path}.pub`), () => "")))
  const inside = Option.getOrUndefined(privateKeyIn(text))
  const publicKey = inside?.publicKey ?? (isOlderPrivateKey(text) ? beside?.publicKey : undefined)
  if (publicKey === undefined) {
    return yield* new NotSigned({
      issue: isOlderPrivateKey(text)
        ? `${path} is of a form that does not say its public key, and ${path}.pub is not there. ssh-keygen -p -f FILE gives it today's form`
        : `${path} is no OpenSSH key. ssh-keygen -t ed25519 makes one`
    })
  }
  const comment = beside?.publicKey === publicKey ? beside.comment : undefined
  return { publicKey, comment, signer: path, isEncrypted: needsPassphrase(text) }
})

const needsPassphrase = (text: string): boolean =>
  Option.match(privateKeyIn(text), { onNone: () => isOlderEncrypted(text), onSome: ({ isEncrypted }) => isEncrypted })

const read = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const cannot = (why: string) => new NotSigned({ issue: `${path} ${why}` })
  const { size, type } = yield* Effect.mapError(files.stat(path), () => cannot("is not there, or may not be read"))
  if (type !== "File" || Number(size) > maxKeyBytes) return yield* cannot("is no OpenSSH key")
  return yield* Effect.mapError(files.readFileString(path), () => cannot("may not be read"))
})

const isInAgent = (publicKey: string) =>
  ChildProcess.make("ssh-add", ["-L"], { stdin: "ignore", stderr: "ignore" }).pipe(
    Effect.flatMap(({ stdout }) => Stream.mkString(Stream.decodeText(stdout))),
    Effect.scoped,
    Effect.map((listed) =>
      listed.split("\n").some((line) => Option.getOrUndefined(publicKeyIn(line))?.publicKey === publicKey)
    ),
    Effect.timeout(patience),
    // No agent, or one that does not answer, has no key.
    Effect.orElseSucceed(() => false)
  )

const askPassphrase = Effect.fnUntraced(function* <R>(path: string, askUnseen: AskUnseen<R>) {
  for (let attempt = 1; ; attempt++) {
    const passphrase = Option.getOrUndefined(yield* askUnseen(`Passphrase of ${path}`))
    if (passphrase === undefined) {
      return yield* new NotSigned({
        issue: `${path} is encrypted, and there is nobody to ask for its passphrase. ssh-add adds it to an agent, which then signs`
      })
    }
    const isRight = yield* Effect.match(sign({ path, text: "parley-try\n", passphrase }), {
      onSuccess: () => true,
      onFailure: ({ issue }) => (issue.includes("passphrase") ? false : issue)
    })
    if (isRight === true) return passphrase
    if (isRight !== false) return yield* new NotSigned({ issue: isRight })
    if (attempt === maxAttempts) return yield* new NotSigned({ issue: `this is not the passphrase of ${path}` })
  }
})

interface Signing {
  readonly path: string
  readonly text: string
  readonly passphrase?: Redacted.Redacted
  readonly byAgent?: true
}

const sign = Effect.fnUntraced(
  function* ({ byAgent, passphrase, path, text }: Signing) {
    const input = `${passphrase === undefined ? "" : `${Redacted.value(passphrase)}\n`}${text}`
    const child = yield* ChildProcess.make("ssh-keygen", ["-Y", "sign", "-n", namespace, "-f", path], {
      env: { SSH_ASKPASS_REQUIRE: "never", LC_ALL: "C", ...(byAgent !== true && { SSH_AUTH_SOCK: undefined }) },
      extendEnv: true,
      // In a session of its own, it has no terminal to ask on.
      detached: true,
      stdin: Stream.succeed(new TextEncoder().encode(input))
    })
    const [signature, complaint, code] = yield* Effect.all(
      [
        Stream.mkString(Stream.decodeText(child.stdout)),
        Stream.mkString(Stream.decodeText(child.stderr)),
        child.exitCode
      ],
      { concurrency: "unbounded" }
    )
    if (Number(code) === 0 && signature.includes("BEGIN SSH SIGNATURE")) return signature
    return yield* new NotSigned({ issue: lastLine(complaint) })
  },
  (effect) =>
    effect.pipe(
      Effect.scoped,
      Effect.catchTag("PlatformError", ({ reason }) =>
        Effect.fail(
          new NotSigned({
            issue:
              reason._tag === "NotFound" ? "there is no ssh-keygen here; OpenSSH has it" : "ssh-keygen did not start"
          })
        )
      ),
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(new NotSigned({ issue: "ssh-keygen did not answer in time" }))
      })
    )
)

/** What ssh-keygen says of its failure, without what it asked. */
const lastLine = (complaint: string): string =>
  complaint
    .split("\n")
    .map((line) => line.replace(/^Enter passphrase[^:]*: ?/, "").trim())
    .findLast((line) => line !== "") ?? "ssh-keygen did not say why"

/**
 * The tokens of one user on one server, in a file that its owner alone can read: one a line, the newest first.
 *
 * It is never half written: the next one is written beside it, flushed, and takes its name (rename, POSIX.1-2017), and
 * then the folder is flushed. Whoever is killed in between leaves the one before, whose tokens are good (see `Login`).
 * Several processes may do so at once: they log in one after the other (`turn`), by a lock on a file beside it. Where that
 * cannot be had in time, the last one decides, and has with its own token the one it used.
 *
 * Bounds: `maxTokens` lines; a file of more than 64 KiB is none of ours, and is not read.
 */
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"
import * as process from "node:process"
import { Effect, Exit, FileSystem, Option, Redacted, Schema, Scope } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { nameKey } from "../../common/name/Name.ts"
import { UserName } from "../../common/name/UserName.ts"
import { CannotKeep, maxTokens, type Token, type TokenStore, withToken } from "../core/Login.ts"
import { holdInTurn } from "./FileLock.ts"

/** Others could use what is in the file. */
export class NotPrivate extends Schema.TaggedError<NotPrivate>()("NotPrivate", {
  path: Schema.String,
  mode: Schema.String
}) {
  override readonly message =
    `Others can read ${this.path}, which lets in whoever has it: chmod 600 ${quoted(this.path)} keeps it to you. ` +
    "If somebody may have read it, log in with your password and remove the device."
}

const maxBytes = 64 * 1024
/** How long others may take to log in; a server has 10 seconds to answer each. */
const patience = "15 seconds"
const maxTokenLength = 1024
/** Most file systems allow 255 bytes; a few are for what is written beside. */
const maxNameBytes = 200
const suffix = ".token"

export interface Address {
  readonly host: string
  readonly port: number
}

/** Where this user's file on this server is, in the folder of all of them. */
export const pathIn = (folder: string, { host, port }: Address, user: UserName): string => {
  const name = `${prefix({ host, port })}${encodeURIComponent(nameKey(user))}`
  const isLong = Buffer.byteLength(name) > maxNameBytes
  return join(folder, `${isLong ? createHash("sha256").update(name).digest("hex") : name}${suffix}`)
}

const prefix = ({ host, port }: Address): string => `${encodeURIComponent(host.toLowerCase())}_${port}_`

const decodeUser = Schema.decodeUnknownOption(UserName)

/** Who has a file on this server, by the keys of their names. */
export const usersIn = Effect.fnUntraced(function* (folder: string, address: Address) {
  const files = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(files.readDirectory(folder), (): ReadonlyArray<string> => [])
  const start = prefix(address)
  return names
    .filter((name) => name.startsWith(start) && name.endsWith(suffix))
    .flatMap((name) => Option.toArray(decodeUser(decoded(name.slice(start.length, -suffix.length)))))
})

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return ""
  }
}

/** Fails if there is a file that others can read. `folder`: made if it is not there, and nobody else's. */
export const open = Effect.fnUntraced(function* (
  path: string,
  folder?: string
): Effect.fn.Return<TokenStore, NotPrivate, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem

  const check = files.stat(path).pipe(
    Effect.flatMap(({ mode }) =>
      (mode & 0o077) === 0 ? Effect.void : Effect.fail(new NotPrivate({ path, mode: (mode & 0o777).toString(8) }))
    ),
    Effect.catchTag("PlatformError", () => Effect.void)
  )

  const readAll = Effect.gen(function* () {
    yield* check
    const { size } = yield* files.stat(path)
    return Number(size) > maxBytes ? [] : tokensIn(yield* files.readFileString(path))
  })

  const read = Effect.orElseSucceed(readAll, (): ReadonlyArray<Token> => [])

  const write = Effect.fnUntraced(function* (tokens: ReadonlyArray<Token>) {
    if (folder !== undefined) {
      yield* files.makeDirectory(folder, { recursive: true, mode: 0o700 })
      yield* files.chmod(folder, 0o700)
    }
    const next = `${path}.${process.pid}`
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.ignore(files.remove(next))
        const file = yield* files.open(next, { flag: "wx", mode: 0o600 })
        const lines = tokens.map((token) => `${Redacted.value(token)}\n`)
        yield* file.writeAll(new TextEncoder().encode(lines.join("")))
        yield* file.sync
      })
    )
    yield* files.rename(next, path)
    yield* flush
  })

  const flush = Effect.scoped(Effect.flatMap(files.open(dirname(path), { flag: "r" }), ({ sync }) => sync))

  const orCannotKeep = Effect.mapError((error: PlatformError) => new CannotKeep({ issue: `${path}: ${why(error)}` }))

  const turn = Effect.flatMap(Scope.make(), (scope) => {
    const end = Scope.close(scope, Exit.void)
    return holdInTurn(`${path}.lock`, patience).pipe(
      Scope.provide(scope),
      Effect.provideService(FileSystem.FileSystem, files),
      Effect.onError(() => end),
      Effect.as(end)
    )
  })

  yield* check
  return {
    read,
    turn,
    keep: (token, used) =>
      Effect.flatMap(read, (tokens) => write(withToken(tokens, token, used))).pipe(
        orCannotKeep,
        Effect.uninterruptible
      ),
    forget: files
      .remove(path, { force: true })
      .pipe(Effect.andThen(files.remove(`${path}.lock`, { force: true })), orCannotKeep)
  }
})

const tokensIn = (text: string): ReadonlyArray<Token> =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && line.length <= maxTokenLength)
    .slice(0, maxTokens)
    .map((line) => Redacted.make(line))

const why = ({ reason }: PlatformError): string => {
  switch (reason._tag) {
    case "PermissionDenied":
      return "it may not be written there"
    case "NotFound":
      return "its folder is not there"
    default:
      return reason.description ?? reason._tag
  }
}

/** As a shell takes it for one word. */
const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

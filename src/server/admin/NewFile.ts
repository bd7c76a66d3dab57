/**
 * A file that is there as a whole or not at all.
 *
 * It is written under the name `FILE.partial`, brought to the disk, and only then gets its own name; whatever goes wrong
 * before, also Ctrl-C, takes the partial file away. One command at a time may write it: the lock on `FILE.partial.lock`
 * ends with the process that holds it, and what a killed one left is removed by the next. Only its owner may read it.
 */
import { Buffer } from "node:buffer"
import { dirname, resolve } from "node:path"
import { Effect, Exit, FileSystem, Option, Scope } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { SqlError } from "effect/sql/SqlError"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { code, resultCode } from "../sql/SqliteProblem.ts"
import { AdminError, sqlProblem, systemProblem } from "./AdminError.ts"
import { abandonable } from "./Interruption.ts"

export interface Target {
  readonly file: string
  /** What stands there may be replaced. */
  readonly isForced: boolean
  /** The database, which is never replaced, nor are the files beside it. */
  readonly database: string
}

/** What SQLite, and the server, keep beside a database. */
const companions = ["-wal", "-shm", "-journal", "-search", "-lock", "-reserve"]

/** SQLite's limit for databases (see ChatDatabase), less the names that are given in between. */
const maxPathBytes = 504 - ".partial.lock".length

const cannotWrite = (file: string, problem: string) => new AdminError({ message: `Cannot write ${file}: ${problem}` })

/** Whatever the umask, which could also take away the owner's own rights. */
const ownersOnly = 0o600

/** Fails if this can be no file's name. */
const checkName = Effect.fnUntraced(function* ({ database, file }: Target) {
  const files = yield* FileSystem.FileSystem
  const refuse = (problem: string) => cannotWrite(file, problem)
  if (file === "-") return yield* refuse("this cannot go to standard output. Name a file.")
  if (/[-/\\]$/.test(file)) return yield* refuse(`the name ends in "${file.at(-1)}". Was something left out?`)
  const bytes = Buffer.byteLength(resolve(file))
  if (bytes > maxPathBytes) {
    return yield* refuse(`its path has ${bytes} bytes, of which there may be ${maxPathBytes}. Choose a shorter one.`)
  }
  const identify = (path: string) => Effect.orElseSucceed(files.realPath(path), () => resolve(path))
  const own = yield* identify(database)
  const wanted = yield* identify(file)
  if ([own, ...companions.map((suffix) => own + suffix)].includes(wanted)) {
    return yield* refuse("that is the server's own database. Name another file.")
  }
})

/** Fails if what stands there may not be replaced. */
const checkPlace = Effect.fnUntraced(function* ({ file, isForced }: Target) {
  const files = yield* FileSystem.FileSystem
  const refuse = (problem: string) => cannotWrite(file, problem)
  const info = yield* Effect.option(files.stat(file))
  if (info._tag === "Some" && info.value.type !== "File") {
    return yield* refuse("that is no file but a folder, or something else. Name a file in it.")
  }
  if (info._tag === "Some" && !isForced) {
    return yield* refuse("it exists already. Name another file, or replace it with --force.")
  }
  for (const suffix of companions) {
    // SQLite would take what stands there for a part of the new file.
    if (yield* files.exists(file + suffix)) {
      return yield* refuse(`${file}${suffix} lies beside it, so a server uses or used it. Name another file.`)
    }
  }
})

/**
 * Takes the lock for the scope: SQLite's, on an empty file, since Node has none of its own. Whoever holds it removes the
 * file before letting go, so it may be a file without a name that is locked here: then once more.
 */
const lock = (path: string): Effect.Effect<void, PlatformError | SqlError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const scope = yield* Effect.scope
    const attempt = yield* Scope.fork(scope)
    const isHeld = yield* Effect.gen(function* () {
      // Open to the end, so that no other file can get its number; and closed last, for that ends all locks on it.
      const file = yield* files.open(path, { flag: "a", mode: ownersOnly })
      yield* files.chmod(path, ownersOnly)
      yield* SqliteClient.make({ filename: path, setup: ["BEGIN EXCLUSIVE"] })
      const named = Option.flatMap(yield* Effect.option(files.stat(path)), ({ ino }) => ino)
      const locked = (yield* file.stat).ino
      if (Option.getOrUndefined(named) !== Option.getOrUndefined(locked)) return false
      yield* Effect.addFinalizer(() => Effect.ignore(files.remove(path, { force: true })))
      return true
    }).pipe(Scope.provide(attempt))
    if (isHeld) return
    yield* Scope.close(attempt, Exit.void)
    yield* lock(path)
  })

/** Lets `fill` write the partial file, which exists and is empty. An interruption does not wait for `fill`. */
export const write = Effect.fnUntraced(function* <A, E, R>(
  target: Target,
  fill: (partial: string) => Effect.Effect<A, E, R>
) {
  const files = yield* FileSystem.FileSystem
  const partial = resolve(`${target.file}.partial`)
  const refuse = Effect.mapError(({ reason }: PlatformError) => cannotWrite(target.file, systemProblem(reason)))
  const removePartial = files.remove(partial, { force: true })
  const begin = Effect.gen(function* () {
    yield* removePartial
    yield* Effect.scoped(files.open(partial, { flag: "wx", mode: ownersOnly }))
    yield* files.chmod(partial, ownersOnly)
  })
  const finish = Effect.gen(function* () {
    yield* sync(partial)
    yield* files.rename(partial, target.file)
    // Not every system can do this for a folder.
    yield* Effect.ignore(sync(dirname(partial)))
  })
  yield* checkName(target)
  yield* Effect.mapError(lock(`${partial}.lock`), (error) =>
    cannotWrite(target.file, error._tag === "SqlError" ? lockProblem(error) : systemProblem(error.reason))
  )
  yield* Effect.catchTag(checkPlace(target), "PlatformError", (error) => refuse(Effect.fail(error)))
  return yield* refuse(begin).pipe(
    Effect.andThen(abandonable(fill(partial))),
    Effect.tap(refuse(finish)),
    Effect.onError(() => Effect.ignore(removePartial))
  )
}, Effect.scoped)

const lockProblem = (error: SqlError): string =>
  resultCode(error.reason.cause) === code.busy
    ? "another command is writing it. Wait until that is done, or name another file."
    : sqlProblem(error)

/** Waits until it is on the disk. */
const sync = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const file = yield* files.open(path, { flag: "r" })
  yield* file.sync
}, Effect.scoped)

/**
 * A file that is there as a whole or not at all.
 *
 * It is written under the name `FILE.partial`, brought to the disk, and only then gets its own name; whatever goes wrong
 * before, also Ctrl-C, takes the partial file away, and SQLite's journal of it. A partial file that a killed process left is removed first.
 */
import { dirname, resolve } from "node:path"
import { Effect, FileSystem } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { AdminError, systemProblem } from "./AdminError.ts"
import { abandonable } from "./Interruption.ts"

export interface Target {
  readonly file: string
  /** What stands there may be replaced. */
  readonly isForced: boolean
  /** The database, which is never replaced, nor are the files beside it. */
  readonly database: string
}

/** What SQLite, and the server, keep beside a database. */
const companions = ["-wal", "-shm", "-journal", "-search"]

const cannotWrite = (file: string, problem: string) => new AdminError({ message: `Cannot write ${file}: ${problem}` })

/** Fails if nothing may be written there. */
const check = Effect.fnUntraced(function* ({ database, file, isForced }: Target) {
  const files = yield* FileSystem.FileSystem
  const refuse = (problem: string) => cannotWrite(file, problem)
  if (file === "-") return yield* refuse("this cannot go to standard output. Name a file.")
  if (/[-/\\]$/.test(file)) return yield* refuse(`the name ends in "${file.at(-1)}". Was something left out?`)
  const identify = (path: string) => Effect.orElseSucceed(files.realPath(path), () => resolve(path))
  const own = yield* identify(database)
  const wanted = yield* identify(file)
  if ([own, ...companions.map((suffix) => own + suffix)].includes(wanted)) {
    return yield* refuse("that is the server's own database. Name another file.")
  }
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
 * Lets `fill` write the partial file, which exists, empty, and may be read by whom the database may be read by. An
 * interruption does not wait for `fill`.
 */
export const write = Effect.fnUntraced(function* <A, E, R>(
  target: Target,
  fill: (partial: string) => Effect.Effect<A, E, R>
) {
  const files = yield* FileSystem.FileSystem
  const partial = resolve(`${target.file}.partial`)
  const refuse = Effect.mapError(({ reason }: PlatformError) => cannotWrite(target.file, systemProblem(reason)))
  const removePartial = Effect.forEach([partial, `${partial}-journal`], (path) => files.remove(path, { force: true }), {
    discard: true
  })
  yield* Effect.catchTag(check(target), "PlatformError", (error) => refuse(Effect.fail(error)))
  const begin = Effect.gen(function* () {
    yield* removePartial
    const { mode } = yield* files.stat(target.database)
    yield* Effect.scoped(files.open(partial, { flag: "wx", mode: mode & 0o666 }))
  })
  const finish = Effect.gen(function* () {
    yield* sync(partial)
    yield* files.rename(partial, target.file)
    // Not every system can do this for a folder.
    yield* Effect.ignore(sync(dirname(partial)))
  })
  return yield* refuse(begin).pipe(
    Effect.andThen(abandonable(fill(partial))),
    Effect.tap(refuse(finish)),
    Effect.onError(() => Effect.ignore(removePartial))
  )
})

/** Waits until it is on the disk. */
const sync = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const file = yield* files.open(path, { flag: "r" })
  yield* file.sync
}, Effect.scoped)

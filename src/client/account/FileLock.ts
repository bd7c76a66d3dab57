/**
 * One program at a time: a lock that ends with the process that holds it, however that ends.
 *
 * It is SQLite's, on an empty file, since Node has none of its own: nothing is ever stale, and nobody else's number is
 * mistaken for a process that is gone. The file stays, for whoever locks it next.
 */
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type Duration, Effect, FileSystem, Predicate, Result, Schema } from "effect"

/** The file cannot be locked by anybody: its folder is not there, or not to be written. */
export class CannotLock extends Schema.TaggedError<CannotLock>()("CannotLock", { issue: Schema.String }) {
  override readonly message = `A lock cannot be had: ${this.issue}.`
}

/** Somebody else has it. */
export class Locked extends Schema.TaggedError<Locked>()("Locked", {}) {}

/** SQLite's number for a lock that others hold. */
const busy = 5

const take = (path: string): Result.Result<DatabaseSync, CannotLock | Locked> =>
  Result.try({
    try: () => {
      const lock = new DatabaseSync(path, { timeout: 0 })
      // Nothing is ever written, so nothing has to be undone after a crash.
      const began = Result.try(() => lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE"))
      if (Result.isSuccess(began)) return lock
      lock.close()
      throw began.failure
    },
    catch: (error) =>
      Predicate.hasProperty(error, "errcode") && error.errcode === busy
        ? new Locked()
        : new CannotLock({ issue: Predicate.isError(error) ? error.message : "it is not known why" })
  })

const release = (lock: DatabaseSync) => Effect.sync(() => lock.close())

/** Makes the folder, readable to its owner alone, where there is none. */
const prepare = (path: string) =>
  FileSystem.FileSystem.use((files) => files.makeDirectory(dirname(path), { recursive: true, mode: 0o700 })).pipe(
    Effect.mapError(({ message }) => new CannotLock({ issue: message }))
  )

/** Holds it for the scope, or fails at once. */
export const hold = Effect.fnUntraced(function* (path: string) {
  yield* prepare(path)
  yield* Effect.acquireRelease(
    Effect.suspend(() => Effect.fromResult(take(path))),
    release
  )
})

/** How often it is tried again. */
const pause = "20 millis"

/** Holds it for the scope as soon as nobody else does; without it after `patience`, or where there is none to be had. */
export const holdInTurn = Effect.fnUntraced(function* (path: string, patience: Duration.Input) {
  yield* hold(path).pipe(
    Effect.catchTag("Locked", (locked) => Effect.andThen(Effect.sleep(pause), Effect.fail(locked))),
    Effect.retry({ while: ({ _tag }) => _tag === "Locked" }),
    Effect.timeoutOption(patience),
    Effect.ignore
  )
})

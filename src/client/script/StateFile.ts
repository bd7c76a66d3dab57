/**
 * The file in which a tail keeps how far it is, for the next one: read once, written after each line that has left the
 * process.
 *
 * It is never half written: the next one is written beside it, flushed, and takes its name (rename, POSIX.1-2017). One
 * tail at a time has it, by a lock that ends with its process. Whatever stands in the file for other conversations stays.
 */
import * as process from "node:process"
import { Effect, FileSystem, Option, Ref } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { hold } from "../account/FileLock.ts"
import { type Cursors, read, type StoredCursor, write } from "./CursorFile.ts"
import { type ScriptError, usage } from "./ScriptError.ts"

/** A file of more is none of ours. */
const maxBytes = 4 * 1024 * 1024

export interface State {
  readonly cursor: StoredCursor | undefined
  readonly save: (cursor: StoredCursor) => Effect.Effect<void, PlatformError>
}

/** Held for the scope. `entry`: under which the cursor stands. */
export const open = Effect.fnUntraced(function* (path: string, entry: string) {
  const files = yield* FileSystem.FileSystem
  // First: beside what is none of ours nothing is left, not even a lock.
  yield* load(path)
  yield* hold(`${path}.lock`).pipe(
    Effect.catchTags({
      Locked: () => Effect.fail(inUse(path)),
      CannotLock: ({ issue }) => Effect.fail(notKept(path, issue))
    })
  )
  const before = yield* load(path)
  const cursors = yield* Ref.make(before)

  const next = `${path}.${process.pid}`
  const save = Effect.fnUntraced(function* (cursor: StoredCursor) {
    const text = write(yield* Ref.updateAndGet(cursors, (all) => ({ ...all, [entry]: cursor })))
    // In a folder of others, a link may have been put there.
    yield* Effect.ignore(files.remove(next))
    const file = yield* files.open(next, { flag: "wx", mode: 0o600 })
    yield* file.writeAll(new TextEncoder().encode(text))
    yield* file.sync
    yield* files.rename(next, path)
  }, Effect.scoped)

  const state: State = { cursor: before[entry], save: (cursor) => Effect.uninterruptible(save(cursor)) }
  return state
})

const load = Effect.fnUntraced(function* (path: string): Effect.fn.Return<Cursors, ScriptError, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const found = yield* files.stat(path).pipe(
    Effect.asSome,
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeedNone),
    Effect.mapError(({ message }) => notKept(path, message))
  )
  if (Option.isNone(found)) return {}
  if (found.value.type !== "File" || Number(found.value.size) > maxBytes) return yield* foreign(path)
  const text = yield* Effect.mapError(files.readFileString(path), ({ message }) => notKept(path, message))
  return text === "" ? {} : (read(text) ?? (yield* foreign(path)))
})

const inUse = (path: string) =>
  usage(
    `Another tail keeps its place in ${path}; two would lose each other's. Give this one its own with --state FILE, or end the other.`
  )

const foreign = (path: string) =>
  usage(
    `${path} holds no places of a tail, and is not written over. Name another file with --state FILE, or remove it.`
  )

const notKept = (path: string, why: string) =>
  usage(`The place cannot be kept in ${path}: ${why}. Name a file that can be written with --state FILE.`)

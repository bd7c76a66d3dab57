/**
 * The file that DATABASE names, before SQLite opens it: found by what it is, made if it is missing, refused if it cannot do.
 *
 * What stands beside it is called after where it really is, not after how it was spelled, so that two spellings lead to the
 * same log. Everything is for the server's user only: folders that are made are 0700, files 0600, whatever the umask. A
 * folder that was there before is left as it is. Each question waits `patience` for the disk.
 */
import { basename, dirname, resolve } from "node:path"
import { Effect, FileSystem, Option, type PlatformError } from "effect"
import { CannotOpenDatabase } from "../sql/CannotOpenDatabase.ts"
import { code, sentenceOf } from "../sql/SqliteProblem.ts"

const patience = "4 seconds"

/** SQLite's own limit is 512 bytes with what it appends (`MAX_PATHNAME` of its Unix layer); "-search-journal" is 15. */
const maxPathBytes = 490

/** Enough for any chain that was meant. */
const maxLinks = 8

/** All there may be beside the database, each with its name's ending. */
const endings = ["", "-wal", "-shm", "-journal", "-search", "-search-wal", "-search-shm", "-lock", "-reserve"]

/** Where the file really is; it is there afterwards. */
export const prepare = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const unusable = (problem: string) => new CannotOpenDatabase({ file, problem })
  const inTime = <A, E, R>(question: Effect.Effect<A, E, R>) =>
    Effect.timeoutOrElse(question, {
      duration: patience,
      orElse: () => Effect.fail(unusable("its disk does not answer. Mend that, or set DATABASE to another file."))
    })
  const checkLength = (path: string) => {
    const bytes = Buffer.byteLength(path)
    return bytes <= maxPathBytes
      ? Effect.void
      : Effect.fail(
          unusable(
            `its full path has ${bytes} bytes, and SQLite takes ${maxPathBytes}. Set DATABASE to a file elsewhere.`
          )
        )
  }

  yield* checkLength(resolve(file))
  yield* Effect.mapError(inTime(makeFolder(dirname(resolve(file)))), (error) =>
    error._tag === "CannotOpenDatabase"
      ? error
      : unusable(`its folder cannot be made (${error.message}). Set DATABASE to a file elsewhere.`)
  )
  const path = yield* Effect.mapError(inTime(realPath(resolve(file), maxLinks)), (error) =>
    error._tag === "CannotOpenDatabase" ? error : unusable(sentence("cannotOpen"))
  )
  yield* checkLength(path)
  const info = yield* Effect.mapError(inTime(Effect.andThen(makeFile(path), files.stat(path))), (error) =>
    error._tag === "CannotOpenDatabase" ? error : unusable(createProblem(error))
  )
  if (info.type !== "File") return yield* unusable(sentence("cannotOpen"))
  const links = Option.getOrElse(info.nlink, () => 1)
  if (links > 1) {
    return yield* unusable(
      `it has ${links} names (hard links), and a server on each would destroy it. Leave it one name, ` +
        "or set DATABASE to another file."
    )
  }
  const isWritable = yield* inTime(
    Effect.isSuccess(
      Effect.all([files.access(path, { writable: true }), files.access(dirname(path), { writable: true })])
    )
  )
  if (!isWritable) return yield* unusable(sentence("readOnly"))
  return path
})

/** Makes an empty file that nobody else may read, if there is none. What is there is not opened: that would end its locks. */
export const makeFile = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  yield* Effect.catchReason(
    files.writeFile(path, new Uint8Array(), { flag: "wx", mode: 0o600 }),
    "PlatformError",
    "AlreadyExists",
    () => Effect.void
  )
})

/** Takes from everybody else what they may do with the database and what is beside it, as far as it is the server's to take. */
export const makePrivate = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  for (const ending of endings) yield* Effect.ignore(files.chmod(`${path}${ending}`, 0o600))
})

/** As if SQLite had said so. */
const sentence = (problem: "cannotOpen" | "full" | "readOnly") => sentenceOf(code[problem], "server", problem)

const createProblem = ({ message, reason }: PlatformError.PlatformError): string => {
  if (reason._tag === "PermissionDenied") return sentence("readOnly")
  return sentence(message.includes("ENOSPC") ? "full" : "cannotOpen")
}

/**
 * Folder by folder, from the last one that is there: Node's own way to make several at once never ends below /proc.
 */
const makeFolder = (folder: string): Effect.Effect<void, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    if (yield* Effect.orElseSucceed(files.exists(folder), () => false)) return
    if (dirname(folder) !== folder) yield* makeFolder(dirname(folder))
    yield* Effect.catchReason(
      files.makeDirectory(folder, { mode: 0o700 }),
      "PlatformError",
      "AlreadyExists",
      () => Effect.void
    )
  })

/** Also of a file that is not there yet, behind whatever links lead to its place. */
const realPath = (
  path: string,
  linksLeft: number
): Effect.Effect<string, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    return yield* Effect.catchReason(files.realPath(path), "PlatformError", "NotFound", (_, missing) =>
      Effect.gen(function* () {
        const folder = yield* files.realPath(dirname(path))
        const target = yield* Effect.option(files.readLink(path))
        if (Option.isNone(target)) return `${folder === "/" ? "" : folder}/${basename(path)}`
        if (linksLeft === 0) return yield* missing
        return yield* realPath(resolve(folder, target.value), linksLeft - 1)
      })
    )
  })

/**
 * Sees to it that one process at a time writes to a database: a server, or a command that changes it.
 *
 * Two locks, both of which the kernel frees when the process ends, however it ends. The first is on what the file is: a
 * socket in Linux's abstract namespace, named after device and inode. It leaves nothing behind, nobody can remove it, and no
 * other spelling leads past it. The second, for what the first does not reach (another container on the same folder, another
 * system), is SQLite's own lock on the empty file `chat.sqlite-lock`, which a clean end removes. The database itself cannot be locked in this way:
 * its readers, the commands of `pnpm admin`, share SQLite's locks on it.
 */
import { createServer, type Server } from "node:net"
import * as process from "node:process"
import { DatabaseSync } from "node:sqlite"
import { Effect, FileSystem, Predicate, Schedule, type Scope } from "effect"
import { CannotOpenDatabase } from "../sql/CannotOpenDatabase.ts"
import { findMoved, identify } from "../sql/FileIdentity.ts"
import { code, sentenceOf } from "../sql/SqliteProblem.ts"
import * as DatabaseFile from "./DatabaseFile.ts"

/** A server that is just ending is waited for. */
const whileTaken = Schedule.max([Schedule.spaced("50 millis"), Schedule.recurs(10)])

/** `path` is where the file really is. Held as long as the scope is open. */
export const acquire = (
  path: string,
  shownAs = path
): Effect.Effect<void, CannotOpenDatabase, Scope.Scope | FileSystem.FileSystem> =>
  Effect.gen(function* () {
    yield* Effect.acquireRelease(patiently(lockIdentity(path)), release)
    const file = `${path}-lock`
    const files = yield* FileSystem.FileSystem
    const locking = Effect.andThen(
      Effect.mapError(DatabaseFile.makeFile(file), () => cannotOpen),
      lockFile(file)
    )
    // Removed while it is still locked: who waits for it finds out that what it has locked then is gone.
    yield* Effect.acquireRelease(patiently(locking), ({ database, identity }) =>
      Effect.suspend(() =>
        findMoved([identity]) === undefined ? Effect.ignore(files.remove(file)) : Effect.void
      ).pipe(Effect.andThen(Effect.sync(() => database.close())))
    )
  }).pipe(
    Effect.mapError(
      (failure) =>
        new CannotOpenDatabase({
          file: shownAs,
          problem: sentenceOf(failure, "server", `its lock failed (${failure}).`)
        })
    )
  )

const patiently = <A, R>(locking: Effect.Effect<A, number, R>) =>
  Effect.retry(locking, { schedule: whileTaken, while: (failure) => failure === taken })

/** All failures here are SQLite's primary result codes. */
const { busy: taken, cannotOpen } = code

const lockIdentity = (path: string): Effect.Effect<Server | void, number> => {
  if (process.platform !== "linux") return Effect.void
  return Effect.callback<Server | void, number>((resume) => {
    const server = createServer((socket) => socket.destroy()).unref()
    server.once("error", (error) => {
      // Where such sockets are forbidden, the second lock has to do.
      const isTaken = Predicate.hasProperty(error, "code") && error.code === "EADDRINUSE"
      resume(isTaken ? Effect.fail(taken) : Effect.void)
    })
    server.listen({ path: `\0parley:${identify(path).identity}`, exclusive: true }, () =>
      resume(Effect.succeed(server))
    )
  })
}

const release = (server: Server | void) =>
  server === undefined ? Effect.void : Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))

/** Before anything is served: nobody minds that it happens in the main thread. */
const lockFile = (file: string) =>
  Effect.try({
    try: () => {
      const identity = identify(file)
      const database = new DatabaseSync(file)
      try {
        database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        if (findMoved([identity]) !== undefined) throw Object.assign(new Error("Removed meanwhile"), { errcode: taken })
        return { database, identity }
      } catch (error) {
        database.close()
        throw error
      }
    },
    catch: (error) => (Predicate.hasProperty(error, "errcode") ? Number(error.errcode) & 0xff : cannotOpen)
  })

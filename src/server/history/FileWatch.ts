/**
 * Notices that the database's file, or its log (-wal) or index of that (-shm), is not where it was: deleted, renamed or
 * replaced, alone or with its folder. Whoever has it open could go on writing to it, and nothing of that would be there
 * after a restart. SQLite's thread looks at every commit (`SqliteOptions.guarded`); this looks once a second, so that the
 * operator hears of it though nobody writes.
 */
import { stat } from "node:fs/promises"
import { Effect } from "effect"
import { type FileIdentity, identify } from "../sql/FileIdentity.ts"

const interval = "1 second"

/** What there is now, and has to be there from now on. To be asked when all of it has been made. */
export const identifyAll = (database: string): ReadonlyArray<FileIdentity> =>
  ["", "-wal", "-shm"]
    .map((ending) => identify(`${database}${ending}`))
    .filter(({ identity }) => identity !== undefined)

/** Tells the log when they go, and when the same ones are back. */
export const run = (files: ReadonlyArray<FileIdentity>) => {
  let isGone = false
  const look = Effect.gen(function* () {
    const found = yield* Effect.forEach(files, isThere)
    const moved = files.find((_, index) => found[index] === false)
    if (moved !== undefined && !isGone) {
      yield* Effect.logError(
        `${moved.path} was deleted, renamed or replaced. Messages are refused until the same file is back there. ` +
          "Put it back, or restart the server to go on with what is there then."
      )
    }
    if (moved === undefined && isGone) yield* Effect.logInfo("The database's files are back, messages are stored again")
    isGone = moved !== undefined
  })
  return Effect.forever(Effect.andThen(Effect.sleep(interval), look))
}

/** Without holding up the event loop, however long the disk takes. */
const isThere = ({ identity, path }: FileIdentity) =>
  Effect.promise(() =>
    stat(path, { bigint: true }).then(
      ({ dev, ino }) => `${dev}:${ino}` === identity,
      () => false
    )
  )

/**
 * Some space that is kept back, in `chat.sqlite-reserve`: on a full disk nothing can be deleted from a database, for
 * deleting writes first, nor can a server start. It is given back when that is needed, and made again when there is room.
 */
import { randomBytes } from "node:crypto"
import { statfs } from "node:fs/promises"
import { dirname } from "node:path"
import { Effect, FileSystem } from "effect"
import * as DatabaseFile from "./DatabaseFile.ts"

/** What deleting writes before the first of it can be used again, and what a start writes. */
const bytes = 8 * 2 ** 20

/** So much has to be free for it to be made, so that it does not take the last of it. */
const roomBytes = 3 * bytes

/** With less than this a start would fail: it is given as much of the reserve, and the rest is kept. */
const startBytes = 2 ** 20

const delay = "500 millis"
const interval = "1 minute"
const pieceBytes = 2 ** 20

export interface Reserve {
  /** Whether there was any. */
  readonly giveBack: Effect.Effect<boolean>
  /** Makes it if there is room and none. */
  readonly refill: Effect.Effect<void>
}

export const make = Effect.fnUntraced(function* (database: string) {
  const files = yield* FileSystem.FileSystem
  const path = `${database}-reserve`

  const size = Effect.orElseSucceed(
    Effect.map(files.stat(path), (info) => Number(info.size)),
    () => 0
  )
  const free = Effect.promise(() =>
    statfs(dirname(database)).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Infinity
    )
  )
  const remove = Effect.ignore(files.remove(path, { force: true }))

  const giveBack = Effect.gen(function* () {
    const had = yield* size
    yield* remove
    return had > 0
  })

  /** Piece by piece, and of what no file system makes smaller. */
  const write = Effect.scoped(
    Effect.gen(function* () {
      yield* DatabaseFile.makeFile(path)
      const file = yield* files.open(path, { flag: "w" })
      for (let written = 0; written < bytes; written += pieceBytes) yield* file.writeAll(randomBytes(pieceBytes))
      yield* file.sync
    })
  )
  const refill = Effect.gen(function* () {
    if ((yield* size) >= bytes || (yield* free) < roomBytes) return
    // The room went to others meanwhile: they need it more.
    yield* Effect.catchCause(write, () => remove)
  }).pipe(Effect.provideService(FileSystem.FileSystem, files))

  return {
    giveBack,
    refill,
    /** Makes room for a start, if it is needed: first of this, then of what `more` gives. */
    beforeStart: Effect.fnUntraced(function* <R>(more: Effect.Effect<void, never, R>) {
      if ((yield* free) >= startBytes) return
      const had = yield* size
      if (had > startBytes) yield* Effect.ignore(files.truncate(path, had - startBytes))
      else yield* remove
      if ((yield* free) < startBytes) yield* more
    }),
    /** Keeps it, for as long as it runs; the start itself does not wait for it. */
    keep: Effect.andThen(
      Effect.sleep(delay),
      Effect.forever(Effect.andThen(refill, Effect.sleep(interval)), { disableYield: true })
    )
  }
})

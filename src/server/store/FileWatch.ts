/**
 * Notices what others do to the database's files while a server uses them; nothing of what it then stored would be there
 * after a restart. SQLite's thread looks at every commit whether they are where they were (`SqliteOptions.guarded`); this
 * looks once a second, so that the operator hears of it though nobody writes, and looks at more:
 *
 * - the database, its log (-wal) or the index of that (-shm) was deleted, renamed or replaced, alone or with its folder.
 *   Messages are stored again when the same files are back.
 * - another program wrote into the same file: a backup copied onto it, a log that was emptied. Only our own checkpoints
 *   write to the database, so its time and size are theirs; a log never shrinks below what it keeps, and its header
 *   (sqlite.org/fileformat2.html, 4.1) changes only when it is begun anew, but when we empty it. Nothing is stored any more,
 *   and nothing is taken out of the log, until a restart. Not noticed: an older part of the same log, between two looks, and
 *   what is done to the log while we empty it.
 *
 * The database itself must not be opened to look: closing it would end the locks that SQLite has on it.
 */
import { open, stat } from "node:fs/promises"
import { Effect, Predicate, Semaphore } from "effect"
import { type FileIdentity, identify } from "../sql/FileIdentity.ts"

const interval = "1 second"

/** What a log keeps of its size when it is begun anew (Checkpoints). */
export const keptBytes = 64 * 2 ** 20

export interface FileWatch {
  /** What has to be there when anything is stored. The same list as long as it is the same. */
  readonly guarded: () => ReadonlyArray<FileIdentity>
  /**
   * Wraps all that writes to the database's file, one after the other. Not done if somebody else has written to it.
   * `emptiesLog`: the log may be shorter afterwards than what it keeps.
   */
  readonly asOwn: <E>(checkpoint: Effect.Effect<void, E>, emptiesLog?: boolean) => Effect.Effect<void, E>
  /** Tells the log what it finds, once. */
  readonly run: Effect.Effect<never>
}

/** To be made when all files have been made, and before anybody makes a checkpoint. */
export const make = Effect.fnUntraced(function* (database: string) {
  const files = ["", "-wal", "-shm"]
    .map((ending) => identify(`${database}${ending}`))
    .filter(({ identity }) => identity !== undefined)
  let guarded: ReadonlyArray<FileIdentity> = files
  let isGone = false
  let written: string | undefined
  /** Own checkpoints begun and ended: while one is under way, nobody can say who writes. */
  let ownWrites = 0
  /** Whether the log may become shorter; changed between two looks only. */
  let isEmptying = false
  let state = yield* stateOf(database)
  let log = (yield* logState(`${database}-wal`)) ?? noLog

  const refuse = Effect.fnUntraced(function* (path: string) {
    written = path
    // No file is ever like this one.
    guarded = [...files, { path, identity: "overwritten" }]
    yield* Effect.logError(
      `${path} was written to by another program (a copy, a tool, a touch). Messages are refused until the server is ` +
        "started again, for they might be lost. Stop it, and look at the database with `pnpm admin verify`: if it is sound, " +
        "start again; if not, put a backup there first and remove the files beside it."
    )
  })

  // One at a time: who looked earlier must not tell of it later.
  const looking = Semaphore.makeUnsafe(1)
  const lookForWriters = looking.withPermits(1)(
    Effect.gen(function* () {
      const before = ownWrites
      const [isMoved, newState, newLog] = yield* Effect.all([
        Effect.map(Effect.forEach(files, isThere), (found) => found.includes(false)),
        stateOf(database),
        logState(`${database}-wal`)
      ])
      if (isMoved || written !== undefined) return
      if (before === ownWrites && before % 2 === 0 && newState !== state) return yield* refuse(database)
      if (newLog === undefined) return
      if (!isEmptying && !canFollow(log, newLog)) return yield* refuse(`${database}-wal`)
      log = newLog
    })
  )

  const lookWhereTheyAre = Effect.gen(function* () {
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

  const beginOwn = Effect.sync(() => {
    ownWrites++
  })
  const endOwn = Effect.gen(function* () {
    state = yield* stateOf(database)
    ownWrites++
  })

  const beginEmptying = looking.withPermits(1)(
    Effect.sync(() => {
      isEmptying = true
    })
  )
  const endEmptying = looking.withPermits(1)(
    Effect.gen(function* () {
      log = (yield* logState(`${database}-wal`)) ?? noLog
      isEmptying = false
    })
  )

  const oneByOne = Semaphore.makeUnsafe(1)
  const watch: FileWatch = {
    guarded: () => guarded,
    asOwn: (checkpoint, emptiesLog = false) =>
      Effect.andThen(
        lookForWriters,
        Effect.suspend(() =>
          written === undefined
            ? Effect.acquireUseRelease(
                emptiesLog ? Effect.andThen(beginEmptying, beginOwn) : beginOwn,
                () => checkpoint,
                () => (emptiesLog ? Effect.andThen(endOwn, endEmptying) : endOwn)
              )
            : Effect.void
        )
      ).pipe(oneByOne.withPermits(1)),
    run: Effect.forever(Effect.sleep(interval).pipe(Effect.andThen(lookWhereTheyAre), Effect.andThen(lookForWriters)))
  }
  return watch
})

/** Without holding up the event loop, however long the disk takes. */
const isThere = ({ identity, path }: FileIdentity) =>
  Effect.promise(() =>
    stat(path, { bigint: true }).then(
      ({ dev, ino }) => `${dev}:${ino}` === identity,
      () => false
    )
  )

/** Changes with whatever is written to it. */
const stateOf = (path: string) =>
  Effect.promise(() =>
    stat(path, { bigint: true }).then(
      ({ mtimeNs, size }) => `${mtimeNs} ${size}`,
      () => ""
    )
  )

interface LogState {
  readonly size: number
  /** How often it has been begun anew; and what all its frames are marked with. Neither in a log without a header. */
  readonly beginnings: number | undefined
  readonly salts: string
  readonly firstSalt: number
}

const headerBytes = 32
/** Two kinds of checksum. */
const magic = new Set([0x377f0682, 0x377f0683])

const noLog: LogState = { size: 0, beginnings: undefined, salts: "", firstSalt: 0 }

/** Undefined if it cannot be looked at just now: with no file descriptor left for that, nothing is wrong with the log. */
const logState = (path: string) =>
  Effect.acquireUseRelease(
    Effect.tryPromise(() => open(path)),
    (file) =>
      Effect.map(
        Effect.tryPromise(() => Promise.all([file.stat(), file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0)])),
        ([{ size }, { buffer: header }]): LogState =>
          magic.has(header.readUInt32BE(0))
            ? {
                size,
                beginnings: header.readUInt32BE(12),
                salts: header.toString("hex", 16, 24),
                firstSalt: header.readUInt32BE(16)
              }
            : { ...noLog, size }
      ),
    (file) => Effect.promise(() => file.close())
  ).pipe(
    Effect.catch(({ cause }) =>
      Effect.succeed(Predicate.hasProperty(cause, "code") && cause.code !== "ENOENT" ? undefined : noLog)
    )
  )

/** Whether nobody but SQLite needs to have written in between. */
const canFollow = (earlier: LogState, later: LogState): boolean => {
  // The header comes with the first that is written.
  if (later.beginnings === undefined) return earlier.beginnings === undefined && later.size === 0
  if (earlier.beginnings === undefined) return true
  if (later.salts === earlier.salts) return later.size >= earlier.size
  const isNext =
    isBehind(later.beginnings, earlier.beginnings, 2 ** 31) ||
    isBehind(later.firstSalt, earlier.firstSalt, maxBeginnings)
  return isNext && later.size >= Math.min(earlier.size, keptBytes)
}

/**
 * Who begins it anew counts that from where it began to know of the log. Where another program, which may only read, recovered it
 * after a crash, that is from 0; but the first salt grows by one each time, whoever begins (sqlite.org/fileformat2.html, 4.5).
 */
const maxBeginnings = 1000

/** Whether it has grown, by less than so much; both count in 32 bits. */
const isBehind = (later: number, earlier: number, most: number): boolean => {
  const steps = (later - earlier) >>> 0
  return steps > 0 && steps < most
}

/** What was deleted is in no file any more within a minute, whatever happens meanwhile, and everything else is. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as process from "node:process"
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Logger, type Scope } from "effect"
import { checksum as checksumOf } from "../../src/server/store/Checksum.ts"
import * as StoredRows from "../server/search/StoredRows.ts"
import * as ErasingFile from "./ErasingFile.ts"
import { isTakenIn, secrets, storeSecrets, traces } from "./ErasingSecrets.ts"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const deletions = secrets.map((seq, index) => StoredRows.deleted(1001 + index, seq))

const isErased = ({ left }: Effect.Success<ReturnType<typeof ErasingFile.open>>) =>
  Eventually.ask("nothing was left to erase", left, (count) => count === 0)

/** Who holds one state of the database. */
const readerOf = (file: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const reader = new DatabaseSync(file, { readOnly: true })
      reader.exec("BEGIN; SELECT * FROM messages")
      return reader
    }),
    (reader) => Effect.sync(() => reader.close())
  )

const indexIsPurged = (file: string) =>
  Eventually.ask("only the database held it", traces(file), (found) => found.every((one) => !one.includes("-search")))

const deletionIsStored = (file: string) =>
  Eventually.ask(
    "it was deleted",
    Effect.acquireUseRelease(
      Effect.sync(() => new DatabaseSync(file, { readOnly: true })),
      (database) =>
        Effect.sync(() => Number(database.prepare("SELECT COUNT(*) AS count FROM erasures").get()?.["count"])),
      (database) => Effect.sync(() => database.close())
    ),
    (count) => count > 0
  )

interface Moment {
  readonly when: string
  readonly moment: (
    file: string,
    deletes: () => void
  ) => Effect.Effect<unknown, Effect.Error<ReturnType<typeof indexIsPurged>>, Scope.Scope | FileSystem.FileSystem>
}

const moments: ReadonlyArray<Moment> = [
  {
    when: "as soon as it was deleted",
    moment: (file, deletes) => Effect.andThen(Effect.sync(deletes), deletionIsStored(file))
  },
  {
    when: "when its words were out of the index, and the log was still to be emptied",
    moment: (file, deletes) =>
      readerOf(file).pipe(
        Effect.andThen(Effect.sync(deletes)),
        Effect.andThen(deletionIsStored(file)),
        Effect.andThen(indexIsPurged(file))
      )
  }
]

realTime("what was deleted", (it) => {
  it.effect("was found by its words, and then is neither found nor in any file; the rest is found", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFile
      const said: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        said.push(`${logLevel} ${String(message)}`)
      })
      const database = yield* ErasingFile.open(file).pipe(Effect.provide(Logger.layer([logger])))
      yield* database.rows.open
      yield* storeSecrets(database)
      assert.deepStrictEqual(yield* database.search("xylophonist"), [985])
      assert.deepStrictEqual(yield* database.search("quaggamires"), [10])
      assert.deepStrictEqual(yield* database.search("numbatification"), [500])
      assert.deepStrictEqual(yield* database.search("zugzwangler"), [])
      assert.isNotEmpty(yield* traces(file))

      yield* database.store(deletions)
      yield* isErased(database)
      assert.deepStrictEqual(yield* traces(file), [])
      for (const word of ["xylophonist", "quaggamire", "numbatification", "zugzwangler"])
        assert.deepStrictEqual(yield* database.search(word), [])
      assert.lengthOf(new Set(yield* database.search("ripe")), 500)

      // Nor is anything left to tell of them but their places, which are as they were stored.
      const edits = yield* database.writer`
        SELECT seq, at, sender, kind, target, author, content, checksum FROM messages WHERE kind = 'Edited'`
      assert.lengthOf(edits, 6)
      for (const { at, author, checksum, content, kind, sender, seq, target } of edits) {
        const by = author === null ? null : String(author)
        const expected = checksumOf(1, Number(seq), Number(at), String(sender), "", String(kind), Number(target), by)
        assert.deepStrictEqual([content, checksum], ["", expected])
      }
      for (const table of ["standing", "reactors", "erasures"])
        assert.deepStrictEqual(yield* database.writer`SELECT COUNT(*) FROM ${database.writer(table)}`.values, [[0]])

      // The log of the database was emptied by us, and by nobody else.
      yield* database.store([StoredRows.said(1004, "ripe later")])
      yield* isTakenIn(database)
      assert.deepStrictEqual(yield* database.search("later"), [1004])
      assert.deepStrictEqual(said, [])
    })
  )

  it.effect("is erased from a log that had grown, which then is small", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFile
      const database = yield* ErasingFile.open(file)
      yield* database.rows.open
      yield* storeSecrets(database)
      const size = Effect.map(files.stat(`${file}-wal`), (info) => Number(info.size) / 2 ** 20)
      yield* database.writer`CREATE TABLE notes (text)`
      // Whatever is taken in meanwhile.
      const grow = Effect.andThen(database.writer`INSERT INTO notes VALUES (zeroblob(1048576))`, size)
      yield* Effect.repeat(grow, { until: (mebibytes) => mebibytes > 35, times: 500 })
      assert.isAbove(yield* size, 35)
      yield* database.store(deletions)
      yield* isErased(database)
      assert.isBelow(yield* size, 1)
      assert.deepStrictEqual(yield* traces(file), [])
    })
  )

  it.effect("is erased once a reader, who holds the log as it was, has gone", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFile
      const database = yield* ErasingFile.open(file)
      yield* database.rows.open
      yield* storeSecrets(database)
      const reader = yield* readerOf(file)
      yield* database.store(deletions)
      yield* indexIsPurged(file)
      assert.isAbove(yield* database.left, 0)
      assert.isNotEmpty(yield* traces(file))
      // Nobody waits for that.
      yield* database.store([StoredRows.said(1004, "ripe later")])
      reader.exec("COMMIT")
      yield* isErased(database)
      assert.deepStrictEqual(yield* traces(file), [])
    })
  )

  it.effect.each(moments)("is erased after a start if the process was killed $when", ({ moment }) =>
    Effect.gen(function* () {
      // On a quiet machine it may have erased everything before it is killed.
      const attempt = Effect.gen(function* () {
        const file = yield* FileServer.newFile
        const child = yield* Effect.acquireRelease(
          Effect.sync(() =>
            spawn(process.execPath, [`${import.meta.dirname}/ErasingProcess.ts`, file], {
              stdio: ["pipe", "pipe", "inherit"]
            })
          ),
          (process) => Effect.sync(() => process.kill("SIGKILL"))
        )
        const exited = once(child, "exit")
        yield* Effect.promise(() => once(child.stdout, "data"))
        yield* Effect.scoped(
          Effect.andThen(
            moment(file, () => child.stdin.write("delete\n")),
            Effect.sync(() => child.kill("SIGKILL"))
          )
        )
        yield* Effect.promise(() => exited)
        return { file, left: yield* traces(file) }
      })
      const { file } = yield* Effect.repeat(attempt, { until: ({ left }) => left.length > 0 })

      const database = yield* ErasingFile.open(file)
      yield* isErased(database)
      assert.deepStrictEqual(yield* traces(file), [])
      assert.deepStrictEqual(yield* database.search("xylophonist"), [])
      assert.lengthOf(yield* database.search("ripe"), 500)
    })
  )
})

/** The database's log while it is taken into the database: who pays for it, how large it gets, and who hears of that. */
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Logger } from "effect"
import * as SqliteClient from "../../src/server/sql/SqliteClient.ts"
import * as Checkpoints from "../../src/server/store/Checkpoints.ts"
import * as FileWatch from "../../src/server/store/FileWatch.ts"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const mebibyte = 2 ** 20

const sizeOf = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => Effect.map(files.stat(path), ({ size }) => Number(size)))

realTime("the database's log", (it) => {
  it.effect("is begun anew while messages come without a pause", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFile
      const history = yield* Logbook.open(file)
      const looking = yield* Effect.acquireRelease(
        Effect.sync(() => new DatabaseSync(file)),
        (database) => Effect.sync(() => database.close())
      )
      const lines = Array.from({ length: 500 }, () => ({ content: "x".repeat(2000) }))
      let megabytes = 0
      let pages = 0
      const isBegunAnew = Effect.gen(function* () {
        yield* Logbook.write(history, lines)
        // With 50 MB in it commits wait for that; the thread beside may be late on a busy machine.
        assert.isBelow(++megabytes, 250)
        const before = pages
        pages = Number(looking.prepare("PRAGMA wal_checkpoint(NOOP)").get()?.["log"])
        return pages < before
      })
      yield* Effect.repeat(isBegunAnew, { until: (isSo) => isSo })
    })
  )

  it.effect("is taken in beside the commits, warned of once while a reader holds it up, and gets small again", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        said.push(`${logLevel} ${String(message)}`)
      })
      const database = yield* FileServer.newFile
      const setup = ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF", "PRAGMA wal_autocheckpoint = 0"]
      const writer = yield* SqliteClient.make({ filename: database, setup })
      const own = yield* SqliteClient.make({ filename: database, setup })
      yield* writer`CREATE TABLE notes (text)`
      const reader = yield* Effect.acquireRelease(
        Effect.sync(() => new DatabaseSync(database, { readOnly: true })),
        (reader) => Effect.sync(() => reader.close())
      )
      reader.exec("BEGIN; SELECT * FROM notes")
      const watch = yield* FileWatch.make(database)
      const keeping = Checkpoints.run({ database, own, watch, writer, warnBytes: 80 * mebibyte })
      // What SQLite does itself must not be taken for somebody else's doing.
      yield* Effect.forEach([keeping, watch.run], (effect) =>
        Effect.forkScoped(Effect.provide(effect, Logger.layer([logger])))
      )

      const add = writer`INSERT INTO notes VALUES (zeroblob(${mebibyte}))`
      yield* Effect.repeat(add, { times: 99 })
      yield* Eventually.isSo("it was warned of", () => said.length > 0)
      assert.match(
        said[0] ?? "",
        /^Warn .*-wal has grown to \d+ MiB, for another program keeps reading .* End what reads/
      )

      reader.exec("COMMIT")
      yield* Eventually.ask("all was in the database", sizeOf(database), (bytes) => bytes > 99 * mebibyte)
      yield* Eventually.ask(
        "it was cut, a piece with each new beginning",
        Effect.andThen(writer`INSERT INTO notes VALUES ('more')`, sizeOf(`${database}-wal`)),
        (bytes) => bytes <= FileWatch.keptBytes
      )
      yield* Eventually.isSo("the log told that it is small", () => said.length > 1)
      assert.deepStrictEqual(
        said.map((line) => line.split(" ")[0]),
        ["Warn", "Info"]
      )
    })
  )
})

/** Reports in a SQLite file: the same contract, over restarts, and until no file holds a word of what was deleted. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, Schedule } from "effect"
import { Reports } from "../../../src/server/reports/Reports.ts"
import * as Database from "../../../src/server/store/Database.ts"
import { maxOfContract, reportOf, reportsContract } from "../reports/ReportsContract.ts"
import { newFile } from "./OpenLog.ts"

const fresh = Layer.unwrap(
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
    return Database.layerFile({ file: `${folder}/chat.sqlite`, retention: "forever", maxReports: maxOfContract })
  })
).pipe(Layer.provide(NodeFileSystem.layer))

reportsContract("SqlReports", fresh)

const open = (file: string) =>
  Effect.map(Layer.build(Database.layerFile({ file, retention: "forever" })), (services) =>
    Context.get(services, Reports)
  )

/** Whether any file of the database holds these bytes. */
const holds = Effect.fnUntraced(function* (file: string, word: string) {
  const files = yield* FileSystem.FileSystem
  const found = yield* Effect.forEach(["", "-wal"], (ending) =>
    Effect.orElseSucceed(files.readFile(`${file}${ending}`), () => new Uint8Array())
  )
  return found.some((bytes) => Buffer.from(bytes).includes(word))
})

layer(NodeFileSystem.layer, { excludeTestServices: true })("SqlReports", (it) => {
  it.effect("keeps reports over a stop and a start, and erases what is deleted from every file while it runs", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.scoped(
        Effect.gen(function* () {
          const reports = yield* open(file)
          yield* reports.add(reportOf("oystercatcher"))
          yield* reports.add(reportOf("kittiwake"))
          yield* reports.setHandled(1)
        })
      )
      const reports = yield* open(file)
      const kept = yield* reports.list(undefined, 9)
      assert.deepStrictEqual(kept, [
        { id: 2, isHandled: false, ...reportOf("kittiwake") },
        { id: 1, isHandled: true, ...reportOf("oystercatcher") }
      ])
      assert.isTrue(yield* holds(file, "oystercatcher"))
      yield* reports.remove(1)
      yield* holds(file, "oystercatcher").pipe(
        Effect.repeat({ until: (isThere) => !isThere, schedule: Schedule.spaced("50 millis") })
      )
      assert.isTrue(yield* holds(file, "kittiwake"))
      assert.deepStrictEqual(
        (yield* reports.list(undefined, 9)).map(({ id }) => id),
        [2]
      )
    }).pipe(Effect.scoped)
  )
})

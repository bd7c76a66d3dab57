/** After a crash another program may open the database first, and recover its log: what the server then does to that log is its own. */
import { readFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Schedule } from "effect"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

/** By what all frames of the log are marked, which changes when it is begun anew (sqlite.org/fileformat2.html, 4.1). */
const salts = (file: string) => readFileSync(`${file}-wal`).toString("hex", 16, 24)

/** 4 MiB, as much as is taken into the database at once. */
const many = Array.from({ length: 550 }, () => ({ content: "x".repeat(8000) }))

/** Writes until the log has been begun anew so many times. */
const writeOn = Effect.fnUntraced(function* (
  file: string,
  history: Effect.Success<ReturnType<typeof Logbook.open>>,
  times: number
) {
  let before = salts(file)
  for (let begun = 0; begun < times;) {
    yield* Logbook.write(history, many)
    // It is taken in beside the commits; the first one afterwards begins the log anew.
    yield* Effect.repeat(Logbook.write(history, [{ content: "x" }]), {
      until: () => salts(file) !== before,
      schedule: Schedule.upTo(Schedule.spaced("250 millis"), { times: 8 })
    })
    if (salts(file) === before) continue
    before = salts(file)
    begun++
  }
})

layer(NodeServices.layer, { excludeTestServices: true })(
  "a database whose log was recovered by who only reads",
  (it) => {
    it.effect("stores on, however often its log is begun anew", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const [file, copy] = [yield* FileServer.newFile, yield* FileServer.newFile]
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* writeOn(file, yield* Logbook.open(file), 2)
            // As a kill leaves it: without the index of the log, which is made anew.
            for (const ending of ["", "-wal"]) yield* files.copyFile(`${file}${ending}`, `${copy}${ending}`)
          })
        )
        const reader = new DatabaseSync(copy, { readOnly: true })
        const count = () => Number(reader.prepare("SELECT COUNT(*) AS count FROM messages").get()?.["count"])
        const before = count()
        assert.isAbove(before, 1000)
        yield* writeOn(copy, yield* Logbook.open(copy), 3)
        assert.isAbove(count(), before + 1500)
        reader.close()
      })
    )
  }
)

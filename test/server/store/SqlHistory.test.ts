/** History in a SQLite file, held to the same contract as every other. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, FileSystem, Layer } from "effect"
import * as Database from "../../../src/server/store/Database.ts"
import { historyContract } from "../history/HistoryContract.ts"

const fresh = Layer.unwrap(
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
    return Database.layerFile({ file: `${folder}/chat.sqlite`, retention: "forever" })
  })
).pipe(Layer.provide(NodeFileSystem.layer))

// Each run opens three connections, each with a thread of its own.
historyContract("SqlHistory", fresh, 4)
